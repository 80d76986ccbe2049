#include <lauxlib.h>

#include "service/census.h"
#include "service/coverage.h"
#include "service/handle.h"
#include "service/modules.h"
#include "service/push.h"
#include "service/vm.h"

/* luvd.test.native: what `luvd test` needs of a script's vm. */

static const char meta[] = "luvd.coverage";

/* tell_failures(): those of tasks that nobody has asked for yet are told now. */
static int l_tell_failures(lua_State *L)
{
	handles_flush(vm_of(L));
	return 0;
}

/* count_lines(): from now on, until the end. Twice does nothing. */
static int l_count_lines(lua_State *L)
{
	struct vm *vm = vm_of(L);
	struct coverage **box;

	if (vm->coverage)
		return 0;
	box = lua_newuserdatauv(L, sizeof(struct coverage *), 0);
	*box = NULL;
	luaL_setmetatable(L, meta);
	*box = coverage_create();
	if (!*box)
		vm_raise(L, "not enough memory");
	lua_rawsetp(L, LUA_REGISTRYINDEX, meta);
	coverage_begin(vm, *box);
	coverage_arm(L);
	return 0;
}

/* lines() -> { [path] = { [line] = runs } } */
static int l_lines(lua_State *L)
{
	const struct vm *vm = vm_of(L);

	if (!vm->coverage)
		return luaL_error(L, "no lines are counted: count_lines was not called");
	coverage_push(L, vm->coverage);
	return 1;
}

/* The state is being closed. */
static int l_gc(lua_State *L)
{
	struct coverage **box = luaL_checkudata(L, 1, meta);

	coverage_begin(vm_of(L), NULL);
	coverage_destroy(*box);
	*box = NULL;
	return 0;
}

int luaopen_luvd_test_native(lua_State *L)
{
	static const luaL_Reg functions[] = {{"census", census_l_census},
					     {"census_mark", census_l_mark},
					     {"tell_failures", l_tell_failures},
					     {"count_lines", l_count_lines},
					     {"lines", l_lines},
					     {NULL, NULL}};

	if (!vm_of(L)->script)
		return luaL_error(L, "module \"luvd.test.native\" is not for daemons: tests run "
				     "under luvd test, luvd lua and luvd-lua");
	push_metatable(L, meta);
	lua_pushcfunction(L, l_gc);
	lua_setfield(L, -2, "__gc");
	lua_pop(L, 1);
	luaL_newlib(L, functions);
	return 1;
}
