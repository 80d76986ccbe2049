#include "service/server.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service/acceptor.h"
#include "service/conn.h"
#include "service/listener.h"
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

static struct server *make(struct vm *vm, const struct listener_object *object)
{
	size_t count;
	struct listener *sockets = listener_sockets(vm, object, &count);
	struct server *server = calloc(1, sizeof *server + count * sizeof *server->acceptors);

	if (!server || !(server->name = strdup(listener_name(object)))) {
		free(server);
		return NULL;
	}
	server->vm = vm;
	server->references = 1;
	server->acceptor_count = count;
	server->own = object->own;
	if (server->own) {
		server->own->references++;
		server->own->server = server;
	}
	list_init(&server->conns);
	list_append(&vm->servers, &server->all);
	for (size_t i = 0; i < count; i++)
		server->acceptors[i] = (struct acceptor){.server = server, .listener = &sockets[i]};
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
	const struct listener_object *object = listener_check(L, index);
	const char *name = listener_name(object);
	struct vm *vm = vm_of(L);

	if (udp_is(vm, object))
		vm_raise(L, "listener \"%s\" takes datagrams: net.serve it", name);
	if (object->own ? object->own->server != NULL : server_exists(vm, name))
		vm_raise(L, "listener \"%s\" is served already", name);
	if (object->own && object->own->closed)
		vm_raise(L, "listener \"%s\" is closed", name);
	if (vm->phase >= PHASE_STOPPING)
		vm_raise(L, "nothing can be served while the daemon is being stopped");
}

static int l_make(lua_State *L)
{
	struct server **server = lua_touserdata(L, 2);
	int entry;

	lua_pushvalue(L, 1);
	entry = luaL_ref(L, LUA_REGISTRYINDEX);
	*server = make(vm_of(L), listener_check(L, 1));
	if (*server)
		(*server)->entry = entry;
	else
		luaL_unref(L, LUA_REGISTRYINDEX, entry);
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
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): freed ones are unlinked */
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
	if (server->own) {
		server->own->server = NULL;
		listening_release(server->own);
	}
	free(server->name);
	free(server);
}

void server_end(struct server *server)
{
	if (server->ended)
		return;
	server->ended = true;
	acceptors_end(server);
	if (server->protocol->stopping)
		server->protocol->stopping(server);
	if (server->own)
		server_release(server);
}

static void end_all(struct vm *vm)
{
	for (struct link *link = vm->servers.next, *next; link != &vm->servers; link = next) {
		next = link->next;
		server_end(LIST_ENTRY(link, struct server, all));
	}
	while (!list_empty(&vm->listenings))
		listening_close(LIST_ENTRY(vm->listenings.next, struct listening, all));
}

void servers_end(struct vm *vm)
{
	struct daemon *daemon = vm->daemon;

	end_all(vm);
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
	end_all(vm);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not see that let_go unlinks */
	for (struct link *link = vm->servers.next; link != &vm->servers; link = link->next)
		abort_all(&LIST_ENTRY(link, struct server, all)->conns);
	close_own(&vm->conns);
}

void servers_free(struct vm *vm)
{
	/* Connections that Lua still knows keep the memory until the state is closed. */
	while (!list_empty(&vm->servers)) {
		struct server *server = LIST_ENTRY(vm->servers.next, struct server, all);

		let_go(server);
		if (!server->own) /* else its own reference went with the end */
			server_release(server);
	}
}
