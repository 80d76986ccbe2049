#include <lauxlib.h>
#include <string.h>

#include "service/http/request.h"
#include "service/http/target.h"

/* "a=1&b=2", as in queries and forms. */

struct parameter {
	const char *name, *value;
	size_t name_length, value_length;
};

/* Takes the first pair off; false: nothing is left. Empty ones are passed over. */
static bool take_pair(const char **bytes, size_t *length, struct parameter *pair)
{
	while (*length > 0) {
		const char *end = memchr(*bytes, '&', *length);
		size_t size = end ? (size_t)(end - *bytes) : *length;
		const char *equals = memchr(*bytes, '=', size);

		pair->name = *bytes;
		pair->name_length = equals ? (size_t)(equals - *bytes) : size;
		pair->value = equals ? equals + 1 : *bytes + size;
		pair->value_length = (size_t)(*bytes + size - pair->value);
		*bytes += end ? size + 1 : size;
		*length -= end ? size + 1 : size;
		if (size > 0)
			return true;
	}
	return false;
}

static void push_decoded(lua_State *L, const char *bytes, size_t length)
{
	luaL_Buffer buffer;
	char *out;

	if (!memchr(bytes, '%', length) && !memchr(bytes, '+', length)) {
		lua_pushlstring(L, bytes, length);
		return;
	}
	out = luaL_buffinitsize(L, &buffer, length);
	luaL_pushresultsize(&buffer, target_unescape(bytes, length, true, out));
}

void query_push(lua_State *L, const char *bytes, size_t length)
{
	struct parameter pair;

	lua_newtable(L);
	while (take_pair(&bytes, &length, &pair)) {
		push_decoded(L, pair.name, pair.name_length);
		push_decoded(L, pair.value, pair.value_length);
		lua_rawset(L, -3);
	}
}

void query_push_all(lua_State *L, const char *bytes, size_t length, const char *name,
		    size_t name_length)
{
	lua_Integer count = 0;
	struct parameter pair;

	lua_pushlstring(L, name, name_length);
	lua_newtable(L);
	while (take_pair(&bytes, &length, &pair)) {
		push_decoded(L, pair.name, pair.name_length);
		if (lua_rawequal(L, -1, -3)) {
			push_decoded(L, pair.value, pair.value_length);
			lua_rawseti(L, -3, ++count);
		}
		lua_pop(L, 1);
	}
	lua_remove(L, -2);
}
