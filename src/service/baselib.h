#ifndef LUVD_SERVICE_BASELIB_H
#define LUVD_SERVICE_BASELIB_H

#include <lua.h>

/* What differs from the standard libraries: load, loadfile and dofile take text only, os.exit
 * asks the daemon to stop and does not return, the package library has no search paths, and the
 * host's waits pass through coroutine.resume and coroutine.wrap. */
void baselib_open(lua_State *L);

/* The same for a state that a thread of uv runs, which has no host: no coroutine functions, and
 * os.exit raises. */
void baselib_open_thread(lua_State *L);

/* The coroutine functions, set into the global table coroutine. */
void colib_open(lua_State *L);

#endif
