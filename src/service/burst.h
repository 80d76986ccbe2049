#ifndef LUVD_SERVICE_BURST_H
#define LUVD_SERVICE_BURST_H

#include "service/alarm.h"
#include "spec/spec.h"
#include "text.h"

/* What a flood of peers causes again and again (max_connections, a timeout of headers), logged once
 * per burst: the first at once, then at most a line every BURST_MS milliseconds, whose field
 * "suppressed" counts those that were left out since the one before. One struct for each kind,
 * zeroed; nothing is allocated. */

struct vm;

struct burst {
	struct alarm alarm;
	struct vm *vm;
	enum log_level level;
	const char *message;
	uint64_t suppressed;
};

enum { BURST_MS = 10000 };

/* message is static, and the same at each call with this burst; fields are shown with the first
 * only. */
void vm_log_burst(struct vm *vm, struct burst *burst, enum log_level level, const char *message,
		  const struct log_field *fields, size_t count);
/* Logs what is not told yet; before the memory goes. */
void burst_end(struct burst *burst);

#endif
