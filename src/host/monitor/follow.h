#ifndef LUVD_HOST_MONITOR_FOLLOW_H
#define LUVD_HOST_MONITOR_FOLLOW_H

#include "host/monitor/state.h"

/* `luvd run --watch`: a reload when the daemon file, what it includes or a module changes. The
 * kernel's news of folders (inotify(7)) make it quick; that nothing is missed, folders that come
 * and go and links that move included, is the work of a look at all files every second. Without
 * --watch all of this does nothing. */

int follow_open(struct monitor *monitor, struct err *err);
/* A reload has begun: what changes from now on may not be in it. */
void follow_begin(struct monitor *monitor);
/* The files that decide what the next reload says: the current generation's and these; fresh is
 * what was loaded, or NULL, seen what a loader has looked at, or NULL. */
void follow_files(struct monitor *monitor, const struct spec *fresh, char *const *seen);
/* Says the verdict on the terminal, unless it stands there as a line of the log. */
void follow_tell(struct monitor *monitor);
void follow_close(struct monitor *monitor);
void follow_destroy(struct monitor *monitor); /* after the loop has run the closes */

#endif
