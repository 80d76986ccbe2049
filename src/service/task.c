#include "service/task.h"

#include <stdlib.h>
#include <string.h>

#include "service/explain.h"
#include "service/vm.h"

/* What a suspended coroutine has yielded when the host, not the service, suspended it. */
static const char marker_wait = 0, marker_leave = 0;

static void end(struct task *task, enum outcome outcome, const char *message);

/* --- the end of a task --- */

static void release(struct task *task)
{
	free(task->passed);
	free(task);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct task *task = handle->data;

	task->vm->handles--;
	release(task);
}

void task_log_failure(struct task *task, const char *message)
{
	struct log_field field = {.key = "task", .bytes = task->name, .length = strlen(task->name)};

	vm_log(task->vm, LEVEL_ERROR, message, &field, 1);
}

static void end(struct task *task, enum outcome outcome, const char *message)
{
	struct vm *vm = task->vm;

	task->state = TASK_ENDED;
	list_remove(&task->all);
	list_remove(&task->queued);
	vm->task_count--;
	if (outcome == OUTCOME_FAILED)
		vm->failed++;
	if (task->done)
		task->done(task, outcome, message);
	else if (outcome == OUTCOME_FAILED)
		task_log_failure(task, message);
	luaL_unref(vm->L, LUA_REGISTRYINDEX, task->reference);
	task->L = NULL;
	if (task->has_timer)
		vm_close_handle(vm, (uv_handle_t *)&task->timer, on_timer_closed);
	else
		release(task);
}

/* Is the error on top of co the one that ended it (kept on the main thread)? */
static bool is_known(struct vm *vm, lua_State *co, int known)
{
	bool same;

	if (known == 0 || !lua_checkstack(co, 1) || !lua_checkstack(vm->L, 1))
		return known != 0;
	lua_pushvalue(co, -1);
	lua_xmove(co, vm->L, 1);
	same = lua_rawequal(vm->L, -1, known);
	lua_pop(vm->L, 1);
	return same;
}

/* Runs the <close> values of a suspended or failed coroutine; an error in one is logged. known:
 * where the error of the task itself is on the main thread's stack; 0: it has none. */
static void close_thread(struct task *task, lua_State *co, int known)
{
	struct vm *vm = task->vm;

	if (lua_resetthread(co) == LUA_OK || lua_gettop(co) == 0)
		return;
	if (is_known(vm, co, known)) {
		lua_pop(co, 1);
		return;
	}
	vm->failed++;
	task_log_failure(task, explain_error(vm, co));
	lua_pop(vm->L, 1);
}

/* Innermost first, as an error would have unwound them. */
static void close_threads(struct task *task, int known)
{
	struct vm *vm = task->vm;
	struct task *before = vm->current;

	vm->current = task;
	vm->running++;
	task->closing = true;
	for (size_t i = 0; i < task->passed_count; i++)
		close_thread(task, task->passed[i], known);
	task->passed_count = 0;
	close_thread(task, task->L, known);
	vm->running--;
	vm->current = before;
}

static void fail(struct task *task)
{
	struct vm *vm = task->vm;
	lua_State *L = vm->L;
	const char *message;

	lua_checkstack(L, 2);
	lua_checkstack(task->L, 1);
	lua_pushvalue(task->L, -1);
	lua_xmove(task->L, L, 1);
	message = explain_error(vm, task->L);
	close_threads(task, lua_gettop(L) - 1);
	end(task, OUTCOME_FAILED, message);
	lua_pop(L, 2);
}

static void stop_waiting(struct task *task)
{
	void (*function)(struct task *) = task->detach;

	task->deadline = 0;
	task->detach = NULL;
	list_remove(&task->queued);
	if (function)
		function(task);
	task->object = NULL;
}

void task_cancel(struct task *task)
{
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not see that end unlinks */
	if (task->state == TASK_ENDED || task->closing)
		return;
	if (task->state == TASK_RUNNING) {
		task->doomed = true;
		return;
	}
	stop_waiting(task);
	close_threads(task, 0);
	end(task, OUTCOME_CANCELLED, NULL);
}

/* --- running --- */

static void suspended(struct task *task, int count)
{
	lua_State *L = task->L;

	if (count != 1 || !task_marker(L)) {
		lua_pop(L, count);
		lua_checkstack(L, 1);
		lua_pushliteral(L, "coroutine.yield outside of a coroutine: a task waits only "
				   "through functions that wait");
		fail(task);
		return;
	}
	if (lua_touserdata(L, -1) == &marker_leave || task->doomed) {
		stop_waiting(task);
		task->state = TASK_WAITING;
		task_cancel(task);
	}
}

static void run(struct task *task)
{
	struct vm *vm = task->vm;
	int count = 0, arguments = task->arguments;
	int status;

	if (task->state == TASK_WAITING)
		lua_pop(task->L, 1); /* the marker */
	task->arguments = 0;
	task->state = TASK_RUNNING;
	vm->current = task;
	vm->running++;
	status = lua_resume(task->L, vm->L, arguments, &count);
	vm->running--;
	vm->current = NULL;
	if (status == LUA_YIELD)
		suspended(task, count);
	else if (status == LUA_OK)
		end(task, OUTCOME_DONE, NULL);
	else
		fail(task);
}

/* Only those that are ready now: a task that makes itself ready again must not keep the loop
 * from its connections. */
static void on_turn(uv_idle_t *idle)
{
	struct vm *vm = idle->data;
	size_t count = 0;

	for (struct link *link = vm->ready.next; link != &vm->ready; link = link->next)
		count++;
	while (count-- > 0 && !list_empty(&vm->ready)) {
		struct task *task = LIST_ENTRY(vm->ready.next, struct task, queued);

		list_remove(&task->queued);
		run(task);
	}
	if (list_empty(&vm->ready))
		uv_idle_stop(idle);
}

static void queue(struct task *task)
{
	list_append(&task->vm->ready, &task->queued);
	uv_idle_start(&task->vm->turn, on_turn);
}

static void resume(struct task *task)
{
	if (task->vm->running == 0)
		run(task);
	else
		queue(task);
}

void task_start(struct task *task)
{
	resume(task);
}

void task_wake(struct task *task)
{
	if (task->state != TASK_WAITING || !task->object)
		return; /* woken already */
	stop_waiting(task);
	resume(task);
}

void task_wake_later(struct task *task)
{
	if (task->state != TASK_WAITING || !task->object)
		return;
	stop_waiting(task);
	queue(task);
}

static struct task *make(lua_State *L, int nargs)
{
	lua_State *co = lua_newthread(L);
	struct task *task;
	int reference;

	lua_insert(L, -nargs - 2);
	if (!lua_checkstack(co, nargs + 2))
		vm_raise(L, "too many arguments for a task");
	lua_xmove(L, co, nargs + 1);
	reference = luaL_ref(L, LUA_REGISTRYINDEX);
	task = calloc(1, sizeof *task);
	if (!task) {
		luaL_unref(L, LUA_REGISTRYINDEX, reference);
		vm_raise(L, "not enough memory");
	}
	task->L = co;
	task->reference = reference;
	return task;
}

struct task *task_create(lua_State *L, int nargs, const char *name)
{
	struct vm *vm = vm_of(L);
	struct task *task = make(L, nargs);

	task->vm = vm;
	task->name = name;
	task->arguments = nargs;
	list_init(&task->queued);
	list_append(&vm->tasks, &task->all);
	vm->task_count++;
	return task;
}

/* --- waiting --- */

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

static void on_timer(uv_timer_t *timer)
{
	struct task *task = timer->data;
	uint64_t now = uv_now(timer->loop);

	if (task->deadline == 0)
		return;
	if (task->deadline > now) {
		uv_timer_start(timer, on_timer, task->deadline - now, 0);
		return;
	}
	task->timed_out = true;
	task_wake(task);
}

/* A timer that is due sooner than this wait stays as it is and is set anew when it fires: a
 * connection that reads with the same timeout all the time sets it once per timeout. */
static void arm(struct task *task, int64_t timeout)
{
	struct vm *vm = task->vm;

	uv_update_time(vm->loop); /* Lua may have computed for long */
	task->deadline = uv_now(vm->loop) + (uint64_t)timeout;
	if (task->deadline == 0)
		task->deadline = 1;
	if (!task->has_timer) {
		uv_timer_init(vm->loop, &task->timer);
		task->timer.data = task;
		task->has_timer = true;
		vm->handles++;
	}
	if (!uv_is_active((uv_handle_t *)&task->timer) ||
	    uv_timer_get_due_in(&task->timer) > (uint64_t)timeout)
		uv_timer_start(&task->timer, on_timer, (uint64_t)timeout, 0);
}

int task_wait(lua_State *L, struct task *task, void *object, void (*detach)(struct task *),
	      int64_t timeout, lua_KContext context, lua_KFunction k)
{
	task->state = TASK_WAITING;
	task->object = object;
	task->detach = detach;
	task->timed_out = false;
	task->passed_count = 0;
	if (timeout >= 0)
		arm(task, timeout);
	lua_pushlightuserdata(L, (void *)&marker_wait);
	return lua_yieldk(L, 1, context, k);
}

int task_leave(lua_State *L, const char *what)
{
	struct vm *vm = vm_of(L);
	struct task *task = vm->current;

	if (!task || task->closing || vm->pinned || !lua_isyieldable(L))
		return luaL_error(L, "the service called %s", what);
	task->doomed = true;
	task->passed_count = 0;
	lua_pushlightuserdata(L, (void *)&marker_leave);
	return lua_yield(L, 1);
}

/* --- through the service's own coroutines --- */

bool task_marker(lua_State *co)
{
	const void *value = lua_touserdata(co, -1);

	return lua_islightuserdata(co, -1) && (value == &marker_wait || value == &marker_leave);
}

void task_pass(lua_State *L, lua_State *co)
{
	struct task *task = vm_of(L)->current;

	lua_pushlightuserdata(L, lua_touserdata(co, -1));
	if (!task)
		return;
	if (task->passed_count == task->passed_room) {
		size_t room = task->passed_room ? 2 * task->passed_room : 4;
		lua_State **passed = realloc(task->passed, room * sizeof(lua_State *));

		if (!passed)
			return; /* its <close> values are left to the collector */
		task->passed = passed;
		task->passed_room = room;
	}
	task->passed[task->passed_count++] = co;
}

/* --- all of them --- */

void tasks_init(struct vm *vm)
{
	list_init(&vm->tasks);
	list_init(&vm->ready);
	uv_idle_init(vm->loop, &vm->turn);
	vm->turn.data = vm;
	alarms_init(&vm->alarms, vm->loop);
	vm->handles += 2;
}

void tasks_cancel(struct vm *vm)
{
	size_t count = vm->task_count;

	/* None is made meanwhile: the phase forbids it. */
	while (count-- > 0 && !list_empty(&vm->tasks))
		task_cancel(LIST_ENTRY(vm->tasks.next, struct task, all));
}
