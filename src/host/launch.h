#ifndef LUVD_HOST_LAUNCH_H
#define LUVD_HOST_LAUNCH_H

#include "plan/plan.h"

/* The start as a transaction. Takes every row of the plan; in `start` the launcher stays behind
 * and waits for the daemon's verdict, in the daemon (and in `run`) worker_run takes over. Prints
 * errors, warnings and the line of a successful start. Returns the exit code. */
int launch(struct daemon *daemon, struct plan *plan);

#endif
