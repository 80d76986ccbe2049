#ifndef LUVD_HOST_MONITOR_ANSWER_H
#define LUVD_HOST_MONITOR_ANSWER_H

#include "host/monitor/member.h"

/* What a monitor answers on its control socket. */

/* Serves daemon->control_fd; nothing without one. */
int answer_open(struct monitor *monitor, struct err *err);
/* The loop must run after close and before destroy. */
void answer_close(struct monitor *monitor);
void answer_destroy(struct monitor *monitor);
/* A worker's part of an answer: LISTENER, TOTALS, AUDIT, RESULT. One that nobody has asked for
 * costs it. */
void answer_take(struct member *member, const struct message *message);
/* Its process has ended: nobody waits for its answer. Before the slot is told. */
void answer_gone(struct member *member);

#endif
