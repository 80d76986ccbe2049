#ifndef LUVD_SERVICE_LIFE_H
#define LUVD_SERVICE_LIFE_H

#include <stdio.h>
#include <uv.h>

#include "plan/daemon.h"
#include "text.h"

/* The life of the service in its loop: start, ready, reload, stop, as a table of states and events.
 * Owns the Lua state and everything that Lua opened. Knows nothing of signals, control socket and
 * log sinks: it tells its host through life_calls. */

struct life;
struct held_clock;
struct coverage;

/* All of these are called from the loop, never from inside a call of life_*, but for reloaded
 * when life_reload refuses at once, and log, which anything may cause. */
struct life_calls {
	void *data; /* first argument of all */
	/* start has returned (err NULL), or failed: raised, returned nil, called os.exit, timed
	 * out. */
	void (*started)(void *data, const struct err *err);
	/* A reload has its verdict. */
	void (*reloaded)(void *data, const struct err *err);
	/* Stopped: everything is closed, life_destroy may be called. code: luvd.stop(code) or 0. */
	void (*stopped)(void *data, int code);
	/* luvd.stop(code) or os.exit(code) after ready: please stop the daemon. */
	void (*stop)(void *data, int code);
	void (*status)(void *data, const char *text);
	void (*log)(void *data, enum log_level level, const char *message, size_t length,
		    const struct log_field *fields, size_t count);
	/* The level below which nothing is logged: luvd.log:level, or a reload. */
	void (*level)(void *data, enum log_level level);
	/* Milliseconds since the epoch, for luvd.cron; NULL: the system's clock. */
	int64_t (*wall)(void *data);
	/* What time it is in a simulation; NULL: the loop's and the system's clocks. */
	const struct held_clock *clock;
	/* Counts the lines that are run, for a test; NULL: nobody does. */
	struct coverage *coverage;
};

/* Makes the Lua state (LUA_NOENV, memory cap, text-only loader on the bundle, luv on loop, os.exit
 * replaced) and evaluates the daemon file or service module. Nothing is started yet. */
struct life *life_create(uv_loop_t *loop, struct daemon *daemon, const struct life_calls *calls,
			 struct err *err);
/* Calls service.start as a task; at most spec->timeout_start. Answers through started. After a
 * failure all is cancelled and only life_destroy is left. err->key is "start", so the text reads
 * "start: the service called os.exit(7)". */
void life_start(struct life *life);
/* The host has refused changed code and keys that may not change. err->key is "reload".
 * daemon->spec is fresh from here on, and so is what listeners[] points to, until the reload is
 * refused. In place: daemon.config becomes that of fresh (the rest of change too), then
 * service.reload. At most spec->timeout_reload. On failure the old config is back. Takes ownership
 * of fresh either way. One at a time: the host collapses. */
void life_reload(struct life *life, struct spec *fresh, const struct change *change);
/* Graceful: timers disarmed, nothing new accepted, service.stop(daemon, reason), drain, the rest
 * cancelled; all within timeout milliseconds (timeouts.stop, or timeouts.drain of a generation that
 * was followed by another). now: without any of that, cancel at once. Closes the
 * listening descriptors and sets them to -1. During start: started is told the failure, then
 * stopped. May be called at any time, and again with now. */
void life_stop(struct life *life, const char *reason, int64_t timeout, bool now);
/* A signal whose action is service.NAME, as a task. */
void life_signal(struct life *life, const char *function, int number);
/* For status: per listener the open and accepted connections, bytes of the Lua heap, tasks, failed
 * tasks; counts has room for daemon->listener_count entries. */
struct life_counts {
	uint64_t connections, accepted;
};
struct life_totals {
	size_t lua_bytes;
	uint64_t tasks, failed;
	/* The longest turn of the loop with Lua in it since it was read last: so long an event may
	 * have waited. Microseconds, to the millisecond; reset by life_count. */
	uint64_t longest_us;
};
void life_count(struct life *life, struct life_counts *counts, struct life_totals *totals);
/* The same as longest_us, since life_lag was called last. */
uint64_t life_lag(struct life *life);

/* What luvd console asks. done is told exactly once, from the loop or from life_destroy, never from
 * inside the two calls below; text ends with a newline unless it is an error or empty, and is at
 * most 256 KiB. */
typedef void (*life_answer)(void *data, bool ok, const char *text);

/* Evaluates text as an expression, else as statements, in a task of the service: it may wait, for
 * at most 30 s. The answer is what it has printed, then its results, one a line; or the error with
 * its traceback. The globals of the service can be read; what is assigned is kept in the console's
 * own environment, with daemon, service and print. Not copied: text may go when this returns. 0, or
 * -1: out of memory, done is not told. */
int life_eval(struct life *life, const char *text, life_answer done, void *data);
/* What the last word of text may become: at most 100 names, whole words ("daemon.config"), sorted,
 * one a line. Fields after a dot, functions only after a colon; no code is run. As life_eval. */
int life_complete(struct life *life, const char *text, life_answer done, void *data);

/* Closes all handles that are left, runs the loop until they are gone, then lua_close. Not from
 * inside a callback of the loop: it runs the loop, and the host's own handles with it. A request of
 * luv that hangs in the thread pool is waited for at most a second. */
void life_destroy(struct life *life);

#endif
