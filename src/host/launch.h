#ifndef LUVD_HOST_LAUNCH_H
#define LUVD_HOST_LAUNCH_H

#include "plan/plan.h"

/* The start as a transaction. plan has the rows of all roles. Takes those that are for this process;
 * in `start` the launcher stays behind and waits for the daemon's verdict, in the daemon (and in
 * `run`) monitor_run takes over, or worker_run without workers. Prints errors, warnings and the line
 * of a successful start. Returns the exit code. */
int launch(struct daemon *daemon, struct plan *plan);

/* The start has failed in this process: tells the launcher, who undoes what was done; when none
 * listens, undoes and prints. Returns the exit code. */
int launch_failed(struct daemon *daemon, struct plan *plan, const struct err *err);

/* "tcp://127.0.0.1:7000, log /var/log/echo.log": what a start line shows besides name and pid. */
void launch_describe(const struct daemon *daemon, FILE *out);

#endif
