#ifndef LUVD_HOST_MONITOR_ANSWER_H
#define LUVD_HOST_MONITOR_ANSWER_H

#include "host/monitor/member.h"

/* What a monitor answers on its control socket. */

/* Serves daemon->control_fd; nothing without one. */
int answer_open(struct monitor *monitor, struct err *err);
/* A worker's part of an answer: LISTENER, TOTALS, AUDIT, RESULT. */
void answer_take(struct member *member, const struct message *message);

#endif
