#ifndef LUVD_SERVICE_FLOW_H
#define LUVD_SERVICE_FLOW_H

#include <stdbool.h>

#include "service/slice.h"
#include "service/task.h"

/* The main flow of a script: the main chunk and whatever coroutines of the script's own it
 * resumes. Nobody can suspend it, for it is not the host that has resumed it; so what waits in it
 * runs the loop in place, until it is woken. It has a task, which is vm->current while it runs:
 * what waits for something need not know more. While the loop runs inside of it, it does not run:
 * all else there is a task, or a callback that may not wait. */

struct vm;

struct flow {
	struct task task;
	/* The wait that is to be followed by function. */
	lua_KFunction function;
	lua_KContext context;
	bool continuing; /* function runs: a wait in it is left to the loop of the first one */
	bool again;      /* there was one */
};

/* What the loop must not see while it runs inside of the main flow. */
struct flow_rest {
	struct task *current;
	struct frame *frame;
	int running, pinned;
};

void flow_init(struct flow *flow, struct vm *vm);
/* Its children are cancelled, its groups let go. */
void flow_finish(struct flow *flow);

/* Around a run of the loop; nothing may raise between the two. */
void flow_rest(struct vm *vm, struct flow_rest *rest);
void flow_go_on(struct vm *vm, const struct flow_rest *rest);

/* --- for task_wait.c --- */

/* A function that waits begins: what it waits for is followed by a function of its own. */
void flow_begin(lua_State *L);
/* Runs the loop until the flow's task is woken, then function; returns what it returns. Raises when
 * nothing is left that could wake it, or the script is stopped. */
int flow_wait(lua_State *L, lua_KContext context, lua_KFunction function);

#endif
