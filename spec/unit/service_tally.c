#include <lauxlib.h>

/* A C module for the tests of the loader. */

int luaopen_tally(lua_State *L);
int luaopen_tally_deep(lua_State *L);

/* tally.each(n, fn): calls fn(1) to fn(n), from C. */
static int l_each(lua_State *L)
{
	for (lua_Integer i = 1; i <= luaL_checkinteger(L, 1); i++) {
		lua_pushvalue(L, 2);
		lua_pushinteger(L, i);
		lua_call(L, 1, 0);
	}
	return 0;
}

int luaopen_tally(lua_State *L)
{
	static const luaL_Reg functions[] = {{"each", l_each}, {NULL, NULL}};

	luaL_newlib(L, functions);
	lua_pushvalue(L, 2);
	lua_setfield(L, -2, "path");
	return 1;
}

int luaopen_tally_deep(lua_State *L)
{
	lua_pushliteral(L, "deep");
	return 1;
}
