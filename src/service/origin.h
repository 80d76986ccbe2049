#ifndef LUVD_SERVICE_ORIGIN_H
#define LUVD_SERVICE_ORIGIN_H

#include <lua.h>

/* Where in Lua a thing was made ("spec/echo_spec.lua:12"), for who asks later what is left. Noted
 * only in a vm where somebody has said that he will ask; elsewhere it costs one comparison. */

struct vm;

/* From now on. Raises when memory is out. */
void origins_keep(struct vm *vm, lua_State *L);
/* The object was made by the Lua that runs on L. Never raises: what cannot be noted has no origin.
 */
void origin_note(struct vm *vm, lua_State *L, const void *object);
/* Pushes its origin, or nil. */
void origin_push(struct vm *vm, lua_State *L, const void *object);

#endif
