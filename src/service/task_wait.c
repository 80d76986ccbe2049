#include "service/task_state.h"

#include <lauxlib.h>
#include <stdlib.h>

#include "service/flow.h"
#include "service/vm.h"

/* What a suspended coroutine has yielded when the host, not the service, suspended it. */
static const char marker_wait = 0, marker_leave = 0;

struct task *task_check(lua_State *L)
{
	struct vm *vm = vm_of(L);
	struct task *task = vm->current;

	if (vm->phase == PHASE_LOADING)
		vm_raise(L, "cannot wait while the service is being loaded: wait inside start");
	if (vm->script && vm->phase == PHASE_CLOSED)
		vm_raise(L, "cannot wait: the script has ended");
	if (!task)
		vm_raise(L, "cannot wait outside of a task: use %s",
			 vm->script ? "task.spawn" : "daemon:spawn");
	if (task->closing)
		vm_raise(L, "cannot wait while a task is being closed (in a <close> value)");
	if (task->main) {
		flow_begin(L);
		return task;
	}
	if (vm->pinned || !lua_isyieldable(L))
		vm_raise(L, "cannot wait inside a function that Lua cannot suspend (a function "
			    "given to table.sort, string.gsub, load, or a finalizer)");
	luaL_checkstack(L, 4, NULL);
	return task;
}

bool task_may_wait(lua_State *L, const struct task *task)
{
	const struct vm *vm = vm_of(L);

	if (!task || task != vm->current || task->closing)
		return false;
	if (task->main)
		return vm->phase != PHASE_CLOSED;
	return !vm->pinned && lua_isyieldable(L);
}

/* --- deadlines --- */

static void on_alarm(struct alarm *alarm)
{
	struct task *task = LIST_ENTRY(alarm, struct task, alarm);
	struct alarms *alarms = &task->vm->alarms;

	if (task->deadline == 0)
		return;
	if (task->deadline > vm_now(task->vm)) {
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

	vm_update(vm); /* Lua may have computed for long */
	task->deadline = vm_now(vm) + (uint64_t)timeout;
	if (task->deadline == 0)
		task->deadline = 1;
	alarm_init(&vm->alarms, &task->alarm, on_alarm);
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
	if (task->extra)
		task->extra->passed_count = 0;
	if (timeout >= 0)
		arm(task, timeout);
	if (task->main)
		return flow_wait(L, context, k);
	lua_pushlightuserdata(L, (void *)&marker_wait);
	return lua_yieldk(L, 1, context, k);
}

void task_grant(struct task *task, void (*lost)(struct task *task))
{
	task_stop_waiting(task);
	task->detach = lost;
	task_queue(task);
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
	if (task->extra)
		task->extra->passed_count = 0;
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

static bool make_room(struct task_extra *extra)
{
	size_t room = extra->passed_room ? 2 * extra->passed_room : 4;
	lua_State **passed = realloc(extra->passed, room * sizeof(lua_State *));

	if (!passed)
		return false;
	extra->passed = passed;
	extra->passed_room = room;
	return true;
}

void task_pass(lua_State *L, lua_State *co)
{
	struct task *task = vm_of(L)->current;
	struct task_extra *extra = task ? task_extra(task) : NULL;

	lua_pushlightuserdata(L, lua_touserdata(co, -1));
	if (!extra)
		return;
	if (extra->passed_count == extra->passed_room && !make_room(extra))
		return; /* its <close> values are left to the collector */
	extra->passed[extra->passed_count++] = co;
}
