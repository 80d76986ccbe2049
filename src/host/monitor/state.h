#ifndef LUVD_HOST_MONITOR_STATE_H
#define LUVD_HOST_MONITOR_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "host/control.h"
#include "host/crew/crew.h"
#include "host/log.h"
#include "host/monitor/cgroup.h"
#include "host/monitor/generation.h"
#include "host/monitor/sockets.h"
#include "host/orphans.h"
#include "host/reload.h"
#include "host/signals.h"
#include "host/watchdog.h"
#include "plan/plan.h"

/* The monitor's process: one struct on monitor_run's stack, for the files of this folder alone. */

struct member;
struct renew;
struct follow;
struct queries;
struct upgrade;

struct monitor {
	struct daemon *daemon; /* daemon->spec is the current generation's */
	struct plan *plan;
	uv_loop_t loop;
	struct log *log;
	struct signals *signals;
	struct control *control;
	struct queries *queries; /* what the control socket asks of workers; NULL without one */
	struct upgrade *upgrade;
	struct crew *crew;
	struct renew *renew;   /* reloads */
	struct follow *follow; /* run --watch; NULL: nobody watches files */
	struct sockets *sockets;
	struct generation *generations; /* oldest first */
	struct orphans orphans;
	struct cgroups cgroups; /* of the workers */
	bool sweeping;          /* some were killed: what they have started becomes ours */
	struct watchdog watchdog;

	uv_timer_t timer;     /* crew_next */
	uv_prepare_t before;  /* sets it before each wait */
	uv_timer_t heartbeat; /* looks at heartbeats */
	int64_t looked;       /* its last turn */
	uv_signal_t child;    /* SIGCHLD: orphans */
	uv_poll_t channel;    /* to the launcher, until ready */
	bool watching;        /* channel is an open handle */

	bool ready;                   /* the first generation serves */
	bool stopping;                /* a stop was asked for, by whomever */
	bool hearing;                 /* within members_hear: a message asked for the stop */
	bool failed;                  /* before ready: what is left is killed */
	struct err failure;           /* why the start has failed */
	char step[16];                /* the last that the last worker to end had announced */
	pid_t failing;                /* the worker that said so and ends by itself; 0: none */
	int code;                     /* exit code, once stopped */
	int by_signal;                /* a second request to stop: the process ends from it */
	int64_t since;                /* moment of the start, for status */
	struct reload_verdict reload; /* the last, of renew's */
	char status[256];             /* luvd.status(text) of the last worker that said something */
};

/* Moments of crew.h. */
int64_t monitor_now(void);
/* Begins to stop all; before ready it is the end of the start. who: "SIGTERM", "the service". */
void monitor_stop(struct monitor *monitor, int code, bool at_once, const char *who);
/* The start fails from this: everything is killed, then the process ends. */
void monitor_fail(struct monitor *monitor, const struct err *err);

/* open.c: everything that the loop waits for; all is closed by monitor_close, also after a failure.
 */
int monitor_open(struct monitor *monitor, struct err *err);
void monitor_close(struct monitor *monitor);
/* Parts of it, for an image that takes over (resume.c). */
void monitor_open_handles(struct monitor *monitor);
int monitor_open_children(struct monitor *monitor, struct err *err);
/* The loop, once all is open, and the end of the process; monitor->failed: only that. Returns the
 * exit code. */
int monitor_loop(struct monitor *monitor);
/* Nobody listens to the launcher any more. */
void monitor_unwatch(struct monitor *monitor);
/* The log is the terminal, which has seen errors and warnings already. */
bool monitor_on_terminal(const struct daemon *daemon);

/* What the crew asks for. */
extern const struct crew_calls monitor_calls; /* data is the monitor's to fill */

#endif
