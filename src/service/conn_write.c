#include "service/conn.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "service/server.h"
#include "service/task.h"
#include "service/units.h"
#include "service/vm.h"

enum { PARTS_MAX = 32 };

/* The bytes of one call: strings on the Lua stack or in the list, not copied yet. */
struct message {
	uv_buf_t parts[PARTS_MAX];
	unsigned count;
	size_t length;
};

/* What the kernel did not take at once. */
struct outgoing {
	uv_write_t request;
	char bytes[];
};

/* A write call that waits, kept in its task. */
struct writing {
	int64_t timeout;
	uint64_t deadline;
};

static const struct failure is_shut = {"nothing can be written after shutdown", "EPIPE", false};

size_t conn_queued(const struct conn *conn)
{
	return uv_stream_get_write_queue_size(&conn->uv.stream);
}

size_t conn_high_water(const struct conn *conn)
{
	return conn->acceptor ? server_listen(conn->acceptor->server)->write_buffer : 262144;
}

/* --- the bytes --- */

static void add_part(struct message *message, const char *bytes, size_t length)
{
	message->parts[message->count++] = uv_buf_init((char *)bytes, (unsigned)length);
	message->length += length;
}

/* The list is long, or has numbers: joined it is one part. */
static void join(lua_State *L, int index, struct message *message)
{
	size_t length;
	const char *bytes = units_bytes(L, index, &length);

	*message = (struct message){0};
	add_part(message, bytes, length);
}

static void gather_list(lua_State *L, int index, struct message *message)
{
	lua_Unsigned count = lua_rawlen(L, index);

	for (lua_Unsigned i = 1; i <= count; i++) {
		size_t length;
		const char *bytes;

		if (i > PARTS_MAX || lua_rawgeti(L, index, (lua_Integer)i) != LUA_TSTRING) {
			join(L, index, message);
			return;
		}
		bytes = lua_tolstring(L, -1, &length); /* the list keeps it */
		add_part(message, bytes, length);
		lua_pop(L, 1);
	}
}

static void gather(lua_State *L, int index, struct message *message)
{
	size_t length;
	const char *bytes;

	message->count = 0;
	message->length = 0;
	if (lua_type(L, index) == LUA_TTABLE) {
		gather_list(L, index, message);
		return;
	}
	bytes = luaL_checklstring(L, index, &length);
	add_part(message, bytes, length);
}

/* --- sending --- */

static void wake_writers(struct conn *conn)
{
	while (!list_empty(&conn->writers) && conn_queued(conn) <= conn_high_water(conn))
		task_wake(LIST_ENTRY(conn->writers.next, struct task, queued));
}

static void on_written(uv_write_t *request, int status)
{
	struct conn *conn = request->handle->data;

	free(request->data);
	conn->active = uv_now(conn->vm->loop);
	if (uv_is_closing(&conn->uv.handle))
		return;
	if (status < 0) {
		conn_fail(conn, conn_uv_failure(status));
		conn_broken(conn);
		return;
	}
	wake_writers(conn);
	if (conn_queued(conn) == 0)
		conn_flushed(conn);
}

/* Copies what is left after sent bytes: the strings may be gone before the kernel takes them. */
static int enqueue(struct conn *conn, const struct message *message, size_t sent)
{
	size_t left = message->length - sent, at = 0;
	struct outgoing *outgoing = malloc(sizeof *outgoing + left);
	uv_buf_t buffer;
	int code;

	if (!outgoing)
		return UV_ENOMEM;
	for (unsigned i = 0; i < message->count; i++) {
		size_t skip = sent < message->parts[i].len ? sent : message->parts[i].len;

		memcpy(outgoing->bytes + at, message->parts[i].base + skip,
		       message->parts[i].len - skip);
		at += message->parts[i].len - skip;
		sent -= skip;
	}
	buffer = uv_buf_init(outgoing->bytes, (unsigned)left);
	outgoing->request.data = outgoing;
	code = uv_write(&outgoing->request, &conn->uv.stream, &buffer, 1, on_written);
	if (code < 0)
		free(outgoing);
	return code;
}

/* All of it is sent or queued, or the connection has failed. */
static int send_message(struct conn *conn, const struct message *message)
{
	int sent = 0;

	if (message->length == 0)
		return 0;
	conn->active = uv_now(conn->vm->loop);
	if (conn_queued(conn) == 0)
		sent = uv_try_write(&conn->uv.stream, message->parts, message->count);
	if (sent == UV_EAGAIN)
		sent = 0;
	if (sent >= 0 && (size_t)sent < message->length)
		sent = enqueue(conn, message, (size_t)sent);
	if (sent < 0)
		conn_fail(conn, conn_uv_failure(sent));
	return sent < 0 ? -1 : 0;
}

static bool refused(lua_State *L, struct conn *conn, int *count)
{
	const struct failure *failure = conn->failure.code ? &conn->failure : &is_shut;

	if (!conn->failure.code && !conn->shut)
		return false;
	*count = conn_push_failure(L, failure);
	return true;
}

/* --- the calls --- */

static int wait(lua_State *L, struct conn *conn, struct task *task);

static int go_on(lua_State *L, int status, lua_KContext context)
{
	static const struct failure late = {"the peer did not take the bytes in time", "ETIMEDOUT",
					    true};
	struct conn *conn = conn_check(L);
	struct task *task = conn->vm->current;

	(void)status;
	(void)context;
	if (!conn->failure.code && conn_queued(conn) > conn_high_water(conn)) {
		if (!task->timed_out)
			return wait(L, conn, task);
		conn_fail(conn, late); /* half a message may be sent: the stream is of no use */
	}
	if (conn->failure.code)
		return conn_push_failure(L, &conn->failure);
	lua_pushboolean(L, 1);
	return 1;
}

static int wait(lua_State *L, struct conn *conn, struct task *task)
{
	struct writing *writing = (struct writing *)task->call;
	uint64_t now = uv_now(conn->vm->loop);
	int64_t left = -1;

	if (writing->timeout >= 0) {
		if (writing->deadline == 0)
			writing->deadline = now + (uint64_t)writing->timeout;
		left = writing->deadline > now ? (int64_t)(writing->deadline - now) : 0;
	}
	list_append(&conn->writers, &task->queued);
	return task_wait(L, task, conn, NULL, left, 0, go_on);
}

int conn_l_write(lua_State *L)
{
	struct conn *conn = conn_check(L);
	int64_t timeout = units_options(L, 3, 0, false).timeout;
	struct task *task = task_check(L);
	struct message message;
	int count;

	gather(L, 2, &message);
	if (refused(L, conn, &count))
		return count;
	if (send_message(conn, &message) < 0)
		return conn_push_failure(L, &conn->failure);
	if (conn_queued(conn) > conn_high_water(conn)) {
		*(struct writing *)task->call = (struct writing){.timeout = timeout};
		return wait(L, conn, task);
	}
	lua_pushboolean(L, 1);
	return 1;
}

int conn_l_try_write(lua_State *L)
{
	struct conn *conn = conn_check(L);
	struct message message;
	size_t queued;
	int count;

	gather(L, 2, &message);
	if (refused(L, conn, &count))
		return count;
	queued = conn_queued(conn);
	if (queued > 0 && queued + message.length > conn_high_water(conn))
		return vm_fail(L, "the peer reads too slowly", "EAGAIN");
	if (send_message(conn, &message) < 0)
		return conn_push_failure(L, &conn->failure);
	lua_pushboolean(L, 1);
	return 1;
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
	struct conn *conn = request->handle->data;

	if (status < 0 && status != UV_ECANCELED && status != UV_ENOTCONN)
		conn_fail(conn, conn_uv_failure(status));
}

int conn_l_shutdown(lua_State *L)
{
	struct conn *conn = conn_check(L);
	int code;

	if (conn->failure.code)
		return conn_push_failure(L, &conn->failure);
	if (!conn->shut) {
		code = uv_shutdown(&conn->shutdown, &conn->uv.stream, on_shutdown);
		if (code < 0)
			return vm_fail_uv(L, code);
		conn->shut = true;
	}
	lua_pushboolean(L, 1);
	return 1;
}
