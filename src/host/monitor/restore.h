#ifndef LUVD_HOST_MONITOR_RESTORE_H
#define LUVD_HOST_MONITOR_RESTORE_H

#include "host/monitor/handover.h"
#include "host/monitor/state.h"

/* A monitor out of what another image has left. In this order; until restore_close_on_exec nothing
 * is closed, so that the other image can have it back. */

/* Is everything open that the state names? */
int restore_descriptors(const struct handover *handover, const struct daemon *daemon,
			struct err *err);
/* Generations with their specs, crew, sockets, in memory alone: also what a trial does. */
int restore_read(struct monitor *monitor, const struct handover *handover, struct err *err);
/* Frees what restore_read has made; closes nothing. */
void restore_forget(struct monitor *monitor);
/* Execution may have given back what row reduce had taken. */
int restore_privileges(struct daemon *daemon, struct err *err);
/* Log, workers, control socket, in a loop that is made. */
int restore_open(struct monitor *monitor, const struct handover *handover, struct err *err);
/* Nothing that was left is open in what this process executes. */
void restore_close_on_exec(const struct monitor *monitor, const struct handover *handover);
/* Who waits for an answer; afterwards the workers' lines. */
void restore_clients(struct monitor *monitor, const struct handover *handover);
void restore_sources(struct monitor *monitor, const struct handover *handover);

#endif
