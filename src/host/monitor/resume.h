#ifndef LUVD_HOST_MONITOR_RESUME_H
#define LUVD_HOST_MONITOR_RESUME_H

#include "plan/daemon.h"

/* An image that was executed in a monitor's place. */

/* For a trial: reads state_fd and all bundles (bundle_fds, in order of the generations), changes
 * nothing. 0: this image could take over. */
int resume_check(int state_fd, const int *bundle_fds, size_t count, struct err *err);
/* Takes over what state_fd says, and is the monitor from then on; returns the exit code. self_fd:
 * the executable of the image before, which is executed again with the same state when this one
 * cannot. why: NULL, or this is that one, which goes on for this reason. */
int resume_run(struct daemon *daemon, int state_fd, int self_fd, const char *why);

#endif
