#include "service/object.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "service/files.h"
#include "service/listener.h"
#include "service/modules.h"
#include "service/push.h"
#include "service/task.h"
#include "service/units.h"
#include "service/vm.h"

/* --- listeners --- */

static void push_listeners(lua_State *L)
{
	const struct spec *spec = vm_of(L)->daemon->spec;

	lua_newtable(L);
	for (size_t i = 0; i < spec->listen_count; i++) {
		listener_push(L, spec->listens[i].name);
		lua_setfield(L, -2, spec->listens[i].name);
	}
	push_guarded(L, "listener");
}

/* --- the rest --- */

static void push_directories(lua_State *L)
{
	static const char *const names[DIRECTORIES] = {"runtime", "state", "cache", "logs"};
	const struct spec *spec = vm_of(L)->daemon->spec;

	lua_newtable(L);
	for (size_t i = 0; i < DIRECTORIES; i++) {
		if (!spec->folders[i].wanted)
			continue;
		lua_pushstring(L, spec->folders[i].path);
		lua_setfield(L, -2, names[i]);
	}
	push_guarded(L, "directory");
}

static void push_environment(lua_State *L, char **environment)
{
	lua_newtable(L);
	for (; environment && *environment; environment++) {
		const char *equals = strchr(*environment, '=');

		if (!equals)
			continue;
		lua_pushlstring(L, *environment, (size_t)(equals - *environment));
		lua_pushstring(L, equals + 1);
		lua_rawset(L, -3);
	}
}

void object_push_host(lua_State *L)
{
	const struct source *source = &vm_of(L)->daemon->spec->source;
	const char *slash = source->path ? strrchr(source->path, '/') : NULL;

	lua_createtable(L, 0, 4);
	push_environment(L, source->environment);
	lua_setfield(L, -2, "env");
	lua_pushstring(L, source->hostname ? source->hostname : "");
	lua_setfield(L, -2, "hostname");
	lua_pushinteger(L, source->cpus);
	lua_setfield(L, -2, "cpus");
	if (slash && slash != source->path)
		lua_pushlstring(L, source->path, (size_t)(slash - source->path));
	else
		lua_pushliteral(L, "/");
	lua_setfield(L, -2, "directory");
}

static int l_spawn(lua_State *L)
{
	luaL_checkany(L, 1);
	luaL_checktype(L, 2, LUA_TFUNCTION);
	if (vm_of(L)->phase == PHASE_CLOSED)
		return luaL_error(L, "no task can be started any more: the daemon is stopped");
	task_start(task_create(L, lua_gettop(L) - 2, "spawn"));
	return 0;
}

static int drained(lua_State *L, int status, lua_KContext context)
{
	struct vm *vm = vm_of(L);

	(void)status;
	(void)context;
	if (vm->current->timed_out)
		return vm_fail(L, "connections are still open", "ETIMEDOUT");
	lua_pushboolean(L, 1);
	return 1;
}

/* Is it the handler of a connection, a request or datagrams, or inside of one: what drain waits
 * for? */
static bool serves(const struct task *task)
{
	static const char *const handlers[] = {"connection", "request", "datagrams"};

	do {
		for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++)
			if (strcmp(task->name, handlers[i]) == 0)
				return true;
		task = task->parent;
	} while (task);
	return false;
}

int object_drain(lua_State *L)
{
	struct vm *vm = vm_of(L);
	int64_t limit = vm->timeout_stop ? vm->timeout_stop : vm->daemon->spec->timeout_stop;
	int64_t timeout = lua_isnoneornil(L, 2) ? limit : units_duration(L, 2);
	struct task *task = task_check(L);

	if (serves(task))
		return luaL_error(L, "a listener's handler that drains would wait for itself");
	if (vm->connections == 0 && vm->handlers == 0) {
		lua_pushboolean(L, 1);
		return 1;
	}
	list_append(&vm->drainers, &task->queued);
	return task_wait(L, task, vm, NULL, timeout, 0, drained);
}

static void make_metatables(lua_State *L)
{
	listener_open(L);
}

/* fields of the object at the top that never change */
static void set_fields(lua_State *L)
{
	const struct spec *spec = vm_of(L)->daemon->spec;
	static const struct {
		const char *name;
		void (*push)(lua_State *L);
	} tables[] = {{"listeners", push_listeners},
		      {"files", files_push},
		      {"directories", push_directories},
		      {"host", object_push_host}};

	lua_pushstring(L, spec->name);
	lua_setfield(L, -2, "name");
	/* A classic daemon is its own and only worker. */
	lua_pushinteger(L, vm_of(L)->daemon->worker);
	lua_setfield(L, -2, "worker");
	lua_pushinteger(L, spec->workers > 0 ? spec->workers : 1);
	lua_setfield(L, -2, "workers");
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		tables[i].push(L);
		lua_setfield(L, -2, tables[i].name);
	}
}

void object_create(lua_State *L)
{
	static const luaL_Reg methods[] = {
	    {"drain", object_drain}, {"spawn", l_spawn}, {NULL, NULL}};

	make_metatables(L);
	lua_newtable(L);
	luaL_setfuncs(L, methods, 0);
	set_fields(L);
	push_config(L, &vm_of(L)->daemon->spec->root);
	lua_setfield(L, -2, "config");
	lua_pushinteger(L, vm_of(L)->daemon->generation);
	lua_setfield(L, -2, "generation");
	luaopen_luvd_log(L);
	lua_setfield(L, -2, "log");
	push_guarded(L, "field of the daemon");
}

void object_push(lua_State *L)
{
	lua_rawgeti(L, LUA_REGISTRYINDEX, vm_of(L)->daemon_ref);
}
