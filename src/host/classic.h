#ifndef LUVD_HOST_CLASSIC_H
#define LUVD_HOST_CLASSIC_H

#include "plan/plan.h"

/* The daemon of one process, workers = 0: the rows loop and ready, and everything after them: libuv
 * loop, log thread, signals, control socket, life of the service. plan: to undo what the daemon
 * itself can still undo at its end. Returns the exit code of the process. */
int classic_run(struct daemon *daemon, struct plan *plan);

#endif
