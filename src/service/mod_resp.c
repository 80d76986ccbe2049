#include <lauxlib.h>
#include <string.h>

#include "service/modules.h"
#include "service/resp.h"
#include "service/units.h"
#include "service/vm.h"

/* luvd.resp: the protocol of Redis, of bytes and values. */

/* --- decoding --- */

/* The integer at index, and without asking more when it is one: requests are decoded by the
 * million. */
static lua_Integer integer_at(lua_State *L, int index, lua_Integer otherwise)
{
	int whole;
	lua_Integer integer = lua_tointegerx(L, index, &whole);

	return whole ? integer : luaL_optinteger(L, index, otherwise);
}

static struct resp_reader reader_of(lua_State *L, const char **bytes)
{
	size_t length;
	lua_Integer at = integer_at(L, 2, 1);

	*bytes = luaL_checklstring(L, 1, &length);
	luaL_argcheck(L, at >= 1 && (lua_Unsigned)at <= length + 1, 2,
		      "a position from 1 to one behind the bytes");
	return (struct resp_reader){.at = *bytes + at - 1, .end = *bytes + length};
}

static int64_t value_limit(lua_State *L, int index)
{
	int whole;
	lua_Integer bytes = lua_tointegerx(L, index, &whole);

	if (whole && lua_type(L, index) == LUA_TNUMBER)
		return bytes;
	return lua_isnoneornil(L, index) ? RESP_VALUE_MAX : units_size(L, index);
}

static struct resp_limits limits_of(lua_State *L)
{
	struct resp_limits limits = {.value = value_limit(L, 4),
				     .arguments = integer_at(L, 5, RESP_ARGUMENTS_MAX)};

	luaL_argcheck(L, limits.value > 0, 4, "at least 1");
	luaL_argcheck(L, limits.arguments > 0, 5, "at least 1");
	return limits;
}

/* The table of arguments is a result too: it is a fresh one when none was given. */
static int l_decode_request(lua_State *L)
{
	const char *bytes;
	struct resp_reader r = reader_of(L, &bytes);
	const char *begin = r.at;
	struct resp_limits limits = limits_of(L);
	enum resp_state state;
	int64_t count = 0;

	if (!lua_istable(L, 3)) {
		lua_settop(L, 3);
		if (!lua_isnil(L, 3))
			luaL_checktype(L, 3, LUA_TTABLE);
		lua_newtable(L);
		lua_replace(L, 3);
	}
	state = resp_read_request(L, &r, 3, &limits, &count);
	if (state == RESP_WRONG)
		return vm_fail(L, r.wrong, "ERESP");
	if (state == RESP_PARTIAL) {
		lua_pushinteger(L, 0);
		lua_pushinteger(L, begin - bytes + 1);
		lua_pushvalue(L, 3);
		lua_pushinteger(L, (lua_Integer)r.missing);
		return 4;
	}
	lua_pushinteger(L, count);
	lua_pushinteger(L, r.at - bytes + 1);
	lua_pushvalue(L, 3);
	return 3;
}

static void read_bound(lua_State *L, struct resp_bounds *bounds)
{
	const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";

	if (strcmp(key, "depth") == 0) {
		bounds->depth = units_count(L, key, 1, RESP_DEPTH_MAX);
	} else if (strcmp(key, "max") == 0) {
		bounds->max = (size_t)units_size(L, lua_gettop(L));
		if (bounds->max == 0)
			vm_raise(L, "option max must be at least one byte");
	} else {
		vm_raise(L, "unknown option \"%s\": there are depth and max", key);
	}
}

static struct resp_bounds bounds_of(lua_State *L)
{
	struct resp_bounds bounds = {.depth = RESP_DEPTH, .max = RESP_MAX};

	lua_settop(L, 3);
	if (lua_isnil(L, 3))
		return bounds;
	luaL_checktype(L, 3, LUA_TTABLE);
	for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1))
		read_bound(L, &bounds);
	return bounds;
}

static int l_decode(lua_State *L)
{
	const char *bytes;
	struct resp_reader r = reader_of(L, &bytes);
	struct resp_bounds bounds = bounds_of(L);

	switch (resp_read_reply(L, &r, &bounds)) {
	case RESP_WRONG:
		return vm_fail(L, r.wrong, "ERESP");
	case RESP_PARTIAL:
		lua_pushnil(L);
		return 1;
	default:
		lua_pushinteger(L, r.at - bytes + 1);
		return 2;
	}
}

/* --- encoding --- */

enum { FIRST = 4096 };

static int finish(lua_State *L, const struct out *out)
{
	lua_pushlstring(L, out->bytes, out->length);
	return 1;
}

static int l_encode(lua_State *L)
{
	char first[FIRST];
	struct out out;

	luaL_checkany(L, 1);
	lua_settop(L, 1);
	out_begin(L, &out, first, 0, sizeof first);
	resp_write_reply(L, &out, 1);
	return finish(L, &out);
}

static int l_encode_all(lua_State *L)
{
	char first[FIRST];
	struct out out;
	lua_Integer count;

	luaL_checktype(L, 1, LUA_TTABLE);
	count = luaL_optinteger(L, 2, (lua_Integer)lua_rawlen(L, 1));
	luaL_argcheck(L, count >= 0, 2, "at least 0");
	lua_settop(L, 1);
	out_begin(L, &out, first, 0, sizeof first);
	for (lua_Integer i = 1; i <= count; i++) {
		lua_rawgeti(L, 1, i);
		resp_write_reply(L, &out, 3);
		lua_pop(L, 1);
	}
	return finish(L, &out);
}

static int l_command(lua_State *L)
{
	int count = lua_gettop(L);
	char first[FIRST];
	struct out out;

	luaL_checkstring(L, 1);
	luaL_checkstack(L, LUA_MINSTACK, NULL);
	out_begin(L, &out, first, 0, sizeof first);
	resp_write_head(L, &out, '*', count);
	for (int i = 1; i <= count; i++) {
		size_t length;
		const char *bytes = luaL_checklstring(L, i, &length);

		resp_write_bulk(L, &out, bytes, length);
	}
	return finish(L, &out);
}

/* --- lines --- */

static int push_line(lua_State *L, char kind)
{
	size_t length;
	const char *text = luaL_checklstring(L, 1, &length);

	resp_push_line(L, kind, text, length);
	return 1;
}

static int l_status(lua_State *L)
{
	return push_line(L, '+');
}

static int l_error(lua_State *L)
{
	return push_line(L, '-');
}

static int l_is_error(lua_State *L)
{
	size_t length;
	const char *line = resp_line(L, 1, &length);

	lua_pushboolean(L, line && *line == '-');
	return 1;
}

int luaopen_luvd_resp(lua_State *L)
{
	static const luaL_Reg functions[] = {{"decode", l_decode},
					     {"decode_request", l_decode_request},
					     {"encode", l_encode},
					     {"encode_all", l_encode_all},
					     {"command", l_command},
					     {"status", l_status},
					     {"error", l_error},
					     {"is_error", l_is_error},
					     {NULL, NULL}};

	luaL_newlib(L, functions);
	resp_push_null(L);
	lua_setfield(L, -2, "null");
	resp_push_line(L, '+', "OK", 2);
	lua_setfield(L, -2, "ok");
	return 1;
}
