#include "service/life_state.h"

#include <stdlib.h>
#include <string.h>

#include "service/task.h"
#include "service/vm.h"

void life_fail(struct life *life, const char *verb, const char *what)
{
	life->err = (struct err){0};
	snprintf(life->err.key, sizeof life->err.key, "%s", verb);
	err_set(&life->err, "%s", what);
}

void life_fail_late(struct life *life, const char *verb, int64_t timeout)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	char what[96];

	if (out) {
		text_duration(out, timeout);
		fclose(out);
	}
	snprintf(what, sizeof what, "did not return within %s", text ? text : "its timeout");
	free(text);
	life_fail(life, verb, what);
}

/* A verb may say no without raising: return nil, message. Some libraries' no is false. */
static bool says_no(struct life *life, struct task *task)
{
	lua_State *co = task->L;
	const char *message;

	if (lua_gettop(co) < 2 || lua_toboolean(co, 1) || lua_isnil(co, 2))
		return false;
	message = lua_tostring(co, 2);
	life_fail(life, task->name, message ? message : "(the message is not a string)");
	return true;
}

void life_end_verb(struct task *task, enum outcome outcome, const char *message)
{
	struct life *life = task->vm->life;

	if (life->verb != task)
		return;
	life->verb = NULL;
	if (outcome == OUTCOME_DONE) {
		life_post(life, says_no(life, task) ? RAISED : RETURNED);
		return;
	}
	if (outcome == OUTCOME_FAILED)
		life_fail(life, task->name, message);
	else if (!life->err.what[0])
		life_fail(life, task->name, "was cancelled");
	life_post(life, RAISED);
}

/* Runs the function, or, when the service has none, goes on at once. */
void life_run_verb(struct life *life, lua_CFunction begin, const char *name)
{
	struct vm *vm = life->vm;

	life->err = (struct err){0};
	if (vm_run(vm, begin, life) != LUA_OK) {
		life_fail(life, name, lua_tostring(vm->L, -1));
		lua_pop(vm->L, 1);
		life_post(life, RAISED);
	} else if (life->verb) {
		life->verb->done = life_end_verb;
		task_start(life->verb);
	} else {
		life_post(life, RETURNED);
	}
}

void life_cancel_verb(struct life *life)
{
	struct task *task = life->verb;

	life->verb = NULL;
	if (task)
		task_cancel(task);
}
