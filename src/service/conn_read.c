#include "service/conn.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "service/task.h"
#include "service/units.h"
#include "service/vm.h"

enum want { WANT_ANY, WANT_LINE, WANT_EXACT, WANT_TEXT };

/* A read call, kept in its task while it waits. */
struct reading {
	enum want want;
	bool iterating;        /* of chunks or lines: a failure is a plain nil */
	size_t max;            /* bytes of the result */
	size_t scanned;        /* bytes known to hold no delimiter */
	const char *delimiter; /* of WANT_TEXT; on the caller's stack */
	size_t delimiter_length;
	int64_t timeout;   /* of the whole call; -1: none */
	uint64_t deadline; /* loop time, once it waits */
};

_Static_assert(sizeof(struct reading) <= sizeof((struct task *)0)->call, "task.call is too small");

/* --- bytes that are there --- */

struct view {
	const char *bytes;
	size_t length;
};

/* Fresh bytes are looked at where the kernel put them; only what is left over is copied. */
static struct view view(const struct conn *conn)
{
	if (conn->fresh)
		return (struct view){conn->fresh, conn->fresh_length};
	return (struct view){conn->unread.bytes + conn->unread.start,
			     conn->unread.end - conn->unread.start};
}

static void consume(struct conn *conn, size_t count)
{
	if (conn->fresh) {
		conn->fresh += count;
		conn->fresh_length -= count;
		return;
	}
	conn->unread.start += count;
	if (conn->unread.start == conn->unread.end)
		conn_forget(conn);
}

void conn_forget(struct conn *conn)
{
	conn->fresh = NULL;
	conn->fresh_length = 0;
	free(conn->unread.bytes);
	conn->unread = (struct unread){0};
}

static int make_room(struct unread *unread, size_t count)
{
	size_t length = unread->end - unread->start;
	size_t room = unread->room ? unread->room : 1024;
	char *bytes;

	if (unread->start > 0)
		memmove(unread->bytes, unread->bytes + unread->start, length);
	unread->start = 0;
	unread->end = length;
	while (room < length + count)
		room *= 2;
	if (room == unread->room)
		return 0;
	bytes = realloc(unread->bytes, room);
	if (!bytes)
		return -1;
	unread->bytes = bytes;
	unread->room = room;
	return 0;
}

static int keep(struct conn *conn, const char *bytes, size_t count)
{
	struct unread *unread = &conn->unread;

	if (unread->room - unread->end < count && make_room(unread, count) < 0)
		return -1;
	memcpy(unread->bytes + unread->end, bytes, count);
	unread->end += count;
	return 0;
}

/* --- the socket --- */

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
	struct conn *conn = handle->data;

	(void)size;
	*buffer = uv_buf_init(conn->vm->read_buffer, READ_SIZE);
}

static void out_of_memory(struct conn *conn)
{
	conn_fail(conn, (struct failure){"out of memory", "ENOMEM", false});
}

static void on_bytes(struct conn *conn, const char *bytes, size_t count)
{
	conn->active = uv_now(conn->vm->loop);
	if (conn->unread.end > conn->unread.start) {
		if (keep(conn, bytes, count) < 0) {
			out_of_memory(conn);
			return;
		}
	} else {
		conn->fresh = bytes;
		conn->fresh_length = count;
	}
	if (conn->reader)
		task_wake(conn->reader);
	bytes = conn->fresh;
	count = conn->fresh_length;
	conn->fresh = NULL;
	conn->fresh_length = 0;
	if (count > 0 && keep(conn, bytes, count) < 0)
		out_of_memory(conn);
	/* Nobody waits and enough is kept: the kernel's window tells the peer to wait. */
	if (!conn->reader && conn->unread.end - conn->unread.start >= CONN_READ_AHEAD)
		conn_read_stop(conn);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
	struct conn *conn = stream->data;

	if (count == 0)
		return;
	if (conn->closed) {
		if (count < 0)
			conn_lingered(conn);
		return;
	}
	if (count > 0) {
		on_bytes(conn, buffer->base, (size_t)count);
		return;
	}
	conn_read_stop(conn);
	if (count != UV_EOF) {
		conn_fail(conn, conn_uv_failure((int)count));
		return;
	}
	conn->eof = true;
	if (conn->reader)
		task_wake(conn->reader);
}

int conn_read_start(struct conn *conn)
{
	int code;

	if (conn->started)
		return 0;
	code = uv_read_start(&conn->uv.stream, on_alloc, on_read);
	conn->started = code == 0;
	return code;
}

void conn_read_stop(struct conn *conn)
{
	if (conn->started)
		uv_read_stop(&conn->uv.stream);
	conn->started = false;
}

/* --- what a call wants --- */

static int give(lua_State *L, struct conn *conn, size_t length, size_t consumed)
{
	lua_pushlstring(L, view(conn).bytes, length);
	consume(conn, consumed);
	return 1;
}

/* The place of the delimiter in what was not looked at yet, or NULL. */
static const char *find(const struct view *there, struct reading *reading)
{
	size_t length = reading->delimiter_length;
	size_t from = reading->scanned;
	const char *at;

	if (there->length == 0)
		return NULL;
	if (length == 1)
		return memchr(there->bytes + from, reading->delimiter[0], there->length - from);
	at = memmem(there->bytes + from, there->length - from, reading->delimiter, length);
	return at;
}

enum { NOT_YET = 0, TOO_LONG = -1 };

/* Pushes the result and returns 1, or says why there is none. */
static int take_delimited(lua_State *L, struct conn *conn, struct reading *reading)
{
	struct view there = view(conn);
	size_t before = reading->delimiter_length - 1;
	size_t extra = reading->want == WANT_LINE; /* room for "\r" */
	const char *at = find(&there, reading);
	size_t length;

	if (!at) {
		reading->scanned = there.length > before ? there.length - before : 0;
		return there.length > reading->max + before + extra ? TOO_LONG : NOT_YET;
	}
	length = (size_t)(at - there.bytes);
	if (reading->want == WANT_LINE && length > 0 && at[-1] == '\r')
		length--;
	if (length > reading->max)
		return TOO_LONG;
	return give(L, conn, length, (size_t)(at - there.bytes) + reading->delimiter_length);
}

static int take(lua_State *L, struct conn *conn, struct reading *reading)
{
	size_t length = view(conn).length;

	switch (reading->want) {
	case WANT_ANY:
		if (length > reading->max)
			length = reading->max;
		return length > 0 ? give(L, conn, length, length) : NOT_YET;
	case WANT_EXACT:
		return length >= reading->max ? give(L, conn, reading->max, reading->max) : NOT_YET;
	default:
		return take_delimited(L, conn, reading);
	}
}

static int refuse(lua_State *L, struct conn *conn, const struct reading *reading,
		  struct failure failure)
{
	conn->soft = failure;
	if (!reading->iterating)
		return conn_push_failure(L, &failure);
	lua_pushnil(L);
	return 1;
}

static int at_end(lua_State *L, struct conn *conn, struct reading *reading)
{
	static const struct failure inside = {"the peer ended the stream too early", "EOF", true};
	size_t left = view(conn).length;
	int count;

	if (left == 0) {
		lua_pushnil(L);
		return 1;
	}
	count = refuse(L, conn, reading, inside);
	if (reading->iterating)
		return count;
	return count + give(L, conn, left, left);
}

/* --- the calls --- */

static int step(lua_State *L, struct conn *conn, struct task *task, bool timed_out);

static int go_on(lua_State *L, int status, lua_KContext iterating)
{
	struct conn **box = lua_touserdata(L, iterating ? lua_upvalueindex(1) : 1);
	struct task *task = vm_of(L)->current;

	(void)status;
	return step(L, *box, task, task->timed_out);
}

static void detach(struct task *task)
{
	struct conn *conn = task->object;

	conn->reader = NULL;
}

static int64_t time_left(struct conn *conn, struct reading *reading)
{
	uint64_t now = uv_now(conn->vm->loop);

	if (reading->timeout < 0)
		return -1;
	if (reading->deadline == 0) {
		reading->deadline = now + (uint64_t)reading->timeout;
		return reading->timeout;
	}
	return reading->deadline > now ? (int64_t)(reading->deadline - now) : 0;
}

static int wait(lua_State *L, struct conn *conn, struct task *task, struct reading *reading)
{
	int code = conn_read_start(conn);

	if (code < 0) {
		conn_fail(conn, conn_uv_failure(code));
		return refuse(L, conn, reading, conn->failure);
	}
	conn->reader = task;
	return task_wait(L, task, conn, detach, time_left(conn, reading), reading->iterating,
			 go_on);
}

static int step(lua_State *L, struct conn *conn, struct task *task, bool timed_out)
{
	static const struct failure too_long = {"more than max bytes came without an end",
						"EMSGSIZE", true};
	static const struct failure late = {"the peer sent nothing in time", "ETIMEDOUT", true};
	struct reading *reading = (struct reading *)task->call;
	int taken;

	if (conn->failure.code)
		return refuse(L, conn, reading, conn->failure);
	taken = take(L, conn, reading);
	if (taken > 0)
		return taken;
	if (taken == TOO_LONG)
		return refuse(L, conn, reading, too_long);
	if (conn->eof)
		return at_end(L, conn, reading);
	if (timed_out)
		return refuse(L, conn, reading, late);
	return wait(L, conn, task, reading);
}

static int begin(lua_State *L, struct conn *conn, const struct reading *reading)
{
	struct task *task = task_check(L);

	if (conn->reader)
		return luaL_error(L, "another task is already reading from this connection");
	memcpy(task->call, reading, sizeof *reading);
	conn->soft = (struct failure){0};
	return step(L, conn, task, false);
}

static struct reading reading_of(lua_State *L, int index, enum want want)
{
	bool has_max = want != WANT_EXACT;
	struct options_of_wait options = units_options(L, index, CONN_MAX_DEFAULT, has_max);

	return (struct reading){.want = want,
				.max = (size_t)options.max,
				.delimiter = "\n",
				.delimiter_length = 1,
				.timeout = options.timeout};
}

int conn_l_read(lua_State *L)
{
	struct conn *conn = conn_check(L);
	struct reading reading = reading_of(L, 2, WANT_ANY);

	return begin(L, conn, &reading);
}

int conn_l_read_line(lua_State *L)
{
	struct conn *conn = conn_check(L);
	struct reading reading = reading_of(L, 2, WANT_LINE);

	return begin(L, conn, &reading);
}

int conn_l_read_exactly(lua_State *L)
{
	struct conn *conn = conn_check(L);
	struct reading reading = reading_of(L, 3, WANT_EXACT);

	reading.max = (size_t)units_size(L, 2);
	return begin(L, conn, &reading);
}

int conn_l_read_until(lua_State *L)
{
	struct conn *conn = conn_check(L);
	struct reading reading = reading_of(L, 3, WANT_TEXT);

	reading.delimiter = luaL_checklstring(L, 2, &reading.delimiter_length);
	luaL_argcheck(L, reading.delimiter_length > 0, 2, "a delimiter of at least one byte");
	return begin(L, conn, &reading);
}

/* upvalues: conn, what it wants, max, timeout */
static int iterate(lua_State *L)
{
	struct conn **box = lua_touserdata(L, lua_upvalueindex(1));
	struct reading reading = {.want = (enum want)lua_tointeger(L, lua_upvalueindex(2)),
				  .iterating = true,
				  .max = (size_t)lua_tointeger(L, lua_upvalueindex(3)),
				  .delimiter = "\n",
				  .delimiter_length = 1,
				  .timeout = lua_tointeger(L, lua_upvalueindex(4))};

	return begin(L, *box, &reading);
}

static int push_iterator(lua_State *L, enum want want)
{
	struct options_of_wait options;

	conn_check(L);
	options = units_options(L, 2, CONN_MAX_DEFAULT, true);
	lua_pushvalue(L, 1);
	lua_pushinteger(L, want);
	lua_pushinteger(L, options.max);
	lua_pushinteger(L, options.timeout);
	lua_pushcclosure(L, iterate, 4);
	return 1;
}

int conn_l_chunks(lua_State *L)
{
	return push_iterator(L, WANT_ANY);
}

int conn_l_lines(lua_State *L)
{
	return push_iterator(L, WANT_LINE);
}
