#ifndef LUVD_PLAN_LISTEN_H
#define LUVD_PLAN_LISTEN_H

#include "plan/daemon.h"

/* Which socket serves which `listen` entry: one from the service manager, or one that we bind.
 * Pure: the plan prints it, the step does it. */

enum { SOCKETS_MAX = 256 };

struct socket_choice {
	const struct listen *listen;
	const struct address *address;
	const struct inherited *inherited; /* NULL: bind it */
};

struct choices {
	struct socket_choice list[SOCKETS_MAX];
	size_t count;
	const struct inherited *unclaimed; /* the first that no entry takes, or NULL */
};

/* SOCK_STREAM or SOCK_DGRAM. */
int listen_type(const struct address *address);

/* An inherited socket named like an entry belongs to it, and then that entry binds none itself;
 * else it serves the entry that has its very address. -1: too many. */
int listen_choose(const struct spec *spec, const struct machine *machine, struct choices *choices,
		  struct err *err);

#endif
