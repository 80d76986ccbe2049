#ifndef LUVD_SERVICE_DIAL_H
#define LUVD_SERVICE_DIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "service/alarm.h"
#include "service/lookup.h"

/* A connection that is being opened: the addresses of a name are tried one after the other, each
 * with its share of the time that is left. */

struct vm;
struct attempt;

enum {
	DIAL_TARGET_MAX = 280, /* a target that is right is shorter */
	DIAL_ERROR_MAX = 400
};

struct dial {
	struct vm *vm;
	/* Told once, from the loop: fd is the connected descriptor, or -1 with why. */
	void (*done)(struct dial *dial);
	void *data;

	bool over; /* done was told */
	int fd;
	struct sockaddr_storage peer;
	char message[DIAL_ERROR_MAX]; /* "tcp://db:5432: connection refused" */
	const char *code;             /* static: "ECONNREFUSED" */

	/* its own */
	char target[DIAL_TARGET_MAX];
	uint64_t until; /* loop time */
	struct lookup *lookup;
	struct attempt *attempt;
	struct alarm alarm;
	struct sockaddr_storage addresses[LOOKUP_MAX];
	socklen_t length; /* of a unix address; 0: of its family */
	size_t count, next;
	bool starting;
};

/* What target is: "tcp://HOST:PORT", "tcp://[IPv6]:PORT", "unix:/path", "unix:@name". NULL: right,
 * else what was expected. target ends with a 0 besides. */
const char *dial_check(const char *target, size_t length);
/* Begins; target is right; timeout in milliseconds. NULL: out of memory. */
struct dial *dial_start(struct vm *vm, const char *target, int64_t timeout,
			void (*done)(struct dial *dial), void *data);
/* Frees it; closes what is open. After done, or before: then nobody is told. */
void dial_finish(struct dial *dial);

/* --- between dial.c and dial_target.c, of a target that is right --- */

bool dial_is_unix(const char *target);
/* Returns the length of the address. */
socklen_t dial_unix_address(const char *target, struct sockaddr_storage *address);

#endif
