#ifndef LUVD_SERVICE_PUSH_H
#define LUVD_SERVICE_PUSH_H

#include <lua.h>

#include "spec/value.h"

/* Pushes plain data as Lua values: integers stay integers, functions become nil. Raises only
 * when memory is out. NULL pushes nil. */
void push_value(lua_State *L, const struct value *value);
/* Pushes the table config of a spec, empty when it has none. */
void push_config(lua_State *L, const struct value *root);
/* As luaL_newmetatable, but Lua does not see it: who could call its __gc could free what is in use.
 */
int push_metatable(lua_State *L, const char *name);
/* Makes the table on top of the stack raise for a field that it has not: "no WHAT "x": there
 * are a, b". */
void push_guarded(lua_State *L, const char *what);

#endif
