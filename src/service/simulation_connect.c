#include "service/simulation.h"

#include <errno.h>
#include <lauxlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "service/conn_lua.h"
#include "service/guise.h"
#include "service/vm.h"

enum { DATAGRAM_MAX = 65507 };

static int push_port(lua_State *L, const struct sim_address *address, int fd)
{
	lua_createtable(L, 0, 4);
	lua_pushinteger(L, fd);
	lua_setfield(L, -2, "fd");
	lua_pushstring(L, address->world);
	lua_setfield(L, -2, "world");
	lua_pushstring(L, address->text);
	lua_setfield(L, -2, "peer");
	lua_pushstring(L, address->self);
	lua_setfield(L, -2, "local_address");
	return 1;
}

/* connect(name): a connection; of datagrams { fd, world, peer, local_address }; or nil, message */
int simulation_l_connect(lua_State *L)
{
	struct embed *embed = simulation_check(L);
	struct sim_address address;
	struct incoming incoming = {0};
	struct err err = {0};
	int fd = sim_connect(embed->sim, luaL_checkstring(L, 2), &address, &err), count;

	if (fd < 0) {
		lua_pushnil(L);
		simulation_push_err(L, &err);
		return 2;
	}
	if (address.datagrams)
		return push_port(L, &address, fd);
	incoming.fd = fd;
	incoming.peer = guise_peer(address.text);
	count = conn_lua_adopt(L, &incoming, &fd);
	if (fd >= 0)
		close(fd);
	embed_settle(embed);
	return count;
}

/* transmit(port, bytes): true; or nil, message, code. A datagram that nobody takes is lost. */
int simulation_l_transmit(lua_State *L)
{
	struct sockaddr_un name;
	socklen_t length;
	size_t size;
	const char *bytes = luaL_checklstring(L, 2, &size);
	int fd;

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_getfield(L, 1, "fd");
	lua_getfield(L, 1, "world");
	lua_getfield(L, 1, "peer");
	fd = (int)luaL_checkinteger(L, -3);
	length = guise_name(luaL_checkstring(L, -2), luaL_checkstring(L, -1), &name);
	if (size > DATAGRAM_MAX)
		return vm_fail(L, "a datagram has at most 65507 bytes", "EMSGSIZE");
	if (sendto(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&name, length) <
		0 &&
	    errno != ECONNREFUSED && errno != EAGAIN)
		return vm_fail_uv(L, uv_translate_sys_error(errno));
	lua_pushboolean(L, 1);
	return 1;
}

/* take(port): a datagram that has come, or nil */
int simulation_l_take(lua_State *L)
{
	char *buffer = vm_of(L)->read_buffer;
	ssize_t length;

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_getfield(L, 1, "fd");
	length = recv((int)luaL_checkinteger(L, -1), buffer, READ_SIZE, MSG_DONTWAIT);
	if (length < 0)
		return 0;
	lua_pushlstring(L, buffer, (size_t)length);
	return 1;
}

/* shut(port) */
int simulation_l_shut(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_getfield(L, 1, "fd");
	close((int)luaL_checkinteger(L, -1));
	return 0;
}
