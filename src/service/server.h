#ifndef LUVD_SERVICE_SERVER_H
#define LUVD_SERVICE_SERVER_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "service/list.h"
#include "spec/spec.h"

struct vm;
struct conn;

/* One socket of a listener. Accepts by itself: uv_listen drops what waits when descriptors run
 * out, this lets it wait in the kernel. */
struct acceptor {
	struct server *server;
	size_t index; /* in daemon->listeners */
	uv_poll_t poll;
	bool open, polling;
	uint64_t accepted, connections;
};

/* What the service does with an entry of listen: net.serve. */
struct server {
	struct vm *vm;
	struct link all;
	char *name;
	int handler; /* reference to the function */
	int entry;   /* reference to the listener object, for conn.listener */
	struct link conns;
	size_t connections;
	bool begun;
	bool starved;     /* no descriptor or memory was left: goes on when a connection closes */
	uv_timer_t retry; /* or after a while, for others use descriptors too */
	bool has_retry;
	size_t acceptor_count;
	struct acceptor acceptors[];
};

/* The entry of this name as the running spec has it. */
const struct listen *server_listen(const struct server *server);
/* Registers; begins at once when the service is ready. Raises. The handler is at index. */
void server_create(lua_State *L, const char *name, int entry, int handler);
bool server_exists(const struct vm *vm, const char *name);
/* Ready: accepting begins. Returns -1 with uv's code in *code. */
int servers_begin(struct vm *vm);
/* Nothing more is accepted: the listening sockets of the daemon are closed. */
void servers_end(struct vm *vm);
/* Closes all that is left without ceremony. */
void servers_close(struct vm *vm);
/* Frees them: every handle is gone. */
void servers_free(struct vm *vm);
/* A connection of it is gone: there may be room again. */
void server_gone(struct acceptor *acceptor);

#endif
