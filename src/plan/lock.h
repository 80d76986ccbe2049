#ifndef LUVD_PLAN_LOCK_H
#define LUVD_PLAN_LOCK_H

#include "err.h"

/* HOME/lock: the one truth about "running". Held by flock(2) on an open file description that
 * the daemon inherits through its forks; the kernel lets go of it when the last process ends. */

/* Opens or makes HOME/lock in an existing HOME and locks it. Returns the descriptor; -1 with
 * err->code EWOULDBLOCK when somebody has it, ENOENT when HOME is not there (any more). */
int lock_take(const char *home_folder, struct err *err);
/* Removes HOME/lock, if it still is the file behind fd, and HOME when it is empty then. The caller
 * holds the lock and closes it afterwards. */
void lock_discard(const char *home_folder, int fd);

#endif
