#ifndef LUVD_HOST_MONITOR_TRIAL_H
#define LUVD_HOST_MONITOR_TRIAL_H

#include <uv.h>

#include "host/monitor/handover.h"

/* A new binary is run as a child on the state that it would have to take over: it reads all of it
 * and answers with its version, or it is refused with its own words. Limited in time, CPU and what
 * it may write; the daemon serves on meanwhile. */

struct trial;

/* Executes the file behind program_fd. tell is called once, unless trial_close comes before:
 * version, or NULL with err. The descriptors stay the caller's. NULL with err: it did not begin. */
struct trial *trial_start(uv_loop_t *loop, int program_fd, int null_fd,
			  const struct handover *handover,
			  void (*tell)(void *data, const char *version, const struct err *err),
			  void *data, struct err *err);
pid_t trial_pid(const struct trial *trial); /* 0: it has ended */
/* Kills the child if there is one; the memory goes when the loop has closed the handles. */
void trial_close(struct trial *trial);

#endif
