#ifndef LUVD_SERVICE_GROUP_H
#define LUVD_SERVICE_GROUP_H

#include <lua.h>

#include "service/handle.h"

/* Tasks that fail together: the first failure cancels the others and is raised in the task that
 * made the group. */

enum group_kind {
	GROUP_OPEN, /* of Lua: more may be started */
	GROUP_ALL,
	GROUP_FIRST /* the first that returns ends the others as well */
};

struct group {
	enum group_kind kind;
	bool closed;
	struct task *owner;  /* NULL: ended */
	struct link owned;   /* among the groups of the owner */
	struct link members; /* handles of those that have not ended, in the order of their start */
	struct link waiters; /* the owner, until there is no member */
	struct handle *last; /* whose end ended the others; NULL: none did */
};

void groups_open(lua_State *L); /* the metatable */

/* Pushes a group of the running task. Raises where none may be made. */
struct group *group_create(lua_State *L, enum group_kind kind);
void group_add(struct group *group, struct handle *handle);
/* The handle is on top of L. Allocates nothing, raises nothing. */
void group_member_ended(lua_State *L, struct handle *handle);
/* The owner waits until no member is left; at once when there is none. */
int group_wait(lua_State *L, struct group *group, int64_t timeout, lua_KFunction k);
/* Pushes the handle of last; false: nothing has ended the others. */
bool group_push_last(lua_State *L, int index);
/* The owner ends: what nobody knows of its groups is logged. */
void groups_disown(struct link *groups);

/* task.group() */
int group_l_group(lua_State *L);

#endif
