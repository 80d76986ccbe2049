#ifndef LUVD_HOST_MONITOR_GENERATION_H
#define LUVD_HOST_MONITOR_GENERATION_H

#include "plan/daemon.h"

/* What the workers of one generation are started from. */
struct generation {
	int id;
	struct spec *spec; /* owned, but the one that is daemon->spec */
	int bundle_fd;     /* sealed memfd of it; owned */
	struct generation *next;
};

/* Takes spec and bundle_fd over, at the end of the list; NULL: out of memory, and they are the
 * caller's. */
struct generation *generation_add(struct generation **list, int id, struct spec *spec,
				  int bundle_fd);
struct generation *generation_find(struct generation *list, int id); /* NULL: there is none */
/* Forgets it; kept is the spec that somebody still has: not destroyed. */
void generation_remove(struct generation **list, int id, const struct spec *kept);
/* A copy of daemon that has this generation's spec, to ask the plan about its workers: what they
 * will be, what they may. Nothing in it is owned. */
struct daemon generation_daemon(const struct generation *generation, const struct daemon *daemon);

#endif
