#include <lauxlib.h>
#include <lualib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "service/modules.h"

/* Whatever the bytes are, what is told of their beginning stays true of all of them: a request or a
 * reply is the same however its bytes are cut, and what is wrong is wrong for one reason. What was
 * decoded can be encoded and comes back as it was. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LONGEST = 512 }; /* bytes: each beginning of them is decoded */

static const char check[] =
    "local resp, bytes = ...\n"
    "local function request(bytes)\n"
    "  local count, at, list, missing = resp.decode_request(bytes, 1, nil, 64, 8)\n"
    "  if not count then return 'wrong', at end\n"
    "  if at == 1 then return 'partial', missing end\n"
    "  assert(count <= 8 and at <= #bytes + 1)\n"
    "  return 'whole', at, table.move(list, 1, count, 1, {})\n"
    "end\n"
    "local function reply(bytes)\n"
    "  local value, at = resp.decode(bytes, 1, { max = 256, depth = 4 })\n"
    "  if value ~= nil then\n"
    "    assert(at > 1 and at <= #bytes + 1 and at <= 257)\n"
    "    return 'whole', at, value\n"
    "  end\n"
    "  return at and 'wrong' or 'partial', at\n"
    "end\n"
    "local function same(a, b)\n"
    "  if type(a) == 'userdata' then return tostring(a) == tostring(b) end\n"
    "  if type(a) ~= 'table' then return a == b and math.type(a) == math.type(b) end\n"
    "  if #a ~= #b then return false end\n"
    "  for i = 1, #a do if not same(a[i], b[i]) then return false end end\n"
    "  return true\n"
    "end\n"
    "for name, decode in pairs { request = request, reply = reply } do\n"
    "  local state, at, value = decode(bytes)\n"
    "  for length = 0, #bytes do\n"
    "    local s, a, v = decode(bytes:sub(1, length))\n"
    "    assert(s == 'partial' or s == state and a == at and same(v, value), 'cut ' .. name)\n"
    "    assert(name == 'reply' or s ~= 'partial' or state ~= 'whole' or length + a < at, "
    "'missing')\n"
    "    assert(s ~= 'partial' or state ~= 'whole' or length < at - 1, 'not seen: ' .. name)\n"
    "  end\n"
    "  if state == 'whole' then\n"
    "    assert(same(value, (resp.decode(resp.encode(value)))), 'a reply comes back')\n"
    "  end\n"
    "  if name == 'request' and state == 'whole' and #value > 0 then\n"
    "    local made = resp.command(table.unpack(value))\n"
    "    local count, behind, list = resp.decode_request(made)\n"
    "    assert(count == #value and behind == #made + 1 and same(value, list), 'a command')\n"
    "  end\n"
    "end\n";

static int run(lua_State *L)
{
	luaL_openlibs(L);
	if (luaL_loadstring(L, check) != LUA_OK)
		return lua_error(L);
	luaL_requiref(L, "luvd.resp", luaopen_luvd_resp, 0);
	lua_pushvalue(L, 1);
	lua_call(L, 2, 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	lua_State *L = luaL_newstate();

	if (!L)
		return 0;
	lua_pushcfunction(L, run);
	lua_pushlstring(L, (const char *)data, size < LONGEST ? size : LONGEST);
	if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
		(void)fprintf(stderr, "broken: %s\n", lua_tostring(L, -1));
		abort();
	}
	lua_close(L);
	return 0;
}
