#ifndef LUVD_SERVICE_HELDLIB_H
#define LUVD_SERVICE_HELDLIB_H

#include <lua.h>

/* What of Lua's own libraries is another one while the clock is held: os.time, os.date and os.clock
 * ask it, os.getenv sees the environment that the daemon would have, and print writes to the log.
 * luv stays as it is: its loop, timers and all, knows only the real clock. */
void heldlib_open(lua_State *L);

#endif
