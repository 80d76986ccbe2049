#include "service/script_state.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/baselib.h"
#include "service/listener.h"
#include "service/loader.h"
#include "service/modules.h"
#include "service/uvlib.h"
#include "service/vm.h"

/* --- os.exit --- */

static int l_exit(lua_State *L)
{
	int code = EXIT_SUCCESS;

	if (lua_isboolean(L, 1))
		code = lua_toboolean(L, 1) ? EXIT_SUCCESS : EXIT_FAILURE;
	else
		code = (int)luaL_optinteger(L, 1, EXIT_SUCCESS);
	script_exit(L, code, lua_toboolean(L, 2));
	return 0;
}

/* --- warn --- */

/* As under lua: "@on" and "@off", off at first, to standard error with Lua's own words before it.
 * The pieces of a message are written as they come. */
static void on_warning(void *data, const char *message, int more)
{
	struct vm *vm = data;
	bool first = vm->warning[0] == '\0';

	if (first && !more && message[0] == '@') {
		if (strcmp(message, "@on") == 0 || strcmp(message, "@off") == 0)
			vm->quiet_warnings = message[2] == 'f';
		return;
	}
	vm->warning[0] = more ? '+' : '\0';
	if (vm->quiet_warnings)
		return;
	fprintf(stderr, "%s%s%s", first ? "Lua warning: " : "", message, more ? "" : "\n");
	fflush(stderr);
}

/* --- all --- */

int script_open(lua_State *L)
{
	const struct script *script = lua_touserdata(L, 1);
	struct vm *vm = vm_of(L);

	if (script->options.no_environment) {
		lua_pushboolean(L, 1);
		lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
	}
	lua_pushliteral(L, "not enough memory");
	luaL_ref(L, LUA_REGISTRYINDEX);
	luaL_openlibs(L);
	colib_open(L);
	lua_getglobal(L, "os");
	lua_pushcfunction(L, l_exit);
	lua_setfield(L, -2, "exit");
	loader_preload(L);
	lua_getfield(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
	lua_pushcfunction(L, luaopen_luvd_script);
	lua_setfield(L, -2, "luvd.script");
	lua_pushcfunction(L, luaopen_luvd_testing_native);
	lua_setfield(L, -2, "luvd.testing.native");
	listener_open(L);
	vm->quiet_warnings = true;
	lua_setwarnf(L, on_warning, vm);
	uvlib_prepare(L);
	return 0;
}

/* --- errors --- */

static int explain(lua_State *L)
{
	const char *message = lua_tostring(L, 1);

	if (message) {
		luaL_traceback(L, L, message, 1);
		return 1;
	}
	/* What speaks for itself is told as it is. */
	if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING)
		return 1;
	message = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
	luaL_traceback(L, L, message, 1);
	return 1;
}

void script_report(lua_State *L)
{
	const char *message = lua_tostring(L, -1);

	fflush(stdout);
	if (vm_of(L)->script->options.program)
		fprintf(stderr, "%s: ", vm_of(L)->script->options.program);
	fprintf(stderr, "%s\n", message ? message : "(error message not a string)");
	fflush(stderr);
	lua_pop(L, 1);
}

int script_call(lua_State *L, int nargs, int nresults)
{
	int base = lua_gettop(L) - nargs;
	int status;

	lua_pushcfunction(L, explain);
	lua_insert(L, base);
	status = lua_pcall(L, nargs, nresults, base);
	lua_remove(L, base);
	if (status != LUA_OK)
		script_report(L);
	return status;
}
