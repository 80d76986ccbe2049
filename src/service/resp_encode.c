#include <lauxlib.h>
#include <string.h>

#include "service/json_number.h"
#include "service/resp.h"
#include "service/vm.h"

static void write_value(lua_State *L, struct out *out, int index, int depth);

void resp_write_head(lua_State *L, struct out *out, char kind, int64_t number)
{
	char *p = out_reserve(L, out, 1 + NUMBER_WRITTEN_MAX + 2), *begin = p;

	*p++ = kind;
	if (number >= 0 && number < 10)
		*p++ = (char)('0' + number); /* as most lengths are */
	else
		p += number_write_integer(p, number);
	*p++ = '\r';
	*p++ = '\n';
	out->length += (size_t)(p - begin);
}

void resp_write_bulk(lua_State *L, struct out *out, const char *bytes, size_t length)
{
	char *p;

	resp_write_head(L, out, '$', (int64_t)length);
	p = out_reserve(L, out, length + 2);
	memcpy(p, bytes, length);
	p[length] = '\r';
	p[length + 1] = '\n';
	out->length += length + 2;
}

static void write_integer(lua_State *L, struct out *out, int index)
{
	int whole;
	lua_Integer integer = lua_tointegerx(L, index, &whole);

	if (!whole)
		vm_raise(L, "cannot encode %s: integers only", lua_tostring(L, index));
	resp_write_head(L, out, ':', integer);
}

static void write_array(lua_State *L, struct out *out, int index, int depth)
{
	lua_Integer count = (lua_Integer)lua_rawlen(L, index);

	if (depth == 0)
		vm_raise(L, "cannot encode tables nested deeper than %d", RESP_DEPTH);
	luaL_checkstack(L, 8, "tables nested too deep");
	resp_write_head(L, out, '*', count);
	for (lua_Integer i = 1; i <= count; i++) {
		lua_rawgeti(L, index, i);
		write_value(L, out, lua_gettop(L), depth - 1);
		lua_pop(L, 1);
	}
}

static void write_line(lua_State *L, struct out *out, int index)
{
	size_t length;
	const char *line = resp_line(L, index, &length);

	if (!line)
		vm_raise(L, "cannot encode a userdata");
	out_add(L, out, line, length);
}

static void write_value(lua_State *L, struct out *out, int index, int depth)
{
	const char *bytes;
	size_t length;

	switch (lua_type(L, index)) {
	case LUA_TSTRING:
		bytes = lua_tolstring(L, index, &length);
		resp_write_bulk(L, out, bytes, length);
		break;
	case LUA_TUSERDATA:
		write_line(L, out, index);
		break;
	case LUA_TNIL:
		out_add(L, out, "$-1\r\n", 5);
		break;
	case LUA_TNUMBER:
		write_integer(L, out, index);
		break;
	case LUA_TTABLE:
		write_array(L, out, index, depth);
		break;
	default:
		vm_raise(L, "cannot encode a %s", luaL_typename(L, index));
	}
}

void resp_write_reply(lua_State *L, struct out *out, int index)
{
	write_value(L, out, index, RESP_DEPTH);
}
