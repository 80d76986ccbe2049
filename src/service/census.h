#ifndef LUVD_SERVICE_CENSUS_H
#define LUVD_SERVICE_CENSUS_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What a vm and its process hold at this moment: connections, listeners, sockets of datagrams,
 * timers, watchers, tasks, handles of uv, descriptors, child processes. Taken before and after, it
 * tells what was left behind. What has been closed and only waits for the loop is not in it. */

struct vm;

/* One that is being taken. */
struct census {
	struct vm *vm;
	lua_State *L;
	int list, known; /* where on the stack: the result, what its entries own */
};

/* luvd.test.native: census() -> list of { id, text, where }. id: string, the same in every census while the thing
 * lives; text: string, "timer, every 10 min"; where: string or nil, "spec/echo_spec.lua:12", from
 * the second census of this vm on. */
int census_l_census(lua_State *L);

/* --- for those who hold something --- */

/* Adds an object with its origin. The format makes the text. */
void census_add(struct census *census, const void *object, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The descriptor, the child process is told of by the entry of its owner. */
void census_owns(struct census *census, int fd);
void census_owns_child(struct census *census, pid_t pid);

#endif
