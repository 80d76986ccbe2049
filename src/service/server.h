#ifndef LUVD_SERVICE_SERVER_H
#define LUVD_SERVICE_SERVER_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "plan/daemon.h"
#include "service/alarm.h"
#include "service/burst.h"
#include "service/list.h"
#include "service/peers.h"

struct vm;
struct conn;
struct incoming;
struct server;
struct listening;

/* What is done with the connections of a listener. */
struct protocol {
	const char *name; /* "net", "http" */
	/* Takes incoming->fd (conn_open does, and sets it to -1), or leaves it: then it is closed,
	 * and logged once per burst. Called from the loop. */
	void (*accepted)(struct server *server, struct incoming *incoming);
	/* Nothing more is accepted: connections that wait for a request may be closed. NULL:
	 * nothing is done. */
	void (*stopping)(struct server *server);
	/* The last connection is gone, or the service ends; Lua is still there. */
	void (*free)(struct vm *vm, void *data);
};

/* One socket of a listener. Accepts by itself: uv_listen drops what waits when descriptors run
 * out, this lets it wait in the kernel. */
struct acceptor {
	struct server *server;
	struct listener *listener;
	uv_poll_t poll;
	bool open, polling;
	uint64_t accepted, connections;
};

/* What the service does with a listener: net.serve, http.serve. */
struct server {
	struct vm *vm;
	struct link all;
	const struct protocol *protocol;
	void *data; /* the protocol's */
	char *name;
	int entry;         /* reference to the listener object, for conn.listener */
	struct link conns; /* struct conn, by their member all */
	size_t connections;
	struct listening *own; /* its sockets are of net.listen; NULL: of the daemon file */
	bool ended;            /* nothing is accepted ever again */
	size_t references;  /* its own until it ends; sockets in the loop, connections in memory */
	bool starved;       /* no descriptor or memory was left: goes on when a connection closes */
	struct alarm retry; /* or after a while, for others use descriptors too */
	struct peers peers; /* when max_per_peer is set */
	struct burst full, crowded, unusable, starving, idle;
	size_t acceptor_count;
	struct acceptor acceptors[];
};

/* The entry of listen as the running spec has it. */
const struct listen *server_listen(const struct server *server);
/* Raises when the value at index is no listener or may not be served now. */
void server_check(lua_State *L, int index);
/* After server_check: serves the listener with the protocol; begins at once when the service is
 * ready. Raises when memory is out or the loop refuses. data is the server's in any case. */
void server_create(lua_State *L, int index, const struct protocol *protocol, void *data);
bool server_exists(const struct vm *vm, const char *name);
/* Ready: accepting begins. 0 or uv's code. */
int servers_begin(struct vm *vm);
/* Nothing more is accepted by this one; it is freed with its last connection. */
void server_end(struct server *server);
/* Nothing more is accepted: the listening sockets of the daemon are closed. */
void servers_end(struct vm *vm);
/* Closes all that is left without ceremony. */
void servers_close(struct vm *vm);
/* Frees them: every handle is gone. */
void servers_free(struct vm *vm);
/* A task that serves a connection or a request has ended: vm->handlers counted it. */
void server_handler_ended(struct vm *vm);

/* --- for conn.c and acceptor.c --- */

/* A connection has come; it has left, there may be room again; its memory is freed. */
void server_came(struct acceptor *acceptor, struct conn *conn);
void server_left(struct acceptor *acceptor, const struct conn *conn);
void server_release(struct server *server);
void server_tell_if_quiet(struct vm *vm);

#endif
