#ifndef LUVD_HOST_REPEAT_H
#define LUVD_HOST_REPEAT_H

#include <stdbool.h>
#include <stdint.h>

#include "format.h"

/* The same line again and again is logged once and counted: equal level, message and fields, with
 * no other line between them, within REPEAT_MS milliseconds of the first. Not thread-safe. Times
 * are those of CLOCK_MONOTONIC in milliseconds. */

enum {
	REPEAT_MS = 10000,
	REPEAT_MAX = 32768 /* a line with more bytes is never taken for the one before */
};

struct repeat {
	char *bytes; /* what the last line consists of; NULL: it cannot be repeated */
	size_t length;
	enum log_level level;
	int64_t until;
	uint64_t count; /* of those that were left out */
};

void repeat_finish(struct repeat *repeat);
/* Is the entry the last one again? Then it is counted, and not to be logged. */
bool repeat_is(struct repeat *repeat, const struct entry *entry, int64_t now);
/* The entry is logged: what comes next is compared with it. */
void repeat_begin(struct repeat *repeat, const struct entry *entry, int64_t now);
/* Returns how many were left out and forgets the line. *level: theirs. */
uint64_t repeat_end(struct repeat *repeat, enum log_level *level);
/* When repeat_end must be called for what is counted; -1: nothing is. */
int64_t repeat_until(const struct repeat *repeat);

#endif
