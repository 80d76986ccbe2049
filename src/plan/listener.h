#ifndef LUVD_PLAN_LISTENER_H
#define LUVD_PLAN_LISTENER_H

#include "plan/daemon.h"

/* Makes listener->fd a socket that listens at listener->address, with the options of its entry; a
 * unix socket's file appears whole (plan/unix.h). self: our effective uid. Fills actual too. What
 * was opened before a failure is the caller's to close. */
int listener_bind(struct listener *listener, uid_t self, struct err *err);
/* The same with one socket for each of workers when the entry has reuseport, all of one port. */
int listener_bind_all(struct listener *listener, int workers, uid_t self, struct err *err);
/* Closes all its sockets, and removes no file. */
void listener_close(struct listener *listener);
/* Fills actual of a socket that came from elsewhere, with the port that the kernel chose. */
int listener_tell(struct listener *listener, struct err *err);

#endif
