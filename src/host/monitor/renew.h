#ifndef LUVD_HOST_MONITOR_RENEW_H
#define LUVD_HOST_MONITOR_RENEW_H

#include "host/monitor/state.h"

/* Reload in a monitor: from the wish to the verdict. */

int renew_open(struct monitor *monitor, struct err *err);
/* client, when not NULL, is told the verdict. */
void renew_request(struct monitor *monitor, struct control_client *client);

/* crew_calls.load, verdict and reload; data is the monitor. */
void renew_load(void *data);
void renew_verdict(void *data, const struct err *err);
void renew_worker(void *data, struct worker_slot *slot, bool back);
/* daemon->spec is another generation's from now on. */
void renew_current(struct monitor *monitor);
/* The daemon stops: whoever waits is refused, handles are closed. */
void renew_close(struct monitor *monitor);
void renew_destroy(struct monitor *monitor); /* after the loop has run the closes */
/* Is this one of its processes? */
bool renew_has(const struct monitor *monitor, pid_t pid);

#endif
