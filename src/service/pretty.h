#ifndef LUVD_SERVICE_PRETTY_H
#define LUVD_SERVICE_PRETTY_H

#include <lua.h>

struct answer;

/* A value as people read it: strings quoted, tables with their keys sorted, in one line when it is
 * short, to a depth and a number of entries. Nothing is called (no metamethods) and nothing
 * raises. */
void pretty_print(lua_State *L, int index, struct answer *answer);

#endif
