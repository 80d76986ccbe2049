#ifndef LUVD_SERVICE_LISTENER_H
#define LUVD_SERVICE_LISTENER_H

#include <lua.h>

#include "plan/daemon.h"
#include "service/list.h"
#include "spec/arena.h"

/* The userdata luvd.listener: an entry of listen, whose sockets are those of the daemon with its
 * name, or what net.listen has opened. */

struct vm;
struct server;

/* Sockets of net.listen. */
struct listening {
	struct vm *vm;
	struct link all; /* in vm->listenings while open */
	int references;  /* the userdata, and who serves it */
	bool closed;
	struct server *server; /* NULL: not served */
	struct arena *arena;
	struct listen listen;
	struct listener *sockets;
	size_t count;
};

struct listener_object {
	struct listening *own; /* NULL: of the daemon file */
	char name[1];          /* of the entry, as long as it is */
};

/* The metatable. */
void listener_open(lua_State *L);
/* Pushes the object of the daemon's entry of this name; or one that is still to be given its own.
 */
struct listener_object *listener_push(lua_State *L, const char *name);
const char *listener_name(const struct listener_object *object);
/* The object at index; raises when it is none. */
struct listener_object *listener_check(lua_State *L, int index);
/* Its sockets, which lie side by side. */
struct listener *listener_sockets(const struct vm *vm, const struct listener_object *object,
				  size_t *count);

/* Nothing more is accepted; the file of a unix socket is removed. Twice does nothing. */
void listening_close(struct listening *listening);
/* Frees it, closed, when it was the last reference. */
void listening_release(struct listening *listening);

/* net.listen(address [, options]) */
int listener_l_listen(lua_State *L);

#endif
