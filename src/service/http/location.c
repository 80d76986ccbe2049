#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "service/http/request.h"

/* May it stand in a path as it is? RFC 3986 3.3 */
static bool is_plain(unsigned char byte)
{
	static const char others[] = "-._~/!$&'()*+,;=:@";

	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || memchr(others, byte, sizeof others - 1);
}

void location_push(lua_State *L, const struct request *request)
{
	const unsigned char *path = (const unsigned char *)request->bytes + request->path.at;
	luaL_Buffer buffer;

	luaL_buffinit(L, &buffer);
	for (size_t i = 0; i < request->path.length; i++) {
		char escape[4];

		snprintf(escape, sizeof escape, is_plain(path[i]) ? "%c" : "%%%02X", path[i]);
		luaL_addstring(&buffer, escape);
	}
	luaL_addchar(&buffer, '/');
	if (request->queried) {
		luaL_addchar(&buffer, '?');
		luaL_addlstring(&buffer, request->bytes + request->query.at, request->query.length);
	}
	luaL_pushresult(&buffer);
}
