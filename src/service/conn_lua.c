#include "service/conn_lua.h"

#include <lauxlib.h>
#include <string.h>

#include "service/origin.h"
#include "service/push.h"
#include "service/server.h"
#include "service/vm.h"

static const char meta[] = "luvd.conn";

/* --- the user of the stream --- */

struct task *conn_lua_reader(const struct conn_lua *box)
{
	return box->conn->reading ? LIST_ENTRY(box->waiting.next, struct task, queued) : NULL;
}

static struct task *first_writer(const struct conn_lua *box)
{
	struct link *first = box->conn->reading ? box->waiting.next->next : box->waiting.next;

	return first == &box->waiting ? NULL : LIST_ENTRY(first, struct task, queued);
}

static void on_readable(struct conn *conn)
{
	struct conn_lua *box = conn->data;
	struct task *task;

	if (!box)
		return;
	while (conn->failure && (task = first_writer(box)))
		task_wake_later(task);
	if (conn->reading)
		task_wake(conn_lua_reader(box));
}

static void on_writable(struct conn *conn)
{
	struct task *task;

	/* What was resumed may have collected the userdata, or filled the queue. */
	while (conn->data && (task = first_writer(conn->data)) &&
	       conn_queued(conn) <= conn_high_water(conn))
		task_wake(task);
}

/* Nobody that waits is resumed in the middle of a call of close. */
static void wake_all(struct conn_lua *box)
{
	while (!list_empty(&box->waiting))
		task_wake_later(LIST_ENTRY(box->waiting.next, struct task, queued));
}

static void on_gone(struct conn *conn)
{
	if (conn->data)
		wake_all(conn->data);
}

const struct conn_user conn_lua_user = {
    .readable = on_readable, .writable = on_writable, .gone = on_gone};

/* --- the userdata --- */

struct conn_lua *conn_lua_push(lua_State *L, struct conn *conn)
{
	struct conn_lua *box = lua_newuserdatauv(L, sizeof *box, 0);

	*box = (struct conn_lua){.conn = conn};
	list_init(&box->waiting);
	luaL_setmetatable(L, meta);
	conn->data = box;
	conn_hold(conn);
	return box;
}

static int push(lua_State *L)
{
	conn_lua_push(L, lua_touserdata(L, 1));
	return 1;
}

int conn_lua_adopt(lua_State *L, struct incoming *incoming, int *fd)
{
	int code;
	struct conn *conn = conn_open(vm_of(L), incoming, &conn_lua_user, NULL, &code);

	*fd = incoming->fd;
	if (!conn)
		return vm_fail_uv(L, code);
	lua_pushcfunction(L, push);
	lua_pushlightuserdata(L, conn);
	if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
		conn_abort(conn);
		return lua_error(L);
	}
	origin_note(vm_of(L), L, conn);
	return 1;
}

struct conn_lua *conn_lua_check(lua_State *L)
{
	struct conn_lua *box = lua_touserdata(L, 1);
	bool same;

	/* As luaL_checkudata, which looks the metatable up by its name each time. */
	if (box && lua_getmetatable(L, 1)) {
		same = lua_topointer(L, -1) == vm_of(L)->conn_meta;
		lua_pop(L, 1);
		if (same && !box->conn)
			vm_raise(L, "the connection was collected");
		if (same)
			return box;
	}
	luaL_typeerror(L, 1, meta);
	return NULL;
}

int conn_lua_push_failure(lua_State *L, int failure)
{
	struct failure why = conn_explain(failure);

	return vm_fail(L, why.message, why.code);
}

static int l_failure(lua_State *L)
{
	struct conn_lua *box = conn_lua_check(L);
	int failure = box->conn->failure ? box->conn->failure : box->conn->soft;

	if (failure == CONN_OK) {
		lua_pushnil(L);
		return 1;
	}
	conn_lua_push_failure(L, failure);
	return 2;
}

static int l_close(lua_State *L)
{
	struct conn_lua *box = conn_lua_check(L);

	conn_close(box->conn);
	wake_all(box);
	return 0;
}

static int l_reset(lua_State *L)
{
	struct conn_lua *box = conn_lua_check(L);

	conn_abort(box->conn);
	wake_all(box);
	return 0;
}

static int l_gc(lua_State *L)
{
	struct conn_lua *box = conn_lua_check(L);
	struct conn *conn = box->conn;

	box->conn = NULL; /* another finalizer may still know the userdata */
	conn->data = NULL;
	conn_drop(conn);
	return 0;
}

static int l_tostring(lua_State *L)
{
	char text[CONN_ADDRESS_MAX];

	lua_pushfstring(L, "luvd.conn (%s)", conn_peer(conn_lua_check(L)->conn, text));
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
	char text[CONN_ADDRESS_MAX];

	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
		return 1;
	conn = conn_lua_check(L)->conn;
	key = luaL_tolstring(L, 2, NULL);
	if (strcmp(key, "listener") == 0)
		return push_listener(L, conn);
	if (strcmp(key, "peer") == 0)
		lua_pushstring(L, conn_peer(conn, text));
	else if (strcmp(key, "local_address") == 0)
		lua_pushstring(L, conn_local(conn, text));
	else
		return luaL_error(L, "a connection has no field \"%s\"", key);
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

void conn_lua_open(lua_State *L)
{
	static const luaL_Reg events[] = {
	    {"__gc", l_gc}, {"__close", l_close}, {"__tostring", l_tostring}, {NULL, NULL}};

	push_metatable(L, meta);
	vm_of(L)->conn_meta = lua_topointer(L, -1);
	luaL_setfuncs(L, events, 0);
	luaL_newlib(L, methods);
	lua_pushcclosure(L, l_index, 1);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}
