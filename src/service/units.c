#include "service/units.h"

#include <lauxlib.h>
#include <string.h>

#include "service/vm.h"
#include "spec/parse.h"

static int64_t wrong(lua_State *L, int index, const char *expected)
{
	const char *got;

	if (lua_type(L, index) == LUA_TSTRING)
		got = lua_pushfstring(L, "\"%s\"", lua_tostring(L, index));
	else
		got = luaL_tolstring(L, index, NULL);
	return luaL_argerror(L, index, lua_pushfstring(L, "expected %s, got %s", expected, got));
}

static const char a_duration[] = "a duration such as 5 (seconds), \"250ms\", \"10s\" or \"7d\"";
static const char a_size[] = "a size such as 4096 (bytes) or \"64KiB\"";

int64_t units_duration(lua_State *L, int index)
{
	lua_Number seconds = lua_type(L, index) == LUA_TNUMBER ? lua_tonumber(L, index) : -1;
	int64_t milliseconds;

	if (lua_type(L, index) == LUA_TSTRING &&
	    parse_duration(lua_tostring(L, index), &milliseconds))
		return milliseconds;
	if (!(seconds >= 0 && seconds * 1000 <= (lua_Number)DURATION_MAX))
		return wrong(L, index, a_duration);
	return (int64_t)(seconds * 1000 + 0.5);
}

int64_t units_size(lua_State *L, int index)
{
	lua_Number number = lua_type(L, index) == LUA_TNUMBER ? lua_tonumber(L, index) : -1;
	uint64_t bytes;

	if (lua_type(L, index) == LUA_TSTRING && parse_size(lua_tostring(L, index), &bytes))
		return (int64_t)bytes;
	if (!(number >= 0 && number < 0x1p53) || number != (lua_Number)(int64_t)number)
		return wrong(L, index, a_size);
	return (int64_t)number;
}

int units_count(lua_State *L, const char *key, int least, int most)
{
	int whole;
	lua_Integer value = lua_tointegerx(L, -1, &whole);

	if (lua_type(L, -1) != LUA_TNUMBER || !whole || value < least || value > most)
		vm_raise(L, "option %s: expected a whole number from %d to %d, got %s", key, least,
			 most, luaL_tolstring(L, -1, NULL));
	return (int)value;
}

static void option(lua_State *L, struct options_of_wait *options, bool has_max)
{
	const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";

	if (strcmp(key, "timeout") == 0)
		options->timeout = units_duration(L, lua_gettop(L));
	else if (has_max && strcmp(key, "max") == 0)
		options->max = units_size(L, lua_gettop(L));
	else
		luaL_error(L, "unknown option \"%s\": there %s", key,
			   has_max ? "are timeout and max" : "is timeout");
}

struct options_of_wait units_read_options(lua_State *L, int index, int64_t max, bool has_max)
{
	struct options_of_wait options = {.timeout = -1, .max = max};

	luaL_checktype(L, index, LUA_TTABLE);
	lua_pushnil(L);
	while (lua_next(L, index)) {
		option(L, &options, has_max);
		lua_pop(L, 1);
	}
	if (has_max && options.max == 0)
		luaL_error(L, "option max must be at least one byte");
	return options;
}

const char *units_bytes(lua_State *L, int index, size_t *length)
{
	lua_Unsigned count;
	luaL_Buffer buffer;

	if (lua_type(L, index) != LUA_TTABLE)
		return luaL_checklstring(L, index, length);
	count = lua_rawlen(L, index);
	luaL_buffinit(L, &buffer);
	for (lua_Unsigned i = 1; i <= count; i++) {
		lua_rawgeti(L, index, (lua_Integer)i);
		if (!lua_isstring(L, -1))
			luaL_error(L, "expected a list of strings, item %d is a %s", (int)i,
				   luaL_typename(L, -1));
		luaL_addvalue(&buffer);
	}
	luaL_pushresult(&buffer);
	return lua_tolstring(L, -1, length);
}
