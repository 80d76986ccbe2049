#ifndef LUVD_HOST_MONITOR_GUARD_H
#define LUVD_HOST_MONITOR_GUARD_H

#include "err.h"

/* While an image takes over: what would end it gives the daemon back to the image before, whose
 * executable is self_fd. */

/* From here on a fatal signal of this thread, and GUARD_SECONDS, execute self_fd with the state.
 * To be called once, by the process's first thread. */
void guard_begin(int state_fd, int self_fd);
/* Executes it now. Only returns when that is refused. */
void guard_give_back(const struct err *why);
/* It is ours: nobody is given anything back any more. */
void guard_end(void);

enum { GUARD_SECONDS = 10 };

#endif
