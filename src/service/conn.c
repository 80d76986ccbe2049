#include "service/conn.h"

#include <arpa/inet.h>
#include <lauxlib.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>

#include "service/server.h"
#include "service/task.h"
#include "service/vm.h"

static const char meta[] = "luvd.conn";

/* How long bytes of the peer are thrown away after our last one, milliseconds: a socket closed
 * with unread bytes is reset by the kernel, and the peer may lose our answer. */
enum { LINGER = 2000 };

static void set_timer(struct conn *conn, uint64_t due);

struct failure conn_uv_failure(int code)
{
	return (struct failure){uv_strerror(code), uv_err_name(code), true};
}

/* --- the end --- */

static void release(struct conn *conn)
{
	if (conn->box || conn->handles > 0)
		return;
	if (conn->task)
		conn->task->data = NULL;
	conn_forget(conn);
	free(conn);
}

static void on_closed(uv_handle_t *handle)
{
	struct conn *conn = handle->data;
	struct vm *vm = conn->vm;

	vm->handles--;
	if (--conn->handles > 0)
		return;
	list_remove(&conn->all);
	vm->connections--;
	if (conn->acceptor)
		server_gone(conn->acceptor);
	release(conn);
}

static void wake_all(struct conn *conn)
{
	if (conn->reader)
		task_wake_later(conn->reader);
	while (!list_empty(&conn->writers))
		task_wake_later(LIST_ENTRY(conn->writers.next, struct task, queued));
}

void conn_fail(struct conn *conn, struct failure failure)
{
	if (conn->failure.code)
		return;
	conn->failure = failure;
	conn_read_stop(conn);
	conn_forget(conn);
	wake_all(conn);
}

static void close_handles(struct conn *conn, bool reset)
{
	struct vm *vm = conn->vm;

	conn->closed = true;
	conn_fail(conn, (struct failure){"the connection is closed", "ECLOSED", false});
	if (conn->has_timer)
		vm_close_handle(vm, (uv_handle_t *)&conn->timer, on_closed);
	if (uv_is_closing(&conn->uv.handle))
		return;
	/* A reset is refused once shutdown is on its way: then it is an ordinary close. */
	if (!reset || !conn->tcp || uv_tcp_close_reset(&conn->uv.tcp, on_closed) < 0)
		vm_close_handle(vm, &conn->uv.handle, on_closed);
}

void conn_abort(struct conn *conn)
{
	close_handles(conn, true);
}

static bool unread_in_kernel(struct conn *conn)
{
	uv_os_fd_t fd;
	int count = 0;

	if (conn->eof || uv_fileno(&conn->uv.handle, &fd) < 0 || ioctl(fd, FIONREAD, &count) < 0)
		return false;
	return count > 0;
}

static void on_lingering(uv_shutdown_t *request, int status)
{
	struct conn *conn = request->handle->data;

	if (status < 0 && status != UV_ECANCELED)
		close_handles(conn, false);
}

/* Everything is sent. */
static void finish_close(struct conn *conn)
{
	if (!unread_in_kernel(conn) || conn->lingers) {
		close_handles(conn, false);
		return;
	}
	conn->lingers = true;
	if ((!conn->shut && uv_shutdown(&conn->shutdown, &conn->uv.stream, on_lingering) < 0) ||
	    conn_read_start(conn) < 0) {
		close_handles(conn, false);
		return;
	}
	conn->shut = true;
	set_timer(conn, uv_now(conn->vm->loop) + LINGER);
}

void conn_close(struct conn *conn)
{
	bool broken = conn->failure.code != NULL;
	struct vm *vm = conn->vm;

	if (conn->closed || conn->handles == 0)
		return;
	conn->closed = true;
	if (broken) {
		close_handles(conn, false);
		return;
	}
	conn_fail(conn, (struct failure){"the connection is closed", "ECLOSED", false});
	if (conn_queued(conn) == 0)
		finish_close(conn);
	else
		set_timer(conn, uv_now(vm->loop) + (uint64_t)vm->daemon->spec->timeout_stop);
}

void conn_flushed(struct conn *conn)
{
	if (conn->closed && !uv_is_closing(&conn->uv.handle) && !conn->lingers)
		finish_close(conn);
}

void conn_broken(struct conn *conn)
{
	if (conn->closed)
		close_handles(conn, false);
}

void conn_lingered(struct conn *conn)
{
	close_handles(conn, false);
}

/* --- the timer --- */

static int64_t idle_limit(const struct conn *conn)
{
	return conn->acceptor ? server_listen(conn->acceptor->server)->idle_timeout : 0;
}

static void on_timer(uv_timer_t *timer)
{
	struct conn *conn = timer->data;
	uint64_t now = uv_now(timer->loop);
	uint64_t due = conn->active + (uint64_t)idle_limit(conn);

	if (conn->closed) {
		conn_abort(conn);
		return;
	}
	if (idle_limit(conn) == 0)
		return;
	if (now < due)
		set_timer(conn, due);
	else
		conn_fail(conn, (struct failure){"the connection was idle for too long",
						 "ETIMEDOUT", true});
}

/* Set rarely: a byte only moves conn->active, and the timer looks at that when it fires. */
static void set_timer(struct conn *conn, uint64_t due)
{
	uint64_t now = uv_now(conn->vm->loop);

	if (!conn->has_timer) {
		uv_timer_init(conn->vm->loop, &conn->timer);
		conn->timer.data = conn;
		conn->has_timer = true;
		conn->handles++;
		conn->vm->handles++;
	}
	uv_timer_start(&conn->timer, on_timer, due > now ? due - now : 0, 0);
}

/* --- making one --- */

static int open_stream(struct conn *conn, int fd)
{
	uv_loop_t *loop = conn->vm->loop;
	int code;

	if (conn->tcp) {
		code = uv_tcp_init(loop, &conn->uv.tcp);
		if (code == 0)
			conn->handles++;
		return code ? code : uv_tcp_open(&conn->uv.tcp, fd);
	}
	code = uv_pipe_init(loop, &conn->uv.pipe, 0);
	if (code == 0)
		conn->handles++;
	return code ? code : uv_pipe_open(&conn->uv.pipe, fd);
}

static struct conn *make(struct incoming *incoming)
{
	struct conn *conn = calloc(1, sizeof *conn);

	if (!conn)
		return NULL;
	conn->vm = incoming->acceptor->server->vm;
	conn->tcp = incoming->peer.ss_family != AF_UNIX;
	conn->peer = incoming->peer;
	list_init(&conn->all);
	list_init(&conn->writers);
	return conn;
}

struct conn *conn_create(lua_State *L, struct incoming *incoming)
{
	struct conn **box = lua_newuserdatauv(L, sizeof(struct conn *), 0);
	struct server *server = incoming->acceptor->server;
	struct vm *vm = vm_of(L);
	struct conn *conn;
	int code;

	*box = NULL;
	luaL_setmetatable(L, meta);
	conn = make(incoming);
	if (!conn)
		vm_raise(L, "not enough memory");
	code = open_stream(conn, incoming->fd);
	conn->uv.handle.data = conn;
	conn->box = box;
	*box = conn;
	vm->handles += (size_t)conn->handles;
	vm->connections += (size_t)conn->handles;
	if (code < 0) {
		if (conn->handles)
			close_handles(conn, false);
		vm_raise(L, "cannot use an accepted connection: %s", uv_strerror(code));
	}
	incoming->fd = -1;
	conn->acceptor = incoming->acceptor;
	list_append(&server->conns, &conn->all);
	conn->active = uv_now(vm->loop);
	if (idle_limit(conn) > 0)
		set_timer(conn, conn->active + (uint64_t)idle_limit(conn));
	return conn;
}

/* --- addresses --- */

static void write_unix(const struct sockaddr_un *address, socklen_t length, char *text, size_t size)
{
	size_t offset = offsetof(struct sockaddr_un, sun_path);
	size_t path = length > offset ? length - offset : 0;

	if (path > 0 && address->sun_path[0] == '\0')
		snprintf(text, size, "unix:@%.*s", (int)path - 1, address->sun_path + 1);
	else
		snprintf(text, size, "unix:%.*s", (int)path, address->sun_path);
}

static void write_address(const struct sockaddr_storage *address, socklen_t length, char *text,
			  size_t size)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
	const struct sockaddr_in *four = (const struct sockaddr_in *)address;
	char host[INET6_ADDRSTRLEN] = "";

	if (address->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host);
		snprintf(text, size, "tcp://[%s]:%u", host, ntohs(six->sin6_port));
	} else if (address->ss_family == AF_INET) {
		inet_ntop(AF_INET, &four->sin_addr, host, sizeof host);
		snprintf(text, size, "tcp://%s:%u", host, ntohs(four->sin_port));
	} else {
		write_unix((const struct sockaddr_un *)address, length, text, size);
	}
}

static void write_local(struct conn *conn, char *text, size_t size)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof address;
	const struct acceptor *at = conn->acceptor;
	uv_os_fd_t fd;

	if (uv_fileno(&conn->uv.handle, &fd) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		snprintf(text, size, "closed");
	else if (address.ss_family == AF_UNIX && at) /* bound by another name, then renamed */
		snprintf(text, size, "%s", at->server->vm->daemon->listeners[at->index].actual);
	else
		write_address(&address, length, text, size);
}

const char *conn_address(struct conn *conn, bool peer, char *text, size_t size)
{
	/* The peer's is kept: a connection that is broken has none any more. */
	if (peer)
		write_address(&conn->peer, sizeof(sa_family_t), text, size);
	else
		write_local(conn, text, size);
	return text;
}

/* --- Lua --- */

struct conn *conn_check(lua_State *L)
{
	struct conn **box = luaL_checkudata(L, 1, meta);

	luaL_argcheck(L, *box, 1, "a connection that was never opened");
	return *box;
}

int conn_push_failure(lua_State *L, const struct failure *failure)
{
	return vm_fail(L, failure->message, failure->code);
}

static int l_failure(lua_State *L)
{
	struct conn *conn = conn_check(L);
	const struct failure *failure = conn->failure.code ? &conn->failure : &conn->soft;

	if (!failure->code) {
		lua_pushnil(L);
		return 1;
	}
	lua_pushstring(L, failure->message);
	lua_pushstring(L, failure->code);
	return 2;
}

static int l_close(lua_State *L)
{
	conn_close(conn_check(L));
	return 0;
}

static int l_reset(lua_State *L)
{
	conn_abort(conn_check(L));
	return 0;
}

static int l_gc(lua_State *L)
{
	struct conn **box = luaL_checkudata(L, 1, meta);
	struct conn *conn = *box;

	if (!conn)
		return 0;
	*box = NULL;
	conn->box = NULL;
	if (conn->handles > 0)
		conn_close(conn);
	else
		release(conn);
	return 0;
}

static int l_tostring(lua_State *L)
{
	char text[160];

	lua_pushfstring(L, "luvd.conn (%s)", conn_address(conn_check(L), true, text, sizeof text));
	return 1;
}

static int push_listener(lua_State *L, const struct conn *conn)
{
	if (conn->acceptor)
		lua_rawgeti(L, LUA_REGISTRYINDEX, conn->acceptor->server->entry);
	else
		lua_pushnil(L);
	return 1;
}

/* conn, key: a method (upvalue 1 is their table) or one of three fields. */
static int l_index(lua_State *L)
{
	struct conn *conn;
	const char *key;
	char text[160];

	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
		return 1;
	conn = conn_check(L);
	key = luaL_tolstring(L, 2, NULL);
	if (strcmp(key, "listener") == 0)
		return push_listener(L, conn);
	if (strcmp(key, "peer") != 0 && strcmp(key, "local_address") != 0)
		return luaL_error(L, "a connection has no field \"%s\"", key);
	lua_pushstring(L, conn_address(conn, key[0] == 'p', text, sizeof text));
	return 1;
}

static const luaL_Reg methods[] = {{"read", conn_l_read},
				   {"read_line", conn_l_read_line},
				   {"read_exactly", conn_l_read_exactly},
				   {"read_until", conn_l_read_until},
				   {"chunks", conn_l_chunks},
				   {"lines", conn_l_lines},
				   {"write", conn_l_write},
				   {"try_write", conn_l_try_write},
				   {"shutdown", conn_l_shutdown},
				   {"failure", l_failure},
				   {"close", l_close},
				   {"reset", l_reset},
				   {NULL, NULL}};

void conn_open(lua_State *L)
{
	static const luaL_Reg events[] = {
	    {"__gc", l_gc}, {"__close", l_close}, {"__tostring", l_tostring}, {NULL, NULL}};

	luaL_newmetatable(L, meta);
	luaL_setfuncs(L, events, 0);
	luaL_newlib(L, methods);
	lua_pushcclosure(L, l_index, 1);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}
