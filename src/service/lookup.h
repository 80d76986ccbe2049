#ifndef LUVD_SERVICE_LOOKUP_H
#define LUVD_SERVICE_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* The addresses of a host's name, without blocking: /etc/hosts as it was at the start, then DNS
 * (c-ares), sorted as RFC 6724 says. Works in an empty root. */

struct vm;
struct resolver;

enum {
	LOOKUP_MAX = 16,       /* addresses of one name */
	LOOKUPS_AT_ONCE = 1000 /* questions on their way, those that were cancelled too */
};

struct lookup {
	struct vm *vm;
	/* Told once, from the loop, unless the lookup was over when lookup_start returned. NULL:
	 * cancelled. The lookup is freed by who was told. */
	void (*done)(struct lookup *lookup);
	void *data;
	bool over;
	int code; /* 0, or UV_EAI_* when nothing was found: UV_EAI_AGAIN when no server has
		     answered, or too many questions are on their way */
	size_t count;
	struct sockaddr_storage found[LOOKUP_MAX]; /* with port 0 */
};

/* NULL: out of memory. */
struct lookup *lookup_start(struct vm *vm, const char *name, void (*done)(struct lookup *lookup),
			    void *data);
/* Nobody is told any more; it frees itself when the answer comes. When it is over: frees it. */
void lookup_cancel(struct lookup *lookup);

/* Closes what lookups have opened; those that are on their way end. */
void lookups_close(struct vm *vm);

#endif
