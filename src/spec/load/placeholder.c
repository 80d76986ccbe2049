#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "spec/load/load.h"

/* What require gives while a daemon file is read as data: it can be assigned, passed on and
 * indexed by name, and everything else raises. */

static const char type_name[] = "luvd.placeholder";

bool placeholder_is(lua_State *L, int index)
{
	return luaL_testudata(L, index, type_name) != NULL;
}

const char *placeholder_message(lua_State *L, int index, char *text, size_t size)
{
	const char *name;

	lua_getiuservalue(L, index, 1);
	name = lua_tostring(L, -1);
	snprintf(text, size,
		 "\"%s\" is loaded only in the worker: use it inside start, or put the service in "
		 "its own file",
		 name ? name : "?");
	lua_pop(L, 1);
	return text;
}

void placeholder_refuse(lua_State *L, int index)
{
	char text[512];

	if (placeholder_is(L, index))
		load_raise(L, "%s", placeholder_message(L, index, text, sizeof text));
}

/* Leaves a new placeholder with the name on top of the stack. */
static int push(lua_State *L)
{
	lua_newuserdatauv(L, 0, 1);
	lua_insert(L, -2);
	lua_setiuservalue(L, -2, 1);
	luaL_setmetatable(L, type_name);
	return 1;
}

static int l_require(lua_State *L)
{
	placeholder_refuse(L, 1);
	luaL_checkstring(L, 1);
	lua_settop(L, 1);
	return push(L);
}

static int l_refuse(lua_State *L)
{
	int top = lua_gettop(L);

	for (int i = 1; i <= top && i <= 2; i++)
		placeholder_refuse(L, i);
	return luaL_error(L, "a module is loaded only in the worker");
}

static int l_index(lua_State *L)
{
	if (lua_type(L, 2) != LUA_TSTRING)
		return l_refuse(L);
	lua_getiuservalue(L, 1, 1);
	return push(L);
}

void placeholder_open(lua_State *L)
{
	static const char *const refused[] = {
	    "__call", "__add", "__sub",      "__mul",    "__div",      "__mod",
	    "__pow",  "__unm", "__idiv",     "__band",   "__bor",      "__bxor",
	    "__shl",  "__shr", "__bnot",     "__concat", "__len",      "__eq",
	    "__lt",   "__le",  "__newindex", "__pairs",  "__tostring", "__close",
	};

	luaL_newmetatable(L, type_name);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		lua_pushcfunction(L, l_refuse);
		lua_setfield(L, -2, refused[i]);
	}
	lua_pushcfunction(L, l_index);
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
	lua_pushcfunction(L, l_require);
}
