#ifndef LUVD_SERVICE_COVERAGE_H
#define LUVD_SERVICE_COVERAGE_H

#include <lua.h>

/* How often each line of each file of Lua was run. One may count for several vms of a process, in
 * one thread. */

struct vm;
struct coverage;

/* NULL: out of memory. */
struct coverage *coverage_create(void);
/* No vm may count any more. */
void coverage_destroy(struct coverage *coverage);

/* From now on all coroutines of vm count, those that were made before from their next run as a task
 * on. NULL: no more. */
void coverage_begin(struct vm *vm, struct coverage *coverage);
/* The same for one coroutine, whose vm counts. A hook that it has already stays instead. */
void coverage_arm(lua_State *L);

/* Pushes { [absolute path] = { [line] = runs } }, of files that are there. Raises when memory is
 * out. */
void coverage_push(lua_State *L, const struct coverage *coverage);

#endif
