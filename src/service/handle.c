#include "service/handle.h"

#include <lauxlib.h>
#include <string.h>

#include "service/explain.h"
#include "service/group.h"
#include "service/origin.h"
#include "service/push.h"
#include "service/units.h"
#include "service/vm.h"

static const char meta[] = "luvd.task";

struct handle *handle_at(lua_State *L, int index)
{
	return luaL_checkudata(L, index, meta);
}

void handle_keep_in_group(lua_State *L, int number)
{
	lua_getiuservalue(L, -1, HANDLE_GROUP);
	lua_pushvalue(L, -2);
	lua_setiuservalue(L, -2, number);
	lua_pop(L, 1);
}

/* --- the end of the task --- */

/* Nothing here may allocate: nobody would catch it. So several results stay in the coroutine. The
 * handle is on top of the main thread. */
static void keep_results(struct task *task, struct handle *handle)
{
	lua_State *co = task->L, *L = task->vm->L;

	handle->count = lua_gettop(co);
	if (handle->count > 1) {
		task->exposed = true;
		return;
	}
	if (handle->count == 0)
		lua_pushnil(co);
	lua_xmove(co, L, 1);
	lua_setiuservalue(L, -2, HANDLE_RESULT);
}

static void keep_failure(struct task *task, struct handle *handle)
{
	lua_State *co = task->L, *L = task->vm->L;

	lua_xmove(co, L, 1);
	lua_setiuservalue(L, -2, HANDLE_RESULT);
	handle->reference = task->reference;
	task->reference = LUA_NOREF;
	task->vm->failed--; /* counted when it is logged */
}

static void wake_waiters(struct handle *handle)
{
	while (!list_empty(&handle->waiters))
		task_wake_later(LIST_ENTRY(handle->waiters.next, struct task, queued));
}

static void on_done(struct task *task, enum outcome outcome, const char *message)
{
	struct handle *handle = task->data;
	lua_State *L = task->vm->L;
	int top = lua_gettop(L);

	handle->task = NULL;
	handle->outcome = outcome;
	/* The coroutine makes room for the result in the handle, but is needed until the end. */
	lua_checkstack(L, 4);
	lua_checkstack(task->L, 1);
	lua_pushthread(task->L);
	lua_xmove(task->L, L, 1);
	lua_rawgeti(L, LUA_REGISTRYINDEX, task->reference);
	if (outcome == OUTCOME_FAILED) {
		lua_pushvalue(L, top); /* message, which task_fail has there */
		lua_setiuservalue(L, -2, HANDLE_MESSAGE);
		keep_failure(task, handle);
	} else if (outcome == OUTCOME_DONE) {
		keep_results(task, handle);
	}
	(void)message;
	wake_waiters(handle);
	if (handle->group)
		group_member_ended(L, handle);
	else if (outcome == OUTCOME_FAILED)
		handle_wait_for_listener(handle);
	lua_settop(L, top);
}

/* --- starting --- */

struct task *handle_parent(lua_State *L)
{
	struct vm *vm = vm_of(L);
	struct task *task = vm->current;

	if (vm->phase == PHASE_LOADING)
		vm_raise(L,
			 "cannot start a task while the service is being loaded: do it in start");
	if (vm->phase == PHASE_CLOSED)
		vm_raise(L, "no task can be started any more: the daemon is stopped");
	if (task && task->closing)
		vm_raise(L,
			 "cannot start a task while another is being closed (in a <close> value)");
	return task;
}

struct handle *handle_spawn(lua_State *L, int nargs, struct task *parent, int group)
{
	struct handle *handle;
	struct task *task;

	if (parent && parent->depth >= TASK_DEPTH_MAX)
		vm_raise(L,
			 "tasks are nested %d deep: let one task loop instead of starting the "
			 "next, or use daemon:spawn",
			 TASK_DEPTH_MAX);
	luaL_checkstack(L, 3, NULL);
	handle = lua_newuserdatauv(L, sizeof *handle, group ? HANDLE_GROUP : HANDLE_MESSAGE);
	*handle = (struct handle){.vm = vm_of(L), .reference = LUA_NOREF};
	list_init(&handle->waiters);
	list_init(&handle->member);
	luaL_setmetatable(L, meta);
	lua_insert(L, -nargs - 2);
	task = task_create(L, nargs, "task");
	handle->task = task;
	origin_note(handle->vm, L, task);
	task->data = handle;
	task->done = on_done;
	lua_pushvalue(L, -1);
	task_anchor(L, task);
	if (parent)
		task_adopt(parent, task);
	if (group) {
		lua_pushvalue(L, group);
		lua_setiuservalue(L, -2, HANDLE_GROUP);
		group_add(lua_touserdata(L, group), handle);
	}
	task_start(task);
	return handle;
}

/* --- its methods --- */

static int raise_failure(lua_State *L, int index)
{
	const char *text, *trace;

	lua_getiuservalue(L, index, HANDLE_MESSAGE);
	text = lua_tostring(L, -1);
	trace = strstr(text, "\nstack traceback:");
	lua_pushstring(L, trace ? trace + 1 : text);
	lua_getiuservalue(L, index, HANDLE_RESULT);
	explain_keep_trace(L);
	handle_tell(lua_touserdata(L, index));
	return lua_error(L);
}

static int push_several(lua_State *L, int count)
{
	lua_State *co = lua_tothread(L, -1);

	luaL_checkstack(L, count, "too many results");
	if (!lua_checkstack(co, count))
		return luaL_error(L, "too many results");
	for (int i = 0; i < count; i++)
		lua_pushvalue(co, i + 1);
	lua_xmove(co, L, count);
	lua_remove(L, -count - 1);
	return count;
}

int handle_results(lua_State *L, int index, int max)
{
	struct handle *handle = lua_touserdata(L, index);
	int count = max >= 0 && max < handle->count ? max : handle->count;

	luaL_checkstack(L, 3, NULL);
	if (handle->outcome == OUTCOME_FAILED)
		return raise_failure(L, index);
	if (handle->outcome == OUTCOME_CANCELLED)
		return vm_fail(L, "the task was cancelled", "ECANCELED");
	if (count == 0)
		return 0;
	lua_getiuservalue(L, index, HANDLE_RESULT);
	return handle->count > 1 ? push_several(L, count) : 1;
}

static void check_circle(lua_State *L, const struct task *task, const struct task *other)
{
	if (task == other)
		vm_raise(L, "a task cannot wait for itself");
	while ((task = task->parent))
		if (task == other)
			vm_raise(L, "a task cannot wait for one that it belongs to: that one ends "
				    "after it");
}

int handle_wait(lua_State *L, struct handle *handle, int64_t timeout, lua_KFunction k)
{
	struct task *task = task_check(L);

	check_circle(L, task, handle->task);
	list_append(&handle->waiters, &task->queued);
	return task_wait(L, task, handle, NULL, timeout, 0, k);
}

static int waited(lua_State *L, int status, lua_KContext context)
{
	struct handle *handle = lua_touserdata(L, 1);

	(void)status;
	(void)context;
	if (handle->task)
		return vm_fail(L, "the task has not ended in time", "ETIMEDOUT");
	return handle_results(L, 1, -1);
}

static int l_wait(lua_State *L)
{
	struct handle *handle = handle_at(L, 1);
	int64_t timeout = units_options(L, 2, 0, false).timeout;

	lua_settop(L, 1);
	if (handle->task)
		return handle_wait(L, handle, timeout, waited);
	return handle_results(L, 1, -1);
}

static int l_cancel(lua_State *L)
{
	struct handle *handle = handle_at(L, 1);

	if (handle->task)
		task_cancel(handle->task);
	return 0;
}

void handles_open(lua_State *L)
{
	static const luaL_Reg methods[] = {{"wait", l_wait}, {"cancel", l_cancel}, {NULL, NULL}};

	push_metatable(L, meta);
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}
