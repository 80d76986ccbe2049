#ifndef LUVD_HOST_MONITOR_ADOPT_H
#define LUVD_HOST_MONITOR_ADOPT_H

#include "host/monitor/candidate.h"
#include "host/monitor/state.h"

/* What changes in the monitor itself when another daemon file is in force. */

/* Every worker has accepted it: it becomes the current generation's. */
void adopt_in_place(struct monitor *monitor, struct candidate *fresh);
/* daemon->spec is another generation's, whose workers are all ready. */
void adopt_generation(struct monitor *monitor);

/* daemon's list of listeners becomes that of its generation. */
void adopt_listeners(struct monitor *monitor);

#endif
