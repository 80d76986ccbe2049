#ifndef LUVD_HOST_WORKER_H
#define LUVD_HOST_WORKER_H

#include "plan/daemon.h"

/* A worker under a monitor, from its first row on: takes the WORKER rows, then runs the service in
 * its loop and does what the monitor says over daemon->channel_fd, until it is told to stop or the
 * monitor is gone. daemon: the spec, who it is, and descriptors as the monitor has given them.
 * Returns the exit code of the process. */
int worker_run(struct daemon *daemon);
/* The start has failed: tells the monitor. Returns the exit code. */
int worker_failed(const struct daemon *daemon, const struct err *err);

#endif
