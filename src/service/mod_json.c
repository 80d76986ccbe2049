#include "service/modules.h"

#include <lauxlib.h>
#include <string.h>

#include "service/json.h"
#include "service/units.h"
#include "service/vm.h"

/* luvd.json: text to values and back. */

static const char null_key = 0, mark_key = 0; /* of the registry */

static int l_null_text(lua_State *L)
{
	lua_pushliteral(L, "null");
	return 1;
}

void json_push_null(lua_State *L)
{
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &null_key) == LUA_TUSERDATA)
		return;
	lua_pop(L, 1);
	lua_newuserdatauv(L, 0, 0);
	luaL_newmetatable(L, "luvd.json.null");
	lua_pushcfunction(L, l_null_text);
	lua_setfield(L, -2, "__tostring");
	lua_setmetatable(L, -2);
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &null_key);
}

void json_push_array_mark(lua_State *L)
{
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &mark_key) == LUA_TTABLE)
		return;
	lua_pop(L, 1);
	luaL_newmetatable(L, "luvd.json.array");
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &mark_key);
}

bool json_is_null(lua_State *L, int index)
{
	bool null;

	if (lua_type(L, index) != LUA_TUSERDATA)
		return false;
	json_push_null(L);
	null = lua_rawequal(L, index, -1);
	lua_pop(L, 1);
	return null;
}

bool json_is_marked(lua_State *L, int index)
{
	bool marked;

	if (!lua_getmetatable(L, index))
		return false;
	json_push_array_mark(L);
	marked = lua_rawequal(L, -1, -2);
	lua_pop(L, 2);
	return marked;
}

/* --- options --- */

/* What may be in the table of options; those that a call has not are NULL. */
struct options {
	int *depth;
	size_t *max;
	int *null;
	int *indent;
};

static void read_max(lua_State *L, size_t *max)
{
	*max = (size_t)units_size(L, lua_gettop(L));
	if (*max == 0)
		vm_raise(L, "option max must be at least one byte");
}

static void read_option(lua_State *L, int index, const struct options *options)
{
	const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";

	if (strcmp(key, "depth") == 0)
		*options->depth = units_count(L, key, 1, JSON_DEPTH_MAX);
	else if (strcmp(key, "max") == 0)
		read_max(L, options->max);
	else if (options->indent && strcmp(key, "indent") == 0)
		*options->indent = units_count(L, key, 0, JSON_INDENT_MAX);
	else if (options->null && strcmp(key, "null") == 0)
		*options->null = index + 1;
	else
		vm_raise(L, "unknown option \"%s\": there are depth, max and %s", key,
			 options->indent ? "indent" : "null");
}

/* What null becomes, if it is given, is put at index + 1. */
static void read_options(lua_State *L, int index, const struct options *options)
{
	lua_settop(L, index);
	if (lua_isnil(L, index))
		return;
	luaL_checktype(L, index, LUA_TTABLE);
	lua_getfield(L, index, "null");
	lua_pushnil(L);
	while (lua_next(L, index)) {
		read_option(L, index, options);
		lua_pop(L, 1);
	}
}

/* --- functions --- */

static int l_decode(lua_State *L)
{
	size_t length;
	const char *text = luaL_checklstring(L, 1, &length);
	struct json_limits limits = {0};

	read_options(
	    L, 2,
	    &(struct options){.depth = &limits.depth, .max = &limits.max, .null = &limits.null});
	return json_decode(L, text, length, &limits);
}

static int l_encode(lua_State *L)
{
	struct json_style style = {0};
	struct out out;
	char first[4096];

	luaL_checkany(L, 1);
	read_options(
	    L, 2,
	    &(struct options){.depth = &style.depth, .max = &style.max, .indent = &style.indent});
	out_begin(L, &out, first, 0, sizeof first);
	json_encode(L, 1, &out, &style);
	lua_pushlstring(L, out.bytes, out.length);
	return 1;
}

static int l_array(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	json_push_array_mark(L);
	if (lua_getmetatable(L, 1)) {
		luaL_argcheck(L, lua_rawequal(L, 2, 3), 1, "it has a metatable already");
		lua_pop(L, 1);
	}
	lua_setmetatable(L, 1);
	return 1;
}

int luaopen_luvd_json(lua_State *L)
{
	static const luaL_Reg functions[] = {
	    {"decode", l_decode}, {"encode", l_encode}, {"array", l_array}, {NULL, NULL}};

	luaL_newlib(L, functions);
	json_push_null(L);
	lua_setfield(L, -2, "null");
	return 1;
}
