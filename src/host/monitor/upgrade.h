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

/* --- in the image that goes on, whichever it is --- */

/* It waits for this verdict. */
void upgrade_adopt(struct monitor *monitor, struct control_client *client);
/* An image that has taken over: its workers replace the others, which must succeed. before_fd: the
 * executable of the image before, which takes over again if they cannot start; taken over. */
void upgrade_renew(struct monitor *monitor, int64_t begun, int before_fd);
/* The old image is back: why. */
void upgrade_back(struct monitor *monitor, int64_t begun, const struct err *why);

/* --- capture.c --- */

/* What is to be handed over, but for the log sources: those takeover.c takes. */
int capture_state(struct monitor *monitor, int64_t begun, struct handover *handover,
		  struct err *err);
void capture_finish(struct handover *handover);

/* --- takeover.c --- */

struct takeover {
	int program_fd;  /* what is executed */
	const char *why; /* NULL: a new binary; else it is the one before, and why it is wanted */
	int64_t begun;
};

/* Executes it in our place. Returns only when it could not, and then everything is as it was. */
int takeover_execute(struct monitor *monitor, const struct takeover *takeover, struct err *err);

#endif
