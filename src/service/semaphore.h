#ifndef LUVD_SERVICE_SEMAPHORE_H
#define LUVD_SERVICE_SEMAPHORE_H

#include <lua.h>

/* luvd.semaphore: at most n tasks hold a permit, the others wait in the order in which they came.
 */

void semaphores_open(lua_State *L); /* the metatables */
/* task.semaphore(n) */
int semaphore_l_semaphore(lua_State *L);

#endif
