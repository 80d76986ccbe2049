#include "service/life_state.h"

#include <lauxlib.h>
#include <string.h>

#include "service/object.h"
#include "service/push.h"
#include "service/service.h"
#include "service/task.h"
#include "service/vm.h"

/* The entry and the address of spec that listener stands for; NULL: spec has none. */
static const struct listen *same_listen(const struct spec *spec, const struct listener *listener)
{
	for (size_t i = 0; i < spec->listen_count; i++)
		if (strcmp(spec->listens[i].name, listener->listen->name) == 0)
			return &spec->listens[i];
	return NULL;
}

static const struct address *same_address(const struct listen *listen,
					  const struct listener *listener)
{
	for (size_t i = 0; listen && i < listen->address_count; i++)
		if (strcmp(listen->addresses[i].text, listener->address->text) == 0)
			return &listen->addresses[i];
	return NULL;
}

static bool has_listeners(const struct spec *spec, const struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->listener_count; i++) {
		const struct listener *listener = &daemon->listeners[i];

		if (!same_address(same_listen(spec, listener), listener))
			return false;
	}
	return true;
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

/* The sockets stay, what their entries say is that of spec. */
static void swap_spec(struct life *life, struct spec *spec)
{
	struct daemon *daemon = life->daemon;

	for (size_t i = 0; i < daemon->listener_count; i++) {
		struct listener *listener = &daemon->listeners[i];
		const struct listen *listen = same_listen(spec, listener);

		listener->address = same_address(listen, listener);
		listener->listen = listen;
	}
	daemon->spec = spec;
	slice_set(life->vm);
}

static void end_reload(struct life *life)
{
	alarm_clear(&life->vm->alarms, &life->deadline);
	luaL_unref(life->vm->L, LUA_REGISTRYINDEX, life->config_before);
	life->config_before = LUA_NOREF;
	life->before = NULL;
	life->state = RUNNING;
}

void life_roll_back(struct life *life)
{
	struct spec *fresh = life->daemon->spec;

	swap_spec(life, life->before);
	vm_set_log_level(life->vm, life->level_before);
	if (vm_run(life->vm, l_restore_config, life) != LUA_OK)
		lua_pop(life->vm->L, 1);
	spec_destroy(fresh);
	end_reload(life);
}

/* Only a classic daemon's: under a monitor it is the number of the bundle that workers were started
 * from. */
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

void life_accept_reload(struct life *life)
{
	spec_destroy(life->before);
	end_reload(life);
	if (daemon_is_classic(life->daemon) && vm_run(life->vm, count_generation, NULL) != LUA_OK)
		lua_pop(life->vm->L, 1);
	life->calls.reloaded(life->calls.data, NULL);
}

void life_refuse_reload(struct life *life)
{
	struct err err = life->err;

	life_cancel_verb(life);
	life_roll_back(life);
	life->calls.reloaded(life->calls.data, &err);
}

void life_reload_is_late(struct life *life)
{
	if (!life->verb)
		return;
	life_fail_late(life, "reload", life->daemon->spec->timeout_reload);
	life_refuse_reload(life);
}

void life_interrupt_reload(struct life *life)
{
	life_fail(life, "reload", "the daemon is being stopped");
	life_refuse_reload(life);
	life_begin_stop(life);
}

void life_interrupt_reload_now(struct life *life)
{
	life_fail(life, "reload", "the daemon is being stopped");
	life_refuse_reload(life);
	life_cancel_rest(life);
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
	life->verb->done = life_end_verb;
	life->verb->outlived = true;
	return 0;
}

void life_run_reload(struct life *life)
{
	if (life->verb)
		task_start(life->verb);
	else
		life_happen(life, life->err.what[0] ? RAISED : RETURNED);
}

static int refuse_now(struct life *life, struct spec *fresh, const char *what)
{
	spec_destroy(fresh);
	life_fail(life, "reload", what);
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
	if (!has_listeners(fresh, life->daemon)) {
		refuse_now(life, fresh, "the listeners differ");
		return;
	}
	life->err = (struct err){0};
	life->state = RELOADING;
	life->before = life->daemon->spec;
	life->level_before = vm->log_level;
	/* One that luvd.log:level has set stays until the daemon file says another. */
	if (fresh->log.level != life->before->log.level)
		vm_set_log_level(vm, fresh->log.level);
	swap_spec(life, fresh);
	life_set_deadline(life, fresh->timeout_reload);
	if (vm_run(vm, begin_reload, &reload) != LUA_OK) {
		life_fail(life, "reload", lua_tostring(vm->L, -1));
		lua_pop(vm->L, 1);
	}
	life_post(life, RELOAD);
}
