#ifndef LUVD_SERVICE_HANDLE_H
#define LUVD_SERVICE_HANDLE_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "service/list.h"
#include "service/task.h"

/* What Lua knows of a task that it has started: luvd.task. It keeps how the task has ended. A
 * failure is told once: to who waits, to the group, or to the log when nobody asks in time. */

struct group;

/* User values of the userdata. */
enum handle_value {
	HANDLE_RESULT =
	    1, /* the coroutine, which keeps several results; or the one, or the error */
	HANDLE_MESSAGE = 2, /* the error as text with its traceback */
	HANDLE_GROUP = 3    /* keeps the group */
};

struct handle {
	struct vm *vm;
	struct task *task; /* NULL: ended */
	enum outcome outcome;
	int count;           /* of results */
	bool told;           /* FAILED: somebody knows it */
	int reference;       /* FAILED and untold: keeps the coroutine, which keeps the handle */
	uint64_t due;        /* in vm->untold: loop time when it is logged */
	struct link waiters; /* tasks; of an ended one: the link in vm->untold */
	struct group *group; /* NULL: of none */
	struct link member;  /* in the group */
};

void handles_open(lua_State *L); /* the metatable */
void handles_init(struct vm *vm);
/* Logs the failures that nobody has asked for. */
void handles_flush(struct vm *vm);

/* The running task, whose children the next ones will be; raises where none may be started. */
struct task *handle_parent(lua_State *L);
/* Starts a task of the function and its nargs arguments on top of L, which are replaced by its
 * handle. parent NULL: it belongs to the service. group: where its userdata is on the stack; 0:
 * none. */
struct handle *handle_spawn(lua_State *L, int nargs, struct task *parent, int group);
struct handle *handle_at(lua_State *L, int index);
/* Waits for the end of the task, whose handle is on the stack; k looks whether it has come. */
int handle_wait(lua_State *L, struct handle *handle, int64_t timeout, lua_KFunction k);
/* Pushes the results of the ended task, at most max (< 0: all), and returns how many; raises its
 * failure; nil, message, "ECANCELED" when it was cancelled. */
int handle_results(lua_State *L, int index, int max);
/* A failure that will not be raised any more goes to the log, unless somebody knows it. */
void handle_log(struct handle *handle);
/* Makes the handle on top of L the user value number of its group. */
void handle_keep_in_group(lua_State *L, int number);

/* --- handle_untold.c --- */

/* It has failed: it is logged when nobody asks in time. */
void handle_wait_for_listener(struct handle *handle);
/* Somebody knows its failure now. */
void handle_tell(struct handle *handle);

#endif
