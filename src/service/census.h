#ifndef LUVD_SERVICE_CENSUS_H
#define LUVD_SERVICE_CENSUS_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a vm and its process hold at this moment: connections, listeners, sockets of datagrams,
 * timers, watchers, tasks, handles of uv, descriptors, child processes. Taken before and after, it
 * tells what was left behind. What has been closed and only waits for the loop is not in it. */

struct vm;

enum { CENSUS_FDS = 4096, CENSUS_CHILDREN = 256, CENSUS_NAME = 256 };

/* One that is being taken. */
struct census {
	struct vm *vm;
	lua_State *L;
	int list;      /* where on the stack the result is; 0: only the mark is wanted */
	uint64_t mark; /* of all ids */
	/* What entries own that have been added. */
	bool fds[CENSUS_FDS];
	size_t child_count;
	pid_t children[CENSUS_CHILDREN];
};

/* luvd.test.native: census() -> list of { id, text, where }. id: string, the same in every census
 * while the thing lives; text: string, "watcher of /tmp"; where: string or nil,
 * "spec/echo_spec.lua:12", of things made since the first census of this vm. */
int census_l_census(lua_State *L);
/* luvd.test.native: census_mark() -> an integer that is another one when the ids of a census would
 * be others. Much cheaper. */
int census_l_mark(lua_State *L);

/* --- for those who hold something --- */

/* Adds an object with its origin. The format makes the text. */
void census_add(struct census *census, const void *object, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Adds an entry with this id and text. origin: the object, or NULL when it is not known where it
 * was made. */
void census_add_as(struct census *census, const char *id, const void *origin, const char *text);

/* --- census_process.c --- */

/* Adds the descriptors and child processes of the process that no entry before owns. */
void census_add_process(struct census *census);
/* What a child runs, or "ended". Returns name. */
const char *census_child_name(pid_t pid, char name[CENSUS_NAME]);

#endif
