#include "service/service.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "service/loader.h"
#include "service/object.h"
#include "service/vm.h"
#include "spec/nearest.h"

/* --- an inline service --- */

static void push_environment(lua_State *L);

/* include "base.lua": the same text, evaluated by the same rules as the daemon file. */
static int l_include(lua_State *L)
{
	const struct spec *spec = vm_of(L)->daemon->spec;
	const char *name = luaL_checkstring(L, 1);
	const struct module *module = NULL;
	lua_Debug caller;

	if (lua_getstack(L, 1, &caller) && lua_getinfo(L, "S", &caller) && caller.source[0] == '@')
		module = loader_included(spec, name, caller.source + 1);
	if (!module)
		module = loader_included(spec, name, spec->modules[0].path);
	if (!module)
		return luaL_error(L, "include \"%s\": not in the bundle", name);
	loader_compile(L, module);
	push_environment(L);
	lua_setupvalue(L, -2, 1);
	lua_call(L, 0, 1);
	return 1;
}

/* What the text's globals are: all of Lua, host and include. */
static void push_environment(lua_State *L)
{
	lua_newtable(L);
	object_push_host(L);
	lua_setfield(L, -2, "host");
	lua_pushcfunction(L, l_include);
	lua_setfield(L, -2, "include");
	lua_createtable(L, 0, 1);
	lua_pushglobaltable(L);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
}

/* A new table with the functions of the one on top, which it replaces. All data come from the
 * first evaluation, made where the daemon file could be trusted to be what check saw. */
static void take_functions(lua_State *L)
{
	lua_newtable(L);
	lua_pushnil(L);
	while (lua_next(L, -3)) {
		if (lua_type(L, -2) == LUA_TSTRING && lua_isfunction(L, -1)) {
			lua_pushvalue(L, -2);
			lua_insert(L, -2);
			lua_rawset(L, -4);
		} else {
			lua_pop(L, 1);
		}
	}
	lua_remove(L, -2);
}

static void evaluate_inline(lua_State *L, const struct spec *spec)
{
	if (spec->module_count == 0 || !spec->modules[0].text)
		vm_raise(L, "the bundle does not hold the daemon file");
	loader_compile(L, &spec->modules[0]);
	push_environment(L);
	lua_setupvalue(L, -2, 1);
	lua_call(L, 0, 1);
	if (!lua_istable(L, -1))
		vm_raise(L, "expected the daemon file to return a table, got %s",
			 luaL_typename(L, -1));
	if (lua_getfield(L, -1, "service") != LUA_TTABLE)
		vm_raise(L, "expected a table of functions, got %s", luaL_typename(L, -1));
	take_functions(L);
}

/* --- a service of its own --- */

static const char *module_name(lua_State *L, const struct spec *spec)
{
	if (spec->service_kind == SERVICE_MODULE)
		return spec->service;
	for (size_t i = 1; i < spec->module_count; i++)
		if (strcmp(spec->modules[i].path, spec->service) == 0)
			return spec->modules[i].name;
	vm_raise(L, "the bundle does not hold '%s'", spec->service);
	return NULL;
}

static void require_service(lua_State *L, const struct spec *spec)
{
	const char *name = module_name(L, spec);

	lua_getglobal(L, "require");
	lua_pushstring(L, name);
	lua_call(L, 1, 1);
	if (lua_istable(L, -1))
		return;
	/* What require gives for a module that returns nothing. */
	if (lua_isboolean(L, -1) && lua_toboolean(L, -1))
		vm_raise(L,
			 "'%s' returns nothing: its last line has to return the table with the "
			 "function start",
			 spec->service);
	vm_raise(L, "expected '%s' to return a table with the function start, got %s",
		 spec->service, luaL_typename(L, -1));
}

/* --- both --- */

/* The service is on the top. One that lacks start may have it under a name that was misspelt. */
static void check_start(lua_State *L)
{
	int service = lua_gettop(L);
	struct nearest nearest;

	if (lua_getfield(L, service, "start") == LUA_TFUNCTION) {
		lua_pop(L, 1);
		return;
	}
	if (!lua_isnil(L, -1))
		vm_raise(L, "expected start to be a function, got %s", luaL_typename(L, -1));
	nearest_init(&nearest, "start");
	for (; lua_next(L, service); lua_pop(L, 1))
		if (lua_type(L, -2) == LUA_TSTRING && lua_isfunction(L, -1))
			nearest_try(&nearest, lua_tostring(L, -2));
	if (nearest.best)
		vm_raise(L, "expected start to be a function, got nil; did you mean \"%s\"?",
			 nearest.best);
	vm_raise(L, "expected start to be a function, got nil");
}

static int load_service(lua_State *L)
{
	struct vm *vm = vm_of(L);
	const struct spec *spec = vm->daemon->spec;

	object_create(L);
	vm->daemon_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	if (spec->service_kind == SERVICE_INLINE)
		evaluate_inline(L, spec);
	else
		require_service(L, spec);
	check_start(L);
	vm->service = luaL_ref(L, LUA_REGISTRYINDEX);
	return 0;
}

int service_load(struct vm *vm, struct err *err)
{
	if (vm_run(vm, load_service, NULL) == LUA_OK)
		return 0;
	if (err)
		snprintf(err->key, sizeof err->key, "service");
	err_set(err, "%s", lua_tostring(vm->L, -1));
	lua_pop(vm->L, 1);
	return -1;
}

bool service_push(lua_State *L, const char *name)
{
	lua_rawgeti(L, LUA_REGISTRYINDEX, vm_of(L)->service);
	lua_getfield(L, -1, name);
	lua_remove(L, -2);
	if (lua_isfunction(L, -1))
		return true;
	lua_pop(L, 1);
	return false;
}
