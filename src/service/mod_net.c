#include "service/modules.h"

#include <lauxlib.h>

#include "service/conn.h"
#include "service/object.h"
#include "service/server.h"
#include "service/vm.h"

/* net.serve(listener, handler) */
static int l_serve(lua_State *L)
{
	const char *name = object_listener(L, 1);
	struct vm *vm = vm_of(L);

	luaL_checktype(L, 2, LUA_TFUNCTION);
	lua_settop(L, 2);
	if (server_exists(vm, name))
		return luaL_error(L, "listener \"%s\" is served already", name);
	if (vm->phase >= PHASE_STOPPING)
		return luaL_error(L, "nothing can be served while the daemon is being stopped");
	server_create(L, name, 1, 2);
	return 0;
}

int luaopen_luvd_net(lua_State *L)
{
	static const luaL_Reg functions[] = {{"serve", l_serve}, {NULL, NULL}};

	conn_open(L);
	luaL_newlib(L, functions);
	return 1;
}
