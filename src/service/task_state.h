#ifndef LUVD_SERVICE_TASK_STATE_H
#define LUVD_SERVICE_TASK_STATE_H

#include "service/task.h"

/* What the files of task share. */

struct task_extra {
	struct link groups; /* that it has made */
	/* The coroutines of the service's own that the wait suspended, innermost first. */
	lua_State **passed;
	size_t passed_count, passed_room;
};

/* --- task.c --- */

/* Keeps an ended task with its coroutine for the next one, or frees it. */
void task_release(struct task *task, bool reusable);
/* NULL: out of memory. */
struct task_extra *task_extra(struct task *task);
/* Runs it on the next turn of the loop. */
void task_queue(struct task *task);

/* --- task_end.c --- */

/* Its function has returned. */
void task_return(struct task *task);
/* The error that ended it is on top of its coroutine. */
void task_fail(struct task *task);
/* Closes a task that does not run. */
void task_close(struct task *task);

/* --- task_wait.c --- */

/* Takes it off what it waits for. */
void task_stop_waiting(struct task *task);
/* Was it task_leave that suspended it? */
bool task_left(const struct task *task);

#endif
