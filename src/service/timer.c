#include "service/timer.h"

#include <stdlib.h>

#include "service/task.h"
#include "service/units.h"
#include "service/vm.h"

static const char meta[] = "luvd.timer";

/* The userdata holds a pointer to it; the timer lives until it is closed, whoever has dropped
 * the userdata. */
struct timer {
	struct vm *vm;
	struct link all;
	uv_timer_t handle;
	uint64_t period;
	int function;
	struct task *task;  /* the call that runs now: calls never overlap */
	struct timer **box; /* NULL: collected */
};

static void on_closed(uv_handle_t *handle)
{
	struct timer *timer = handle->data;

	timer->vm->handles--;
	if (timer->task)
		timer->task->data = NULL;
	free(timer);
}

static void on_done(struct task *task, enum outcome outcome, const char *message)
{
	struct timer *timer = task->data;

	if (timer)
		timer->task = NULL;
	if (outcome == OUTCOME_FAILED)
		task_log_failure(task, message);
}

static int begin_call(lua_State *L)
{
	struct timer *timer = lua_touserdata(L, 1);

	lua_rawgeti(L, LUA_REGISTRYINDEX, timer->function);
	timer->task = task_create(L, 0, "timer");
	timer->task->data = timer;
	timer->task->done = on_done;
	return 0;
}

static void on_timer(uv_timer_t *handle)
{
	struct timer *timer = handle->data;
	struct vm *vm = timer->vm;

	if (timer->task)
		return;
	if (vm_run(vm, begin_call, timer) == LUA_OK) {
		task_start(timer->task);
		return;
	}
	vm->failed++;
	vm_log(vm, LEVEL_ERROR, lua_tostring(vm->L, -1), NULL, 0);
	lua_pop(vm->L, 1);
}

static void arm(struct timer *timer)
{
	if (timer->vm->phase != PHASE_RUNNING)
		return;
	uv_update_time(timer->vm->loop);
	uv_timer_start(&timer->handle, on_timer, timer->period, timer->period);
}

static void close_timer(struct timer *timer)
{
	struct vm *vm = timer->vm;

	if (uv_is_closing((uv_handle_t *)&timer->handle))
		return;
	luaL_unref(vm->L, LUA_REGISTRYINDEX, timer->function);
	list_remove(&timer->all);
	if (timer->box)
		*timer->box = NULL;
	timer->box = NULL;
	vm_close_handle(vm, (uv_handle_t *)&timer->handle, on_closed);
}

static uint64_t check_period(lua_State *L, int index)
{
	int64_t period = units_duration(L, index);

	luaL_argcheck(L, period > 0, index, "a period of at least one millisecond");
	return (uint64_t)period;
}

int timer_every(lua_State *L)
{
	struct vm *vm = vm_of(L);
	uint64_t period = check_period(L, 1);
	struct timer **box;
	struct timer *timer;

	luaL_checktype(L, 2, LUA_TFUNCTION);
	lua_settop(L, 2);
	box = lua_newuserdatauv(L, sizeof(struct timer *), 0);
	*box = NULL;
	luaL_setmetatable(L, meta);
	timer = calloc(1, sizeof *timer);
	if (!timer)
		vm_raise(L, "not enough memory");
	*box = timer; /* collected from here on, whatever raises */
	list_init(&timer->all);
	timer->box = box;
	lua_pushvalue(L, 2);
	timer->function = luaL_ref(L, LUA_REGISTRYINDEX);
	timer->vm = vm;
	timer->period = period;
	uv_timer_init(vm->loop, &timer->handle);
	timer->handle.data = timer;
	vm->handles++;
	list_append(&vm->timers, &timer->all);
	arm(timer);
	return 1;
}

static int l_set(lua_State *L)
{
	struct timer **box = luaL_checkudata(L, 1, meta);
	uint64_t period = check_period(L, 2);

	if (!*box)
		return luaL_error(L, "the timer is closed");
	(*box)->period = period;
	arm(*box);
	return 0;
}

static int l_close(lua_State *L)
{
	struct timer **box = luaL_checkudata(L, 1, meta);

	if (*box)
		close_timer(*box);
	return 0;
}

/* The timer itself goes on: it belongs to the service, not to the variable. */
static int l_gc(lua_State *L)
{
	struct timer **box = luaL_checkudata(L, 1, meta);

	if (*box && !(*box)->vm)
		free(*box); /* never begun */
	else if (*box)
		(*box)->box = NULL;
	return 0;
}

void timers_open(lua_State *L)
{
	static const luaL_Reg methods[] = {{"set", l_set}, {"close", l_close}, {NULL, NULL}};
	static const luaL_Reg events[] = {{"__gc", l_gc}, {"__close", l_close}, {NULL, NULL}};

	luaL_newmetatable(L, meta);
	luaL_setfuncs(L, events, 0);
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}

void timers_begin(struct vm *vm)
{
	for (struct link *link = vm->timers.next; link != &vm->timers; link = link->next)
		arm(LIST_ENTRY(link, struct timer, all));
}

void timers_end(struct vm *vm)
{
	for (struct link *link = vm->timers.next; link != &vm->timers; link = link->next)
		uv_timer_stop(&LIST_ENTRY(link, struct timer, all)->handle);
}

void timers_close(struct vm *vm)
{
	while (!list_empty(&vm->timers))
		close_timer(LIST_ENTRY(vm->timers.next, struct timer, all));
}
