#include "service/heldlib.h"

#include <lauxlib.h>
#include <string.h>

#include "service/vm.h"

/* os.time([table]) */
static int l_time(lua_State *L)
{
	if (lua_isnoneornil(L, 1)) {
		lua_pushinteger(L, (lua_Integer)(vm_wall_clock(vm_of(L)) / 1000));
		return 1;
	}
	lua_settop(L, 1);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, 1, 1);
	return 1;
}

/* os.date([format [, time]]) */
static int l_date(lua_State *L)
{
	lua_settop(L, 2);
	if (lua_isnil(L, 1)) {
		lua_pushliteral(L, "%c");
		lua_replace(L, 1);
	}
	if (lua_isnil(L, 2)) {
		lua_pushinteger(L, (lua_Integer)(vm_wall_clock(vm_of(L)) / 1000));
		lua_replace(L, 2);
	}
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, 2, 1);
	return 1;
}

/* os.clock(): no time passes while a simulation computes. */
static int l_clock(lua_State *L)
{
	lua_pushnumber(L, (lua_Number)vm_now(vm_of(L)) / 1000);
	return 1;
}

static int l_getenv(lua_State *L)
{
	size_t length;
	const char *name = luaL_checklstring(L, 1, &length);
	char **entry = vm_of(L)->daemon->spec->environment;

	for (; entry && *entry; entry++) {
		if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=') {
			lua_pushstring(L, *entry + length + 1);
			return 1;
		}
	}
	lua_pushnil(L);
	return 1;
}

/* A daemon's standard output is its log. */
static int l_print(lua_State *L)
{
	int count = lua_gettop(L);
	luaL_Buffer line;

	luaL_buffinit(L, &line);
	for (int i = 1; i <= count; i++) {
		if (i > 1)
			luaL_addchar(&line, '\t');
		luaL_tolstring(L, i, NULL);
		luaL_addvalue(&line);
	}
	luaL_pushresult(&line);
	vm_log(vm_of(L), LEVEL_INFO, lua_tostring(L, -1), NULL, 0);
	return 0;
}

/* Puts function in the place of the one of this name in the table on top, which it may call. */
static void replace(lua_State *L, const char *name, lua_CFunction function)
{
	lua_getfield(L, -1, name);
	lua_pushcclosure(L, function, 1);
	lua_setfield(L, -2, name);
}

void heldlib_open(lua_State *L)
{
	lua_getglobal(L, "os");
	replace(L, "time", l_time);
	replace(L, "date", l_date);
	replace(L, "clock", l_clock);
	replace(L, "getenv", l_getenv);
	lua_pop(L, 1);
	lua_pushglobaltable(L);
	replace(L, "print", l_print);
	lua_pop(L, 1);
}
