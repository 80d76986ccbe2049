#include "service/console.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "service/life_state.h"
#include "service/object.h"
#include "service/pretty.h"
#include "service/service.h"
#include "service/task_state.h"
#include "service/vm.h"

enum { ANSWER_MAX = 256 * 1024, TIMEOUT_MS = 30000 };

/* --- one question --- */

static void deliver(struct eval *eval)
{
	list_remove(&eval->all);
	alarm_clear(&eval->vm->alarms, &eval->alarm);
	eval->done(eval->data, eval->ok, answer_finish(&eval->answer));
	answer_free(&eval->answer);
	free(eval);
}

static void on_alarm(struct alarm *alarm)
{
	struct eval *eval = LIST_ENTRY(alarm, struct eval, alarm);

	eval->late = true;
	if (eval->task)
		task_cancel(eval->task); /* which answers */
	else
		deliver(eval);
}

struct eval *eval_create(struct vm *vm, const char *text, life_answer done, void *data)
{
	struct eval *eval = calloc(1, sizeof *eval);

	if (!eval)
		return NULL;
	eval->vm = vm;
	eval->text = text;
	eval->answer.most = ANSWER_MAX;
	eval->done = done;
	eval->data = data;
	alarm_init(&vm->alarms, &eval->alarm, on_alarm);
	list_append(&vm->evals, &eval->all);
	return eval;
}

void eval_answer_soon(struct eval *eval)
{
	alarm_set(&eval->vm->alarms, &eval->alarm, vm_now(eval->vm));
}

void evals_close(struct vm *vm)
{
	while (!list_empty(&vm->evals))
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it sees no rings */
		deliver(LIST_ENTRY(vm->evals.next, struct eval, all));
}

/* --- the task --- */

static void on_done(struct task *task, enum outcome outcome, const char *message)
{
	struct eval *eval = task->data;

	eval->task = NULL;
	eval->ok = outcome == OUTCOME_DONE;
	if (outcome == OUTCOME_FAILED) {
		answer_text(&eval->answer, message);
		task->vm->failed--; /* not the service's */
	} else if (outcome == OUTCOME_CANCELLED) {
		answer_text(&eval->answer,
			    eval->late ? "cancelled: no result within 30s" : "cancelled");
	}
	for (int i = 1; eval->ok && i <= lua_gettop(task->L); i++) {
		pretty_print(task->L, i, &eval->answer);
		answer_text(&eval->answer, "\n");
	}
	deliver(eval);
}

/* print goes to the answer while a text of the console runs, afterwards to where it went. */
static struct eval *current_eval(struct vm *vm)
{
	struct task *task = vm->current;

	while (task && task->done != on_done)
		task = task->parent;
	return task ? task->data : NULL;
}

static int l_print(lua_State *L)
{
	struct eval *eval = current_eval(vm_of(L));
	int count = lua_gettop(L);
	size_t length;

	if (!eval) {
		lua_pushvalue(L, lua_upvalueindex(1));
		lua_insert(L, 1);
		lua_call(L, count, 0);
		return 0;
	}
	for (int i = 1; i <= count; i++) {
		const char *bytes = luaL_tolstring(L, i, &length);

		if (i > 1)
			answer_text(&eval->answer, "\t");
		answer_add(&eval->answer, bytes, length);
		lua_pop(L, 1);
	}
	answer_text(&eval->answer, "\n");
	return 0;
}

/* --- the environment --- */

/* The globals of the service's text: an inline service has a table of its own around all of
 * Lua's. */
static void push_globals(lua_State *L)
{
	if (service_push(L, "start")) {
		const char *name;

		for (int i = 1; (name = lua_getupvalue(L, -1, i)); i++) {
			if (strcmp(name, "_ENV") == 0 && lua_istable(L, -1)) {
				lua_remove(L, -2);
				return;
			}
			lua_pop(L, 1);
		}
		lua_pop(L, 1);
	}
	lua_pushglobaltable(L);
}

static void push_new(lua_State *L)
{
	struct vm *vm = vm_of(L);

	lua_newtable(L);
	object_push(L);
	lua_setfield(L, -2, "daemon");
	lua_rawgeti(L, LUA_REGISTRYINDEX, vm->service);
	lua_setfield(L, -2, "service");
	lua_getglobal(L, "print");
	lua_pushcclosure(L, l_print, 1);
	lua_setfield(L, -2, "print");
	lua_createtable(L, 0, 1);
	push_globals(L);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
}

void console_push(lua_State *L)
{
	static const char environment = 0;

	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &environment) == LUA_TTABLE)
		return;
	lua_pop(L, 1);
	push_new(L);
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &environment);
}

/* --- evaluating --- */

/* "local x = 5" would be forgotten with its text: without the word it is a variable of the
 * console. Not "local x <close>". */
static const char *without_local(const char *text)
{
	static const char blank[] = " \t\r\n";
	const char *after = text + strspn(text, blank);

	if (strncmp(after, "local", 5) != 0 || !after[5] || !strchr(blank, after[5]))
		return text;
	after += 5;
	return after[strcspn(after, "<=")] == '<' ? text : after;
}

static int compile(lua_State *L, const char *text)
{
	lua_pushfstring(L, "return %s", text);
	if (luaL_loadbufferx(L, lua_tostring(L, -1), lua_rawlen(L, -1), "=console", "t") == LUA_OK)
		return LUA_OK;
	lua_pop(L, 1);
	return luaL_loadbufferx(L, text, strlen(text), "=console", "t");
}

static int begin(lua_State *L)
{
	struct eval *eval = lua_touserdata(L, 1);

	if (compile(L, without_local(eval->text)) != LUA_OK) {
		answer_text(&eval->answer, lua_tostring(L, -1));
		return 0;
	}
	console_push(L);
	lua_setupvalue(L, -2, 1);
	eval->task = task_create(L, 0, "console");
	eval->task->data = eval;
	eval->task->done = on_done;
	eval->task->outlived = true;
	return 0;
}

static bool is_alive(const struct life *life)
{
	return life->state >= STARTING && life->state <= DRAINING;
}

int life_eval(struct life *life, const char *text, life_answer done, void *data)
{
	struct vm *vm = life->vm;
	struct eval *eval = eval_create(vm, text, done, data);

	if (!eval)
		return -1;
	if (!is_alive(life)) {
		answer_text(&eval->answer, "the service does not run");
	} else if (vm_run(vm, begin, eval) != LUA_OK) {
		answer_text(&eval->answer, lua_tostring(vm->L, -1));
		lua_pop(vm->L, 1);
	}
	eval->text = NULL;
	if (!eval->task) {
		eval_answer_soon(eval);
		return 0;
	}
	vm_update(vm);
	alarm_set(&vm->alarms, &eval->alarm, vm_now(vm) + TIMEOUT_MS);
	task_queue(eval->task);
	return 0;
}
