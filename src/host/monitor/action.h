#ifndef LUVD_HOST_MONITOR_ACTION_H
#define LUVD_HOST_MONITOR_ACTION_H

#include "host/monitor/state.h"

/* What signals do in a monitor. */

struct act {
	int number;           /* of the signal */
	bool again;           /* the second request to stop */
	const char *function; /* ACTION_SERVICE: NAME */
	const char *who;      /* "SIGTERM" */
};

void action_take(struct monitor *monitor, enum action action, const struct act *act);
/* For signals_create; data is the monitor. */
void action_on_signal(void *data, const struct signal_event *event);
/* USR2, and `luvd upgrade`. */
void monitor_upgrade(struct monitor *monitor);

#endif
