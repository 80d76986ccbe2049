#ifndef LUVD_HOST_MONITOR_BOUND_H
#define LUVD_HOST_MONITOR_BOUND_H

#include "plan/daemon.h"

/* One address that a monitor listens at: its socket, or one for each worker slot. It outlives the
 * spec that it was bound for, as long as a generation has it. */
struct bound {
	struct listener listener; /* of the two below */
	struct listen listen;     /* what it was bound with; owns its name, has no addresses */
	struct address address;   /* owns its text */
	bool by_name;             /* inherited, and the service manager named it like the entry */
	bool closed;              /* a generation that drains had it; its descriptors are gone */
	unsigned users;           /* generations that have it */
	struct bound *next;
};

/* Takes over a socket of the start; its descriptors are no more the listener's. NULL: out of
 * memory. */
struct bound *bound_take(struct listener *listener, bool by_name, struct err *err);
/* Binds a new one, with a socket for each of workers when the entry has reuseport. self: our
 * effective uid. NULL: it cannot be. */
struct bound *bound_open(const struct listen *listen, const struct address *address, int workers,
			 uid_t self, struct err *err);
/* Frees it; open descriptors are closed, no file is removed. Accepts NULL. */
void bound_destroy(struct bound *bound);
/* Closes it, and removes the file of a unix socket while it is still ours. Never of an inherited
 * one. */
void bound_close(struct bound *bound);

/* Is it what this entry asks for at this address? */
bool bound_is(const struct bound *bound, const struct listen *listen,
	      const struct address *address);
/* The key of the entry whose change this socket cannot take, "mode"; NULL: there is none. */
const char *bound_lacks(const struct bound *bound, const struct listen *listen, int workers);
/* Would the kernel refuse, or split between the two, a socket at address beside this one? */
bool bound_overlaps(const struct bound *bound, const struct address *address);
/* Backlog and receive buffer become those of the entry. 0 for the buffer: it stays. */
void bound_settle(struct bound *bound, const struct listen *listen);

#endif
