#include <lauxlib.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/json.h"

/* Whatever the bytes are: they are refused with a place, or they mean a value that can be encoded
 * and comes back as it was. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const char *bytes;
	size_t size;
};

static _Noreturn void broken(const char *promise)
{
	(void)fprintf(stderr, "broken: %s\n", promise);
	abort();
}

static bool same(lua_State *L, int a, int b);

static lua_Integer count_members(lua_State *L, int table)
{
	lua_Integer count = 0;

	for (lua_pushnil(L); lua_next(L, table); count++)
		lua_pop(L, 1);
	return count;
}

/* Is each member of the table at a in the one at b? */
static bool has_members(lua_State *L, int a, int b)
{
	for (lua_pushnil(L); lua_next(L, a);) {
		int value = lua_gettop(L);

		lua_pushvalue(L, value - 1);
		lua_rawget(L, b);
		if (!same(L, value, value + 1))
			return false;
		lua_settop(L, value - 1);
	}
	return true;
}

static bool same_tables(lua_State *L, int a, int b)
{
	bool marked = lua_getmetatable(L, a);

	if (marked)
		lua_pop(L, 1);
	if (marked != (lua_getmetatable(L, b) != 0))
		return false;
	lua_settop(L, b);
	luaL_checkstack(L, 16, NULL);
	return count_members(L, a) == count_members(L, b) && has_members(L, a, b);
}

/* b is the top of the stack. A whole float comes back as an integer, of the same sign. */
static bool same(lua_State *L, int a, int b)
{
	if (lua_type(L, a) != lua_type(L, b))
		return false;
	if (lua_istable(L, a))
		return same_tables(L, a, b);
	if (lua_type(L, a) == LUA_TNUMBER &&
	    !signbit(lua_tonumber(L, a)) != !signbit(lua_tonumber(L, b)))
		return false;
	return lua_rawequal(L, a, b);
}

static void check_refusal(lua_State *L, int count)
{
	unsigned line, column;

	if (count != 3 || !lua_isnil(L, -3) || strcmp(lua_tostring(L, -1), "EJSON") != 0)
		broken("a bad text gives nil, message, \"EJSON\"");
	if (sscanf(lua_tostring(L, -2), "%u:%u: ", &line, &column) != 2 || line < 1 || column < 1)
		broken("a message begins with line and character");
}

/* Values come back from the second decoding as from the first; null 0 or an index. */
static void round_trip(lua_State *L, const struct input *input, int null)
{
	struct json_limits limits = {.null = null};
	struct json_style style = {.indent = (int)(input->size % 3)};
	struct out out;
	int top = lua_gettop(L), count;
	char first[64];

	count = json_decode(L, input->bytes, input->size, &limits);
	if (lua_gettop(L) != top + count)
		broken("decoding leaves only its results");
	if (count != 1) {
		check_refusal(L, count);
		lua_settop(L, top);
		return;
	}
	out_begin(L, &out, first, 0, sizeof first);
	json_encode(L, top + 1, &out, &style);
	if (json_decode(L, out.bytes, out.length, &limits) != 1)
		broken("what was encoded can be decoded");
	lua_remove(L, out.slot);
	if (!same(L, top + 1, top + 2))
		broken("a value comes back as it was");
	lua_settop(L, top);
}

static int run(lua_State *L)
{
	const struct input *input = lua_touserdata(L, 1);

	round_trip(L, input, 0);
	json_push_null(L);
	round_trip(L, input, lua_gettop(L));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {(const char *)data, size};
	lua_State *L = luaL_newstate();

	if (!L)
		return 0;
	lua_pushcfunction(L, run);
	lua_pushlightuserdata(L, &input);
	if (lua_pcall(L, 1, 0, 0) != LUA_OK)
		broken(lua_tostring(L, -1)); /* what was decoded can be encoded */
	lua_close(L);
	return 0;
}
