#include "service/server.h"

#include <errno.h>
#include <lauxlib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "service/conn.h"
#include "service/task.h"
#include "service/vm.h"

enum {
	ACCEPT_AT_ONCE = 32, /* per turn of the loop: then the connections have theirs */
	RETRY = 1000         /* milliseconds without a closed connection before trying again */
};

static void on_poll(uv_poll_t *poll, int status, int events);

const struct listen *server_listen(const struct server *server)
{
	return server->vm->daemon->listeners[server->acceptors[0].index].listen;
}

/* --- pausing and going on --- */

static bool full(const struct server *server)
{
	int max = server_listen(server)->max_connections;

	return max > 0 && server->connections >= (size_t)max;
}

static void pause_all(struct server *server)
{
	for (size_t i = 0; i < server->acceptor_count; i++) {
		struct acceptor *acceptor = &server->acceptors[i];

		if (acceptor->polling)
			uv_poll_stop(&acceptor->poll);
		acceptor->polling = false;
	}
}

static void go_on(struct server *server)
{
	for (size_t i = 0; i < server->acceptor_count; i++) {
		struct acceptor *acceptor = &server->acceptors[i];

		if (acceptor->open && !acceptor->polling)
			acceptor->polling =
			    uv_poll_start(&acceptor->poll, UV_READABLE, on_poll) == 0;
	}
}

static void on_retry(uv_timer_t *timer)
{
	struct server *server = timer->data;

	server->starved = false;
	if (!full(server))
		go_on(server);
}

static void starve(struct server *server, int reason)
{
	if (!server->starved)
		vm_printf(server->vm, LEVEL_WARN,
			  "cannot accept for '%s': %s; waiting for a connection to close",
			  server->name, err_reason(reason));
	server->starved = true;
	pause_all(server);
	uv_timer_start(&server->retry, on_retry, RETRY, 0);
}

static void tell_if_quiet(struct vm *vm)
{
	if (vm->connections > 0 || vm->handlers > 0)
		return;
	while (!list_empty(&vm->drainers))
		task_wake_later(LIST_ENTRY(vm->drainers.next, struct task, queued));
	vm->quiet(vm);
}

void server_gone(struct acceptor *acceptor)
{
	struct server *server = acceptor->server;

	acceptor->connections--;
	server->connections--;
	if (server->starved) {
		server->starved = false;
		uv_timer_stop(&server->retry);
	}
	if (!full(server))
		go_on(server);
	tell_if_quiet(server->vm);
}

/* --- handlers --- */

static void log_ended(struct conn *conn, struct server *server, const char *message)
{
	char peer[160];
	const char *reason = conn->failure.message;
	struct log_field fields[3] = {
	    {.key = "listener", .bytes = server->name, .length = strlen(server->name)},
	    {.key = "peer", .bytes = conn_address(conn, true, peer, sizeof peer)},
	    {.key = "reason", .bytes = reason, .length = reason ? strlen(reason) : 0}};
	bool lost = conn->failure.code && conn->failure.peer;

	fields[1].length = strlen(peer);
	if (lost)
		vm_log(server->vm, LEVEL_INFO, "connection lost", fields, 3);
	else
		vm_log(server->vm, LEVEL_ERROR, message, fields, 2);
}

static void finish(struct task *task, struct conn *conn, enum outcome outcome, const char *message)
{
	conn->task = NULL;
	if (outcome == OUTCOME_FAILED || (conn->failure.code && conn->failure.peer))
		log_ended(conn, conn->acceptor->server, message);
	if (outcome == OUTCOME_FAILED && conn->failure.code && conn->failure.peer)
		task->vm->failed--; /* the peer's fault, not the service's */
	conn_close(conn);
}

static void on_done(struct task *task, enum outcome outcome, const char *message)
{
	struct vm *vm = task->vm;

	if (task->data)
		finish(task, task->data, outcome, message);
	else if (outcome == OUTCOME_FAILED)
		task_log_failure(task, message);
	vm->handlers--;
	tell_if_quiet(vm);
}

struct accepted {
	struct incoming incoming;
	struct conn *conn;
	struct task *task;
};

static int begin_handler(lua_State *L)
{
	struct accepted *accepted = lua_touserdata(L, 1);
	struct server *server = accepted->incoming.acceptor->server;
	struct conn *conn;

	lua_rawgeti(L, LUA_REGISTRYINDEX, server->handler);
	conn = accepted->conn = conn_create(L, &accepted->incoming);
	server->connections++;
	accepted->incoming.acceptor->connections++;
	accepted->incoming.acceptor->accepted++;
	accepted->task = task_create(L, 1, "connection");
	accepted->task->data = conn;
	accepted->task->done = on_done;
	vm_of(L)->handlers++;
	conn->task = accepted->task;
	return 0;
}

static void begin_connection(struct accepted *accepted)
{
	struct vm *vm = accepted->incoming.acceptor->server->vm;

	if (vm_run(vm, begin_handler, accepted) == LUA_OK) {
		task_start(accepted->task);
		return;
	}
	vm->failed++;
	vm_log(vm, LEVEL_ERROR, lua_tostring(vm->L, -1), NULL, 0);
	lua_pop(vm->L, 1);
	if (accepted->conn)
		conn_abort(accepted->conn);
	else if (accepted->incoming.fd >= 0)
		close(accepted->incoming.fd);
}

/* --- accepting --- */

static int accept_one(struct acceptor *acceptor, struct accepted *accepted)
{
	struct daemon *daemon = acceptor->server->vm->daemon;
	socklen_t length = sizeof accepted->incoming.peer;

	*accepted = (struct accepted){.incoming = {.acceptor = acceptor}};
	accepted->incoming.fd = accept4(daemon->listeners[acceptor->index].fd,
					(struct sockaddr *)&accepted->incoming.peer, &length,
					SOCK_CLOEXEC | SOCK_NONBLOCK);
	return accepted->incoming.fd;
}

/* false: nothing more can be accepted now. */
static bool accept_failed(struct acceptor *acceptor, int reason)
{
	switch (reason) {
	case EAGAIN:
		return false;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EINVAL:
	case EBADF:
		starve(acceptor->server, reason);
		return false;
	default:
		return true; /* that one connection is gone already, accept(2) */
	}
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct acceptor *acceptor = poll->data;
	struct accepted accepted;

	(void)events;
	if (status < 0)
		starve(acceptor->server, -status);
	for (int i = 0; i < ACCEPT_AT_ONCE && acceptor->polling; i++) {
		if (full(acceptor->server)) {
			pause_all(acceptor->server);
			return;
		}
		if (accept_one(acceptor, &accepted) >= 0)
			begin_connection(&accepted);
		else if (!accept_failed(acceptor, errno))
			return;
	}
}

/* --- making one --- */

bool server_exists(const struct vm *vm, const char *name)
{
	for (struct link *link = vm->servers.next; link != &vm->servers; link = link->next)
		if (strcmp(LIST_ENTRY(link, struct server, all)->name, name) == 0)
			return true;
	return false;
}

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
	list_init(&server->conns);
	for (size_t i = 0; i < daemon->listener_count; i++) {
		if (strcmp(daemon->listeners[i].listen->name, name) != 0)
			continue;
		server->acceptors[server->acceptor_count++] =
		    (struct acceptor){.server = server, .index = i};
	}
	return server;
}

/* Accepted sockets inherit it. An answer in two writes must not wait for the peer's
 * acknowledgement of the first. */
static int set_no_delay(int fd)
{
	int on = 1;

	return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 ? -errno : 0;
}

static int begin_acceptor(struct acceptor *acceptor)
{
	struct vm *vm = acceptor->server->vm;
	struct listener *listener = &vm->daemon->listeners[acceptor->index];
	int code = uv_poll_init(vm->loop, &acceptor->poll, listener->fd);

	if (code < 0)
		return code;
	acceptor->poll.data = acceptor;
	acceptor->open = true;
	vm->handles++;
	return listener->address->kind == ADDRESS_TCP ? set_no_delay(listener->fd) : 0;
}

static int begin(struct server *server)
{
	int code = 0;

	server->begun = true;
	uv_timer_init(server->vm->loop, &server->retry);
	server->retry.data = server;
	server->has_retry = true;
	server->vm->handles++;
	for (size_t i = 0; i < server->acceptor_count && code == 0; i++)
		code = begin_acceptor(&server->acceptors[i]);
	go_on(server);
	return code;
}

void server_create(lua_State *L, const char *name, int entry, int handler)
{
	struct vm *vm = vm_of(L);
	struct server *server = make(vm, name);
	int code;

	if (!server)
		vm_raise(L, "not enough memory");
	server->handler = server->entry = LUA_NOREF;
	list_append(&vm->servers, &server->all);
	lua_pushvalue(L, handler);
	server->handler = luaL_ref(L, LUA_REGISTRYINDEX);
	lua_pushvalue(L, entry);
	server->entry = luaL_ref(L, LUA_REGISTRYINDEX);
	if (vm->phase != PHASE_RUNNING)
		return;
	code = begin(server);
	if (code < 0)
		vm_raise(L, "cannot accept for '%s': %s", name, uv_strerror(code));
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

static void on_closed(uv_handle_t *handle)
{
	struct vm *vm = ((struct acceptor *)handle->data)->server->vm;

	vm->handles--;
}

static void on_retry_closed(uv_handle_t *handle)
{
	((struct server *)handle->data)->vm->handles--;
}

static void end(struct server *server)
{
	struct vm *vm = server->vm;

	for (size_t i = 0; i < server->acceptor_count; i++) {
		struct acceptor *acceptor = &server->acceptors[i];

		if (acceptor->open)
			vm_close_handle(vm, (uv_handle_t *)&acceptor->poll, on_closed);
		acceptor->open = acceptor->polling = false;
	}
	if (server->has_retry)
		vm_close_handle(vm, (uv_handle_t *)&server->retry, on_retry_closed);
	server->has_retry = false;
	server->starved = false;
}

void servers_end(struct vm *vm)
{
	struct daemon *daemon = vm->daemon;

	for (struct link *link = vm->servers.next; link != &vm->servers; link = link->next)
		end(LIST_ENTRY(link, struct server, all));
	/* Those that nobody serves too: a client must be refused, not wait for us. */
	for (size_t i = 0; i < daemon->listener_count; i++) {
		if (daemon->listeners[i].fd >= 0)
			close(daemon->listeners[i].fd);
		daemon->listeners[i].fd = -1;
	}
}

void servers_close(struct vm *vm)
{
	for (struct link *link = vm->servers.next; link != &vm->servers; link = link->next) {
		struct server *server = LIST_ENTRY(link, struct server, all);

		end(server);
		for (struct link *at = server->conns.next; at != &server->conns; at = at->next)
			conn_abort(LIST_ENTRY(at, struct conn, all));
	}
}

void servers_free(struct vm *vm)
{
	struct link *link = vm->servers.next;

	while (link != &vm->servers) {
		struct server *server = LIST_ENTRY(link, struct server, all);

		link = link->next;
		free(server->name);
		free(server);
	}
	list_init(&vm->servers);
}
