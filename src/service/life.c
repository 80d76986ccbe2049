#include "service/life.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "service/life_state.h"
#include "service/object.h"
#include "service/server.h"
#include "service/service.h"
#include "service/task.h"
#include "service/udp.h"
#include "service/uvlib.h"
#include "service/vm.h"
#include "service/vm_close.h"

/* --- the table --- */

static void (*const table[STATES][EVENTS])(struct life *life) = {
    [LOADED] =
	{[START] = life_begin_start, [STOP] = life_cancel_rest, [STOP_NOW] = life_cancel_rest},
    [STARTING] = {[RETURNED] = life_become_ready,
		  [RAISED] = life_give_up_start,
		  [DEADLINE] = life_start_is_late,
		  [STOP] = life_abort_start,
		  [STOP_NOW] = life_abort_start},
    [RUNNING] = {[STOP] = life_begin_stop, [STOP_NOW] = life_cancel_rest},
    [RELOADING] = {[RELOAD] = life_run_reload,
		   [RETURNED] = life_accept_reload,
		   [RAISED] = life_refuse_reload,
		   [DEADLINE] = life_reload_is_late,
		   [STOP] = life_interrupt_reload,
		   [STOP_NOW] = life_interrupt_reload_now},
    [STOPPING] = {[RETURNED] = life_drain,
		  [RAISED] = life_drain_after_failure,
		  [DEADLINE] = life_give_up_waiting,
		  [STOP_NOW] = life_cancel_rest},
    [DRAINING] = {[QUIET] = life_cancel_rest,
		  [DEADLINE] = life_give_up_waiting,
		  [STOP_NOW] = life_cancel_rest},
    [CLOSING] = {[GONE] = life_tell_stopped},
    [STOPPED] = {[STOP] = life_cancel_rest, [STOP_NOW] = life_cancel_rest},
};

/* --- events --- */

void life_happen(struct life *life, enum event event)
{
	if (table[life->state][event])
		table[life->state][event](life);
}

static void on_later(uv_timer_t *timer)
{
	struct life *life = timer->data;
	unsigned pending = life->pending;

	life->pending = 0;
	for (int event = 0; event < EVENTS; event++)
		if (pending & (1U << event))
			life_happen(life, (enum event)event);
}

/* Nothing happens inside a call of the host or of Lua: the loop brings it. */
void life_post(struct life *life, enum event event)
{
	life->pending |= 1U << event;
	uv_timer_start(&life->later, on_later, 0, 0);
}

static void on_deadline(struct alarm *alarm)
{
	life_happen(LIST_ENTRY(alarm, struct life, deadline), DEADLINE);
}

void life_set_deadline(struct life *life, int64_t timeout)
{
	struct vm *vm = life->vm;

	vm_update(vm);
	alarm_set(&vm->alarms, &life->deadline, vm_now(vm) + (uint64_t)timeout);
}

/* --- what Lua asks for --- */

static void on_leave(struct vm *vm, const char *what, int code)
{
	struct life *life = vm->life;
	char text[96];

	snprintf(text, sizeof text, "the service called %s", what);
	if (life->state == STARTING) {
		life_fail(life, "start", text);
		life_post(life, RAISED);
		return;
	}
	if (life->state == LOADED || life->leaving)
		return;
	life->leaving = true;
	life->code = code;
	if (life->state == RELOADING)
		life_fail(life, "reload", "the daemon is being stopped");
	if (life->state == STOPPING) /* by os.exit: it ends the task of stop */
		life_fail(life, "stop", text);
	if (life->state < STOPPING)
		life->calls.stop(life->calls.data, code);
}

static void on_quiet(struct vm *vm)
{
	if (vm->life->state == DRAINING)
		life_post(vm->life, QUIET);
}

/* --- public --- */

void life_start(struct life *life)
{
	life_post(life, START);
}

void life_stop(struct life *life, const char *reason, int64_t timeout, bool now)
{
	life->vm->timeout_stop = timeout;
	snprintf(life->reason, sizeof life->reason, "%s", reason);
	life_post(life, now ? STOP_NOW : STOP);
}

struct signal_call {
	const char *function;
	int number;
	struct task *task;
};

static int begin_signal(lua_State *L)
{
	struct signal_call *call = lua_touserdata(L, 1);

	if (!service_push(L, call->function)) {
		vm_printf(vm_of(L), LEVEL_ERROR, "signals: the service has no function '%s'",
			  call->function);
		return 0;
	}
	object_push(L);
	lua_pushinteger(L, call->number);
	call->task = task_create(L, 2, "signal");
	return 0;
}

void life_signal(struct life *life, const char *function, int number)
{
	struct signal_call call = {function, number, NULL};
	struct vm *vm = life->vm;

	if (life->state != RUNNING && life->state != RELOADING)
		return;
	if (vm_run(vm, begin_signal, &call) == LUA_OK) {
		if (call.task)
			task_start(call.task);
		return;
	}
	vm_log(vm, LEVEL_ERROR, lua_tostring(vm->L, -1), NULL, 0);
	lua_pop(vm->L, 1);
}

uint64_t life_lag(struct life *life)
{
	return slice_read(&life->vm->slice.lag);
}

void life_count(struct life *life, struct life_counts *counts, struct life_totals *totals)
{
	struct vm *vm = life->vm;

	memset(counts, 0, life->daemon->listener_count * sizeof *counts);
	for (const struct link *link = vm->servers.next; link != &vm->servers; link = link->next) {
		const struct server *server = LIST_ENTRY(link, struct server, all);

		for (size_t i = 0; !server->own && i < server->acceptor_count; i++) {
			const struct acceptor *acceptor = &server->acceptors[i];

			counts[acceptor->listener - life->daemon->listeners] = (struct life_counts){
			    .connections = acceptor->connections, .accepted = acceptor->accepted};
		}
	}
	for (const struct link *link = vm->udps.next; link != &vm->udps; link = link->next) {
		const struct udp *udp = LIST_ENTRY(link, struct udp, all);

		if (!udp->own)
			counts[udp->listener - life->daemon->listeners].accepted = udp->received;
	}
	*totals = (struct life_totals){.lua_bytes = vm->bytes,
				       .tasks = vm->task_count,
				       .failed = vm->failed,
				       .longest_us = slice_read(&vm->slice.longest)};
}

/* --- making and taking down --- */

static void on_closed(uv_handle_t *handle)
{
	struct life *life = handle->data;

	life->vm->handles--;
}

void life_destroy(struct life *life)
{
	struct vm *vm;
	size_t left;

	if (!life)
		return;
	vm = life->vm;
	if (life->before && life->state == RELOADING)
		life_roll_back(life);
	life->state = STOPPED;
	slice_close(vm);
	life->verb = NULL;
	left = vm_shut(vm, &life->later);
	vm_close_handle(vm, (uv_handle_t *)&life->later, on_closed);
	while (vm->handles > 0)
		uv_run(vm->loop, UV_RUN_NOWAIT);
	servers_free(vm);
	if (left == 0)
		vm_destroy(vm); /* else a thread may still come back to it */
	free(life);
}

struct life *life_create(uv_loop_t *loop, struct daemon *daemon, const struct life_calls *calls,
			 struct err *err)
{
	struct life *life = calloc(1, sizeof *life);

	if (!life) {
		err_set(err, "out of memory");
		return NULL;
	}
	life->daemon = daemon;
	life->calls = *calls;
	life->config_before = LUA_NOREF;
	life->vm = vm_create(loop, daemon, &life->calls, err);
	if (!life->vm) {
		free(life);
		return NULL;
	}
	life->vm->life = life;
	life->vm->leave = on_leave;
	life->vm->quiet = on_quiet;
	alarm_init(&life->vm->alarms, &life->deadline, on_deadline);
	uv_timer_init(loop, &life->later);
	life->later.data = life;
	life->vm->handles++;
	if (slice_open(life->vm, err) < 0 || service_load(life->vm, err) < 0) {
		life_destroy(life);
		return NULL;
	}
	return life;
}
