#include <lauxlib.h>

#include "service/conn_lua.h"
#include "service/http/url.h"
#include "service/modules.h"
#include "service/vm.h"

/* luvd.http.native: what the client in Lua needs of C. */

/* native.parse(text) -> { secure, host, port, address, authority, target, origin } */
static int l_parse(lua_State *L)
{
	size_t length;
	const char *text = luaL_checklstring(L, 1, &length);
	struct url url;
	const char *problem = url_parse(&url, text, length);
	const char *open, *close;

	if (problem)
		return vm_fail(L, problem, "EINVAL");
	open = url.brackets ? "[" : "";
	close = url.brackets ? "]" : "";
	lua_createtable(L, 0, 6);
	lua_pushboolean(L, url.secure);
	lua_setfield(L, -2, "secure");
	lua_pushlstring(L, text + url.host.at, url.host.length);
	lua_pushfstring(L, "%s%s%s", open, lua_tostring(L, -1), close);
	lua_remove(L, -2);
	lua_pushfstring(L, "tcp://%s:%d", lua_tostring(L, -1), (int)url.port);
	lua_setfield(L, -3, "address");
	/* RFC 9110 7.2: without the port that is the scheme's own. */
	if (url.port != (url.secure ? 443 : 80)) {
		lua_pushfstring(L, "%s:%d", lua_tostring(L, -1), (int)url.port);
		lua_remove(L, -2);
	}
	lua_pushfstring(L, "%s://%s", url.secure ? "https" : "http", lua_tostring(L, -1));
	lua_setfield(L, -3, "origin");
	lua_setfield(L, -2, "authority");
	lua_pushliteral(L, "/");
	lua_pushlstring(L, text + url.path.at, url.path.length + url.query.length);
	if (url.path.length > 0)
		lua_remove(L, -2);
	else
		lua_concat(L, 2);
	lua_setfield(L, -2, "target");
	return 1;
}

/* native.resolve(base, reference) -> text; base must be one that parse takes */
static int l_resolve(lua_State *L)
{
	size_t base_length, length, size;
	const char *base = luaL_checklstring(L, 1, &base_length);
	const char *reference = luaL_checklstring(L, 2, &length);
	char out[URL_MAX];
	struct url parsed;
	const char *problem = url_parse(&parsed, base, base_length);

	if (!problem && length > URL_MAX)
		problem = "the URL is longer than 8000 bytes";
	if (problem)
		return vm_fail(L, problem, "EINVAL");
	size = url_resolve(base, &parsed, reference, length, out, sizeof out);
	if (size == 0)
		return vm_fail(L, "the URL is longer than 8000 bytes", "EINVAL");
	lua_pushlstring(L, out, size);
	return 1;
}

/* native.is_quiet(conn): nothing has come unasked, no end and no failure. Bytes are noticed on the
 * loop's turns, as reading goes on once it was asked for. */
static int l_is_quiet(lua_State *L)
{
	const struct conn *conn = conn_lua_check(L)->conn;

	lua_pushboolean(L, !conn->failure && !conn->eof && conn_view(conn).length == 0);
	return 1;
}

int luaopen_luvd_http_native(lua_State *L)
{
	static const luaL_Reg functions[] = {
	    {"parse", l_parse}, {"resolve", l_resolve}, {"is_quiet", l_is_quiet}, {NULL, NULL}};

	luaL_newlib(L, functions);
	return 1;
}
