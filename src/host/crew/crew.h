#ifndef LUVD_HOST_CREW_CREW_H
#define LUVD_HOST_CREW_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"
#include "spec/spec.h"

/* The crew: which generations and workers a monitor has, and what becomes of them, as three tables
 * of states and events: worker, generation and monitor. Knows no process, no loop and no clock:
 * what happens is told with the moment of it, what is to be done goes out through crew_calls, and
 * crew_next says when it wants to be told the time. So a test can walk it through any order of
 * events. Moments are milliseconds of a clock that never goes back (CLOCK_MONOTONIC), above 0. */

struct crew;

enum worker_state {
	WORKER_ABSENT,    /* no process; comes back at `at` (0: never) */
	WORKER_STARTING,  /* spawned, not ready; at most timeouts.start */
	WORKER_READY,     /* serves */
	WORKER_RELOADING, /* serves, and was asked to reload in place; at most timeouts.reload */
	WORKER_LEAVING,   /* was told to stop: drains */
	WORKER_KILLED,    /* SIGKILL is sent; only its end is awaited */
	WORKER_STATES
};

enum generation_state {
	GENERATION_STARTING, /* its workers start; nobody depends on it yet */
	GENERATION_CURRENT,  /* serves; workers that die are replaced */
	GENERATION_DRAINING, /* was followed by another one, or the daemon stops */
	GENERATION_GONE,     /* no worker is left: its slots live until the next event is told */
	GENERATION_STATES
};

enum monitor_state {
	MONITOR_STARTING, /* the first generation is not ready */
	MONITOR_RUNNING,
	MONITOR_LOADING,   /* a loader reads the daemon file */
	MONITOR_APPLYING,  /* the workers reload in place */
	MONITOR_REVERTING, /* one has refused: those that had accepted are given the old back */
	MONITOR_RENEWING,  /* a new generation starts */
	MONITOR_UPGRADING, /* a new binary is being tried */
	MONITOR_STOPPING,
	MONITOR_STOPPED, /* no worker is left: the process ends */
	MONITOR_STATES
};

/* One place for a worker: its number stays while processes come and go. Owned by the crew; `user`
 * is the runtime's. */
struct worker_slot {
	int number;     /* 1..N */
	int generation; /* its generation's id */
	enum worker_state state;
	int64_t at;        /* when the state's time is over; 0: never */
	pid_t pid;         /* set by spawn, for the log; 0: no process */
	int64_t started;   /* moment of the last spawn */
	unsigned restarts; /* how often a process of this place was replaced */
	bool lost;         /* given up for good: restart.limit, policy or a final code */
	void *user;
};

/* What the crew needs to know of a daemon file; texts are none of it. */
struct crew_rules {
	int workers;
	int generations; /* that live at once; less than 2 counts as 2 */
	int64_t timeout_start, timeout_reload, timeout_stop, timeout_drain;
	struct restart_spec restart; /* copied, with its list */
};

struct crew_status {
	enum monitor_state state;
	int generation;    /* id of the current one; 0: none is yet */
	int generations;   /* alive: with processes, or current */
	unsigned restarts; /* of workers, since the daemon was started */
	bool reload_waits; /* one was asked for and waits for its turn */
};

/* What is to be done. Called from within the functions below that tell what happens, and from
 * nowhere else; none of these may call crew_*, but for the read-only ones: what follows at once
 * (the end of a load, say) is told when the call that asked for it has returned. */
struct crew_calls {
	void *data;
	/* Start a process for the slot. -1 with err: there is none; it counts as one that died. */
	int (*spawn)(void *data, struct worker_slot *slot, struct err *err);
	/* "stop", "reload" or "upgrade": service.stop, drain, and exit within timeout_ms. May come
	 * again with "stop" and a shorter time. */
	void (*leave)(void *data, struct worker_slot *slot, const char *reason, int64_t timeout_ms);
	/* SIGKILL, to it and to all that it has started. */
	void (*kill)(void *data, struct worker_slot *slot);
	/* Reload in place; back: give it the bundle before. Answered by crew_accepted or
	 * crew_refused (after back the answer only ends the waiting). */
	void (*reload)(void *data, struct worker_slot *slot, bool back);
	/* All workers of the first generation are ready. */
	void (*started)(void *data);
	/* The first generation cannot start: the daemon ends. MONITOR_STOPPING follows by itself,
	 * and at last stopped(EXIT_FAILED). */
	void (*start_failed)(void *data, const struct err *err);
	/* generation serves from now on; those before drain. */
	void (*current)(void *data, int generation);
	/* No worker of it is left, or it never had one: its bundle and sockets may be closed. Once
	 * for every generation. */
	void (*gone)(void *data, int generation);
	/* The end of a reload, or of what follows an upgrade: done (err NULL), or refused and why.
	 * Once for each crew_reload that was true, each load, each renew after an upgrade; and when
	 * the daemon stops, once more for a reload that waits: "the daemon is stopping". */
	void (*verdict)(void *data, const struct err *err);
	/* The turn of a reload that waited: begin to load. The state is LOADING already. */
	void (*load)(void *data);
	/* The last worker is gone: end the process with code. */
	void (*stopped)(void *data, int code);
	void (*log)(void *data, enum log_level level, const char *text);
	/* For the jitter of restarts: any number. */
	uint32_t (*random)(void *data);
};

struct crew *crew_create(const struct crew_calls *calls, struct err *err);
void crew_destroy(struct crew *crew);

/* --- what happens; now: the moment --- */

/* The first generation, id 1: spawns its workers. -1: out of memory. */
int crew_start(struct crew *crew, const struct crew_rules *rules, int64_t now);
/* A worker's READY was heard and believed. */
void crew_ready(struct crew *crew, struct worker_slot *slot, int64_t now);
/* It says that its start has failed; its end follows. */
void crew_failed(struct crew *crew, struct worker_slot *slot, const struct err *err, int64_t now);
/* Its process is gone and reaped; status of waitpid(2). last: its last lines, for the log; "". */
void crew_died(struct crew *crew, struct worker_slot *slot, int status, const char *last,
	       int64_t now);
void crew_accepted(struct crew *crew, struct worker_slot *slot, int64_t now);
void crew_refused(struct crew *crew, struct worker_slot *slot, const struct err *err, int64_t now);
/* Its heartbeat is missing for timeouts.watchdog, or it spoke nonsense: it is killed and
 * replaced. why: for the log, "no heartbeat for 30s". */
void crew_condemn(struct crew *crew, struct worker_slot *slot, const char *why, int64_t now);

/* A reload is wished. true: begin to load now (the state is LOADING); false: one runs or the daemon
 * starts, and `load` is called when its turn comes. May not be called when stopping. */
bool crew_reload(struct crew *crew, int64_t now);
/* What was loaded is refused, or could not be loaded: verdict follows at once. This and the next
 * two are heard in LOADING only: after a stop nobody waits for them. */
void crew_load_failed(struct crew *crew, const struct err *err, int64_t now);
/* Nothing but reloadable keys has changed: every worker is asked. rules: from here on, unless it is
 * refused. */
void crew_apply(struct crew *crew, const struct crew_rules *rules, int64_t now);
/* A new generation: its id is returned, its workers are spawned; when as many generations live as
 * may, it waits until the oldest is gone. -1: there is none, verdict was told why (out of memory).
 * 0: not now, nobody waits for a load. */
int crew_renew(struct crew *crew, const struct crew_rules *rules, int64_t now);

/* A new binary is being tried; false: not now (starting, reloading, stopping). */
bool crew_upgrade(struct crew *crew, int64_t now);
/* It was no good, or the old image goes on. */
void crew_upgrade_failed(struct crew *crew, int64_t now);

/* Stop all: gracefully within timeouts.stop, or now (SIGKILL). code: what `stopped` is told. Again
 * with now at any time. */
void crew_stop(struct crew *crew, int code, bool at_once, int64_t now);
/* The time is now. */
void crew_tick(struct crew *crew, int64_t now);
/* When crew_tick is wanted; 0: there is nothing to wait for. */
int64_t crew_next(const struct crew *crew);

/* --- reading --- */

void crew_status(const struct crew *crew, struct crew_status *status);
/* The slots of all generations, oldest first: crew_slot(crew, i) for i < crew_slots(crew). */
size_t crew_slots(const struct crew *crew);
struct worker_slot *crew_slot(const struct crew *crew, size_t index);
/* The id that the next new generation will have, so that its bundle and sockets can be found by the
 * spawns inside crew_renew. */
int crew_next_generation(const struct crew *crew);
/* GENERATION_GONE when there is none of this id. */
enum generation_state crew_generation(const struct crew *crew, int id);

/* --- for an upgrade: the whole as plain bytes of malloc(3), and back. Slots keep their number and
 * state; `user` is NULL until the runtime has filled it. In RUNNING and UPGRADING only. --- */
int crew_encode(const struct crew *crew, unsigned char **bytes, size_t *length, struct err *err);
struct crew *crew_decode(const struct crew_calls *calls, const unsigned char *bytes, size_t length,
			 struct err *err);
/* After an upgrade (in UPGRADING): the workers run the old binary. A new generation of the same
 * rules, told "upgrade" are the old ones; then verdict. As crew_renew. */
int crew_renew_after_upgrade(struct crew *crew, int64_t now);

const char *worker_state_name(enum worker_state state); /* "ready" */
const char *generation_state_name(enum generation_state state);
const char *monitor_state_name(enum monitor_state state);

#endif
