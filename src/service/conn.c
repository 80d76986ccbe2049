#include "service/conn.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "service/acceptor.h"
#include "service/server.h"
#include "service/tcp.h"
#include "service/vm.h"

/* How long bytes of the peer are thrown away after our last one, milliseconds: a socket closed
 * with unread bytes is reset by the kernel, and the peer may lose our answer. */
enum { LINGER = 2000 };

struct failure conn_explain(int failure)
{
	static const struct failure failures[] = {
	    [CONN_OK] = {NULL, NULL, false},
	    [CONN_CLOSED] = {"the connection is closed", "ECLOSED", false},
	    [CONN_IDLE] = {"the connection was idle for too long", "ETIMEDOUT", true},
	    [CONN_NO_MEMORY] = {"out of memory", "ENOMEM", false},
	    [CONN_NOT_TAKEN] = {"the peer did not take the bytes in time", "ETIMEDOUT", true},
	    [CONN_CUT] = {"the peer ended the stream too early", "EOF", true},
	    [CONN_TOO_LONG] = {"more than max bytes came without an end", "EMSGSIZE", true},
	    [CONN_LATE] = {"the peer sent nothing in time", "ETIMEDOUT", true},
	    [CONN_SHUT] = {"nothing can be written after shutdown", "EPIPE", false},
	    [CONN_SLOW] = {"the peer reads too slowly", "EAGAIN", true}};

	if (failure < 0)
		return (struct failure){uv_strerror(failure), uv_err_name(failure), true};
	return failures[failure];
}

/* --- the end --- */

static void release(struct conn *conn)
{
	if (conn->open || conn->held)
		return;
	if (conn->acceptor)
		server_release(conn->acceptor->server);
	free(conn);
}

/* Those that we opened are the service's own: only what it has queued is waited for. */
static void leave(struct conn *conn)
{
	conn->leaving = true;
	conn->vm->connections++;
}

static void left(struct vm *vm)
{
	vm->connections--;
	server_tell_if_quiet(vm);
}

static void on_closed(uv_handle_t *handle)
{
	struct conn *conn = LIST_ENTRY(handle, struct conn, handle);
	struct acceptor *acceptor = conn->acceptor;

	conn->open = false;
	conn->vm->handles--;
	list_remove(&conn->all);
	if (conn->user)
		conn->user->gone(conn);
	if (acceptor)
		server_left(acceptor, conn);
	else if (conn->leaving)
		left(conn->vm);
	release(conn);
}

static uint64_t now(const struct conn *conn)
{
	return vm_now(conn->vm);
}

static bool set_failure(struct conn *conn, int failure)
{
	if (conn->failure)
		return false;
	conn->failure = (int16_t)failure;
	conn_read_stop(conn);
	conn_forget(conn);
	return true;
}

void conn_fail(struct conn *conn, int failure)
{
	if (set_failure(conn, failure))
		alarm_set(&conn->vm->alarms, &conn->alarm, now(conn));
}

void conn_fail_now(struct conn *conn, int failure)
{
	if (!set_failure(conn, failure))
		return;
	alarm_clear(&conn->vm->alarms, &conn->alarm);
	conn->user->readable(conn);
}

/* A peer that does not read would keep in the kernel for many minutes what it is owed. */
static void bound_sending(struct conn *conn)
{
	uv_os_fd_t fd;

	if (conn->handle.type == UV_TCP && uv_fileno(&conn->handle, &fd) == 0)
		tcp_bound_sending(fd, conn->vm->daemon->spec->timeout_stop);
}

static void close_handle(struct conn *conn, bool reset)
{
	conn->closed = true;
	set_failure(conn, CONN_CLOSED);
	alarm_clear(&conn->vm->alarms, &conn->alarm);
	if (!conn->open || uv_is_closing(&conn->handle))
		return;
	/* A reset is refused once shutdown is on its way: then it is an ordinary close. */
	if (reset && conn->handle.type == UV_TCP && uv_tcp_close_reset(&conn->tcp, on_closed) == 0)
		return;
	bound_sending(conn);
	vm_close_handle(conn->vm, &conn->handle, on_closed);
}

void conn_abort(struct conn *conn)
{
	close_handle(conn, true);
}

static bool unread_in_kernel(struct conn *conn)
{
	uv_os_fd_t fd;
	int count = 0;

	if (conn->eof || uv_fileno(&conn->handle, &fd) < 0 || ioctl(fd, FIONREAD, &count) < 0)
		return false;
	return count > 0;
}

/* Everything is sent. */
static void finish_close(struct conn *conn)
{
	if (!unread_in_kernel(conn) || conn->lingers) {
		close_handle(conn, false);
		return;
	}
	conn->lingers = true;
	if (conn_shutdown(conn) < 0 || conn_read_start(conn) < 0)
		close_handle(conn, false);
	else
		alarm_set(&conn->vm->alarms, &conn->alarm, now(conn) + LINGER);
}

void conn_close(struct conn *conn)
{
	struct vm *vm = conn->vm;

	if (conn->closed || !conn->open)
		return;
	if (!set_failure(conn, CONN_CLOSED)) {
		/* A peer that is late must not take a part for the whole; nor would the kernel soon
		 * be rid of what one that does not read is still owed. */
		close_handle(conn, conn_queued(conn) > 0);
		return;
	}
	conn->closed = true;
	if (conn_queued(conn) == 0) {
		finish_close(conn);
		return;
	}
	if (!conn->acceptor)
		leave(conn);
	alarm_set(&vm->alarms, &conn->alarm, now(conn) + (uint64_t)vm->daemon->spec->timeout_stop);
}

void conn_flushed(struct conn *conn)
{
	if (conn->closed && !uv_is_closing(&conn->handle) && !conn->lingers)
		finish_close(conn);
}

void conn_broken(struct conn *conn)
{
	if (conn->closed)
		close_handle(conn, false);
}

void conn_lingered(struct conn *conn)
{
	close_handle(conn, false);
}

void conn_hold(struct conn *conn)
{
	conn->held++;
}

void conn_drop(struct conn *conn)
{
	conn->held--;
	conn_close(conn);
	release(conn);
}

/* --- the alarm --- */

static int64_t idle_limit(const struct conn *conn)
{
	return conn->acceptor ? server_listen(conn->acceptor->server)->idle_timeout : 0;
}

static void idle_for_too_long(struct conn *conn)
{
	acceptor_tell_idle(conn->acceptor, &conn->peer);
	conn_fail_now(conn, CONN_IDLE);
}

/* Set rarely: a byte only moves conn->active, and the alarm looks at that when it rings. */
static void watch_idle(struct conn *conn)
{
	uint64_t limit = (uint64_t)idle_limit(conn);
	uint64_t idle = (uint64_t)(conn_clock(now(conn)) - conn->active) << 4;

	if (limit == 0)
		return;
	if (idle < limit)
		alarm_set(&conn->vm->alarms, &conn->alarm, now(conn) + limit - idle);
	else
		idle_for_too_long(conn);
}

static void on_alarm(struct alarm *alarm)
{
	struct conn *conn = LIST_ENTRY(alarm, struct conn, alarm);

	if (conn->closed)
		conn_abort(conn);
	else if (conn->failure)
		conn->user->readable(conn);
	else
		watch_idle(conn);
}

/* --- making one --- */

_Static_assert(offsetof(uv_handle_t, data) == 0, "conn->vm is the handle's data");

static struct conn *make(struct vm *vm, const struct incoming *incoming, int *code)
{
	bool tcp = incoming->peer.family != AF_UNIX;
	struct conn *conn =
	    calloc(1, offsetof(struct conn, handle) + (tcp ? sizeof(uv_tcp_t) : sizeof(uv_pipe_t)));

	*code = UV_ENOMEM;
	if (!conn)
		return NULL;
	*code = tcp ? uv_tcp_init(vm->loop, &conn->tcp) : uv_pipe_init(vm->loop, &conn->pipe, 0);
	if (*code < 0) {
		free(conn);
		return NULL;
	}
	conn->vm = vm;
	conn->open = true;
	alarm_init(&vm->alarms, &conn->alarm, on_alarm);
	list_init(&conn->all);
	conn->peer = incoming->peer;
	vm->handles++;
	return conn;
}

struct conn *conn_open(struct vm *vm, struct incoming *incoming, const struct conn_user *user,
		       void *data, int *code)
{
	struct conn *conn = make(vm, incoming, code);

	if (!conn)
		return NULL;
	*code = conn->handle.type == UV_TCP ? uv_tcp_open(&conn->tcp, incoming->fd)
					    : uv_pipe_open(&conn->pipe, incoming->fd);
	if (*code < 0) {
		close_handle(conn, false);
		return NULL;
	}
	incoming->fd = -1;
	conn->user = user;
	conn->data = data;
	conn->active = conn_clock(now(conn));
	conn->acceptor = incoming->acceptor;
	if (conn->acceptor)
		server_came(conn->acceptor, conn);
	else
		list_append(&vm->conns, &conn->all);
	watch_idle(conn);
	return conn;
}
