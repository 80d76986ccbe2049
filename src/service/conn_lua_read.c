#include "service/conn_lua.h"

#include <lauxlib.h>
#include <string.h>

#include "service/units.h"
#include "service/vm.h"

enum want { WANT_ANY, WANT_LINE, WANT_EXACT, WANT_TEXT };

/* A read call, kept in its task while it waits: small, for every idle connection has one. */
struct reading {
	uint8_t want;
	bool iterating;            /* of chunks or lines: a failure is a plain nil */
	bool limited;              /* time is one */
	bool started;              /* it waits: time is when it ends */
	uint32_t delimiter_length; /* of WANT_TEXT: argument 2 */
	size_t max;                /* bytes of the result */
	size_t scanned;            /* bytes known to hold no delimiter */
	uint64_t time;             /* milliseconds of the whole call, then loop time */
};

_Static_assert(sizeof(struct reading) <= sizeof((struct task *)0)->call, "task.call is too small");

/* --- what a call wants --- */

static int give(lua_State *L, struct conn *conn, size_t length, size_t consumed)
{
	lua_pushlstring(L, conn_view(conn).bytes, length);
	conn_consume(conn, consumed);
	return 1;
}

/* The place of the delimiter in what was not looked at yet, or NULL. */
static const char *find(lua_State *L, const struct view *there, struct reading *reading)
{
	size_t length = reading->delimiter_length;
	size_t from = reading->scanned;
	const char *delimiter = reading->want == WANT_TEXT ? lua_tostring(L, 2) : "\n";

	if (there->length == 0)
		return NULL;
	if (length == 1)
		return memchr(there->bytes + from, delimiter[0], there->length - from);
	return memmem(there->bytes + from, there->length - from, delimiter, length);
}

enum { NOT_YET = 0, TOO_LONG = -1 };

/* Pushes the result and returns 1, or says why there is none. */
static int take_delimited(lua_State *L, struct conn *conn, struct reading *reading)
{
	struct view there = conn_view(conn);
	size_t before = reading->delimiter_length - 1;
	size_t extra = reading->want == WANT_LINE; /* room for "\r" */
	const char *at = find(L, &there, reading);
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
	size_t length = conn_view(conn).length;

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

static int refuse(lua_State *L, struct conn_lua *box, const struct reading *reading, int failure)
{
	box->conn->soft = failure > 0 ? (uint8_t)failure : CONN_OK;
	if (!reading->iterating)
		return conn_lua_push_failure(L, failure);
	lua_pushnil(L);
	return 1;
}

static int at_end(lua_State *L, struct conn_lua *box, struct reading *reading)
{
	size_t left = conn_view(box->conn).length;
	int count;

	if (left == 0) {
		lua_pushnil(L);
		return 1;
	}
	count = refuse(L, box, reading, CONN_CUT);
	if (reading->iterating)
		return count;
	left = conn_view(box->conn).length; /* a finalizer may have closed it */
	return count + give(L, box->conn, left, left);
}

/* --- the calls --- */

static int step(lua_State *L, struct conn_lua *box, struct task *task, bool timed_out);

static int go_on(lua_State *L, int status, lua_KContext iterating)
{
	struct conn_lua *box = lua_touserdata(L, iterating ? lua_upvalueindex(1) : 1);
	struct task *task = vm_of(L)->current;

	(void)status;
	return step(L, box, task, task->timed_out);
}

static void detach(struct task *task)
{
	struct conn_lua *box = task->object;

	box->conn->reading = false;
}

static int64_t time_left(struct conn *conn, struct reading *reading)
{
	uint64_t now;

	if (!reading->limited)
		return -1;
	now = vm_now(conn->vm);
	if (!reading->started)
		reading->time += now;
	reading->started = true;
	return reading->time > now ? (int64_t)(reading->time - now) : 0;
}

static int wait(lua_State *L, struct conn_lua *box, struct task *task, struct reading *reading)
{
	struct conn *conn = box->conn;

	if (conn_read_start(conn) < 0)
		return refuse(L, box, reading, conn->failure);
	conn->reading = true;
	list_append(box->waiting.next, &task->queued); /* the first */
	return task_wait(L, task, box, detach, time_left(conn, reading), reading->iterating, go_on);
}

static int step(lua_State *L, struct conn_lua *box, struct task *task, bool timed_out)
{
	struct reading *reading = (struct reading *)task->call;
	int taken;

	if (box->conn->failure)
		return refuse(L, box, reading, box->conn->failure);
	taken = take(L, box->conn, reading);
	if (taken > 0)
		return taken;
	if (taken == TOO_LONG)
		return refuse(L, box, reading, CONN_TOO_LONG);
	if (box->conn->eof)
		return at_end(L, box, reading);
	if (timed_out)
		return refuse(L, box, reading, CONN_LATE);
	return wait(L, box, task, reading);
}

static int begin(lua_State *L, struct conn_lua *box, const struct reading *reading)
{
	struct task *task = task_check(L);

	if (!box->conn) /* an iterator that a finalizer has kept */
		return luaL_error(L, "the connection was collected");
	if (box->conn->reading)
		return luaL_error(L, "another task is already reading from this connection");
	memcpy(task->call, reading, sizeof *reading);
	box->conn->soft = CONN_OK;
	return step(L, box, task, false);
}

static struct reading reading_of(lua_State *L, int index, enum want want)
{
	bool has_max = want != WANT_EXACT;
	struct options_of_wait options = units_options(L, index, CONN_MAX_DEFAULT, has_max);

	return (struct reading){.want = want,
				.max = (size_t)options.max,
				.delimiter_length = 1,
				.limited = options.timeout >= 0,
				.time = (uint64_t)options.timeout};
}

int conn_l_read(lua_State *L)
{
	struct conn_lua *box = conn_lua_check(L);
	struct reading reading = reading_of(L, 2, WANT_ANY);

	return begin(L, box, &reading);
}

int conn_l_read_line(lua_State *L)
{
	struct conn_lua *box = conn_lua_check(L);
	struct reading reading = reading_of(L, 2, WANT_LINE);

	return begin(L, box, &reading);
}

int conn_l_read_exactly(lua_State *L)
{
	struct conn_lua *box = conn_lua_check(L);
	struct reading reading = reading_of(L, 3, WANT_EXACT);

	reading.max = (size_t)units_size(L, 2);
	return begin(L, box, &reading);
}

int conn_l_read_until(lua_State *L)
{
	struct conn_lua *box = conn_lua_check(L);
	struct reading reading = reading_of(L, 3, WANT_TEXT);
	size_t length;

	luaL_checklstring(L, 2, &length);
	luaL_argcheck(L, length > 0, 2, "a delimiter of at least one byte");
	luaL_argcheck(L, length <= UINT32_MAX, 2, "a delimiter of at most 4 GiB");
	reading.delimiter_length = (uint32_t)length;
	return begin(L, box, &reading);
}

/* upvalues: conn, what it wants, max, timeout */
static int iterate(lua_State *L)
{
	struct conn_lua *box = lua_touserdata(L, lua_upvalueindex(1));
	struct reading reading = {.want = (uint8_t)lua_tointeger(L, lua_upvalueindex(2)),
				  .iterating = true,
				  .max = (size_t)lua_tointeger(L, lua_upvalueindex(3)),
				  .delimiter_length = 1,
				  .limited = lua_tointeger(L, lua_upvalueindex(4)) >= 0,
				  .time = (uint64_t)lua_tointeger(L, lua_upvalueindex(4))};

	return begin(L, box, &reading);
}

static int push_iterator(lua_State *L, enum want want)
{
	struct options_of_wait options;

	conn_lua_check(L);
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
