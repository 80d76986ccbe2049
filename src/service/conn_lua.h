#ifndef LUVD_SERVICE_CONN_LUA_H
#define LUVD_SERVICE_CONN_LUA_H

#include <lua.h>

#include "service/conn.h"
#include "service/task.h"

/* The connection that Lua knows: the userdata luvd.conn, which is a user of the stream. */

enum { CONN_MAX_DEFAULT = 65536 };

struct conn_lua {
	struct conn *conn;   /* held */
	struct link waiting; /* tasks: first the one that reads, when conn->reading, then those
				that write, until the queue is short */
};

/* The metatable. */
void conn_lua_open(lua_State *L);
extern const struct conn_user conn_lua_user;
/* Pushes the userdata of a connection that was opened with this user and data NULL. Raises when
 * memory is out; then the connection is the caller's still. */
struct conn_lua *conn_lua_push(lua_State *L, struct conn *conn);
/* Opens a connection that was made by us, pushes its userdata and returns 1; or nil, message, code.
 * *fd is -1 once the connection has taken it. Raises when memory is out. */
int conn_lua_adopt(lua_State *L, struct incoming *incoming, int *fd);
/* The first argument; raises when it is none. */
struct conn_lua *conn_lua_check(lua_State *L);
/* The task that waits for bytes, or NULL; the first of those that wait to write. */
struct task *conn_lua_reader(const struct conn_lua *box);
int conn_lua_push_failure(lua_State *L, int failure);

/* conn_lua_read.c, conn_lua_write.c */
int conn_l_read(lua_State *L);
int conn_l_read_line(lua_State *L);
int conn_l_read_exactly(lua_State *L);
int conn_l_read_until(lua_State *L);
int conn_l_chunks(lua_State *L);
int conn_l_lines(lua_State *L);
int conn_l_write(lua_State *L);
int conn_l_try_write(lua_State *L);
int conn_l_shutdown(lua_State *L);

#endif
