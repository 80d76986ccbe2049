#ifndef LUVD_SERVICE_CONSOLE_H
#define LUVD_SERVICE_CONSOLE_H

#include <lua.h>

#include "service/alarm.h"
#include "service/answer.h"
#include "service/life.h"
#include "service/list.h"

/* What luvd console asks of the service: between its files. life_eval and life_complete are in
 * life.h. */

struct vm;
struct task;

/* One question, until it is answered. */
struct eval {
	struct link all; /* in vm->evals */
	struct vm *vm;
	struct task *task;  /* evaluates the text; NULL: there is no task, or it has ended */
	struct alarm alarm; /* its timeout; without a task: the answer, on the next turn */
	struct answer answer;
	const char *text; /* while it is begun */
	bool ok, late;
	life_answer done;
	void *data;
};

/* NULL: out of memory. */
struct eval *eval_create(struct vm *vm, const char *text, life_answer done, void *data);
/* The loop's next turn brings the answer. */
void eval_answer_soon(struct eval *eval);
/* Answers what has no task any more: the loop ends. */
void evals_close(struct vm *vm);
/* Pushes the environment of the texts. */
void console_push(lua_State *L);
/* What the last word of text may become, seen from the table on top of L, which is popped: whole
 * words, one a line. No code is run. */
void names_complete(lua_State *L, const char *text, struct answer *answer);

#endif
