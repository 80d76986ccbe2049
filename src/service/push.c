#include "service/push.h"

#include <lauxlib.h>
#include <string.h>

int push_metatable(lua_State *L, const char *name)
{
	if (!luaL_newmetatable(L, name))
		return 0;
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	return 1;
}

static void push_table(lua_State *L, const struct value *value)
{
	size_t count = value->as.table.count;

	lua_createtable(L, 0, (int)count);
	for (size_t i = 0; i < count; i++) {
		push_value(L, &value->as.table.pairs[i].key);
		push_value(L, &value->as.table.pairs[i].value);
		lua_rawset(L, -3);
	}
}

void push_value(lua_State *L, const struct value *value)
{
	luaL_checkstack(L, 4, "data too deep");
	switch (value ? value->type : VALUE_NIL) {
	case VALUE_NIL:
	case VALUE_FUNCTION:
		lua_pushnil(L);
		break;
	case VALUE_BOOLEAN:
		lua_pushboolean(L, value->as.boolean);
		break;
	case VALUE_INTEGER:
		lua_pushinteger(L, value->as.integer);
		break;
	case VALUE_NUMBER:
		lua_pushnumber(L, value->as.number);
		break;
	case VALUE_STRING:
		lua_pushlstring(L, value->as.string.bytes, value->as.string.length);
		break;
	case VALUE_TABLE:
		push_table(L, value);
		break;
	}
}

void push_config(lua_State *L, const struct value *root)
{
	const struct value *config = value_get(root, "config");

	if (config && config->type == VALUE_TABLE)
		push_value(L, config);
	else
		lua_newtable(L);
}

/* The string keys of the table at index, sorted, as "a, b, c". */
static void push_names(lua_State *L, int index)
{
	luaL_Buffer buffer;
	lua_Integer count = 0;

	lua_getglobal(L, "table");
	lua_getfield(L, -1, "sort");
	lua_newtable(L);
	lua_pushnil(L);
	while (lua_next(L, index)) {
		lua_pop(L, 1);
		lua_pushvalue(L, -1);
		lua_rawseti(L, -3, ++count);
	}
	lua_pushvalue(L, -1);
	lua_insert(L, -3);
	lua_call(L, 1, 0);
	index = lua_gettop(L);
	luaL_buffinit(L, &buffer);
	for (lua_Integer i = 1; i <= count; i++) {
		luaL_addstring(&buffer, i > 1 ? ", " : "");
		lua_rawgeti(L, index, i);
		luaL_addvalue(&buffer);
	}
	luaL_pushresult(&buffer);
}

static int l_missing(lua_State *L)
{
	const char *key = luaL_tolstring(L, 2, NULL);
	const char *what = lua_tostring(L, lua_upvalueindex(1));

	lua_pushnil(L);
	if (!lua_next(L, 1))
		return luaL_error(L, "no %s \"%s\": there is none", what, key);
	lua_pop(L, 2);
	push_names(L, 1);
	return luaL_error(L, "no %s \"%s\": there are %s", what, key, lua_tostring(L, -1));
}

static int l_frozen(lua_State *L)
{
	return luaL_error(L, "cannot set \"%s\": this table belongs to luvd",
			  luaL_tolstring(L, 2, NULL));
}

void push_guarded(lua_State *L, const char *what)
{
	lua_createtable(L, 0, 3);
	lua_pushstring(L, what);
	lua_pushcclosure(L, l_missing, 1);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, l_frozen);
	lua_setfield(L, -2, "__newindex");
	lua_pushstring(L, what);
	lua_setfield(L, -2, "__name");
	lua_setmetatable(L, -2);
}
