#ifndef LUVD_SERVICE_CONNECT_H
#define LUVD_SERVICE_CONNECT_H

#include <lua.h>

/* net.connect(address [, { timeout = "10s" }]) -> conn | nil, message, code. Waits. */
int connect_l_connect(lua_State *L);
void connect_open(lua_State *L); /* the metatable */

#endif
