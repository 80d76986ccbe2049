#ifndef LUVD_SERVICE_TASK_H
#define LUVD_SERVICE_TASK_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "service/list.h"

/* A task: a coroutine that the host owns. It runs until it waits for something (a connection,
 * a timer) and is resumed by what it waits for. Its errors are never lost. */

struct vm;

enum outcome { OUTCOME_DONE, OUTCOME_FAILED, OUTCOME_CANCELLED };

enum task_state { TASK_READY, TASK_RUNNING, TASK_WAITING, TASK_ENDED };

struct task {
	struct vm *vm;
	const char *name; /* static: "start", "timer", "connection", for the log */
	lua_State *L;
	int reference; /* keeps L */
	enum task_state state;
	bool timed_out; /* the last wait ended by its timeout */
	bool closing;   /* its <close> values run: nothing may wait */
	bool doomed;    /* cancel it at its next wait */
	struct link all;
	struct link queued; /* in vm->ready, or in the list of what it waits for */
	int arguments;      /* of the first resume */

	/* What it waits for. detach takes the task off it; called before the task is resumed
	 * or closed. */
	void *object;
	void (*detach)(struct task *task);
	/* What the function that waits wants to remember: another task may call it on the same
	 * object meanwhile. */
	_Alignas(max_align_t) unsigned char call[64];
	uint64_t deadline; /* of this wait in the loop's time; 0: none */
	uv_timer_t timer;  /* made at the first wait with a deadline */
	bool has_timer;

	/* The coroutines of the service's own that this wait suspended, innermost first. */
	lua_State **passed;
	size_t passed_count, passed_room;

	/* Told once, at the end: the results are on L when DONE; message has the error with its
	 * traceback when FAILED, else NULL. NULL: a failure is logged and counted. */
	void (*done)(struct task *task, enum outcome outcome, const char *message);
	void *data;
};

void tasks_init(struct vm *vm);
/* Cancels all tasks. */
void tasks_cancel(struct vm *vm);

/* Makes a task of the function and its nargs arguments on top of L and pops them. Raises when
 * memory is out. Not started. */
struct task *task_create(lua_State *L, int nargs, const char *name);
/* Runs it: at once when no Lua is running, else on the next turn of the loop. */
void task_start(struct task *task);
/* What it waits for has come (or is broken). As task_start. */
void task_wake(struct task *task);
/* The same, but never at once: for what may be called in the middle of something. */
void task_wake_later(struct task *task);
/* Closes it: no pcall sees it, <close> values run. The task that runs now is closed at its next
 * wait. */
void task_cancel(struct task *task);
/* Logs and counts a failure; what done may call. */
void task_log_failure(struct task *task, const char *message);

/* --- for functions that wait --- */

/* The running task; raises where nothing may wait, and says why. */
struct task *task_check(lua_State *L);
/* Waits for object until task_wake, at most timeout milliseconds (< 0: without limit); then k
 * goes on and looks at object itself: no values are passed. detach may be NULL. */
int task_wait(lua_State *L, struct task *task, void *object, void (*detach)(struct task *),
	      int64_t timeout, lua_KContext context, lua_KFunction k);
/* Ends the calling task without a way back (os.exit). Outside a task, or where it cannot be
 * suspended, raises what. */
int task_leave(lua_State *L, const char *what);

/* --- for coroutine.resume --- */

/* Is the one value that co yielded the host's? */
bool task_marker(lua_State *co);
/* The wait of co goes on to the coroutine around it: L. Pushes the marker onto L. */
void task_pass(lua_State *L, lua_State *co);

#endif
