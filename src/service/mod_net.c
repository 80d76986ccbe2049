#include "service/modules.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "service/conn_lua.h"
#include "service/connect.h"
#include "service/listener.h"
#include "service/server.h"
#include "service/task.h"
#include "service/udp.h"
#include "service/vm.h"

/* What net.serve keeps of its listener. */
struct serving {
	int handler; /* reference to the function; LUA_NOREF */
};

/* --- the end of a handler --- */

static void log_ended(struct conn *conn, struct server *server, const char *message)
{
	char peer[CONN_ADDRESS_MAX];
	struct failure failure = conn_explain(conn->failure);
	struct log_field fields[3] = {
	    {.key = "listener", .bytes = server->name, .length = strlen(server->name)},
	    {.key = "peer", .bytes = conn_peer(conn, peer)},
	    {.key = "reason",
	     .bytes = failure.message,
	     .length = failure.message ? strlen(failure.message) : 0}};

	fields[1].length = strlen(peer);
	if (conn->failure == CONN_IDLE)
		return; /* is told once per burst */
	if (failure.peer)
		vm_log(server->vm, LEVEL_INFO, "connection lost", fields, 3);
	else
		vm_log_failure(server->vm, message, fields, 2);
}

static void finish(struct task *task, struct conn *conn, enum outcome outcome, const char *message)
{
	bool lost = conn_explain(conn->failure).peer;

	if (outcome == OUTCOME_FAILED || lost)
		log_ended(conn, conn->acceptor->server, message);
	if (outcome == OUTCOME_FAILED && lost)
		task->vm->failed--; /* the peer's fault, not the service's */
	conn_close(conn);
}

static void on_done(struct task *task, enum outcome outcome, const char *message)
{
	struct conn *conn = task->data;
	struct vm *vm = task->vm;

	finish(task, conn, outcome, message);
	conn_drop(conn);
	server_handler_ended(vm);
}

/* --- its beginning --- */

struct accepted {
	struct conn *conn;
	struct task *task;
};

static int begin_handler(lua_State *L)
{
	struct accepted *accepted = lua_touserdata(L, 1);
	const struct serving *serving = accepted->conn->acceptor->server->data;

	lua_rawgeti(L, LUA_REGISTRYINDEX, serving->handler);
	conn_lua_push(L, accepted->conn);
	lua_pushvalue(L, -1);
	lua_insert(L, -3);
	accepted->task = task_create(L, 1, "connection");
	task_keep(L, accepted->task);
	/* The userdata goes when the coroutine is closed, before done is told. */
	conn_hold(accepted->conn);
	accepted->task->data = accepted->conn;
	accepted->task->done = on_done;
	vm_of(L)->handlers++;
	return 0;
}

static void on_accepted(struct server *server, struct incoming *incoming)
{
	struct vm *vm = server->vm;
	struct accepted accepted = {0};
	int code;

	accepted.conn = conn_open(vm, incoming, &conn_lua_user, NULL, &code);
	if (!accepted.conn)
		return;
	if (vm_run(vm, begin_handler, &accepted) == LUA_OK) {
		task_start(accepted.task);
		return;
	}
	vm->failed++;
	vm_log_failure(vm, lua_tostring(vm->L, -1), NULL, 0);
	lua_pop(vm->L, 1);
	conn_abort(accepted.conn);
}

static void on_free(struct vm *vm, void *data)
{
	struct serving *serving = data;

	luaL_unref(vm->L, LUA_REGISTRYINDEX, serving->handler);
	free(serving);
}

static const struct protocol protocol = {.name = "net", .accepted = on_accepted, .free = on_free};

/* net.serve(listener, handler) */
static int l_serve(lua_State *L)
{
	struct serving *serving;
	int handler;

	luaL_checktype(L, 2, LUA_TFUNCTION);
	lua_settop(L, 2);
	if (udp_is(vm_of(L), listener_check(L, 1))) {
		udp_serve(L, 1, 2);
		return 0;
	}
	server_check(L, 1);
	handler = luaL_ref(L, LUA_REGISTRYINDEX);
	serving = malloc(sizeof *serving);
	if (!serving) {
		luaL_unref(L, LUA_REGISTRYINDEX, handler);
		vm_raise(L, "not enough memory");
	}
	serving->handler = handler;
	server_create(L, 1, &protocol, serving);
	return 0;
}

int luaopen_luvd_net(lua_State *L)
{
	static const luaL_Reg functions[] = {{"serve", l_serve},
					     {"listen", listener_l_listen},
					     {"connect", connect_l_connect},
					     {NULL, NULL}};

	conn_lua_open(L);
	udp_open(L);
	connect_open(L);
	luaL_newlib(L, functions);
	return 1;
}
