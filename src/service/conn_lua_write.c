#include "service/conn_lua.h"

#include <lauxlib.h>

#include "service/units.h"
#include "service/vm.h"

enum { PARTS_MAX = 32 };

/* The bytes of one call: strings on the Lua stack or in the list, not copied yet. */
struct message {
	uv_buf_t parts[PARTS_MAX];
	unsigned count;
	size_t length;
};

/* A write call that waits, kept in its task. */
struct writing {
	int64_t timeout;
	uint64_t deadline;
};

/* --- the bytes --- */

static void add_part(struct message *message, const char *bytes, size_t length)
{
	/* Not uv_buf_init, whose length is an unsigned int. */
	message->parts[message->count++] = (uv_buf_t){.base = (char *)bytes, .len = length};
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

/* --- the calls --- */

static int push_refusal(lua_State *L, const struct conn *conn)
{
	return conn_lua_push_failure(L, conn->failure ? conn->failure : CONN_SHUT);
}

static int wait(lua_State *L, struct conn_lua *box, struct task *task);

static int go_on(lua_State *L, int status, lua_KContext context)
{
	struct conn_lua *box = conn_lua_check(L);
	struct conn *conn = box->conn;
	struct task *task = conn->vm->current;

	(void)status;
	(void)context;
	if (!conn->failure && conn_queued(conn) > conn_high_water(conn)) {
		if (!task->timed_out)
			return wait(L, box, task);
		/* half a message may be sent: the stream is of no use */
		conn_fail(conn, CONN_NOT_TAKEN);
	}
	if (conn->failure)
		return push_refusal(L, conn);
	lua_pushboolean(L, 1);
	return 1;
}

static int wait(lua_State *L, struct conn_lua *box, struct task *task)
{
	struct writing *writing = (struct writing *)task->call;
	uint64_t now = vm_now(box->conn->vm);
	int64_t left = -1;

	if (writing->timeout >= 0) {
		if (writing->deadline == 0)
			writing->deadline = now + (uint64_t)writing->timeout;
		left = writing->deadline > now ? (int64_t)(writing->deadline - now) : 0;
	}
	list_append(&box->waiting, &task->queued);
	return task_wait(L, task, box, NULL, left, 0, go_on);
}

int conn_l_write(lua_State *L)
{
	struct conn_lua *box = conn_lua_check(L);
	struct conn *conn = box->conn;
	int64_t timeout = units_options(L, 3, 0, false).timeout;
	struct task *task = task_check(L);
	struct message message;

	gather(L, 2, &message);
	if (conn_send(conn, message.parts, message.count) < 0)
		return push_refusal(L, conn);
	if (conn->above) {
		*(struct writing *)task->call = (struct writing){.timeout = timeout};
		return wait(L, box, task);
	}
	lua_pushboolean(L, 1);
	return 1;
}

int conn_l_try_write(lua_State *L)
{
	struct conn *conn = conn_lua_check(L)->conn;
	struct message message;
	size_t queued;

	gather(L, 2, &message);
	queued = conn->failure || conn->shut ? 0 : conn_queued(conn);
	if (queued > 0 && queued + message.length > conn_high_water(conn))
		return conn_lua_push_failure(L, CONN_SLOW);
	if (conn_send(conn, message.parts, message.count) < 0)
		return push_refusal(L, conn);
	lua_pushboolean(L, 1);
	return 1;
}

int conn_l_shutdown(lua_State *L)
{
	struct conn *conn = conn_lua_check(L)->conn;
	int code;

	if (conn->failure)
		return conn_lua_push_failure(L, conn->failure);
	code = conn_shutdown(conn);
	if (code < 0)
		return vm_fail_uv(L, code);
	lua_pushboolean(L, 1);
	return 1;
}
