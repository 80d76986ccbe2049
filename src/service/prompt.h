#ifndef LUVD_SERVICE_PROMPT_H
#define LUVD_SERVICE_PROMPT_H

#include <lua.h>

/* Reads Lua, evaluates it and prints its results until the end of standard input. */
void prompt_run(lua_State *L);

#endif
