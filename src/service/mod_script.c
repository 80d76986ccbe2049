#include "service/modules.h"

#include <lauxlib.h>

#include "service/script_state.h"
#include "service/units.h"
#include "service/vm.h"

/* luvd.script: what the runner of a script's tests needs of its interpreter. */

/* on_failure(function | nil) */
static int l_on_failure(lua_State *L)
{
	struct script *script = vm_of(L)->script;
	int before = script->on_failure;

	lua_settop(L, 1);
	if (lua_isnil(L, 1)) {
		script->on_failure = LUA_NOREF;
	} else {
		luaL_checktype(L, 1, LUA_TFUNCTION);
		script->on_failure = luaL_ref(L, LUA_REGISTRYINDEX);
	}
	luaL_unref(L, LUA_REGISTRYINDEX, before);
	return 0;
}

/* deadline(duration | nil) */
static int l_deadline(lua_State *L)
{
	bool none = lua_isnoneornil(L, 1);
	int64_t duration = none ? 0 : units_duration(L, 1);

	luaL_argcheck(L, none || duration > 0, 1, "a duration of at least one millisecond");
	if (script_deadline(vm_of(L)->script, duration) < 0)
		return luaL_error(L, "cannot make a timer");
	return 0;
}

int luaopen_luvd_script(lua_State *L)
{
	static const luaL_Reg functions[] = {
	    {"on_failure", l_on_failure}, {"deadline", l_deadline}, {NULL, NULL}};

	luaL_newlib(L, functions);
	return 1;
}
