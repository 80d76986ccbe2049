#ifndef LUVD_PLAN_LISTENER_H
#define LUVD_PLAN_LISTENER_H

#include "plan/daemon.h"

/* Makes listener->fd a socket that listens at listener->address, with the options of its entry; a
 * unix socket's file appears whole (plan/unix.h). self: our effective uid. Fills actual too. */
int listener_bind(struct listener *listener, uid_t self, struct err *err);
/* Fills actual of a socket that came from elsewhere, with the port that the kernel chose. */
int listener_tell(struct listener *listener, struct err *err);

#endif
