#ifndef LUVD_SERVICE_LOADER_H
#define LUVD_SERVICE_LOADER_H

#include <lua.h>

#include "spec/spec.h"

/* require: package.loaded, package.preload (luvd, luvd.*, uv, luv), then the bundle's modules,
 * nothing else. May wait inside. */
void loader_open(lua_State *L);
/* package.preload has luvd, luvd.*, uv and luv. */
void loader_preload(lua_State *L);
/* Pushes a module of lua/luvd that ships inside the binary; loads it unless it is loaded. */
void loader_embedded(lua_State *L, const char *name);
/* Pushes the compiled chunk of a MODULE_LUA text; raises a syntax error. */
void loader_compile(lua_State *L, const struct module *module);
/* The text of an included file, or NULL; by is the path of the file that includes it. */
const struct module *loader_included(const struct spec *spec, const char *name, const char *by);

/* For __index, with a module at 1: raises that it has no field of the name at 2, and says which one
 * was meant. later: names that it will have, NULL-terminated, or NULL. */
int loader_missing(lua_State *L, const char *module, const char *const *later);

#endif
