#ifndef LUVD_SERVICE_OBJECT_H
#define LUVD_SERVICE_OBJECT_H

#include <lua.h>

/* The daemon object that start, reload, stop and signal functions are given. */

/* Pushes a new one. */
void object_create(lua_State *L);
/* Pushes it, as vm->daemon_ref keeps it. */
void object_push(lua_State *L);
/* Pushes the table host: env, hostname, cpus, directory. */
void object_push_host(lua_State *L);
/* Waits until no connection is open, as daemon:drain. */
int object_drain(lua_State *L);

#endif
