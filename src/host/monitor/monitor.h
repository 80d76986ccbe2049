#ifndef LUVD_HOST_MONITOR_MONITOR_H
#define LUVD_HOST_MONITOR_MONITOR_H

#include "plan/plan.h"

/* The monitor's process from the last of its rows on: keeps the privileges that its duties need,
 * starts workers and looks after them (host/crew), has pidfile, sockets, log and control socket.
 * Evaluates no Lua. plan: to undo what it has made. Returns the exit code of the process. */
int monitor_run(struct daemon *daemon, struct plan *plan);

#endif
