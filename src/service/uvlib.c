#include "service/uvlib.h"

#include <luv/luv.h>
#include <stdio.h>
#include <string.h>

#include "service/baselib.h"
#include "service/task.h"
#include "service/vm.h"

static const char library = 0; /* registry key of the table */

static int failed(struct vm *vm, int base, int status)
{
	vm->failed++;
	if (vm->script)
		vm->script_calls->callback_failed(vm, lua_tostring(vm->L, -1));
	else
		vm_log(vm, LEVEL_ERROR, lua_tostring(vm->L, -1), NULL, 0);
	lua_settop(vm->L, base);
	return -status;
}

/* struct task **, function, arguments... */
static int create_task(lua_State *L)
{
	struct task **task = lua_touserdata(L, 1);

	*task = task_create(L, lua_gettop(L) - 2, "callback");
	return 0;
}

static void on_script_done(struct task *task, enum outcome outcome, const char *message)
{
	if (outcome == OUTCOME_FAILED)
		task->vm->script_calls->callback_failed(task->vm, message);
}

static int start_task(struct vm *vm, int base, int nargs)
{
	struct task *task = NULL;
	lua_State *L = vm->L;
	int status;

	lua_pushcfunction(L, create_task);
	lua_pushlightuserdata(L, &task);
	lua_rotate(L, base + 1, 2);
	status = vm_call(vm, nargs + 2, 0);
	if (status != LUA_OK)
		return failed(vm, base, status);
	if (vm->script)
		task->done = on_script_done;
	task_start(task);
	return 0;
}

/* A callback is a task and may wait, but where luv needs what it returns; and once all tasks are
 * cancelled, callbacks of close are only called. */
static int guard(lua_State *L, int nargs, int nresults, int flags)
{
	struct vm *vm = vm_of(L);
	int base = lua_gettop(L) - nargs - 1;
	int status;

	(void)flags;
	if (nresults == 0 && vm->running == 0 && vm->phase != PHASE_CLOSED && L == vm->L)
		return start_task(vm, base, nargs);
	status = vm_call(vm, nargs, nresults);
	return status == LUA_OK ? lua_gettop(L) - base : failed(vm, base, status);
}

void uvlib_prepare(lua_State *L)
{
	struct vm *vm = vm_of(L);

	luv_set_loop(vm->L, vm->loop);
	luv_set_callback(vm->L, guard);
}

static bool is_handle(lua_State *L, int index)
{
	static const char *const types[] = {"uv_async",   "uv_check",  "uv_fs_event", "uv_fs_poll",
					    "uv_idle",    "uv_pipe",   "uv_poll",     "uv_prepare",
					    "uv_process", "uv_signal", "uv_tcp",      "uv_timer",
					    "uv_tty",     "uv_udp"};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (luaL_testudata(L, index, types[i]))
			return true;
	return false;
}

/* A list of the handles (or requests) of luv that are alive: luv keeps each in the registry
 * until it is gone. Walking the loop instead would meet the host's handles, and luv would take
 * their data for its own. */
static void push_alive(lua_State *L, bool handles)
{
	lua_Integer count = 0;

	lua_newtable(L);
	lua_pushnil(L);
	while (lua_next(L, LUA_REGISTRYINDEX)) {
		bool wanted =
		    lua_type(L, -1) == LUA_TUSERDATA && lua_type(L, -2) == LUA_TNUMBER &&
		    (handles ? is_handle(L, -1) : luaL_testudata(L, -1, "uv_req") != NULL);

		if (wanted)
			lua_rawseti(L, -3, ++count);
		else
			lua_pop(L, 1);
	}
}

void uvlib_push_handles(lua_State *L)
{
	push_alive(L, true);
}

/* uv.walk(function(handle) ... end), as luv's own but for the host's handles. */
static int l_walk(lua_State *L)
{
	lua_Unsigned count;

	luaL_checktype(L, 1, LUA_TFUNCTION);
	lua_settop(L, 1);
	push_alive(L, true);
	count = lua_rawlen(L, 2);
	for (lua_Unsigned i = 1; i <= count; i++) {
		lua_pushvalue(L, 1);
		lua_rawgeti(L, 2, (lua_Integer)i);
		lua_call(L, 1, 0);
	}
	return 0;
}

static int l_refuse(lua_State *L)
{
	return luaL_error(L, "uv.%s is not available: %s", lua_tostring(L, lua_upvalueindex(1)),
			  lua_tostring(L, lua_upvalueindex(2)));
}

static void refuse(lua_State *L)
{
	static const char *const functions[][2] = {
	    {"run", "luvd runs the loop"},
	    {"stop", "luvd runs the loop; luvd.stop() stops the daemon"},
	    {"loop_close", "the loop belongs to luvd"},
	    {"setuid", "name the user in the daemon file"},
	    {"setgid", "name the group in the daemon file"},
	};

	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		lua_pushstring(L, functions[i][0]);
		lua_pushstring(L, functions[i][1]);
		lua_pushcclosure(L, l_refuse, 2);
		lua_setfield(L, -2, functions[i][0]);
	}
}

/* --- threads of uv: states of their own, where nothing of ours but the guard is --- */

static int explain(lua_State *L)
{
	luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
	return 1;
}

/* The standard error of a daemon is its log; luv's own guard would end the process. */
static int guard_thread(lua_State *L, int nargs, int nresults, int flags)
{
	int base = lua_gettop(L) - nargs;
	int status;

	(void)flags;
	lua_pushcfunction(L, explain);
	lua_insert(L, base);
	status = lua_pcall(L, nargs, nresults, base);
	lua_remove(L, base);
	if (status == LUA_OK)
		return lua_gettop(L) - base + 1;
	fprintf(stderr, "error in a thread of uv: %s\n", lua_tostring(L, -1));
	lua_settop(L, base - 1);
	return -status;
}

static int guard_c_thread(lua_State *L, lua_CFunction function, void *data, int flags)
{
	lua_pushcfunction(L, function);
	lua_pushlightuserdata(L, data);
	return guard_thread(L, 1, LUA_MULTRET, flags);
}

/* Loaded from the start: the handles among the thread's arguments want their metatables. */
static void load_thread(lua_State *L)
{
	lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	luaopen_luv(L);
	lua_pushvalue(L, -1);
	lua_setfield(L, -3, "luv");
	lua_setfield(L, -2, "uv");
}

static int open_thread(lua_State *L)
{
	lua_pushboolean(L, 1);
	lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
	luaL_openlibs(L);
	baselib_open_thread(L);
	load_thread(L);
	return 0;
}

/* Those of a script have all of Lua, as under lua. */
static int open_free_thread(lua_State *L)
{
	luaL_openlibs(L);
	load_thread(L);
	return 0;
}

static lua_State *acquire(lua_CFunction open)
{
	lua_State *L = luaL_newstate();

	if (!L)
		return NULL;
	lua_pushcfunction(L, open);
	if (lua_pcall(L, 0, 0, 0) != LUA_OK) {
		lua_close(L);
		return NULL;
	}
	luv_set_thread(L, guard_thread);
	luv_set_cthread(L, guard_c_thread);
	return L;
}

static lua_State *acquire_thread(void)
{
	return acquire(open_thread);
}

static lua_State *acquire_free_thread(void)
{
	return acquire(open_free_thread);
}

int uvlib_open(lua_State *L)
{
	struct vm *vm = vm_of(L);

	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &library) == LUA_TTABLE)
		return 1;
	lua_pop(L, 1);
	luv_set_thread_cb(vm->script ? acquire_free_thread : acquire_thread, lua_close);
	lua_pushcfunction(L, luaopen_luv);
	lua_call(L, 0, 1);
	luv_context(L)->L = vm->L; /* callbacks run on the main thread, whoever required us */
	lua_pushcfunction(L, l_walk);
	lua_setfield(L, -2, "walk");
	if (vm->script)
		vm->script_calls->open_uv(L);
	else
		refuse(L);
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &library);
	return 1;
}

static lua_Unsigned call_each(lua_State *L, bool handles, const char *test, const char *function)
{
	lua_Unsigned count;

	push_alive(L, handles);
	count = lua_rawlen(L, -1);
	for (lua_Unsigned i = 1; i <= count; i++) {
		lua_rawgeti(L, -1, (lua_Integer)i);
		if (test) {
			lua_getfield(L, 2, test);
			lua_pushvalue(L, -2);
			lua_call(L, 1, 1);
			if (lua_toboolean(L, -1)) {
				lua_pop(L, 2);
				continue;
			}
			lua_pop(L, 1);
		}
		lua_getfield(L, 2, function);
		lua_insert(L, -2);
		lua_call(L, 1, 0);
	}
	lua_pop(L, 1);
	return count;
}

static int close_left(lua_State *L)
{
	size_t *count = lua_touserdata(L, 1);

	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &library) != LUA_TTABLE)
		return 0;
	*count = (size_t)call_each(L, true, "is_closing", "close");
	*count += (size_t)call_each(L, false, NULL, "cancel");
	return 0;
}

size_t uvlib_close(struct vm *vm)
{
	size_t count = 0;

	if (vm_run(vm, close_left, &count) != LUA_OK)
		lua_pop(vm->L, 1);
	return count;
}
