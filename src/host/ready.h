#ifndef LUVD_HOST_READY_H
#define LUVD_HOST_READY_H

#include "host/log.h"
#include "plan/daemon.h"

/* The row ready: says so to the log, to whoever waits (launcher or terminal) and to the service
 * manager. In the background the launcher tells the manager, who must know the daemon's pid first.
 * -1: the launcher is gone, and nobody is told anything. */
int ready_tell(struct daemon *daemon, struct log *log, struct err *err);

#endif
