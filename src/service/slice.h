#ifndef LUVD_SERVICE_SLICE_H
#define LUVD_SERVICE_SLICE_H

#include <lua.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <uv.h>

/* Who keeps the loop: a run of Lua (the loop resumes a task or calls a callback, until that gives
 * way) that lasts longer than lua.slice is logged with its traceback while it lasts; one that
 * lasts longer than lua.abort gets an error.
 *
 * A standing hook would double the cost of Lua, and a clock or a timer for each run is a system
 * call. So a timer ticks only while Lua runs now and then; its handler, in the loop's thread,
 * compares the number of the run with that of the tick before, and hooks the coroutines of a run
 * that is too long. What the handler and the loop share is volatile: they are one thread. */

struct vm;
struct err;

/* One coroutine that runs, or that has resumed the one that does. On the C stack. */
struct frame {
	lua_State *L;
	struct frame *below;
	volatile bool hooked; /* by us; hook, mask and count are the service's own */
	lua_Hook hook;
	int mask, count;
};

struct slice {
	int64_t limit, abort; /* nanoseconds; 0: none */
	int64_t period;       /* of the ticks */
	char abort_text[24];
	timer_t timer;
	bool has_timer;
	uv_prepare_t turn; /* the loop is about to wait */

	volatile uint64_t run; /* the number of this run, or of the last */
	volatile bool idle;    /* the next run has to begin a turn, or the ticks */
	volatile bool ticking; /* the timer is armed, or there is none */
	volatile bool hooks;   /* coroutines that are resumed in this run are hooked too */
	volatile uint64_t ticks;

	/* The handler's. */
	uint64_t seen;   /* the run that the last tick has met */
	int64_t seen_at; /* for the first time, nanoseconds of CLOCK_MONOTONIC */

	volatile uint64_t late, told; /* the run that outlasts limit; the one that was logged */
	volatile int64_t late_at;     /* when the hooks were set for it */
	volatile uint64_t overdue;    /* the run that outlasts abort */
	volatile int raised;          /* how often the error was raised in it */
	volatile bool fired;          /* a hook has run since the last tick */
	volatile int stop; /* of a script, script_stop.c: what runs has to end; 0: go on */
	void (*raise_stop)(lua_State *L); /* ends it, by an error; set before stop */

	uint64_t turn_began;   /* milliseconds of the loop; 0: no Lua has run in this turn */
	uint64_t lag, longest; /* microseconds of the longest turn since they were asked for */
};

/* Takes lua.slice and lua.abort of the spec; again after a reload. */
void slice_set(struct vm *vm);
/* From the thread of the loop. A process has one vm whose runs are watched: the first. */
int slice_open(struct vm *vm, struct err *err);
/* The loop has to run before slice goes; also after a slice_open that has failed. */
void slice_close(struct vm *vm);

/* Microseconds of the longest turn of the loop (what an event may have waited) since *most was
 * read last, to the millisecond. */
uint64_t slice_read(uint64_t *most);

/* --- for vm.h --- */

void slice_begin(struct vm *vm);
/* Hooks what runs, if this run is too long; again: also what is hooked already, for a hook that was
 * set in the middle of an instruction may be lost. Also from the handler. */
void slice_hook(struct vm *vm, bool again);
/* The coroutine of a hooked frame does not run any more. */
void slice_unhook(struct vm *vm, struct frame *frame);

/* --- slice_hook.c, for slice.c --- */

/* Is there something that the hook has to do in this run? */
bool slice_due(const struct slice *slice);
int64_t slice_clock(void);

#endif
