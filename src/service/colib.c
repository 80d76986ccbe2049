#include "service/baselib.h"

#include <lauxlib.h>
#include <stdbool.h>

#include "service/explain.h"
#include "service/task.h"
#include "service/vm.h"

/* coroutine.resume, wrap and close as Lua's own, but a wait of the host inside the coroutine
 * suspends the whole task, and goes on inside when the task is resumed. */

static bool waits_for_host(lua_State *co)
{
	return lua_status(co) == LUA_YIELD && lua_gettop(co) > 0 && task_marker(co);
}

/* true, values... or false, error */
static int deliver(lua_State *L, lua_State *co, int status, int count)
{
	if (status != LUA_OK && status != LUA_YIELD) {
		lua_xmove(co, L, 1); /* first: one that resumes itself is both */
		lua_pushboolean(L, 0);
		lua_insert(L, -2);
		return 2;
	}
	if (!lua_checkstack(L, count + 1)) {
		lua_pop(co, count);
		lua_pushboolean(L, 0);
		lua_pushliteral(L, "too many results to resume");
		return 2;
	}
	lua_pushboolean(L, 1);
	lua_xmove(co, L, count);
	return count + 1;
}

/* Runs its <close> values; leaves the error, or that of one of them. */
static void close_failed(lua_State *L, lua_State *co)
{
	struct frame frame;

	frame_push(vm_of(L), &frame, co);
	lua_resetthread(co);
	frame_pop(vm_of(L), &frame);
}

/* The error on top, when it is a text, says where. */
static void add_where(lua_State *L)
{
	if (lua_type(L, -1) != LUA_TSTRING)
		return;
	luaL_where(L, 1);
	lua_insert(L, -2);
	lua_concat(L, 2);
}

/* Nothing ran: it is dead, or runs already. */
static int refuse_wrapped(lua_State *L, lua_State *co)
{
	lua_xmove(co, L, 1);
	add_where(L);
	return lua_error(L);
}

static int deliver_wrapped(lua_State *L, lua_State *co, int status, int count)
{
	if (status == LUA_OK || status == LUA_YIELD) {
		luaL_checkstack(L, count, "too many results to resume");
		lua_xmove(co, L, count);
		return count;
	}
	if (lua_status(co) == LUA_OK || lua_status(co) == LUA_YIELD)
		return refuse_wrapped(L, co);
	luaL_traceback(L, co, NULL, 0);
	close_failed(L, co);
	lua_xmove(co, L, 1);
	add_where(L);
	explain_keep_trace(L);
	return lua_error(L);
}

static int go_on(lua_State *L, int status, lua_KContext wrapped);

static int drive(lua_State *L, lua_State *co, int nargs, lua_KContext wrapped)
{
	struct vm *vm = vm_of(L);
	int pinned = !lua_isyieldable(L);
	struct frame frame;
	int count = 0;
	int status;

	vm->pinned += pinned;
	frame_push(vm, &frame, co);
	status = lua_resume(co, L, nargs, &count);
	frame_pop(vm, &frame);
	vm->pinned -= pinned;
	if (status == LUA_YIELD && count == 1 && task_marker(co)) {
		task_pass(L, co);
		return lua_yieldk(L, 1, wrapped, go_on);
	}
	return wrapped ? deliver_wrapped(L, co, status, count) : deliver(L, co, status, count);
}

static lua_State *coroutine_of(lua_State *L, lua_KContext wrapped)
{
	return lua_tothread(L, wrapped ? lua_upvalueindex(1) : 1);
}

static int go_on(lua_State *L, int status, lua_KContext wrapped)
{
	lua_State *co = coroutine_of(L, wrapped);

	(void)status;
	lua_pop(co, 1); /* the marker */
	return drive(L, co, 0, wrapped);
}

static int l_resume(lua_State *L)
{
	lua_State *co = lua_tothread(L, 1);
	int nargs = lua_gettop(L) - 1;

	luaL_argexpected(L, co, 1, "coroutine");
	if (waits_for_host(co) || !lua_checkstack(co, nargs)) {
		lua_pushboolean(L, 0);
		lua_pushstring(L, waits_for_host(co)
				      ? "cannot resume a coroutine that waits in another task"
				      : "too many arguments to resume");
		return 2;
	}
	lua_xmove(L, co, nargs);
	return drive(L, co, nargs, 0);
}

static int wrapper(lua_State *L)
{
	lua_State *co = coroutine_of(L, 1);
	int nargs = lua_gettop(L);

	if (waits_for_host(co))
		return luaL_error(L, "cannot resume a coroutine that waits in another task");
	if (!lua_checkstack(co, nargs))
		return luaL_error(L, "too many arguments to resume");
	lua_xmove(L, co, nargs);
	return drive(L, co, nargs, 1);
}

static int l_wrap(lua_State *L)
{
	lua_State *co;

	luaL_checktype(L, 1, LUA_TFUNCTION);
	co = lua_newthread(L);
	lua_pushvalue(L, 1);
	lua_xmove(L, co, 1);
	lua_pushcclosure(L, wrapper, 1);
	return 1;
}

static int l_close(lua_State *L)
{
	lua_State *co = lua_tothread(L, 1);
	struct frame frame;
	int status;

	luaL_argexpected(L, co, 1, "coroutine");
	if (waits_for_host(co))
		return luaL_error(L, "cannot close a coroutine that waits in another task");
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	frame_push(vm_of(L), &frame, co);
	status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
	frame_pop(vm_of(L), &frame);
	return status == LUA_OK ? lua_gettop(L) : lua_error(L);
}

/* As Lua's own; but who knows the coroutine of a task may keep it, as a key for example, and must
 * not find another task in it. */
static int l_running(lua_State *L)
{
	struct task *task = vm_of(L)->current;

	if (task && task->L == L)
		task->exposed = true;
	lua_pushboolean(L, lua_pushthread(L));
	return 2;
}

void colib_open(lua_State *L)
{
	static const luaL_Reg functions[] = {
	    {"resume", l_resume}, {"running", l_running}, {"wrap", l_wrap}, {NULL, NULL}};

	lua_getglobal(L, "coroutine");
	luaL_setfuncs(L, functions, 0);
	lua_getfield(L, -1, "close");
	lua_pushcclosure(L, l_close, 1);
	lua_setfield(L, -2, "close");
	lua_pop(L, 1);
}
