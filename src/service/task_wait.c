#include "service/task_state.h"

#include <lauxlib.h>
#include <stdlib.h>

#include "service/vm.h"

/* What a suspended coroutine has yielded when the host, not the service, suspended it. */
static const char marker_wait = 0, marker_leave = 0;

struct task *task_check(lua_State *L)
{
	struct vm *vm = vm_of(L);
	struct task *task = vm->current;

	if (vm->phase == PHASE_LOADING)
		vm_raise(L, "cannot wait while the service is being loaded: wait inside start");
	if (!task)
		vm_raise(L, "cannot wait outside of a task: use daemon:spawn in a callback of uv");
	if (task->closing)
		vm_raise(L, "cannot wait while a task is being closed (in a <close> value)");
	if (vm->pinned || !lua_isyieldable(L))
		vm_raise(L, "cannot wait inside a function that Lua cannot suspend (a function "
			    "given to table.sort, string.gsub, load, or a finalizer)");
	luaL_checkstack(L, 4, NULL);
	return task;
}

/* --- deadlines --- */

static void on_alarm(struct alarm *alarm)
{
	struct task *task = LIST_ENTRY(alarm, struct task, alarm);
	struct alarms *alarms = &task->vm->alarms;

	if (task->deadline == 0)
		return;
	if (task->deadline > uv_now(task->vm->loop)) {
		alarm_set(alarms, alarm, task->deadline);
		return;
	}
	task->timed_out = true;
	task_wake(task);
}

/* An alarm that is due sooner than this wait stays as it is and is set anew when it rings: a
 * connection that reads with the same timeout all the time sets it once per timeout. */
static void arm(struct task *task, int64_t timeout)
{
	struct vm *vm = task->vm;

	uv_update_time(vm->loop); /* Lua may have computed for long */
	task->deadline = uv_now(vm->loop) + (uint64_t)timeout;
	if (task->deadline == 0)
		task->deadline = 1;
	task->alarm.ring = on_alarm;
	if (!alarm_is_set(&task->alarm) || task->alarm.due > task->deadline)
		alarm_set(&vm->alarms, &task->alarm, task->deadline);
}

/* --- waiting --- */

int task_wait(lua_State *L, struct task *task, void *object, void (*detach)(struct task *),
	      int64_t timeout, lua_KContext context, lua_KFunction k)
{
	task->state = TASK_WAITING;
	task->object = object;
	task->detach = detach;
	task->timed_out = false;
	if (task->passed)
		task->passed->count = 0;
	if (timeout >= 0)
		arm(task, timeout);
	lua_pushlightuserdata(L, (void *)&marker_wait);
	return lua_yieldk(L, 1, context, k);
}

void task_stop_waiting(struct task *task)
{
	void (*function)(struct task *) = task->detach;

	task->deadline = 0;
	task->detach = NULL;
	list_remove(&task->queued);
	if (function)
		function(task);
	task->object = NULL;
}

int task_leave(lua_State *L, const char *what)
{
	struct vm *vm = vm_of(L);
	struct task *task = vm->current;

	if (!task || task->closing || vm->pinned || !lua_isyieldable(L))
		return luaL_error(L, "the service called %s", what);
	task->doomed = true;
	if (task->passed)
		task->passed->count = 0;
	lua_pushlightuserdata(L, (void *)&marker_leave);
	return lua_yield(L, 1);
}

bool task_left(const struct task *task)
{
	return lua_touserdata(task->L, -1) == &marker_leave;
}

/* --- through the service's own coroutines --- */

bool task_marker(lua_State *co)
{
	const void *value = lua_touserdata(co, -1);

	return lua_islightuserdata(co, -1) && (value == &marker_wait || value == &marker_leave);
}

static struct passed *make_room(struct passed *passed)
{
	size_t room = passed ? 2 * passed->room : 4;
	struct passed *fresh = realloc(passed, sizeof *fresh + room * sizeof(lua_State *));

	if (!fresh)
		return NULL;
	fresh->room = room;
	if (!passed)
		fresh->count = 0;
	return fresh;
}

void task_pass(lua_State *L, lua_State *co)
{
	struct task *task = vm_of(L)->current;
	struct passed *passed = task ? task->passed : NULL;

	lua_pushlightuserdata(L, lua_touserdata(co, -1));
	if (!task)
		return;
	if (!passed || passed->count == passed->room) {
		passed = make_room(passed);
		if (!passed)
			return; /* its <close> values are left to the collector */
		task->passed = passed;
	}
	passed->threads[passed->count++] = co;
}
