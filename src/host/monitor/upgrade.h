#ifndef LUVD_HOST_MONITOR_UPGRADE_H
#define LUVD_HOST_MONITOR_UPGRADE_H

#include "host/monitor/handover.h"
#include "host/monitor/state.h"

/* The upgrade of a running daemon: the binary that now has the path of ours is checked as a daemon
 * file is, tried as a child on the real state (trial.h), then executed in our place with signals
 * blocked, and replaces the workers as a reload does. Same pid, sockets, lock and files. Whatever
 * fails, the daemon goes on as it was. One at a time. */

struct upgrade;

int upgrade_open(struct monitor *monitor, struct err *err);
/* client, when not NULL, is told the verdict. */
void upgrade_request(struct monitor *monitor, struct control_client *client);
/* Begins one that waits, when it can: before each wait of the loop. */
void upgrade_turn(struct monitor *monitor);
/* crew_calls.verdict; false: it was not an upgrade's. */
bool upgrade_verdict(struct monitor *monitor, const struct err *err);
/* Is this one of its processes? */
bool upgrade_has(const struct monitor *monitor, pid_t pid);
/* The daemon stops: whoever waits is refused, a trial is ended. */
void upgrade_close(struct monitor *monitor);
void upgrade_destroy(struct monitor *monitor);

/* In the image that goes on, whichever it is: who waits for this verdict, and since when. */
void upgrade_adopt(struct monitor *monitor, struct control_client *client);
/* The workers are replaced; failure: the old image is back, and why. */
void upgrade_go_on(struct monitor *monitor, int64_t begun, const struct err *failure);

/* --- capture.c --- */

/* What is to be handed over, but for the log sources: those takeover.c takes. */
int capture_state(struct monitor *monitor, int64_t begun, struct handover *handover,
		  struct err *err);
void capture_finish(struct handover *handover);

/* --- takeover.c --- */

/* Executes the file behind program_fd in our place. Returns only when it could not, and then
 * everything is as it was. */
int takeover_execute(struct monitor *monitor, int program_fd, int64_t begun, struct err *err);

#endif
