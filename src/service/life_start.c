#include "service/life_state.h"

#include "service/fs_watch.h"
#include "service/object.h"
#include "service/server.h"
#include "service/service.h"
#include "service/task.h"
#include "service/timer.h"
#include "service/udp.h"
#include "service/vm.h"

static int push_start(lua_State *L)
{
	struct life *life = lua_touserdata(L, 1);

	if (!service_push(L, "start"))
		return luaL_error(L, "the service has lost its function start");
	object_push(L);
	life->verb = task_create(L, 1, "start");
	life->verb->outlived = true;
	return 0;
}

void life_begin_start(struct life *life)
{
	life->state = STARTING;
	life->vm->phase = PHASE_STARTING;
	life_set_deadline(life, life->daemon->spec->timeout_start);
	life_run_verb(life, push_start, "start");
}

void life_give_up_start(struct life *life)
{
	struct err err = life->err;

	life->state = STOPPED;
	life_close_all(life);
	life->calls.started(life->calls.data, &err);
}

static void warn_unserved(struct life *life)
{
	const struct spec *spec = life->daemon->spec;

	for (size_t i = 0; i < spec->listen_count; i++)
		if (!server_exists(life->vm, spec->listens[i].name) &&
		    !udp_is_served(life->vm, &spec->listens[i]))
			vm_printf(life->vm, LEVEL_WARN, "listener '%s' is not served",
				  spec->listens[i].name);
}

static int l_warn_unhandled(lua_State *L)
{
	struct vm *vm = vm_of(L);
	const struct spec *spec = vm->daemon->spec;

	for (size_t i = 0; i < spec->signal_count; i++) {
		const struct signal_spec *action = &spec->signals[i];

		if (action->action != ACTION_SERVICE)
			continue;
		if (!service_push(L, action->function))
			vm_printf(vm, LEVEL_WARN, "signals: the service has no function '%s'",
				  action->function);
		lua_settop(L, 1);
	}
	return 0;
}

/* Not an error: the service may define it later, and the signal may never come. */
static void warn_unhandled(struct vm *vm)
{
	if (vm_run(vm, l_warn_unhandled, NULL) != LUA_OK)
		lua_pop(vm->L, 1);
}

void life_become_ready(struct life *life)
{
	int code;

	alarm_clear(&life->vm->alarms, &life->deadline);
	life->state = RUNNING;
	life->vm->phase = PHASE_RUNNING;
	code = servers_begin(life->vm);
	if (code == 0)
		code = udps_begin(life->vm);
	if (code < 0) {
		life_fail(life, "start", "cannot watch the listening sockets");
		life->err.code = -code;
		life_give_up_start(life);
		return;
	}
	warn_unserved(life);
	warn_unhandled(life->vm);
	timers_begin(life->vm);
	fs_watchers_begin(life->vm);
	life->calls.started(life->calls.data, NULL);
}

void life_start_is_late(struct life *life)
{
	if (!life->verb)
		return; /* it has just returned */
	life_fail_late(life, "start", life->daemon->spec->timeout_start);
	life_give_up_start(life);
}

void life_abort_start(struct life *life)
{
	life_fail(life, "start", "stopped before the service was ready");
	life_give_up_start(life);
	life->state = CLOSING;
	life_post(life, GONE);
}
