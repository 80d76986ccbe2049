#include "service/group.h"

#include <lauxlib.h>

#include "service/push.h"
#include "service/task_state.h"
#include "service/units.h"
#include "service/vm.h"

static const char meta[] = "luvd.group";

enum { LAST = 1 }; /* user value: keeps the handle last */

/* --- members --- */

static struct handle *last_to_cancel(const struct group *group)
{
	struct link *link = group->members.prev;

	for (; link != &group->members; link = link->prev) {
		struct handle *handle = LIST_ENTRY(link, struct handle, member);

		if (!handle->task->doomed && !handle->task->closing)
			return handle;
	}
	return NULL;
}

static void cancel_all(struct group *group)
{
	struct handle *handle;

	while ((handle = last_to_cancel(group)))
		task_cancel(handle->task);
}

void group_add(struct group *group, struct handle *handle)
{
	handle->group = group;
	list_append(&group->members, &handle->member);
}

static bool ends_others(const struct group *group, const struct handle *handle)
{
	return handle->outcome == OUTCOME_FAILED ||
	       (handle->outcome == OUTCOME_DONE && group->kind == GROUP_FIRST);
}

void group_member_ended(lua_State *L, struct handle *handle)
{
	struct group *group = handle->group;

	handle->group = NULL;
	list_remove(&handle->member);
	if (ends_others(group, handle) && !group->last && !group->closed) {
		group->last = handle;
		lua_checkstack(L, 2);
		handle_keep_in_group(L, LAST);
		cancel_all(group);
	} else {
		handle_log(handle); /* only one failure can be raised */
	}
	if (!list_empty(&group->members))
		return;
	while (!list_empty(&group->waiters))
		task_wake_later(LIST_ENTRY(group->waiters.next, struct task, queued));
}

/* --- the owner --- */

struct group *group_create(lua_State *L, enum group_kind kind)
{
	struct task *task = handle_parent(L);
	struct group *group;

	if (!task)
		vm_raise(L, "a group belongs to a task: there is none here");
	luaL_checkstack(L, 4, NULL);
	group = lua_newuserdatauv(L, sizeof *group, LAST);
	*group = (struct group){.kind = kind, .owner = task};
	list_init(&group->members);
	list_init(&group->waiters);
	list_init(&group->owned);
	luaL_setmetatable(L, meta);
	if (!task_extra(task))
		vm_raise(L, "not enough memory");
	list_append(&task->extra->groups, &group->owned);
	return group;
}

void groups_disown(struct link *groups)
{
	while (!list_empty(groups)) {
		struct group *group = LIST_ENTRY(groups->next, struct group, owned);

		list_remove(&group->owned);
		group->owner = NULL;
		group->closed = true;
		if (group->last)
			handle_log(group->last);
	}
}

bool group_push_last(lua_State *L, int index)
{
	struct group *group = lua_touserdata(L, index);

	if (!group->last)
		return false;
	lua_getiuservalue(L, index, LAST);
	return true;
}

int group_wait(lua_State *L, struct group *group, int64_t timeout, lua_KFunction k)
{
	struct task *task;

	if (list_empty(&group->members))
		return k(L, LUA_OK, 0);
	task = task_check(L);
	list_append(&group->waiters, &task->queued);
	return task_wait(L, task, group, NULL, timeout, 0, k);
}

/* --- its methods --- */

static struct group *check_group(lua_State *L)
{
	return luaL_checkudata(L, 1, meta);
}

static int l_spawn(lua_State *L)
{
	struct group *group = check_group(L);

	luaL_checktype(L, 2, LUA_TFUNCTION);
	handle_parent(L);
	if (group->closed || group->last || group->owner->doomed)
		return luaL_error(L, "the group has ended: nothing can be started in it");
	handle_spawn(L, lua_gettop(L) - 2, group->owner, 1);
	return 1;
}

static int waited(lua_State *L, int status, lua_KContext context)
{
	struct group *group = lua_touserdata(L, 1);

	(void)status;
	(void)context;
	if (!list_empty(&group->members))
		return vm_fail(L, "not all tasks of the group have ended in time", "ETIMEDOUT");
	if (group_push_last(L, 1))
		handle_results(L, lua_gettop(L), 0);
	lua_pushboolean(L, 1);
	return 1;
}

static int l_wait(lua_State *L)
{
	struct group *group = check_group(L);
	int64_t timeout = units_options(L, 2, 0, false).timeout;

	if (group->owner != vm_of(L)->current)
		return luaL_error(L, "only the task that has made the group can wait for it");
	lua_settop(L, 1);
	return group_wait(L, group, timeout, waited);
}

static int l_cancel(lua_State *L)
{
	cancel_all(check_group(L));
	return 0;
}

/* --- leaving the block --- */

static int closed(lua_State *L, int status, lua_KContext context)
{
	struct group *group = lua_touserdata(L, 1);

	(void)status;
	(void)context;
	group->closed = true;
	list_remove(&group->owned);
	if (group->last && !group->last->told && group_push_last(L, 1))
		handle_results(L, lua_gettop(L), 0);
	return 0;
}

/* Lua says whether an error leaves the block, but break, return and its end look the same. */
static int l_close(lua_State *L)
{
	struct group *group = check_group(L);

	if (group->closed)
		return 0;
	if (lua_isnoneornil(L, 2) && task_may_wait(L, group->owner)) {
		lua_settop(L, 1);
		return group_wait(L, group, -1, closed);
	}
	group->closed = true;
	cancel_all(group);
	list_remove(&group->owned);
	if (group->last)
		handle_log(group->last);
	return 0;
}

static int l_gc(lua_State *L)
{
	struct group *group = check_group(L);

	list_remove(&group->owned);
	group->owner = NULL; /* another finalizer may still know the userdata */
	group->closed = true;
	return 0;
}

int group_l_group(lua_State *L)
{
	group_create(L, GROUP_OPEN);
	return 1;
}

void groups_open(lua_State *L)
{
	static const luaL_Reg methods[] = {
	    {"spawn", l_spawn}, {"wait", l_wait}, {"cancel", l_cancel}, {NULL, NULL}};
	static const luaL_Reg events[] = {{"__close", l_close}, {"__gc", l_gc}, {NULL, NULL}};

	push_metatable(L, meta);
	luaL_setfuncs(L, events, 0);
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}
