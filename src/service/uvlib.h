#ifndef LUVD_SERVICE_UVLIB_H
#define LUVD_SERVICE_UVLIB_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/* luv on the host's loop, without the functions that would take the loop or the process away
 * from the host. */

struct vm;

/* Before luaopen_luv, which comes with the first require "uv": the loop and the guard. */
void uvlib_prepare(lua_State *L);
/* The table of require "uv" and require "luv". */
int uvlib_open(lua_State *L);
/* Pushes a list of the handles that Lua has made and that are not gone, closing ones among them:
 * userdata with a uv_handle_t * in each. */
void uvlib_push_handles(lua_State *L);
/* Closes the handles and cancels the requests that the service has left; returns how many are
 * not gone yet. 0 at once when luv was never opened. */
size_t uvlib_close(struct vm *vm);

#endif
