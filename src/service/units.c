#include "service/units.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *name;
	double factor;
};

/* A hundred years in milliseconds, and an exbibyte: what is above is a mistake, and below
 * nothing overflows. */
static const double duration_max = 3.2e12, size_max = 1152921504606846976.0;

/* A decimal number and a unit, nothing else. -1 when it is not of this form. */
static double parse(const char *text, const struct unit *units)
{
	size_t digits = strspn(text, "0123456789.");
	char *end = NULL;
	double number;

	if (digits == 0 || text[0] == '.')
		return -1;
	number = strtod(text, &end);
	if (end != text + digits)
		return -1;
	for (; units->name; units++)
		if (strcmp(end, units->name) == 0)
			return number * units->factor;
	return -1;
}

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

static double duration_of(lua_State *L, int index)
{
	static const struct unit units[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
					    {"h", 3600000}, {"d", 86400000}, {NULL, 0}};

	if (lua_type(L, index) == LUA_TNUMBER)
		return lua_tonumber(L, index) * 1000;
	if (lua_type(L, index) == LUA_TSTRING)
		return parse(lua_tostring(L, index), units);
	return -1;
}

int64_t units_duration(lua_State *L, int index)
{
	double value = duration_of(L, index);

	if (!(value >= 0 && value <= duration_max))
		return wrong(L, index, a_duration);
	return (int64_t)(value + 0.5);
}

static double size_of(lua_State *L, int index)
{
	static const struct unit units[] = {
	    {"B", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}, {"TiB", 1099511627776},
	    {NULL, 0}};

	if (lua_type(L, index) == LUA_TNUMBER)
		return lua_tonumber(L, index);
	if (lua_type(L, index) == LUA_TSTRING)
		return parse(lua_tostring(L, index), units);
	return -1;
}

int64_t units_size(lua_State *L, int index)
{
	double value = size_of(L, index);

	if (!(value >= 0 && value < size_max) || value != (double)(int64_t)value)
		return wrong(L, index, a_size);
	return (int64_t)value;
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

struct options_of_wait units_options(lua_State *L, int index, int64_t max, bool has_max)
{
	struct options_of_wait options = {.timeout = -1, .max = max};

	if (lua_isnoneornil(L, index))
		return options;
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
