#ifndef LUVD_SERVICE_PROMPT_H
#define LUVD_SERVICE_PROMPT_H

#include <lua.h>

#include "service/interpreter.h"

/* Reads Lua, evaluates it and prints its results until there is no more. typing: NULL when standard
 * input is no terminal: then everything looks as lua -i prints it. */
void prompt_run(lua_State *L, const struct typing *typing);

#endif
