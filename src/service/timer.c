#include "service/timer.h"

#include <stdlib.h>
#include <string.h>

#include "service/census.h"
#include "service/origin.h"
#include "service/push.h"
#include "service/schedule.h"
#include "service/task.h"
#include "service/units.h"
#include "service/vm.h"

static const char meta[] = "luvd.timer";

enum kind { EVERY, CRON };

/* When it calls. */
struct rule {
	enum kind kind;
	uint64_t period; /* EVERY: milliseconds */
	struct schedule schedule;
};

/* The userdata holds a pointer to it; the timer lives until it is closed, whoever has dropped
 * the userdata. */
struct timer {
	struct vm *vm;
	struct link all;
	struct alarm alarm;
	struct rule rule;
	int function;
	struct task *task;  /* the call that runs now: calls never overlap */
	struct timer **box; /* NULL: collected */
};

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
	timer->task = task_create(L, 0, timer->rule.kind == CRON ? "cron" : "timer");
	timer->task->data = timer;
	timer->task->done = on_done;
	return 0;
}

static void call(struct timer *timer)
{
	struct vm *vm = timer->vm;

	if (timer->task)
		return;
	if (vm_run(vm, begin_call, timer) == LUA_OK) {
		task_start(timer->task);
		return;
	}
	vm->failed++;
	vm_log_failure(vm, lua_tostring(vm->L, -1), NULL, 0);
	lua_pop(vm->L, 1);
}

static void on_alarm(struct alarm *alarm);

static void set_alarm(struct timer *timer, uint64_t delay)
{
	alarm_init(&timer->vm->alarms, &timer->alarm, on_alarm);
	alarm_set(&timer->vm->alarms, &timer->alarm, vm_now(timer->vm) + delay);
}

static int64_t steady(const struct vm *vm)
{
	return (int64_t)(clock_precise(&vm->clock) / 1000000);
}

static bool look(struct timer *timer)
{
	struct vm *vm = timer->vm;

	return schedule_look(&timer->rule.schedule, vm_wall_clock(vm), steady(vm));
}

/* The next alarm is set first: the call may close the timer, which frees it. */
static void on_alarm(struct alarm *alarm)
{
	struct timer *timer = LIST_ENTRY(alarm, struct timer, alarm);
	bool due = true;

	if (timer->rule.kind == CRON) {
		due = look(timer);
		set_alarm(timer, (uint64_t)schedule_wait(&timer->rule.schedule));
	} else {
		set_alarm(timer, timer->rule.period);
	}
	if (due)
		call(timer);
}

static void arm(struct timer *timer)
{
	struct schedule *schedule = &timer->rule.schedule;

	if (timer->vm->phase != PHASE_RUNNING)
		return;
	vm_update(timer->vm);
	if (timer->rule.kind == CRON) {
		schedule_begin(schedule, vm_wall_clock(timer->vm), steady(timer->vm));
		set_alarm(timer, (uint64_t)schedule_wait(schedule));
	} else {
		set_alarm(timer, timer->rule.period);
	}
}

static void close_timer(struct timer *timer)
{
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not see that the list loses it */
	struct vm *vm = timer->vm;

	luaL_unref(vm->L, LUA_REGISTRYINDEX, timer->function);
	list_remove(&timer->all);
	alarm_clear(&vm->alarms, &timer->alarm);
	if (timer->box)
		*timer->box = NULL;
	if (timer->task)
		timer->task->data = NULL;
	free(timer);
}

/* --- from Lua --- */

static uint64_t check_period(lua_State *L, int index)
{
	int64_t period = units_duration(L, index);

	luaL_argcheck(L, period > 0, index, "a period of at least one millisecond");
	return (uint64_t)period;
}

static void check_cron(lua_State *L, int index, struct cron *cron)
{
	size_t length;
	const char *text = luaL_checklstring(L, index, &length);
	struct err err;

	luaL_argcheck(L, strlen(text) == length, index, "an expression without zero bytes");
	if (cron_parse(cron, text, &err) < 0)
		vm_raise(L, "%s", err.what);
}

/* { utc = true } at index, or nil. */
static bool check_utc(lua_State *L, int index)
{
	bool utc = false;

	if (lua_isnoneornil(L, index))
		return false;
	luaL_checktype(L, index, LUA_TTABLE);
	lua_pushnil(L);
	while (lua_next(L, index)) {
		const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";

		if (strcmp(key, "utc") != 0)
			vm_raise(L, "unknown option \"%s\": there is utc", key);
		if (!lua_isboolean(L, -1))
			vm_raise(L, "option utc must be true or false, got %s",
				 luaL_tolstring(L, -1, NULL));
		utc = lua_toboolean(L, -1);
		lua_pop(L, 1);
	}
	return utc;
}

/* The rule is what the first argument says, the second one is the function. */
static int create(lua_State *L, const struct rule *rule)
{
	struct vm *vm = vm_of(L);
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
	timer->rule = *rule;
	list_append(&vm->timers, &timer->all);
	origin_note(vm, L, timer);
	arm(timer);
	return 1;
}

int timer_every(lua_State *L)
{
	struct rule rule = {.kind = EVERY};

	rule.period = check_period(L, 1);
	return create(L, &rule);
}

int timer_cron(lua_State *L)
{
	struct rule rule = {.kind = CRON};

	check_cron(L, 1, &rule.schedule.cron);
	rule.schedule.utc = check_utc(L, 3);
	return create(L, &rule);
}

static int l_set(lua_State *L)
{
	struct timer **box = luaL_checkudata(L, 1, meta);
	struct cron cron;

	if (!*box)
		return luaL_error(L, "the timer is closed");
	if ((*box)->rule.kind == CRON) {
		check_cron(L, 2, &cron); /* the rule stays whole when it raises */
		(*box)->rule.schedule.cron = cron;
	} else {
		(*box)->rule.period = check_period(L, 2);
	}
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

	push_metatable(L, meta);
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
		alarm_clear(&vm->alarms, &LIST_ENTRY(link, struct timer, all)->alarm);
}

void timers_close(struct vm *vm)
{
	while (!list_empty(&vm->timers))
		close_timer(LIST_ENTRY(vm->timers.next, struct timer, all));
}

void timers_tell(struct vm *vm, struct census *census)
{
	for (struct link *link = vm->timers.next; link != &vm->timers; link = link->next) {
		const struct timer *timer = LIST_ENTRY(link, struct timer, all);

		census_add(census, timer, "timer of luvd.%s",
			   timer->rule.kind == CRON ? "cron" : "every");
	}
}
