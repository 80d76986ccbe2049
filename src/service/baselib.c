#include "service/baselib.h"

#include <lauxlib.h>

#include "service/task.h"
#include "service/vm.h"

/* Calls Lua's own function with mode "t", argument number `mode`, whatever was asked: bytecode is
 * not verified by Lua and can do anything to the process. */
static int call_text_only(lua_State *L, int mode)
{
	int count = lua_gettop(L);

	if (count < mode)
		lua_settop(L, count = mode);
	lua_pushliteral(L, "t");
	lua_replace(L, mode);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, count, LUA_MULTRET);
	return lua_gettop(L);
}

/* load(chunk, name, mode, env) */
static int l_load(lua_State *L)
{
	return call_text_only(L, 3);
}

/* loadfile(name, mode, env) */
static int l_loadfile(lua_State *L)
{
	return call_text_only(L, 2);
}

static int done_file(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	return lua_gettop(L) - 1;
}

static int l_dofile(lua_State *L)
{
	const char *name = luaL_optstring(L, 1, NULL);

	lua_settop(L, 1);
	if (luaL_loadfilex(L, name, "t") != LUA_OK)
		return lua_error(L);
	lua_callk(L, 0, LUA_MULTRET, 0, done_file);
	return done_file(L, 0, 0);
}

static int l_exit(lua_State *L)
{
	struct vm *vm = vm_of(L);
	int code = lua_isboolean(L, 1) ? !lua_toboolean(L, 1) : (int)luaL_optinteger(L, 1, 0);
	char what[48];

	if (lua_isboolean(L, 1))
		snprintf(what, sizeof what, "os.exit(%s)", lua_toboolean(L, 1) ? "true" : "false");
	else if (lua_isnoneornil(L, 1))
		snprintf(what, sizeof what, "os.exit()");
	else
		snprintf(what, sizeof what, "os.exit(%d)", code);
	vm->leave(vm, what, code);
	return task_leave(L, what);
}

static void wrap_load(lua_State *L, const char *name, lua_CFunction wrapper)
{
	lua_getglobal(L, name);
	lua_pushcclosure(L, wrapper, 1);
	lua_setglobal(L, name);
}

static void close_package(lua_State *L)
{
	static const char *const gone[] = {"loadlib", "searchers", "searchpath"};

	lua_getglobal(L, "package");
	for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
		lua_pushnil(L);
		lua_setfield(L, -2, gone[i]);
	}
	lua_pushliteral(L, "");
	lua_setfield(L, -2, "path");
	lua_pushliteral(L, "");
	lua_setfield(L, -2, "cpath");
	lua_pop(L, 1);
}

static int l_refuse_exit(lua_State *L)
{
	return luaL_error(L, "os.exit: a thread cannot stop the daemon");
}

static void open_common(lua_State *L, lua_CFunction leave)
{
	wrap_load(L, "load", l_load);
	wrap_load(L, "loadfile", l_loadfile);
	lua_pushcfunction(L, l_dofile);
	lua_setglobal(L, "dofile");
	lua_getglobal(L, "os");
	lua_pushcfunction(L, leave);
	lua_setfield(L, -2, "exit");
	lua_pop(L, 1);
}

void baselib_open(lua_State *L)
{
	open_common(L, l_exit);
	close_package(L);
	colib_open(L);
}

/* Its require is Lua's own, which wants the searchers: with empty paths only package.preload is
 * left of them. */
void baselib_open_thread(lua_State *L)
{
	open_common(L, l_refuse_exit);
	lua_getglobal(L, "package");
	lua_getfield(L, -1, "searchers");
	close_package(L);
	lua_setfield(L, -2, "searchers");
	lua_pop(L, 1);
}
