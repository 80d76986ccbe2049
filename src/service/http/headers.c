#include <ctype.h>
#include <lauxlib.h>
#include <string.h>

#include "service/http/request.h"

/* request.headers: a view of the request. A field is looked up in the bytes of the head; a table is
 * made only for pairs. */

static const char meta[] = "luvd.http.headers";

struct headers {
	const struct request *request; /* the user value keeps it */
};

void headers_push(lua_State *L, int request)
{
	struct headers *headers = lua_newuserdatauv(L, sizeof *headers, 1);

	headers->request = lua_touserdata(L, request);
	lua_pushvalue(L, request);
	lua_setiuservalue(L, -2, 1);
	lua_rawgetp(L, LUA_REGISTRYINDEX, meta);
	lua_setmetatable(L, -2);
}

/* Fields that came several times are one list, RFC 9110 5.3; cookies have a separator of their own,
 * RFC 9113 8.2.3. */
static const char *separator_of(const char *name, size_t length)
{
	return length == 6 && strncasecmp(name, "cookie", 6) == 0 ? "; " : ", ";
}

/* Pushes the value at index, with all that follow of the same name. */
static void push_value(lua_State *L, const struct request *request, const char *name, size_t length,
		       int index)
{
	struct head_span value = request->fields[index].value;

	lua_pushlstring(L, request->bytes + value.at, value.length);
	while ((index = head_find(request->bytes, request->fields, request->count, name, length,
				  (size_t)index + 1)) >= 0) {
		value = request->fields[index].value;
		lua_pushstring(L, separator_of(name, length));
		lua_pushlstring(L, request->bytes + value.at, value.length);
		lua_concat(L, 3);
	}
}

static int l_index(lua_State *L)
{
	const struct headers *headers = lua_touserdata(L, 1);
	const struct request *request = headers->request;
	size_t length;
	const char *name = luaL_checklstring(L, 2, &length);
	int index = head_find(request->bytes, request->fields, request->count, name, length, 0);

	if (index < 0)
		lua_pushnil(L);
	else
		push_value(L, request, name, length, index);
	return 1;
}

static void push_lower(lua_State *L, const char *name, size_t length)
{
	luaL_Buffer buffer;
	char *out = luaL_buffinitsize(L, &buffer, length);

	for (size_t i = 0; i < length; i++)
		out[i] = (char)tolower((unsigned char)name[i]);
	luaL_pushresultsize(&buffer, length);
}

/* next, a table with names in lower case */
static int l_pairs(lua_State *L)
{
	const struct headers *headers = luaL_checkudata(L, 1, meta);
	const struct request *request = headers->request;

	lua_getglobal(L, "next");
	lua_createtable(L, 0, request->count);
	for (int i = 0; i < request->count; i++) {
		struct head_span name = request->fields[i].name;
		const char *bytes = request->bytes + name.at;

		push_lower(L, bytes, name.length);
		lua_pushvalue(L, -1);
		if (lua_rawget(L, -3) == LUA_TNIL) { /* the first of its name takes all */
			lua_pop(L, 1);
			push_value(L, request, bytes, name.length, i);
			lua_rawset(L, -3);
		} else {
			lua_pop(L, 2);
		}
	}
	return 2;
}

static int l_newindex(lua_State *L)
{
	return luaL_error(L, "the headers of a request cannot be set");
}

void headers_open(lua_State *L)
{
	static const luaL_Reg events[] = {
	    {"__index", l_index}, {"__newindex", l_newindex}, {"__pairs", l_pairs}, {NULL, NULL}};

	luaL_newmetatable(L, meta);
	luaL_setfuncs(L, events, 0);
	lua_pushstring(L, meta); /* nobody calls __index with another object */
	lua_setfield(L, -2, "__metatable");
	lua_rawsetp(L, LUA_REGISTRYINDEX, meta);
}
