#include "service/script_state.h"

#include <lauxlib.h>
#include <luv/luv.h>

#include "service/vm.h"

/* What differs in the library of luv: the loop is ours, and runs inside of the main flow. */

/* uv.run([mode]) -> is something alive? */
static int l_run(lua_State *L)
{
	static const char *const modes[] = {"default", "once", "nowait", NULL};
	uv_run_mode mode = (uv_run_mode)luaL_checkoption(L, 1, "default", modes);
	struct vm *vm = vm_of(L);
	struct flow_rest rest;
	bool alive;

	if (!vm->current || !vm->current->main)
		return luaL_error(L, "uv.run: the loop is running already");
	flow_rest(vm, &rest);
	luv_context(L)->mode = mode;
	alive = script_loop(vm->script, mode);
	luv_context(L)->mode = -1;
	flow_go_on(vm, &rest);
	script_raise_stop(L);
	lua_pushboolean(L, alive);
	return 1;
}

/* uv.stop() */
static int l_stop(lua_State *L)
{
	struct vm *vm = vm_of(L);

	vm->script->left = true;
	uv_stop(vm->loop);
	return 0;
}

/* uv.exepath() -> what runs a script again */
static int l_exepath(lua_State *L)
{
	lua_pushstring(L, vm_of(L)->script->options.self);
	return 1;
}

void script_open_uv(lua_State *L)
{
	static const luaL_Reg functions[] = {{"run", l_run}, {"stop", l_stop}, {NULL, NULL}};

	luaL_setfuncs(L, functions, 0);
	if (!vm_of(L)->script->options.self)
		return;
	lua_pushcfunction(L, l_exepath);
	lua_setfield(L, -2, "exepath");
}
