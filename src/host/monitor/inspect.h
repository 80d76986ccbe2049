#ifndef LUVD_HOST_MONITOR_INSPECT_H
#define LUVD_HOST_MONITOR_INSPECT_H

#include <sys/types.h>

#include "plan/aim.h"

/* What a worker really is, seen from outside: what the kernel says of each of its threads against
 * what the plan wants it to be. Only then its READY is believed. */

enum inspected { INSPECT_WRONG = -1, INSPECT_RIGHT = 0, INSPECT_HIDDEN = 1 };

enum { INSPECT_THREADS_MAX = 4096, INSPECT_TEXT_MAX = 16384 };

/* One thread: text is its /proc/PID/task/TID/status. -1 with err. */
int inspect_status(const char *text, const struct aim *aim, struct err *err);
/* Every thread of pid. HIDDEN: /proc does not show it to us (its option hidepid). */
enum inspected inspect_process(pid_t pid, const struct aim *aim, struct err *err);

#endif
