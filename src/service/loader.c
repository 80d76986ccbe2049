#include "service/loader.h"

#include <dlfcn.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "service/embedded.h"
#include "service/modules.h"
#include "service/uvlib.h"
#include "service/vm.h"
#include "spec/nearest.h"

static const char loading = 0; /* registry key: name -> the task that loads it, or false */

/* --- what a module is loaded by --- */

void loader_compile(lua_State *L, const struct module *module)
{
	lua_pushfstring(L, "@%s", module->path);
	if (luaL_loadbufferx(L, module->text, module->length, lua_tostring(L, -1), "t") != LUA_OK)
		lua_error(L);
	lua_remove(L, -2);
}

/* luaopen_ and the name with dots as underscores; what stands before a hyphen is ignored, as in
 * Lua's own loader. */
static void push_symbol(lua_State *L, const char *name)
{
	const char *hyphen = strchr(name, '-');

	luaL_gsub(L, hyphen ? hyphen + 1 : name, ".", "_");
	lua_pushfstring(L, "luaopen_%s", lua_tostring(L, -1));
	lua_remove(L, -2);
}

/* The row warmup has mapped it before chroot: the linker knows it by this path. Never closed:
 * its functions may live as long as the state. */
static void push_c_module(lua_State *L, const struct module *module)
{
	void *object = dlopen(module->path, RTLD_NOW | RTLD_LOCAL);
	lua_CFunction function;
	void *symbol;

	if (!object)
		vm_raise(L, "cannot load module '%s': %s", module->name, dlerror());
	push_symbol(L, module->name);
	symbol = dlsym(object, lua_tostring(L, -1));
	if (!symbol)
		vm_raise(L, "cannot load module '%s': %s has no %s", module->name, module->path,
			 lua_tostring(L, -1));
	memcpy(&function, &symbol, sizeof function); /* ISO C has no cast for this */
	lua_pop(L, 1);
	lua_pushcfunction(L, function);
}

static const struct module *find(const struct spec *spec, const char *name)
{
	for (size_t i = 1; i < spec->module_count; i++)
		if (strcmp(spec->modules[i].name, name) == 0 && strncmp(name, "include:", 8) != 0)
			return &spec->modules[i];
	return NULL;
}

/* A name of luvd that is none was misspelt: nothing that lua.preload names can mend it. */
static void refuse_own(lua_State *L, const char *name)
{
	struct nearest nearest;

	nearest_init(&nearest, name);
	lua_getfield(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
		if (lua_type(L, -2) == LUA_TSTRING)
			nearest_try(&nearest, lua_tostring(L, -2));
	if (nearest.best)
		vm_raise(L, "luvd has no module \"%s\"; did you mean \"%s\"?", name, nearest.best);
	vm_raise(L, "luvd has no module \"%s\"", name);
}

/* Pushes the loader and its second argument. */
static void push_loader(lua_State *L, const char *name)
{
	const struct module *module = find(vm_of(L)->daemon->spec, name);

	lua_getfield(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
	if (lua_getfield(L, -1, name) != LUA_TNIL) {
		lua_remove(L, -2);
		lua_pushliteral(L, ":preload:");
		return;
	}
	lua_pop(L, 2);
	if (!module && strncmp(name, "luvd.", 5) == 0)
		refuse_own(L, name);
	if (!module)
		vm_raise(L, "module \"%s\" is not in the bundle: name it in lua.preload", name);
	if (module->kind == MODULE_C)
		push_c_module(L, module);
	else
		loader_compile(L, module);
	lua_pushstring(L, module->path);
}

/* --- require --- */

static int l_unmark(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &loading);
	lua_getiuservalue(L, 1, 1);
	lua_pushnil(L);
	lua_rawset(L, -3);
	return 0;
}

/* Marks the module as being loaded until require is left, whichever way. */
static void mark(lua_State *L, const char *name)
{
	struct task *task = vm_of(L)->current;

	lua_rawgetp(L, LUA_REGISTRYINDEX, &loading);
	if (lua_getfield(L, -1, name) != LUA_TNIL) {
		if (lua_touserdata(L, -1) == task)
			vm_raise(L, "module \"%s\" requires itself, perhaps through others", name);
		vm_raise(L, "module \"%s\" is still being loaded by another task", name);
	}
	lua_pop(L, 1);
	lua_pushlightuserdata(L, task);
	lua_setfield(L, -2, name);
	lua_pop(L, 1);
	lua_newuserdatauv(L, 0, 1);
	lua_pushstring(L, name);
	lua_setiuservalue(L, -2, 1);
	luaL_setmetatable(L, "luvd.loading");
	lua_toclose(L, -1);
}

/* The stack: 1 name, 2 the table of loaded modules, 3 the mark, 4 loader data, 5 result */
static int loaded(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	if (lua_isnil(L, 5)) {
		lua_pop(L, 1);
		if (lua_getfield(L, 2, lua_tostring(L, 1)) == LUA_TNIL) {
			lua_pop(L, 1);
			lua_pushboolean(L, 1);
		}
	}
	lua_pushvalue(L, 5);
	lua_setfield(L, 2, lua_tostring(L, 1));
	lua_pushvalue(L, 4);
	return 2;
}

static int l_require(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);

	lua_settop(L, 1);
	lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	lua_getfield(L, 2, name);
	if (lua_toboolean(L, -1))
		return 1;
	lua_pop(L, 1);
	mark(L, name);
	push_loader(L, name);
	lua_insert(L, 4); /* the loader's data below it */
	lua_pushvalue(L, 1);
	lua_pushvalue(L, 4);
	lua_callk(L, 2, 1, 0, loaded);
	return loaded(L, LUA_OK, 0);
}

/* --- what a module has not --- */

int loader_missing(lua_State *L, const char *module, const char *const *later)
{
	const char *key = luaL_tolstring(L, 2, NULL);
	struct nearest nearest;

	nearest_init(&nearest, key);
	for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1))
		if (lua_type(L, -2) == LUA_TSTRING)
			nearest_try(&nearest, lua_tostring(L, -2));
	for (; later && *later; later++)
		nearest_try(&nearest, *later);
	if (nearest.best)
		return luaL_error(L, "%s has no \"%s\"; did you mean \"%s\"?", module, key,
				  nearest.best);
	return luaL_error(L, "%s has no \"%s\"", module, key);
}

/* module, key. Upvalue: the module's name. */
static int l_missing(lua_State *L)
{
	return loader_missing(L, lua_tostring(L, lua_upvalueindex(1)), NULL);
}

/* A module is on the top. Those that services use tell of a name that they have not; one with a
 * metatable of its own keeps it. */
static void make_strict(lua_State *L, const char *name)
{
	const char *dot = strchr(name, '.');

	if (strncmp(name, "luvd", 4) != 0 || (dot && strchr(dot + 1, '.')) || !lua_istable(L, -1))
		return;
	if (lua_getmetatable(L, -1)) {
		lua_pop(L, 1);
		return;
	}
	lua_createtable(L, 0, 1);
	lua_pushstring(L, name);
	lua_pushcclosure(L, l_missing, 1);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
}

/* --- Lua that ships inside the binary --- */

static int load_embedded(lua_State *L)
{
	const struct embedded *file = lua_touserdata(L, lua_upvalueindex(1));

	lua_pushfstring(L, "@%s.lua", file->name);
	if (luaL_loadbufferx(L, (const char *)file->bytes, file->length, lua_tostring(L, -1),
			     "t") != LUA_OK)
		return lua_error(L);
	lua_pushstring(L, file->name);
	lua_call(L, 1, 1);
	make_strict(L, file->name);
	return 1;
}

/* Upvalues: luaopen_..., the module's name. */
static int load_own(lua_State *L)
{
	const char *name = lua_tostring(L, lua_upvalueindex(2));

	lua_pushvalue(L, lua_upvalueindex(1));
	lua_pushstring(L, name);
	lua_call(L, 1, 1);
	make_strict(L, name);
	return 1;
}

void loader_embedded(lua_State *L, const char *name)
{
	lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	if (lua_getfield(L, -1, name) == LUA_TNIL) {
		lua_pop(L, 1);
		lua_getfield(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
		lua_getfield(L, -1, name);
		lua_remove(L, -2);
		lua_call(L, 0, 1);
		lua_pushvalue(L, -1);
		lua_setfield(L, -3, name);
	}
	lua_remove(L, -2);
}

void loader_preload(lua_State *L)
{
	static const luaL_Reg modules[] = {{"luvd", luaopen_luvd},
					   {"luvd.fs", luaopen_luvd_fs},
					   {"luvd.json", luaopen_luvd_json},
					   {"luvd.log", luaopen_luvd_log},
					   {"luvd.net", luaopen_luvd_net},
					   {"luvd.resp", luaopen_luvd_resp},
					   {"luvd.http", luaopen_luvd_http},
					   {"luvd.http.native", luaopen_luvd_http_native},
					   {"luvd.task", luaopen_luvd_task},
					   {"luvd.test.native", luaopen_luvd_test_native},
					   {"uv", uvlib_open},
					   {"luv", uvlib_open},
					   {NULL, NULL}};

	lua_getfield(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
	for (const luaL_Reg *module = modules; module->name; module++) {
		lua_pushcfunction(L, module->func);
		lua_pushstring(L, module->name);
		lua_pushcclosure(L, load_own, 2);
		lua_setfield(L, -2, module->name);
	}
	for (const struct embedded *file = embedded_files; file->name; file++) {
		lua_pushlightuserdata(L, (void *)file);
		lua_pushcclosure(L, load_embedded, 1);
		lua_setfield(L, -2, file->name);
	}
	lua_pop(L, 1);
}

void loader_open(lua_State *L)
{
	luaL_newmetatable(L, "luvd.loading");
	lua_pushcfunction(L, l_unmark);
	lua_setfield(L, -2, "__close");
	lua_pop(L, 1);
	lua_newtable(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &loading);
	lua_pushcfunction(L, l_require);
	lua_setglobal(L, "require");
	loader_preload(L);
}

/* --- include --- */

/* Is path the file that name means, seen from the folder of the file by? */
static bool same_file(const char *path, const char *name, const char *by)
{
	const char *slash = strrchr(by, '/');
	size_t folder = slash ? (size_t)(slash - by) + 1 : 0;

	if (name[0] == '/')
		return strcmp(path, name) == 0;
	while (strncmp(name, "./", 2) == 0)
		name += 2;
	return strncmp(path, by, folder) == 0 && strcmp(path + folder, name) == 0;
}

const struct module *loader_included(const struct spec *spec, const char *name, const char *by)
{
	const struct module *exact = NULL;

	for (size_t i = 1; i < spec->module_count; i++) {
		const struct module *module = &spec->modules[i];

		if (strncmp(module->name, "include:", 8) != 0)
			continue;
		if (same_file(module->path, name, by))
			return module;
		if (strcmp(module->name + 8, name) == 0)
			exact = module;
	}
	return exact;
}
