#include "service/census.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "service/conn.h"
#include "service/fs_watch.h"
#include "service/listener.h"
#include "service/origin.h"
#include "service/script_state.h"
#include "service/server.h"
#include "service/task.h"
#include "service/timer.h"
#include "service/udp.h"
#include "service/uvlib.h"
#include "service/vm.h"

enum { TEXT = 512, ID = TEXT + 32 };

/* --- one entry --- */

/* FNV-1a; the zero at the end parts one id from the next. */
static void mix(struct census *census, const char *id)
{
	do
		census->mark = (census->mark ^ (unsigned char)*id) * 1099511628211U;
	while (*id++);
}

void census_add_as(struct census *census, const char *id, const void *origin, const char *text)
{
	lua_State *L = census->L;

	mix(census, id);
	if (census->list == 0)
		return;
	lua_createtable(L, 0, 3);
	lua_pushstring(L, text);
	lua_setfield(L, -2, "text");
	lua_pushstring(L, id);
	lua_setfield(L, -2, "id");
	if (origin) {
		origin_push(census->vm, L, origin);
		lua_setfield(L, -2, "where");
	}
	lua_rawseti(L, census->list, (lua_Integer)lua_rawlen(L, census->list) + 1);
}

void census_add(struct census *census, const void *object, const char *format, ...)
{
	char text[TEXT], id[ID];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	/* The first word too: another kind of thing may have got the address since. */
	snprintf(id, sizeof id, "%.*s %p", (int)strcspn(text, " ,"), text, object);
	census_add_as(census, id, object, text);
}

static void own_fd(struct census *census, int fd)
{
	if (fd >= 0 && fd < CENSUS_FDS)
		census->fds[fd] = true;
}

static void own_child(struct census *census, pid_t pid)
{
	if (census->child_count < CENSUS_CHILDREN)
		census->children[census->child_count++] = pid;
}

static void own_handle(struct census *census, const uv_handle_t *handle)
{
	uv_os_fd_t fd;

	if (uv_fileno(handle, &fd) == 0)
		own_fd(census, fd);
}

/* --- luvd's own --- */

static void add_conns(struct census *census, const struct link *list)
{
	char peer[CONN_ADDRESS_MAX];

	for (const struct link *at = list->next; at != list; at = at->next) {
		const struct conn *conn = LIST_ENTRY(at, struct conn, all);

		own_handle(census, &conn->handle);
		if (conn->closed)
			continue;
		if (conn->acceptor)
			census_add(census, conn, "connection from %s, accepted by listener \"%s\"",
				   conn_peer(conn, peer), conn->acceptor->server->name);
		else
			census_add(census, conn, "connection to %s", conn_peer(conn, peer));
	}
}

static void add_servers(struct census *census, const struct link *list)
{
	for (const struct link *at = list->next; at != list; at = at->next)
		add_conns(census, &LIST_ENTRY(at, struct server, all)->conns);
}

static void add_listenings(struct census *census, const struct link *list)
{
	for (const struct link *at = list->next; at != list; at = at->next) {
		const struct listening *own = LIST_ENTRY(at, struct listening, all);

		for (size_t i = 0; i < own->count; i++)
			own_fd(census, own->sockets[i].fd);
		census_add(census, own, "listener at %s",
			   own->listen.name ? own->listen.name : "no address yet");
	}
}

/* Their sockets are the listeners', but for the copies. */
static void add_udps(struct census *census, const struct link *list)
{
	for (const struct link *at = list->next; at != list; at = at->next)
		own_fd(census, LIST_ENTRY(at, struct udp, all)->fd);
}

static const char *state_of(const struct task *task)
{
	static const char *const names[] = {"is about to run", "is running", "is waiting",
					    "is waiting for its children", "has ended"};

	return names[task->state];
}

static void add_tasks(struct census *census, const struct link *list)
{
	for (const struct link *at = list->next; at != list; at = at->next) {
		const struct task *task = LIST_ENTRY(at, struct task, sibling);

		census_add(census, task, "task \"%s\", which %s", task->name, state_of(task));
		add_tasks(census, &task->children);
	}
}

/* --- handles of uv --- */

static void add_handle(struct census *census, uv_handle_t *handle)
{
	char name[CENSUS_NAME], id[64], text[TEXT];
	pid_t pid;

	if (handle->type == UV_PROCESS) {
		pid = uv_process_get_pid((uv_process_t *)handle);
		own_child(census, pid);
		snprintf(text, sizeof text, "uv_process %ld (%s)", (long)pid,
			 census_child_name(pid, name));
	} else {
		snprintf(text, sizeof text, "uv_%s, %s", uv_handle_type_name(handle->type),
			 uv_is_active(handle) ? "active" : "idle");
	}
	snprintf(id, sizeof id, "uv %p", (void *)handle);
	census_add_as(census, id, NULL, text);
}

static void add_handles(struct census *census)
{
	lua_State *L = census->L;
	lua_Integer count;

	uvlib_push_handles(L);
	count = (lua_Integer)lua_rawlen(L, -1);
	for (lua_Integer i = 1; i <= count; i++) {
		uv_handle_t *handle;

		lua_rawgeti(L, -1, i);
		handle = *(uv_handle_t **)lua_touserdata(L, -1);
		lua_pop(L, 1);
		own_handle(census, handle);
		if (!uv_is_closing(handle))
			add_handle(census, handle);
	}
	lua_pop(L, 1);
}

/* --- all of it --- */

static void add_all(struct census *census)
{
	struct vm *vm = census->vm;

	luaL_checkstack(census->L, 16, NULL);
	add_conns(census, &vm->conns);
	add_servers(census, &vm->servers);
	add_listenings(census, &vm->listenings);
	add_udps(census, &vm->udps);
	timers_tell(vm, census);
	fs_watchers_tell(vm, census);
	add_tasks(census, &vm->tasks);
	if (vm->script)
		add_tasks(census, &vm->script->flow.task.children);
	add_handles(census);
	census_add_process(census);
}

static int take(lua_State *L)
{
	struct census census = {.vm = vm_of(L), .L = L, .list = 1};

	lua_newtable(L);
	add_all(&census);
	return 1;
}

/* A finalizer in between could free what is being looked at. */
int census_l_census(lua_State *L)
{
	bool collecting = lua_gc(L, LUA_GCISRUNNING);
	int status;

	lua_settop(L, 0);
	origins_keep(vm_of(L), L);
	lua_gc(L, LUA_GCSTOP);
	lua_pushcfunction(L, take);
	status = lua_pcall(L, 0, 1, 0);
	if (collecting)
		lua_gc(L, LUA_GCRESTART);
	return status == LUA_OK ? 1 : lua_error(L);
}

/* Nothing of Lua is made while a list is looked at, so that no finalizer runs; to stop and restart
 * the collector would make it begin anew each time. */
int census_l_mark(lua_State *L)
{
	struct census census = {.vm = vm_of(L), .L = L};

	lua_settop(L, 0);
	add_all(&census);
	lua_pushinteger(L, (lua_Integer)census.mark);
	return 1;
}
