#include "service/modules.h"

#include <lauxlib.h>

#include "service/channel.h"
#include "service/group.h"
#include "service/handle.h"
#include "service/push.h"
#include "service/semaphore.h"
#include "service/units.h"
#include "service/vm.h"

static const char deferred_meta[] = "luvd.deferred";

/* task.spawn(fn, ...) */
static int l_spawn(lua_State *L)
{
	struct task *parent = handle_parent(L);

	luaL_checktype(L, 1, LUA_TFUNCTION);
	handle_spawn(L, lua_gettop(L) - 1, parent && parent->outlived ? NULL : parent, 0);
	return 1;
}

/* --- all, first --- */

/* The functions on the stack become handles, with their group above them. */
static int start_together(lua_State *L, enum group_kind kind, lua_KFunction k)
{
	int count = lua_gettop(L);
	struct task *task = task_check(L);
	struct group *group;

	for (int i = 1; i <= count; i++)
		luaL_checktype(L, i, LUA_TFUNCTION);
	group = group_create(L, kind);
	for (int i = 1; i <= count; i++) {
		lua_pushvalue(L, i);
		handle_spawn(L, 0, task, count + 1);
		lua_replace(L, i);
	}
	return group_wait(L, group, -1, k);
}

static int all_ended(lua_State *L, int status, lua_KContext context)
{
	int count = lua_gettop(L) - 1;

	(void)status;
	(void)context;
	if (group_push_last(L, count + 1))
		return handle_results(L, count + 2, 0);
	luaL_checkstack(L, count + 3, NULL);
	for (int i = 1; i <= count; i++) {
		int top = lua_gettop(L);

		handle_results(L, i, 1);
		lua_settop(L, top + 1);
	}
	return count;
}

static int l_all(lua_State *L)
{
	return start_together(L, GROUP_ALL, all_ended);
}

static int one_ended(lua_State *L, int status, lua_KContext context)
{
	int group = lua_gettop(L);

	(void)status;
	(void)context;
	if (group_push_last(L, group))
		return handle_results(L, group + 1, -1);
	return vm_fail(L, "the tasks were cancelled", "ECANCELED");
}

static int l_first(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TFUNCTION);
	return start_together(L, GROUP_FIRST, one_ended);
}

/* --- timeout --- */

static int timed(lua_State *L, int status, lua_KContext context)
{
	struct handle *handle = lua_touserdata(L, -1);

	(void)status;
	(void)context;
	if (!handle->task)
		return handle_results(L, lua_gettop(L), -1);
	task_cancel(handle->task);
	return vm_fail(L, "the function has not returned in time", "ETIMEDOUT");
}

static int l_timeout(lua_State *L)
{
	int64_t duration = units_duration(L, 1);
	struct task *task = task_check(L);
	struct handle *handle;

	luaL_checktype(L, 2, LUA_TFUNCTION);
	handle_parent(L);
	handle = handle_spawn(L, lua_gettop(L) - 2, task, 0);
	return handle_wait(L, handle, duration, timed);
}

/* --- defer --- */

static int deferred(lua_State *L, int status, lua_KContext context)
{
	(void)L;
	(void)status;
	(void)context;
	return 0;
}

static int l_run_deferred(lua_State *L)
{
	luaL_checkudata(L, 1, deferred_meta);
	lua_settop(L, 2);
	lua_getiuservalue(L, 1, 1);
	lua_insert(L, 2);
	lua_callk(L, 1, 0, 0, deferred);
	return 0;
}

static int l_defer(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TFUNCTION);
	lua_settop(L, 1);
	lua_newuserdatauv(L, 0, 1);
	luaL_setmetatable(L, deferred_meta);
	lua_insert(L, 1);
	lua_setiuservalue(L, 1, 1);
	return 1;
}

int luaopen_luvd_task(lua_State *L)
{
	static const luaL_Reg functions[] = {{"spawn", l_spawn},
					     {"all", l_all},
					     {"first", l_first},
					     {"group", group_l_group},
					     {"timeout", l_timeout},
					     {"channel", channel_l_channel},
					     {"defer", l_defer},
					     {"semaphore", semaphore_l_semaphore},
					     {NULL, NULL}};

	handles_open(L);
	groups_open(L);
	channels_open(L);
	semaphores_open(L);
	push_metatable(L, deferred_meta);
	lua_pushcfunction(L, l_run_deferred);
	lua_setfield(L, -2, "__close");
	lua_pop(L, 1);
	luaL_newlib(L, functions);
	return 1;
}
