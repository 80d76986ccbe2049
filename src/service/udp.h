#ifndef LUVD_SERVICE_UDP_H
#define LUVD_SERVICE_UDP_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "service/alarm.h"
#include "service/list.h"

/* A listener of datagrams and the handler that takes them. Nothing is queued here: a datagram
 * waits in the kernel until it is asked for. */

struct listen;
struct vm;
struct task;
struct listener;
struct listener_object;

enum { UDP_ADDRESS_MAX = 64 };

struct udp {
	struct vm *vm;
	struct link all; /* in vm->udps */
	struct listener *listener;
	int handler, entry; /* references: the function, the listener object */
	int fd;             /* a copy: ours until the handler has ended */
	uv_poll_t poll;
	int events; /* that the loop watches for */
	bool own;   /* the socket is of net.listen */
	bool open, begun;
	bool called;       /* the handler, once at least */
	bool stopping;     /* what the kernel has still is read, then it is the end */
	size_t left;       /* stopping: datagrams that the kernel may still have */
	struct task *task; /* the handler; NULL: it has failed, the next datagram calls it again */
	struct task *reader; /* one at a time */
	struct link writers; /* tasks that wait for room in the kernel */
	struct udp **box;    /* the userdata of the handler that runs */
	uint64_t received;
	uint64_t before;    /* received when the handler began */
	struct alarm again; /* a handler that failed without a datagram: when it is called again */
	unsigned taken;     /* without a turn of the loop */

	/* The peer of the last datagram: most answers go there. */
	struct sockaddr_storage peer;
	socklen_t peer_length;
	char peer_text[UDP_ADDRESS_MAX];
};

/* Do the addresses of this listener take datagrams? */
bool udp_is(const struct vm *vm, const struct listener_object *object);
bool udp_is_served(const struct vm *vm, const struct listen *listen);
/* net.serve of a listener whose addresses are udp: one handler for each socket. Raises. */
void udp_serve(lua_State *L, int entry, int handler);
/* The handlers begin in the next turn of the loop: whoever waits for ready is told before. */
int udps_begin(struct vm *vm);
/* Nothing new: what waits in the kernel is read still. NULL: of all listeners. */
void udp_end(struct vm *vm, const struct listen *listen);
/* Closes all; frees those that are closed. */
void udps_close(struct vm *vm);

/* --- udp_lua.c --- */

void udp_open(lua_State *L); /* the metatable */
/* Pushes the userdata. Raises. */
void udp_push(lua_State *L, struct udp *udp);
/* The first argument; NULL: its handler has ended. Raises when it is none. */
struct udp *udp_check(lua_State *L);
/* nil, message, code; error is an errno. */
int udp_closed(lua_State *L);
int udp_fail(lua_State *L, int error);
int udp_l_send(lua_State *L); /* udp_send.c */
/* What the loop should watch for has changed. */
void udp_watch(struct udp *udp);
/* The handler has closed it, or ended. Wakes who waits. */
void udp_finish(struct udp *udp);

#endif
