#ifndef LUVD_SERVICE_TASK_H
#define LUVD_SERVICE_TASK_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "service/alarm.h"
#include "service/list.h"

/* A task: a coroutine that the host owns. It runs until it waits for something (a connection,
 * a timer) and is resumed by what it waits for. Its errors are never lost.
 *
 * Tasks form trees: one that was started inside another is its child. A task ends when its
 * function has returned and its children have ended; when the function raises or the task is
 * cancelled, its children are cancelled first. */

struct vm;

enum outcome { OUTCOME_DONE, OUTCOME_FAILED, OUTCOME_CANCELLED };

enum task_state {
	TASK_READY,
	TASK_RUNNING,
	TASK_WAITING,
	TASK_ENDING, /* its function has ended: it waits for its children */
	TASK_ENDED
};

/* How deep tasks may be nested: one that starts its successor over and over has to be told. */
enum { TASK_DEPTH_MAX = 256 };

struct task {
	struct vm *vm;
	const char *name; /* static: "start", "timer", "connection", for the log */
	lua_State *L;
	int reference;        /* keeps L */
	unsigned short depth; /* of its parents */
	enum task_state state : 4;
	enum outcome outcome : 2; /* ENDING: what done is told */
	bool timed_out : 1;       /* the last wait ended by its timeout */
	bool closing : 1;         /* its <close> values run: nothing may wait */
	bool doomed : 1;          /* cancelled: at its next wait when it runs now */
	bool anchored : 1;        /* reference keeps a userdata, which keeps L */
	bool keeps : 1;           /* the lowest value on L is not its own: task_keep */
	bool exposed : 1;         /* the service knows L: it is not used again */
	bool outlived : 1;        /* what it starts belongs to the service: start, reload */
	bool main : 1;            /* a script's main flow, flow.h: never resumed */
	struct task *parent;
	struct link sibling;  /* among the parent's children, or in vm->tasks */
	struct link children; /* in the order in which they were started */
	struct link queued;   /* in vm->ready, or in the list of what it waits for */

	/* What it waits for. detach takes the task off it; called before the task is resumed
	 * or closed. */
	void *object;
	void (*detach)(struct task *task);
	/* What the function that waits wants to remember: another task may call it on the same
	 * object meanwhile. */
	_Alignas(uint64_t) unsigned char call[32];
	uint64_t deadline; /* of this wait in the loop's time; 0: none */
	struct alarm alarm;

	struct task_extra *extra; /* what few need; NULL: this one does not */

	/* Told once, at the end, when no child is left: the results are on L when DONE; the error
	 * is on top of L and message has it with its traceback when FAILED. NULL: a failure is
	 * logged and counted. The task and L are used for another one afterwards. */
	void (*done)(struct task *task, enum outcome outcome, const char *message);
	void *data;
};

void tasks_init(struct vm *vm);
/* Cancels all tasks, and frees those that were kept for later. */
void tasks_cancel(struct vm *vm);

/* Makes a task of the function and its nargs arguments on top of L and pops them. Raises when
 * memory is out. Not started, and nobody's child. */
struct task *task_create(lua_State *L, int nargs, const char *name);
/* The same of a C function and its one argument, without memory and so without a raise: NULL when
 * no ended task is kept for it. */
struct task *task_reuse(struct vm *vm, lua_CFunction function, void *argument, const char *name);
/* Makes it a child, before it is started. */
void task_adopt(struct task *parent, struct task *task);
/* The userdata on top of L, which is popped, lives as long as the task: it takes the place of the
 * coroutine at reference, and its first user value becomes the coroutine. Before it is started. */
void task_anchor(lua_State *L, struct task *task);
/* The same without a user value: the value on top of L, which is popped, lies lowest on task->L,
 * before the function and before the results. */
void task_keep(lua_State *L, struct task *task);
/* Runs it: at once when no Lua is running, else on the next turn of the loop. */
void task_start(struct task *task);
/* What it waits for has come (or is broken). As task_start. */
void task_wake(struct task *task);
/* The same, but never at once: for what may be called in the middle of something. */
void task_wake_later(struct task *task);
/* As task_wake_later, with something given to it: lost takes it back when the task is cancelled
 * before it runs. */
void task_grant(struct task *task, void (*lost)(struct task *task));
/* Cancels its children, the last one first, and closes it: no pcall sees it, <close> values run.
 * The task that runs now is closed at its next wait. */
void task_cancel(struct task *task);
/* Logs and counts a failure; what done may call. */
void task_log_failure(struct task *task, const char *message);

/* --- for functions that wait --- */

/* The running task; raises where nothing may wait, and says why. */
struct task *task_check(lua_State *L);
/* Would task_check return this task? */
bool task_may_wait(lua_State *L, const struct task *task);
/* Waits for object until task_wake, at most timeout milliseconds (< 0: without limit); then k
 * goes on and looks at object itself: no values are passed. detach may be NULL. What it returns is
 * what the calling function has to return. */
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
