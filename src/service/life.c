#include "service/life.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "service/object.h"
#include "service/push.h"
#include "service/server.h"
#include "service/service.h"
#include "service/task.h"
#include "service/timer.h"
#include "service/uvlib.h"
#include "service/vm.h"

enum state { LOADED, STARTING, RUNNING, RELOADING, STOPPING, DRAINING, CLOSING, STOPPED, STATES };

enum event {
	START,
	RAISED, /* start, reload or stop has failed: life->err; it outweighs RETURNED */
	RETURNED,
	DEADLINE,
	RELOAD,
	STOP,
	STOP_NOW,
	QUIET, /* no connection and no handler is left */
	GONE,  /* all is closed */
	EVENTS
};

struct life {
	struct vm *vm;
	struct daemon *daemon;
	struct life_calls calls;
	enum state state;
	struct task *verb; /* service.start, reload or stop while it runs */
	uv_timer_t deadline, later;
	unsigned pending; /* events that later brings, bit 1 << event */
	char reason[16];  /* of stop */
	bool leaving;     /* os.exit or luvd.stop has been called */
	int code;
	struct err err;

	struct spec *before; /* while a reload runs: the spec to go back to */
	int config_before;   /* its config as Lua has it */
};

static void happen(struct life *life, enum event event);

/* --- events --- */

static void on_later(uv_timer_t *timer)
{
	struct life *life = timer->data;
	unsigned pending = life->pending;

	life->pending = 0;
	for (int event = 0; event < EVENTS; event++)
		if (pending & (1U << event))
			happen(life, (enum event)event);
}

/* Nothing happens inside a call of the host or of Lua: the loop brings it. */
static void post(struct life *life, enum event event)
{
	life->pending |= 1U << event;
	uv_timer_start(&life->later, on_later, 0, 0);
}

static void on_deadline(uv_timer_t *timer)
{
	happen(timer->data, DEADLINE);
}

static void set_deadline(struct life *life, int64_t timeout)
{
	uv_update_time(life->vm->loop);
	uv_timer_start(&life->deadline, on_deadline, (uint64_t)timeout, 0);
}

static int fail(struct life *life, const char *verb, const char *what)
{
	life->err = (struct err){0};
	snprintf(life->err.key, sizeof life->err.key, "%s", verb);
	return err_set(&life->err, "%s", what);
}

static void fail_late(struct life *life, const char *verb, int64_t timeout)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	char what[96];

	if (out) {
		text_duration(out, timeout);
		fclose(out);
	}
	snprintf(what, sizeof what, "did not return within %s", text ? text : "its timeout");
	free(text);
	fail(life, verb, what);
}

/* --- the service's functions as tasks --- */

/* A verb may say no without raising: return nil, message. */
static bool says_no(struct life *life, struct task *task)
{
	lua_State *co = task->L;
	const char *message;

	if (lua_gettop(co) < 2 || !lua_isnil(co, 1) || lua_isnil(co, 2))
		return false;
	message = lua_tostring(co, 2);
	fail(life, task->name, message ? message : "(the message is not a string)");
	return true;
}

static void on_verb(struct task *task, enum outcome outcome, const char *message)
{
	struct life *life = task->vm->life;

	if (life->verb != task)
		return;
	life->verb = NULL;
	if (outcome == OUTCOME_DONE) {
		post(life, says_no(life, task) ? RAISED : RETURNED);
		return;
	}
	if (outcome == OUTCOME_FAILED)
		fail(life, task->name, message);
	else if (!life->err.what[0])
		fail(life, task->name, "was cancelled");
	post(life, RAISED);
}

static int begin_start(lua_State *L)
{
	struct life *life = lua_touserdata(L, 1);

	if (!service_push(L, "start"))
		return luaL_error(L, "the service has lost its function start");
	object_push(L);
	life->verb = task_create(L, 1, "start");
	return 0;
}

static int begin_stop(lua_State *L)
{
	struct life *life = lua_touserdata(L, 1);

	if (!service_push(L, "stop"))
		return 0;
	object_push(L);
	lua_pushstring(L, life->reason);
	life->verb = task_create(L, 2, "stop");
	return 0;
}

/* Runs the function, or, when the service has none, goes on at once. */
static void run_verb(struct life *life, lua_CFunction begin, const char *name)
{
	struct vm *vm = life->vm;

	life->err = (struct err){0};
	if (vm_run(vm, begin, life) != LUA_OK) {
		fail(life, name, lua_tostring(vm->L, -1));
		lua_pop(vm->L, 1);
		post(life, RAISED);
	} else if (life->verb) {
		life->verb->done = on_verb;
		task_start(life->verb);
	} else {
		post(life, RETURNED);
	}
}

static void cancel_verb(struct life *life)
{
	struct task *task = life->verb;

	life->verb = NULL;
	if (task)
		task_cancel(task);
}

/* --- the end --- */

static void close_all(struct life *life)
{
	struct vm *vm = life->vm;

	uv_timer_stop(&life->deadline);
	life->verb = NULL;
	vm->phase = PHASE_CLOSED;
	tasks_cancel(vm);
	timers_close(vm);
	servers_close(vm);
	uvlib_close(vm);
}

static void cancel_rest(struct life *life)
{
	life->state = CLOSING;
	servers_end(life->vm);
	close_all(life);
	post(life, GONE);
}

static void tell_stopped(struct life *life)
{
	life->state = STOPPED;
	life->calls.stopped(life->calls.data, life->code);
}

static void begin_stopping(struct life *life)
{
	life->state = STOPPING;
	life->vm->phase = PHASE_STOPPING;
	timers_end(life->vm);
	servers_end(life->vm);
	set_deadline(life, life->daemon->spec->timeout_stop);
	run_verb(life, begin_stop, "stop");
}

static void drain(struct life *life)
{
	life->state = DRAINING;
	if (life->vm->connections == 0 && life->vm->handlers == 0)
		post(life, QUIET);
}

static void drain_after_failure(struct life *life)
{
	char text[ERR_TEXT_MAX];

	err_text(&life->err, text, sizeof text);
	vm_log(life->vm, LEVEL_ERROR, text, NULL, 0);
	drain(life);
}

static void give_up_waiting(struct life *life)
{
	vm_printf(life->vm, LEVEL_WARN,
		  "timeouts.stop is over: %zu connections and %zu tasks cut off",
		  life->vm->connections, life->vm->task_count);
	cancel_rest(life);
}

/* --- start --- */

static void start(struct life *life)
{
	life->state = STARTING;
	life->vm->phase = PHASE_STARTING;
	set_deadline(life, life->daemon->spec->timeout_start);
	run_verb(life, begin_start, "start");
}

static void give_up_start(struct life *life)
{
	struct err err = life->err;

	life->state = STOPPED;
	close_all(life);
	life->calls.started(life->calls.data, &err);
}

static void warn_unserved(struct life *life)
{
	const struct spec *spec = life->daemon->spec;

	for (size_t i = 0; i < spec->listen_count; i++)
		if (!server_exists(life->vm, spec->listens[i].name))
			vm_printf(life->vm, LEVEL_WARN, "listener '%s' is not served",
				  spec->listens[i].name);
}

static void become_ready(struct life *life)
{
	int code;

	uv_timer_stop(&life->deadline);
	life->state = RUNNING;
	life->vm->phase = PHASE_RUNNING;
	code = servers_begin(life->vm);
	if (code < 0) {
		fail(life, "start", "cannot watch the listening sockets");
		life->err.code = -code;
		give_up_start(life);
		return;
	}
	warn_unserved(life);
	timers_begin(life->vm);
	life->calls.started(life->calls.data, NULL);
}

static void start_is_late(struct life *life)
{
	if (!life->verb)
		return; /* it has just returned */
	fail_late(life, "start", life->daemon->spec->timeout_start);
	give_up_start(life);
}

static void abort_start(struct life *life)
{
	fail(life, "start", "stopped before the service was ready");
	give_up_start(life);
	life->state = CLOSING;
	post(life, GONE);
}

/* --- reload --- */

/* The sockets stay, what their entries say is that of spec. -1: an entry is not there. */
static int relink(struct daemon *daemon, const struct spec *spec, bool apply)
{
	for (size_t i = 0; i < daemon->listener_count; i++) {
		struct listener *listener = &daemon->listeners[i];
		const struct listen *listen = NULL;
		const struct address *address = NULL;

		for (size_t k = 0; k < spec->listen_count && !listen; k++)
			if (strcmp(spec->listens[k].name, listener->listen->name) == 0)
				listen = &spec->listens[k];
		for (size_t k = 0; listen && k < listen->address_count && !address; k++)
			if (strcmp(listen->addresses[k].text, listener->address->text) == 0)
				address = &listen->addresses[k];
		if (!address)
			return -1;
		if (apply) {
			listener->listen = listen;
			listener->address = address;
		}
	}
	return 0;
}

static void set_config(lua_State *L, int reference)
{
	object_push(L);
	lua_pushliteral(L, "config");
	lua_rawgeti(L, LUA_REGISTRYINDEX, reference);
	lua_rawset(L, -3);
	lua_pop(L, 1);
}

static int l_restore_config(lua_State *L)
{
	struct life *life = lua_touserdata(L, 1);

	if (life->config_before != LUA_NOREF) /* else memory ran out before it was replaced */
		set_config(L, life->config_before);
	return 0;
}

static void swap_spec(struct life *life, struct spec *spec)
{
	relink(life->daemon, spec, true);
	life->daemon->spec = spec;
}

static void end_reload(struct life *life)
{
	uv_timer_stop(&life->deadline);
	luaL_unref(life->vm->L, LUA_REGISTRYINDEX, life->config_before);
	life->config_before = LUA_NOREF;
	life->before = NULL;
	life->state = RUNNING;
}

static void roll_back(struct life *life)
{
	struct spec *fresh = life->daemon->spec;

	swap_spec(life, life->before);
	if (vm_run(life->vm, l_restore_config, life) != LUA_OK)
		lua_pop(life->vm->L, 1);
	spec_destroy(fresh);
	end_reload(life);
}

static int count_generation(lua_State *L)
{
	object_push(L);
	lua_pushliteral(L, "generation");
	lua_getfield(L, -2, "generation");
	lua_pushinteger(L, lua_tointeger(L, -1) + 1);
	lua_replace(L, -2);
	lua_rawset(L, -3);
	return 0;
}

static void accept_reload(struct life *life)
{
	spec_destroy(life->before);
	end_reload(life);
	if (vm_run(life->vm, count_generation, NULL) != LUA_OK)
		lua_pop(life->vm->L, 1);
	life->calls.reloaded(life->calls.data, NULL);
}

static void refuse_reload(struct life *life)
{
	struct err err = life->err;

	cancel_verb(life);
	roll_back(life);
	life->calls.reloaded(life->calls.data, &err);
}

static void reload_is_late(struct life *life)
{
	if (!life->verb)
		return;
	fail_late(life, "reload", life->daemon->spec->timeout_reload);
	refuse_reload(life);
}

static void interrupt_reload(struct life *life)
{
	fail(life, "reload", "the daemon is being stopped");
	refuse_reload(life);
	begin_stopping(life);
}

static void interrupt_reload_now(struct life *life)
{
	fail(life, "reload", "the daemon is being stopped");
	refuse_reload(life);
	cancel_rest(life);
}

struct reload {
	struct life *life;
	struct spec *fresh;
	const struct change *change;
};

/* { config = the one before, keys = { ["config.banner"] = true } } */
static void push_change(lua_State *L, const struct reload *reload)
{
	lua_createtable(L, 0, 2);
	lua_rawgeti(L, LUA_REGISTRYINDEX, reload->life->config_before);
	lua_setfield(L, -2, "config");
	lua_newtable(L);
	for (size_t i = 0; i < reload->change->count; i++) {
		lua_pushboolean(L, 1);
		lua_setfield(L, -2, reload->change->keys[i]);
	}
	lua_setfield(L, -2, "keys");
}

/* The old config is kept first: whatever raises after that, there is a way back. */
static int begin_reload(lua_State *L)
{
	const struct reload *reload = lua_touserdata(L, 1);
	struct life *life = reload->life;
	int fresh;

	object_push(L);
	lua_getfield(L, -1, "config");
	life->config_before = luaL_ref(L, LUA_REGISTRYINDEX);
	push_config(L, &reload->fresh->root);
	fresh = luaL_ref(L, LUA_REGISTRYINDEX);
	set_config(L, fresh);
	luaL_unref(L, LUA_REGISTRYINDEX, fresh);
	if (!service_push(L, "reload"))
		return 0;
	object_push(L);
	push_change(L, reload);
	life->verb = task_create(L, 2, "reload");
	life->verb->done = on_verb;
	return 0;
}

static void run_reload(struct life *life)
{
	if (life->verb)
		task_start(life->verb);
	else
		happen(life, life->err.what[0] ? RAISED : RETURNED);
}

static int refuse_now(struct life *life, struct spec *fresh, const char *what)
{
	spec_destroy(fresh);
	fail(life, "reload", what);
	life->calls.reloaded(life->calls.data, &life->err);
	return -1;
}

void life_reload(struct life *life, struct spec *fresh, const struct change *change)
{
	struct reload reload = {life, fresh, change};
	struct vm *vm = life->vm;

	if (life->state != RUNNING) {
		refuse_now(life, fresh,
			   life->state == RELOADING ? "a reload is running already"
						    : "the service does not run");
		return;
	}
	if (relink(life->daemon, fresh, false) < 0) {
		refuse_now(life, fresh, "the listeners differ");
		return;
	}
	life->err = (struct err){0};
	life->state = RELOADING;
	life->before = life->daemon->spec;
	swap_spec(life, fresh);
	set_deadline(life, fresh->timeout_reload);
	if (vm_run(vm, begin_reload, &reload) != LUA_OK) {
		fail(life, "reload", lua_tostring(vm->L, -1));
		lua_pop(vm->L, 1);
	}
	post(life, RELOAD);
}

/* --- the table --- */

static void (*const table[STATES][EVENTS])(struct life *life) = {
    [LOADED] = {[START] = start, [STOP] = cancel_rest, [STOP_NOW] = cancel_rest},
    [STARTING] = {[RETURNED] = become_ready,
		  [RAISED] = give_up_start,
		  [DEADLINE] = start_is_late,
		  [STOP] = abort_start,
		  [STOP_NOW] = abort_start},
    [RUNNING] = {[STOP] = begin_stopping, [STOP_NOW] = cancel_rest},
    [RELOADING] = {[RELOAD] = run_reload,
		   [RETURNED] = accept_reload,
		   [RAISED] = refuse_reload,
		   [DEADLINE] = reload_is_late,
		   [STOP] = interrupt_reload,
		   [STOP_NOW] = interrupt_reload_now},
    [STOPPING] = {[RETURNED] = drain,
		  [RAISED] = drain_after_failure,
		  [DEADLINE] = give_up_waiting,
		  [STOP_NOW] = cancel_rest},
    [DRAINING] = {[QUIET] = cancel_rest, [DEADLINE] = give_up_waiting, [STOP_NOW] = cancel_rest},
    [CLOSING] = {[GONE] = tell_stopped},
    [STOPPED] = {[STOP] = cancel_rest, [STOP_NOW] = cancel_rest},
};

static void happen(struct life *life, enum event event)
{
	if (table[life->state][event])
		table[life->state][event](life);
}

/* --- what Lua asks for --- */

static void on_leave(struct vm *vm, const char *what, int code)
{
	struct life *life = vm->life;
	char text[96];

	if (life->state == STARTING) {
		snprintf(text, sizeof text, "the service called %s", what);
		fail(life, "start", text);
		post(life, RAISED);
		return;
	}
	if (life->state == LOADED || life->leaving)
		return;
	life->leaving = true;
	life->code = code;
	if (life->state == RELOADING)
		fail(life, "reload", "the daemon is being stopped");
	if (life->state < STOPPING)
		life->calls.stop(life->calls.data, code);
}

static void on_quiet(struct vm *vm)
{
	if (vm->life->state == DRAINING)
		post(vm->life, QUIET);
}

/* --- public --- */

void life_start(struct life *life)
{
	post(life, START);
}

void life_stop(struct life *life, const char *reason, bool now)
{
	snprintf(life->reason, sizeof life->reason, "%s", reason);
	post(life, now ? STOP_NOW : STOP);
}

struct signal_call {
	const char *function;
	int number;
	struct task *task;
};

static int begin_signal(lua_State *L)
{
	struct signal_call *call = lua_touserdata(L, 1);

	if (!service_push(L, call->function))
		return luaL_error(L, "signal %d: the service has no function %s", call->number,
				  call->function);
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
		task_start(call.task);
		return;
	}
	vm_log(vm, LEVEL_ERROR, lua_tostring(vm->L, -1), NULL, 0);
	lua_pop(vm->L, 1);
}

void life_count(const struct life *life, struct life_counts *counts, struct life_totals *totals)
{
	const struct vm *vm = life->vm;

	memset(counts, 0, life->daemon->listener_count * sizeof *counts);
	for (const struct link *link = vm->servers.next; link != &vm->servers; link = link->next) {
		const struct server *server = LIST_ENTRY(link, struct server, all);

		for (size_t i = 0; i < server->acceptor_count; i++) {
			const struct acceptor *acceptor = &server->acceptors[i];

			counts[acceptor->index].connections = acceptor->connections;
			counts[acceptor->index].accepted = acceptor->accepted;
		}
	}
	*totals = (struct life_totals){
	    .lua_bytes = vm->bytes, .tasks = vm->task_count, .failed = vm->failed};
}

/* --- making and taking down --- */

static void on_closed(uv_handle_t *handle)
{
	struct life *life = handle->data;

	life->vm->handles--;
}

static void on_idle_closed(uv_handle_t *handle)
{
	struct vm *vm = handle->data;

	vm->handles--;
}

static void on_nothing(uv_timer_t *timer)
{
	(void)timer;
}

/* Runs the loop until all handles but later's are gone; a request of luv in the thread pool may
 * take its time: at most a second. */
static size_t wait_closed(struct life *life)
{
	struct vm *vm = life->vm;
	uint64_t until = uv_hrtime() + UINT64_C(1000000000);
	size_t left = 0;

	uv_timer_start(&life->later, on_nothing, 5, 5); /* no turn of the loop blocks longer */
	do {
		close_all(life);
		left = uvlib_close(vm);
		uv_run(vm->loop, UV_RUN_ONCE);
	} while (vm->handles > 1 || (left > 0 && uv_hrtime() < until));
	return left;
}

void life_destroy(struct life *life)
{
	struct vm *vm;
	size_t left;

	if (!life)
		return;
	vm = life->vm;
	if (life->before && life->state == RELOADING)
		roll_back(life);
	life->state = STOPPED;
	vm_close_handle(vm, (uv_handle_t *)&life->deadline, on_closed);
	vm_close_handle(vm, (uv_handle_t *)&vm->turn, on_idle_closed);
	left = wait_closed(life);
	vm_close_handle(vm, (uv_handle_t *)&life->later, on_closed);
	while (vm->handles > 0)
		uv_run(vm->loop, UV_RUN_NOWAIT);
	servers_free(vm);
	if (left == 0)
		vm_destroy(vm); /* else luv's threads may still come back to it */
	free(life);
}

static void init_timer(struct life *life, uv_timer_t *timer)
{
	uv_timer_init(life->vm->loop, timer);
	timer->data = life;
	life->vm->handles++;
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
	init_timer(life, &life->deadline);
	init_timer(life, &life->later);
	if (service_load(life->vm, err) < 0) {
		life_destroy(life);
		return NULL;
	}
	return life;
}
