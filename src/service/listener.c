#include "service/listener.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plan/unix.h"
#include "service/push.h"
#include "service/server.h"
#include "service/udp.h"
#include "service/vm.h"
#include "sys/sys.h"

static const char meta[] = "luvd.listener";

/* --- sockets of net.listen --- */

static void close_socket(struct listener *socket)
{
	if (socket->fd >= 0)
		close(socket->fd);
	socket->fd = -1;
	if (socket->inode)
		sys_discard(unix_path(socket->address), socket->device, socket->inode);
}

void listening_close(struct listening *listening)
{
	if (listening->closed)
		return;
	listening->closed = true;
	list_remove(&listening->all);
	if (listening->server)
		server_end(listening->server);
	udp_end(listening->vm, &listening->listen);
	for (size_t i = 0; i < listening->count; i++)
		close_socket(&listening->sockets[i]);
}

void listening_release(struct listening *listening)
{
	if (--listening->references > 0)
		return;
	listening_close(listening);
	free(listening->sockets);
	arena_destroy(listening->arena);
	free(listening);
}

/* --- the object --- */

struct listener_object *listener_check(lua_State *L, int index)
{
	return luaL_checkudata(L, index, meta);
}

struct listener *listener_sockets(const struct vm *vm, const struct listener_object *object,
				  size_t *count)
{
	struct listener *sockets = object->own ? object->own->sockets : NULL;
	const struct daemon *daemon = vm->daemon;

	*count = object->own ? object->own->count : 0;
	for (size_t i = 0; !object->own && i < daemon->listener_count; i++) {
		if (strcmp(daemon->listeners[i].listen->name, object->name) != 0)
			continue;
		if (!sockets)
			sockets = &daemon->listeners[i];
		++*count;
	}
	return sockets;
}

const char *listener_name(const struct listener_object *object)
{
	return object->own ? object->own->listen.name : object->name;
}

struct listener_object *listener_push(lua_State *L, const char *name)
{
	struct listener_object *object = lua_newuserdatauv(L, sizeof *object + strlen(name), 0);

	memcpy(object->name, name, strlen(name) + 1);
	object->own = NULL;
	luaL_setmetatable(L, meta);
	return object;
}

static void push_addresses(lua_State *L, const struct listener_object *object)
{
	size_t count;
	const struct listener *sockets = listener_sockets(vm_of(L), object, &count);

	lua_createtable(L, (int)count, 0);
	for (size_t i = 0; i < count; i++) {
		lua_pushstring(L, sockets[i].actual);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
}

static int l_close(lua_State *L)
{
	struct listener_object *object = listener_check(L, 1);

	if (!object->own)
		return luaL_error(L, "listener \"%s\" belongs to the daemon: it is closed by stop",
				  object->name);
	listening_close(object->own);
	return 0;
}

static int l_gc(lua_State *L)
{
	struct listener_object *object = listener_check(L, 1);

	if (object->own)
		listening_release(object->own);
	object->own = NULL;
	return 0;
}

static int l_index(lua_State *L)
{
	struct listener_object *object = listener_check(L, 1);
	const char *key = luaL_checkstring(L, 2);

	if (strcmp(key, "name") == 0) {
		lua_pushstring(L, listener_name(object));
		return 1;
	}
	if (strcmp(key, "close") == 0) {
		lua_pushcfunction(L, l_close);
		return 1;
	}
	if (strcmp(key, "address") != 0 && strcmp(key, "addresses") != 0)
		return luaL_error(L, "no field \"%s\": there are address, addresses, close, name",
				  key);
	push_addresses(L, object);
	if (key[7] == '\0')
		lua_rawgeti(L, -1, 1);
	return 1;
}

static int l_tostring(lua_State *L)
{
	lua_pushfstring(L, "luvd.listener (%s)", listener_name(listener_check(L, 1)));
	return 1;
}

void listener_open(lua_State *L)
{
	static const luaL_Reg events[] = {{"__index", l_index},
					  {"__tostring", l_tostring},
					  {"__gc", l_gc},
					  {"__close", l_close},
					  {NULL, NULL}};

	push_metatable(L, meta);
	luaL_setfuncs(L, events, 0);
	lua_pop(L, 1);
}
