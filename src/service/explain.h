#ifndef LUVD_SERVICE_EXPLAIN_H
#define LUVD_SERVICE_EXPLAIN_H

#include <lua.h>

struct vm;

/* What was raised, as text for the log: whatever it is, and where it came from. */

/* Message handler of lua_pcall: the error becomes text with its traceback. */
int explain_handler(lua_State *L);
/* Turns the error on top of co (a thread of this state, dead or alive) into text with
 * traceback and leaves it on the main thread's stack, always a string. It stays on co, whose
 * <close> values are given it. */
const char *explain_error(struct vm *vm, lua_State *co);
/* Keeps the traceback at -2 for the error at -1, which goes on out of its coroutine. */
void explain_keep_trace(lua_State *L);

#endif
