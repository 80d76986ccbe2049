#ifndef LUVD_SERVICE_CONN_H
#define LUVD_SERVICE_CONN_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "service/list.h"

/* A connected stream socket: what Lua knows as conn. Bytes that nobody waits for are kept up to
 * a bound, then the socket is not read; bytes that the peer does not take are queued, and
 * writers wait above the high-water mark. */

struct vm;
struct task;
struct acceptor;

enum { CONN_READ_AHEAD = 65536, CONN_MAX_DEFAULT = 65536 };

struct failure {
	const char *message, *code; /* static; code NULL: none */
	bool peer;                  /* it was not us */
};

struct unread {
	char *bytes;
	size_t start, end, room; /* what is left is [start, end) */
};

struct conn {
	struct vm *vm;
	struct acceptor *acceptor; /* NULL: not of a server */
	struct link all;           /* in the server */
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} uv;
	int handles;       /* of the two, those that the loop still knows */
	struct conn **box; /* the userdata; NULL: collected */
	struct task *task; /* its handler */
	bool tcp, started; /* started: uv_read_start is on */
	bool eof;
	bool shut;              /* shutdown was called: nothing more may be written */
	bool shut_sent;         /* and the kernel knows it */
	bool closed;            /* by us: only what is queued goes out still */
	bool lingers;           /* all is sent: what the peer still says is thrown away */
	struct failure failure; /* every call returns it */
	struct failure soft;    /* of the last read only */

	struct unread unread;
	const char *fresh; /* bytes in the loop's read buffer, while on_read runs */
	size_t fresh_length;
	struct task *reader; /* waits for bytes; one at a time */

	struct link writers; /* tasks that wait until the queue is short */
	uint64_t active;     /* loop time of the last byte */
	uint64_t close_by;   /* closed: loop time when the queue is given up */
	uv_timer_t timer;    /* idle and close */
	bool has_timer;
	uv_shutdown_t shutdown;
	struct sockaddr_storage peer;
};

/* What an acceptor has got. fd is -1 once the connection has taken it. */
struct incoming {
	struct acceptor *acceptor;
	int fd;
	struct sockaddr_storage peer;
};

/* Makes a connection of an accepted descriptor and pushes its userdata. Raises. */
struct conn *conn_create(lua_State *L, struct incoming *incoming);
void conn_open(lua_State *L); /* the metatable */

/* Sends what is queued first, at most timeouts.stop; never waits, resumes no task now. */
void conn_close(struct conn *conn);
/* Drops what is queued. */
void conn_abort(struct conn *conn);
void conn_fail(struct conn *conn, struct failure failure);
struct failure conn_uv_failure(int code);
size_t conn_queued(const struct conn *conn);
/* "tcp://127.0.0.1:49152"; "unix:" when the peer has no name. */
const char *conn_address(struct conn *conn, bool peer, char *text, size_t size);

/* The first argument; raises when it is none. */
struct conn *conn_check(lua_State *L);
int conn_push_failure(lua_State *L, const struct failure *failure);

/* conn_read.c, conn_write.c */
int conn_read_start(struct conn *conn);
void conn_read_stop(struct conn *conn);
/* Throws away what is unread. */
void conn_forget(struct conn *conn);
size_t conn_high_water(const struct conn *conn);
/* The last queued byte is sent; the queue cannot be sent; the peer has nothing more to say. They
 * go on with a close that waits for it. */
void conn_flushed(struct conn *conn);
void conn_broken(struct conn *conn);
void conn_lingered(struct conn *conn);

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
