#ifndef LUVD_SERVICE_LIFE_STATE_H
#define LUVD_SERVICE_LIFE_STATE_H

#include <lua.h>

#include "service/life.h"
#include "service/task.h"

/* What the files of a life share: its state, and the actions of the table in life.c. Everybody
 * else includes life.h. */

enum state { LOADED, STARTING, RUNNING, RELOADING, STOPPING, DRAINING, CLOSING, STOPPED, STATES };

enum event {
	START,
	RAISED, /* start, reload or stop has failed: life->err; it outweighs RETURNED */
	RETURNED,
	DEADLINE,
	RELOAD,
	STOP,
	STOP_NOW,
	QUIET, /* no connection and no handler is left */
	GONE,  /* all is closed */
	EVENTS
};

struct life {
	struct vm *vm;
	struct daemon *daemon;
	struct life_calls calls;
	enum state state;
	struct task *verb; /* service.start, reload or stop while it runs */
	struct alarm deadline;
	uv_timer_t later;
	unsigned pending; /* events that later brings, bit 1 << event */
	char reason[16];  /* of stop */
	bool leaving;     /* os.exit or luvd.stop has been called */
	int code;
	struct err err;

	struct spec *before; /* while a reload runs: the spec to go back to */
	int config_before;   /* its config as Lua has it */
	enum log_level level_before;
};

/* --- events: life.c --- */

/* Acts at once. Not inside a call of the host or of Lua: those post. */
void life_happen(struct life *life, enum event event);
/* The loop's next turn brings the event. */
void life_post(struct life *life, enum event event);
/* DEADLINE comes after timeout milliseconds. */
void life_set_deadline(struct life *life, int64_t timeout);

/* --- the service's functions as tasks: life_verb.c --- */

/* Both set life->err under the key verb. */
void life_fail(struct life *life, const char *verb, const char *what);
void life_fail_late(struct life *life, const char *verb, int64_t timeout);
/* begin creates the task life->verb, or, when the service has no such function, nothing: then
 * RETURNED comes at once. */
void life_run_verb(struct life *life, lua_CFunction begin, const char *name);
/* The end of a verb's task: posts RETURNED or RAISED. */
void life_end_verb(struct task *task, enum outcome outcome, const char *message);
void life_cancel_verb(struct life *life);

/* --- the actions of the table --- */

/* life_start.c */
void life_begin_start(struct life *life);
void life_become_ready(struct life *life);
void life_give_up_start(struct life *life);
void life_start_is_late(struct life *life);
void life_abort_start(struct life *life);

/* life_reload.c */
void life_run_reload(struct life *life);
void life_accept_reload(struct life *life);
void life_refuse_reload(struct life *life);
void life_reload_is_late(struct life *life);
void life_interrupt_reload(struct life *life);
void life_interrupt_reload_now(struct life *life);
/* Puts the spec and the config before back; nobody is told. */
void life_roll_back(struct life *life);

/* life_stop.c */
void life_begin_stop(struct life *life);
void life_drain(struct life *life);
void life_drain_after_failure(struct life *life);
void life_give_up_waiting(struct life *life);
void life_cancel_rest(struct life *life);
void life_tell_stopped(struct life *life);
/* Closes all that the service has opened; may be called again. */
void life_close_all(struct life *life);

#endif
