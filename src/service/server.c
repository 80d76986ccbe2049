#include "service/server.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service/acceptor.h"
#include "service/conn.h"
#include "service/object.h"
#include "service/task.h"
#include "service/udp.h"
#include "service/vm.h"

const struct listen *server_listen(const struct server *server)
{
	return server->acceptors[0].listener->listen;
}

bool server_exists(const struct vm *vm, const char *name)
{
	for (struct link *link = vm->servers.next; link != &vm->servers; link = link->next)
		if (strcmp(LIST_ENTRY(link, struct server, all)->name, name) == 0)
			return true;
	return false;
}

void server_tell_if_quiet(struct vm *vm)
{
	if (vm->connections > 0 || vm->handlers > 0)
		return;
	while (!list_empty(&vm->drainers))
		task_wake_later(LIST_ENTRY(vm->drainers.next, struct task, queued));
	vm->quiet(vm);
}

void server_handler_ended(struct vm *vm)
{
	vm->handlers--;
	server_tell_if_quiet(vm);
}

/* --- making one --- */

static struct server *make(struct vm *vm, const char *name)
{
	struct daemon *daemon = vm->daemon;
	struct server *server =
	    calloc(1, sizeof *server + daemon->listener_count * sizeof *server->acceptors);

	if (!server || !(server->name = strdup(name))) {
		free(server);
		return NULL;
	}
	server->vm = vm;
	server->references = 1;
	list_init(&server->conns);
	list_append(&vm->servers, &server->all);
	for (size_t i = 0; i < daemon->listener_count; i++) {
		if (strcmp(daemon->listeners[i].listen->name, name) != 0)
			continue;
		server->acceptors[server->acceptor_count++] =
		    (struct acceptor){.server = server, .listener = &daemon->listeners[i]};
	}
	return server;
}

static int begin(struct server *server)
{
	int code = 0;

	for (size_t i = 0; i < server->acceptor_count && code == 0; i++)
		code = acceptor_begin(&server->acceptors[i]);
	acceptors_go_on(server);
	return code;
}

void server_check(lua_State *L, int index)
{
	const char *name = object_listener(L, index);
	struct vm *vm = vm_of(L);

	if (udp_is(vm, name))
		vm_raise(L, "listener \"%s\" takes datagrams: net.serve it", name);
	if (server_exists(vm, name))
		vm_raise(L, "listener \"%s\" is served already", name);
	if (vm->phase >= PHASE_STOPPING)
		vm_raise(L, "nothing can be served while the daemon is being stopped");
}

static int l_make(lua_State *L)
{
	struct server **server = lua_touserdata(L, 2);
	int entry;

	lua_pushvalue(L, 1);
	entry = luaL_ref(L, LUA_REGISTRYINDEX);
	*server = make(vm_of(L), object_listener(L, 1));
	if (*server)
		(*server)->entry = entry;
	return 0;
}

void server_create(lua_State *L, int index, const struct protocol *protocol, void *data)
{
	struct server *server = NULL;
	struct vm *vm = vm_of(L);
	int code = 0;

	index = lua_absindex(L, index);
	lua_pushcfunction(L, l_make);
	lua_pushvalue(L, index);
	lua_pushlightuserdata(L, &server);
	if (lua_pcall(L, 2, 0, 0) != LUA_OK || !server) {
		protocol->free(vm, data);
		vm_raise(L, "not enough memory");
	}
	server->protocol = protocol;
	server->data = data;
	if (vm->phase == PHASE_RUNNING)
		code = begin(server);
	if (code < 0)
		vm_raise(L, "cannot accept for '%s': %s", server->name, uv_strerror(code));
}

int servers_begin(struct vm *vm)
{
	int code = 0;

	for (struct link *link = vm->servers.next; link != &vm->servers && code == 0;
	     link = link->next)
		code = begin(LIST_ENTRY(link, struct server, all));
	return code;
}

/* --- the end --- */

/* What Lua holds for it. */
static void let_go(struct server *server)
{
	struct vm *vm = server->vm;

	list_remove(&server->all);
	if (server->protocol)
		server->protocol->free(vm, server->data);
	server->protocol = NULL;
	luaL_unref(vm->L, LUA_REGISTRYINDEX, server->entry);
	server->entry = LUA_NOREF;
	burst_end(&server->full);
	burst_end(&server->crowded);
	burst_end(&server->unusable);
	burst_end(&server->starving);
	burst_end(&server->idle);
}

void server_release(struct server *server)
{
	if (--server->references > 0)
		return;
	let_go(server);
	peers_finish(&server->peers);
	free(server->name);
	free(server);
}

void servers_end(struct vm *vm)
{
	struct daemon *daemon = vm->daemon;

	for (struct link *link = vm->servers.next; link != &vm->servers; link = link->next) {
		struct server *server = LIST_ENTRY(link, struct server, all);

		acceptors_end(server);
		if (server->protocol->stopping)
			server->protocol->stopping(server);
	}
	/* Those that nobody serves too: a client must be refused, not wait for us. */
	for (size_t i = 0; i < daemon->listener_count; i++) {
		if (daemon->listeners[i].fd >= 0)
			close(daemon->listeners[i].fd);
		daemon->listeners[i].fd = -1;
	}
}

static void abort_all(struct link *conns)
{
	for (struct link *at = conns->next; at != conns; at = at->next)
		conn_abort(LIST_ENTRY(at, struct conn, all));
}

/* A server of somebody else need not see a reset when we stop. */
static void close_own(struct link *conns)
{
	for (struct link *at = conns->next; at != conns; at = at->next) {
		struct conn *conn = LIST_ENTRY(at, struct conn, all);

		if (conn->closed)
			conn_abort(conn);
		else
			conn_close(conn);
	}
}

void servers_close(struct vm *vm)
{
	for (struct link *link = vm->servers.next; link != &vm->servers; link = link->next) {
		struct server *server = LIST_ENTRY(link, struct server, all);

		acceptors_end(server);
		abort_all(&server->conns);
	}
	close_own(&vm->conns);
}

void servers_free(struct vm *vm)
{
	/* Connections that Lua still knows keep the memory until the state is closed. */
	while (!list_empty(&vm->servers)) {
		struct server *server = LIST_ENTRY(vm->servers.next, struct server, all);

		let_go(server);
		server_release(server);
	}
}
