#include "service/script_state.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service/handle.h"
#include "service/loader.h"
#include "service/task.h"
#include "service/vm.h"

/* --- failures --- */

static int call_on_failure(lua_State *L)
{
	struct script *script = vm_of(L)->script;

	lua_rawgeti(L, LUA_REGISTRYINDEX, script->on_failure);
	lua_pushstring(L, lua_touserdata(L, 1));
	lua_call(L, 1, 0);
	return 0;
}

static bool take_failure(struct vm *vm, const char *message)
{
	struct script *script = vm->script;
	struct task *before = vm->current;
	int status;

	if (script->on_failure == LUA_NOREF) {
		script->failed = true;
		return false;
	}
	vm->current = NULL; /* it must not wait: we may be in the middle of anything */
	status = vm_run(vm, call_on_failure, (void *)message);
	vm->current = before;
	if (status == LUA_OK)
		return true;
	script->failed = true;
	vm_log(vm, LEVEL_ERROR, lua_tostring(vm->L, -1), NULL, 0);
	lua_pop(vm->L, 1);
	return false;
}

static void callback_failed(struct vm *vm, const char *message)
{
	const struct script *script = vm->script;

	if (script->on_failure != LUA_NOREF && take_failure(vm, message))
		return;
	fflush(stdout);
	fprintf(stderr, "%s: %s\n", script->options.program, message);
	exit(EXIT_FAILED);
}

/* --- running --- */

bool script_loop(struct script *script, uv_run_mode mode)
{
	struct vm *vm = script->vm;
	int alive;

	do {
		alarms_rest(&vm->alarms);
		alive = uv_run(vm->loop, mode == UV_RUN_NOWAIT ? UV_RUN_NOWAIT : UV_RUN_ONCE);
	} while (mode == UV_RUN_DEFAULT && alive && !script->left && !vm->slice.stop);
	script->left = false;
	return alive;
}

/* Is it stopped since the main flow has ended? */
static int check_stop(lua_State *L)
{
	script_raise_stop(L);
	return 0;
}

static int run_rest(struct script *script)
{
	lua_State *L = script->vm->L;

	script_loop(script, UV_RUN_DEFAULT);
	handles_flush(script->vm);
	lua_pushcfunction(L, check_stop);
	return script_call(L, 0, 0) == LUA_OK && !script->failed ? EXIT_DONE : EXIT_FAILED;
}

int script_run(struct script *script, lua_CFunction body, void *data)
{
	struct vm *vm = script->vm;
	struct frame frame;
	bool done;

	lua_pushcfunction(vm->L, body);
	lua_pushlightuserdata(vm->L, data);
	vm->current = &script->flow.task;
	vm_enter(vm, &frame, vm->L);
	done = script_call(vm->L, 1, 1) == LUA_OK;
	vm_leave(vm, &frame);
	vm->current = NULL;
	if (done) {
		done = lua_isnil(vm->L, -1) || lua_toboolean(vm->L, -1);
		lua_pop(vm->L, 1);
	}
	return done ? run_rest(script) : EXIT_FAILED;
}

/* --- an embedded module --- */

struct run {
	const char *name;
	char **arguments;
	int code;
};

static int run_module(lua_State *L)
{
	struct run *run = lua_touserdata(L, 1);
	int count = 0;

	loader_embedded(L, run->name);
	for (; run->arguments[count]; count++) {
		luaL_checkstack(L, 2, "too many arguments");
		lua_pushstring(L, run->arguments[count]);
	}
	lua_call(L, count, 1);
	if (lua_isboolean(L, -1))
		run->code = lua_toboolean(L, -1) ? EXIT_DONE : EXIT_FAILED;
	else
		run->code = (int)lua_tointeger(L, -1);
	return 0;
}

int script_run_module(struct script *script, const char *name, char **arguments)
{
	struct run run = {.name = name, .arguments = arguments};
	int code = script_run(script, run_module, &run);

	return run.code ? run.code : code;
}

/* --- making --- */

static void on_status(void *data, const char *text)
{
	(void)data;
	(void)text;
}

static void on_level(void *data, enum log_level level)
{
	(void)data;
	(void)level;
}

static void on_leave(struct vm *vm, const char *what, int code)
{
	(void)what;
	script_exit(vm->L, code, false);
}

static void on_quiet(struct vm *vm)
{
	(void)vm;
}

static int prepare_daemon(struct daemon *daemon, struct err *err)
{
	char *folder = getcwd(NULL, 0);

	daemon->spec = spec_bare("lua", folder ? folder : "/");
	free(folder);
	if (!daemon->spec)
		return err_set(err, "out of memory");
	daemon->spec->lua_slice = 0; /* a script may compute as long as it likes */
	return 0;
}

static void init_handles(struct script *script)
{
	uv_timer_init(&script->loop, &script->beat);
	script->beat.data = script;
	script->vm->handles++;
	script_stop_open(script);
}

static const struct script_calls own_calls = {
    .take_failure = take_failure,
    .callback_failed = callback_failed,
    .open_uv = script_open_uv,
    .raise_stop = script_raise_stop,
};

struct script *script_create(struct daemon *daemon, const struct script_options *options,
			     struct err *err)
{
	struct script *script = calloc(1, sizeof *script);

	if (!script) {
		err_set(err, "out of memory");
		return NULL;
	}
	script->daemon = daemon;
	script->options = *options;
	script->on_failure = LUA_NOREF;
	script->calls = (struct life_calls){
	    .data = options->data, .status = on_status, .log = options->log, .level = on_level};
	if (prepare_daemon(daemon, err) < 0)
		goto no_loop;
	if (uv_loop_init(&script->loop) < 0) {
		err_set(err, "cannot make the event loop");
		goto no_loop;
	}
	script->vm = vm_create_script(&script->loop, daemon, &script->calls, script, &own_calls,
				      script_open, err);
	if (!script->vm)
		goto no_vm;
	script->vm->phase = PHASE_RUNNING;
	script->vm->leave = on_leave;
	script->vm->quiet = on_quiet;
	flow_init(&script->flow, script->vm);
	init_handles(script);
	return script;
no_vm:
	uv_loop_close(&script->loop);
no_loop:
	free(script);
	return NULL;
}

void script_destroy(struct script *script)
{
	struct vm *vm;

	if (!script)
		return;
	vm = script->vm;
	if (script_close(script) == 0) {
		vm_destroy(vm); /* else a thread may still come back to it */
		uv_loop_close(&script->loop);
		free(script);
	}
}
