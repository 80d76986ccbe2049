#ifndef LUVD_SERVICE_VM_H
#define LUVD_SERVICE_VM_H

#include <lauxlib.h>
#include <lua.h>
#include <stdarg.h>
#include <stdbool.h>
#include <uv.h>

#include "plan/daemon.h"
#include "service/alarm.h"
#include "service/blocks.h"
#include "service/clock.h"
#include "service/fs_request.h"
#include "service/life.h"
#include "service/list.h"
#include "service/slice.h"

/* The Lua state and what the service has opened in it. Reached from any lua_State of it
 * through its extra space (vm_of), which new coroutines inherit.
 *
 * The one rule of all code here: a uv callback touches Lua only through vm_call or by
 * resuming a task. Anything else could raise out of memory with nobody to catch it. */

enum phase {
	PHASE_LOADING, /* the service's text is being evaluated: nothing may wait */
	PHASE_STARTING,
	PHASE_RUNNING,
	PHASE_STOPPING, /* nothing new: no timer fires, nothing is accepted */
	PHASE_CLOSED
};

struct coverage;
struct sim;
struct task;
struct script;

/* What a script does in its own way: script.c. */
struct script_calls {
	/* Has the script's own Lua taken this failure? Else it counts for the exit code. */
	bool (*take_failure)(struct vm *vm, const char *message);
	/* A callback of luv has raised: nobody can go on from there, so the process ends as under
	 * lua. */
	void (*callback_failed)(struct vm *vm, const char *message);
	/* luv's functions that run the loop, set in the table on top of L. */
	void (*open_uv)(lua_State *L);
	/* Ends what runs by an error, when slice.stop says so. */
	void (*raise_stop)(lua_State *L);
};

struct vm {
	lua_State *L; /* the main thread */
	uv_loop_t *loop;
	struct clock clock;
	struct daemon *daemon;
	const struct life_calls *calls;
	struct life *life;     /* NULL: of a script */
	struct script *script; /* NULL: of a daemon */
	const struct script_calls *script_calls;
	enum phase phase;
	int64_t timeout_stop;     /* of life_stop, milliseconds; 0: it was not called */
	enum log_level log_level; /* what is below is not logged */

	size_t bytes; /* that Lua holds */
	struct block_cache blocks;
	size_t limit;    /* 0: none */
	bool explaining; /* an error is made a text: all of the limit may be used */
	bool grown;      /* the heap has been larger than VM_HEAP_SMALL */

	struct task *current;         /* whose Lua runs now; NULL: none, or a callback of luv */
	volatile int running;         /* > 0: Lua is on the C stack, so no task may be resumed */
	struct frame *volatile frame; /* what of Lua is on the C stack, innermost first */
	struct slice slice;
	struct sim *volatile inner; /* the simulation whose loop runs inside of this one */
	int pinned;                 /* > 0: some coroutine below cannot be suspended */
	struct link tasks;          /* those without a parent */
	size_t task_count;          /* all of them */
	struct link spares;         /* ended ones, for the next */
	size_t spare_count;
	struct link ready;    /* tasks to resume on the next turn of the loop */
	struct link doomed;   /* tasks to close once the C stack is less deep */
	int cancelling;       /* how many task_cancel there are on the C stack */
	uv_idle_t turn;       /* runs them */
	uint64_t failed;      /* tasks and callbacks */
	struct alarms alarms; /* deadlines of tasks and connections */
	struct link untold;   /* handles of failed tasks that nobody has asked for */
	struct alarm untold_alarm;

	struct link servers;
	struct link listenings; /* open ones of net.listen */
	struct link conns;      /* those that no server has accepted */
	struct link udps;
	struct link timers;
	struct link watchers;
	struct link evals; /* what luvd console has asked */
	struct fs_requests fs;
	struct link drainers;      /* tasks that wait until no connection is open */
	size_t connections;        /* open on all servers */
	size_t handlers;           /* tasks that serve a connection or a request */
	size_t handles;            /* of ours that the loop still knows */
	const void *conn_meta;     /* the metatable of luvd.conn */
	struct resolver *resolver; /* lookup.c; NULL: nothing was looked up yet */
	char *read_buffer;         /* one for all connections: READ_SIZE bytes */
	struct coverage *coverage; /* counts the lines that are run; NULL: none */
	bool origins;              /* origin.h: where in Lua things are made is noted */
	int service, daemon_ref;   /* references: the service's table, the daemon object */

	char warning[512]; /* pieces of one that is not whole yet */
	bool quiet_warnings;

	/* os.exit and luvd.stop: what is the function's name as the user wrote it. */
	void (*leave)(struct vm *vm, const char *what, int code);
	/* The last connection and the last handler have ended. */
	void (*quiet)(struct vm *vm);
};

enum { READ_SIZE = 65536 };

/* A small heap is collected rarely: marking all of it again after each few kilobytes of garbage
 * would cost a small service a twentieth of its time. What that may cost in memory is bounded by
 * the first. */
enum {
	VM_HEAP_SMALL = 3 << 20,
	VM_PAUSE_SMALL = 800, /* per cent, lua_gc */
	VM_PAUSE = 200        /* Lua's own */
};

/* Makes the state: libraries, text-only loading, no search paths, luv on the loop. */
struct vm *vm_create(uv_loop_t *loop, struct daemon *daemon, const struct life_calls *calls,
		     struct err *err);
/* The same for a script, script.h: the whole of Lua's libraries, open reads them. */
struct vm *vm_create_script(uv_loop_t *loop, struct daemon *daemon, const struct life_calls *calls,
			    struct script *script, const struct script_calls *script_calls,
			    lua_CFunction open, struct err *err);
/* Everything that was opened must be closed and gone from the loop. */
void vm_destroy(struct vm *vm);

static inline struct vm *vm_of(lua_State *L)
{
	return *(struct vm **)lua_getextraspace(L);
}

/* What deadlines are compared with: milliseconds. */
static inline uint64_t vm_now(const struct vm *vm)
{
	return clock_now(&vm->clock);
}

/* Before a deadline is counted from now on: Lua may have computed for long. */
static inline void vm_update(const struct vm *vm)
{
	clock_update(&vm->clock);
}

/* The heap has just become large: from now on it is collected as Lua does, unless the service has
 * set the pause itself. Not from inside the allocator. */
void vm_grow(struct vm *vm);

/* Around whatever resumes co or lets Lua run on it; nothing may raise between the two. */
static inline void frame_push(struct vm *vm, struct frame *frame, lua_State *co)
{
	frame->L = co;
	frame->below = vm->frame;
	frame->hooked = false;
	atomic_signal_fence(memory_order_seq_cst); /* the handler of slice.c reads it */
	vm->frame = frame;
	atomic_signal_fence(memory_order_seq_cst);
	if (vm->slice.hooks)
		slice_hook(vm, false);
}

static inline void frame_pop(struct vm *vm, struct frame *frame)
{
	vm->frame = frame->below;
	atomic_signal_fence(memory_order_seq_cst);
	if (frame->hooked)
		slice_unhook(vm, frame);
}

/* The same where the loop may call Lua: the outermost is a run of its own. */
static inline void vm_enter(struct vm *vm, struct frame *frame, lua_State *co)
{
	if (vm->running == 0)
		vm->slice.run++;
	vm->running++;
	frame_push(vm, frame, co);
	if (vm->slice.idle)
		slice_begin(vm);
}

static inline void vm_leave(struct vm *vm, struct frame *frame)
{
	vm->running--;
	frame_pop(vm, frame);
}

/* The one guard: lua_pcall on the main thread with a message handler that adds the
 * traceback. On failure the text of the error is left on the stack, always a string. */
int vm_call(struct vm *vm, int nargs, int nresults);
/* The same for C code of ours: work(L) finds data as light userdata at 1. */
int vm_run(struct vm *vm, lua_CFunction work, void *data);

void vm_log(struct vm *vm, enum log_level level, const char *message,
	    const struct log_field *fields, size_t count);
void vm_printf(struct vm *vm, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same at LEVEL_ERROR for the failure of a task, a handler or a callback, which a script's
 * Lua may take: luvd.script. Counting it is the caller's. */
void vm_log_failure(struct vm *vm, const char *message, const struct log_field *fields,
		    size_t count);

/* Sets it for all, the host too. */
void vm_set_log_level(struct vm *vm, enum log_level level);

/* Milliseconds since the epoch, of a clock that people set. */
int64_t vm_wall_clock(struct vm *vm);

/* luaL_error for code that a checker should know not to go on. */
void vm_raise(lua_State *L, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* nil, message, code: what failed work returns. */
int vm_fail(lua_State *L, const char *message, const char *code);
int vm_fail_uv(lua_State *L, int code);

/* A handle of ours begins and ends; the last one gone lets vm_destroy be called. */
void vm_close_handle(struct vm *vm, uv_handle_t *handle, uv_close_cb closed);

#endif
