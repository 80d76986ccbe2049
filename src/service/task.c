#include "service/task_state.h"

#include <stdlib.h>

#include "service/coverage.h"
#include "service/handle.h"
#include "service/vm.h"

enum {
	SPARES_MAX = 256, /* ended tasks that are kept for the next ones */
	RUN_AT_ONCE = 128 /* in a turn of the loop, when tasks wake each other */
};

/* --- making and keeping --- */

/* A coroutine whose function has returned is as good as a new one, and four times as cheap. */
static bool is_reusable(const struct task *task)
{
	const struct vm *vm = task->vm;

	return !task->exposed && vm->spare_count < SPARES_MAX && vm->phase != PHASE_CLOSED;
}

struct task_extra *task_extra(struct task *task)
{
	if (!task->extra && (task->extra = calloc(1, sizeof *task->extra)))
		list_init(&task->extra->groups);
	return task->extra;
}

static void discard(struct task *task)
{
	luaL_unref(task->vm->L, LUA_REGISTRYINDEX, task->reference);
	free(task);
}

void task_release(struct task *task, bool reusable)
{
	struct vm *vm = task->vm;

	alarm_clear(&vm->alarms, &task->alarm);
	if (task->extra)
		free(task->extra->passed);
	free(task->extra);
	if (!reusable || !is_reusable(task)) {
		discard(task);
		return;
	}
	lua_settop(task->L, 0);
	if (task->anchored) {
		lua_pushthread(task->L);
		lua_checkstack(vm->L, 1);
		lua_xmove(task->L, vm->L, 1);
		lua_rawseti(vm->L, LUA_REGISTRYINDEX, task->reference);
	}
	if (lua_gethook(task->L))
		lua_sethook(task->L, NULL, 0, 0);
	list_append(&vm->spares, &task->queued);
	vm->spare_count++;
}

static struct task *take_spare(struct vm *vm)
{
	struct task *task;

	if (list_empty(&vm->spares))
		return NULL;
	task = LIST_ENTRY(vm->spares.prev, struct task, queued); /* the warmest */
	list_remove(&task->queued);
	vm->spare_count--;
	*task = (struct task){.L = task->L, .reference = task->reference};
	return task;
}

static struct task *make(lua_State *L)
{
	lua_State *co = lua_newthread(L);
	int reference = luaL_ref(L, LUA_REGISTRYINDEX);
	struct task *task = calloc(1, sizeof *task);

	if (!task) {
		luaL_unref(L, LUA_REGISTRYINDEX, reference);
		vm_raise(L, "not enough memory");
	}
	task->L = co;
	task->reference = reference;
	return task;
}

static void enlist(struct task *task, const char *name)
{
	task->name = name;
	list_init(&task->queued);
	list_init(&task->children);
	list_append(&task->vm->tasks, &task->sibling);
	task->vm->task_count++;
}

struct task *task_create(lua_State *L, int nargs, const char *name)
{
	struct vm *vm = vm_of(L);
	struct task *task = take_spare(vm);

	if (!task)
		task = make(L);
	task->vm = vm;
	if (!lua_checkstack(task->L, nargs + 3)) {
		discard(task);
		vm_raise(L, "too many arguments for a task");
	}
	lua_xmove(L, task->L, nargs + 1);
	enlist(task, name);
	return task;
}

struct task *task_reuse(struct vm *vm, lua_CFunction function, void *argument, const char *name)
{
	struct task *task = take_spare(vm);

	if (!task)
		return NULL;
	task->vm = vm;
	lua_pushcfunction(task->L, function); /* an empty stack has room: LUA_MINSTACK */
	lua_pushlightuserdata(task->L, argument);
	enlist(task, name);
	return task;
}

void task_adopt(struct task *parent, struct task *task)
{
	task->parent = parent;
	task->depth = (unsigned short)(parent->depth + 1);
	list_remove(&task->sibling);
	list_append(&parent->children, &task->sibling);
}

/* The registry has the anchor where it had the coroutine: neither way allocates. */
void task_anchor(lua_State *L, struct task *task)
{
	lua_rawgeti(L, LUA_REGISTRYINDEX, task->reference);
	if (!lua_setiuservalue(L, -2, 1))
		vm_raise(L, "an anchor needs a user value, or nothing keeps the coroutine");
	lua_rawseti(L, LUA_REGISTRYINDEX, task->reference);
	task->anchored = true;
}

void task_keep(lua_State *L, struct task *task)
{
	lua_xmove(L, task->L, 1);
	lua_insert(task->L, 1);
	task->keeps = true;
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
		task_fail(task);
		return;
	}
	if (task_left(task) || task->doomed)
		task_close(task);
}

static void run(struct task *task)
{
	struct vm *vm = task->vm;
	int count = 0, arguments = 0;
	struct frame frame;
	int status;

	if (task->state == TASK_WAITING)
		lua_pop(task->L, 1); /* the marker */
	else
		arguments = lua_gettop(task->L) - 1 - task->keeps; /* it begins */
	if (!vm->grown && vm->bytes > VM_HEAP_SMALL)
		vm_grow(vm);
	task->detach = NULL;
	if (vm->coverage)
		coverage_arm(task->L);
	task->state = TASK_RUNNING;
	vm->current = task;
	vm_enter(vm, &frame, task->L);
	status = lua_resume(task->L, vm->L, arguments, &count);
	vm_leave(vm, &frame);
	vm->current = NULL;
	if (status == LUA_YIELD)
		suspended(task, count);
	else if (status == LUA_OK)
		task_return(task);
	else
		task_fail(task);
}

/* Not for ever: tasks that make each other ready must not keep the loop from its connections. */
static void on_turn(uv_idle_t *idle)
{
	struct vm *vm = idle->data;
	size_t count = 0;

	for (struct link *link = vm->ready.next; link != &vm->ready; link = link->next)
		count++;
	if (count < RUN_AT_ONCE)
		count = RUN_AT_ONCE;
	while (count-- > 0 && !list_empty(&vm->ready)) {
		struct task *task = LIST_ENTRY(vm->ready.next, struct task, queued);

		list_remove(&task->queued);
		run(task);
	}
	if (list_empty(&vm->ready))
		uv_idle_stop(idle);
}

void task_queue(struct task *task)
{
	if (task->main) { /* the flow looks at its state */
		task->state = TASK_READY;
		return;
	}
	list_append(&task->vm->ready, &task->queued);
	uv_idle_start(&task->vm->turn, on_turn);
}

static void resume(struct task *task)
{
	if (task->vm->running == 0 && !task->main)
		run(task);
	else
		task_queue(task);
}

void task_start(struct task *task)
{
	resume(task);
}

void task_wake(struct task *task)
{
	if (task->state != TASK_WAITING || !task->object)
		return; /* woken already */
	task_stop_waiting(task);
	resume(task);
}

void task_wake_later(struct task *task)
{
	if (task->state != TASK_WAITING || !task->object)
		return;
	task_stop_waiting(task);
	task_queue(task);
}

/* --- all of them --- */

void tasks_init(struct vm *vm)
{
	list_init(&vm->tasks);
	list_init(&vm->ready);
	list_init(&vm->doomed);
	list_init(&vm->spares);
	uv_idle_init(vm->loop, &vm->turn);
	vm->turn.data = vm;
	alarms_init(&vm->alarms, &vm->clock);
	vm->handles += 2;
	handles_init(vm);
}

void tasks_cancel(struct vm *vm)
{
	size_t count = vm->task_count;

	/* None is made meanwhile: the phase forbids it. */
	while (count-- > 0 && !list_empty(&vm->tasks))
		task_cancel(LIST_ENTRY(vm->tasks.next, struct task, sibling));
	handles_flush(vm);
	while (!list_empty(&vm->spares)) {
		struct task *task = LIST_ENTRY(vm->spares.next, struct task, queued);

		list_remove(&task->queued);
		vm->spare_count--;
		discard(task);
	}
}
