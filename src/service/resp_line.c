#include <lauxlib.h>

#include "service/resp.h"

/* Replies of one line, as values of Lua. */

static const char line_key = 0, null_key = 0; /* of the registry */

static int l_line_text(lua_State *L)
{
	size_t length;
	const char *line = resp_line(L, 1, &length);

	if (!line)
		return luaL_argerror(L, 1, "expected a reply");
	if (*line == '$')
		lua_pushliteral(L, "null");
	else
		lua_pushlstring(L, line + 1, length - 3);
	return 1;
}

static void push_line_meta(lua_State *L)
{
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &line_key) == LUA_TTABLE)
		return;
	lua_pop(L, 1);
	luaL_newmetatable(L, "luvd.resp.line");
	lua_pushcfunction(L, l_line_text);
	lua_setfield(L, -2, "__tostring");
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &line_key);
}

static void fill_line(char *line, char kind, const char *text, size_t length)
{
	*line++ = kind;
	for (size_t i = 0; i < length; i++)
		*line++ = text[i];
	for (char *p = line - length; p < line; p++)
		if (*p == '\r' || *p == '\n')
			*p = ' ';
	line[0] = '\r';
	line[1] = '\n';
}

void resp_push_line(lua_State *L, char kind, const char *text, size_t length)
{
	fill_line(lua_newuserdatauv(L, length + 3, 0), kind, text, length);
	push_line_meta(L);
	lua_setmetatable(L, -2);
}

const char *resp_line(lua_State *L, int index, size_t *length)
{
	bool ours;

	if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index))
		return NULL;
	lua_rawgetp(L, LUA_REGISTRYINDEX, &line_key);
	ours = lua_rawequal(L, -1, -2);
	lua_pop(L, 2);
	*length = ours ? lua_rawlen(L, index) : 0;
	return ours ? lua_touserdata(L, index) : NULL;
}

void resp_push_null(lua_State *L)
{
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &null_key) == LUA_TUSERDATA)
		return;
	lua_pop(L, 1);
	resp_push_line(L, '$', "-1", 2);
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &null_key);
}
