#ifndef LUVD_PLAN_SINK_H
#define LUVD_PLAN_SINK_H

#include "plan/daemon.h"

/* Opens where the daemon's log goes. */

/* What the log goes to: spec->log.to, with SINK_DEFAULT resolved. */
enum sink_kind sink_kind(const struct daemon *daemon);
/* Opens it for the first time; a new file is noted in daemon->log_made. err carries line and key.
 */
int sink_open(struct daemon *daemon, struct sink *sink, struct err *err);
/* Opens it anew, for USR1: a file or a socket by its name, a copy of the old descriptor for stderr
 * and stdout. daemon->sink stays as it is; the caller swaps and closes the old one. */
int sink_reopen(const struct daemon *daemon, struct sink *sink, struct err *err);
/* "log" or "log.to": how the daemon file names it. */
const char *sink_key(const struct spec *spec);

#endif
