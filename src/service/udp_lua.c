#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "plan/address.h"
#include "service/guise.h"
#include "service/push.h"
#include "service/task.h"
#include "service/udp.h"
#include "service/units.h"
#include "service/vm.h"

static const char meta[] = "luvd.socket";

enum {
	TAKE_AT_ONCE = 64,    /* datagrams, then the loop has its turn */
	REFUSALS_AT_ONCE = 16 /* ICMP errors of answers sent before, which nobody waits for */
};

struct udp *udp_check(lua_State *L)
{
	struct udp **box = luaL_checkudata(L, 1, meta);

	return *box;
}

int udp_closed(lua_State *L)
{
	return vm_fail(L, "the socket is closed", "ECLOSED");
}

int udp_fail(lua_State *L, int error)
{
	return vm_fail(L, err_reason(error), uv_err_name(uv_translate_sys_error(error)));
}

/* --- peers --- */

static bool is_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b,
		    socklen_t length)
{
	return memcmp(a, b, length) == 0;
}

/* Many datagrams in a row come from one peer: its text is made once. */
static void push_peer(lua_State *L, struct udp *udp, const struct sockaddr_storage *peer,
		      socklen_t length)
{
	char guise[GUISE_ADDRESS_MAX];

	if (udp->peer_length != length || !is_same(&udp->peer, peer, length)) {
		udp->peer = *peer;
		udp->peer_length = length;
		if (udp->listener->guise && guise_address(peer, length, guise))
			snprintf(udp->peer_text, sizeof udp->peer_text, "%.*s", UDP_ADDRESS_MAX - 1,
				 guise);
		else
			address_text(peer, length, SOCK_DGRAM, udp->peer_text,
				     sizeof udp->peer_text);
	}
	lua_pushstring(L, udp->peer_text);
}

/* --- taking datagrams --- */

struct taking {
	int64_t timeout;
	uint64_t deadline;
	bool iterating;
};

/* > 0: the number of values that were pushed. */
static int take(lua_State *L, struct udp *udp)
{
	for (int i = 0; i < REFUSALS_AT_ONCE; i++) {
		struct sockaddr_storage peer;
		socklen_t length = sizeof peer;
		ssize_t count = recvfrom(udp->fd, udp->vm->read_buffer, READ_SIZE, MSG_DONTWAIT,
					 (struct sockaddr *)&peer, &length);

		if (count >= 0) {
			udp->received++;
			udp->taken++;
			udp->left -= udp->left > 0;
			lua_pushlstring(L, udp->vm->read_buffer, (size_t)count);
			push_peer(L, udp, &peer, length);
			return 2;
		}
		if (errno == EAGAIN)
			return 0;
		if (errno != EINTR && errno != ECONNREFUSED && errno != EHOSTUNREACH &&
		    errno != ENETUNREACH)
			return udp_fail(L, errno);
	}
	return 0;
}

static void detach_reader(struct task *task)
{
	((struct udp *)task->object)->reader = NULL;
}

static int step(lua_State *L, struct udp *udp, struct task *task, bool timed_out);
static int go_on(lua_State *L, int status, lua_KContext context);

static int go_on(lua_State *L, int status, lua_KContext context)
{
	struct udp **box = lua_touserdata(L, context ? lua_upvalueindex(1) : 1);
	struct task *task = vm_of(L)->current;

	(void)status;
	return step(L, *box, task, task->timed_out);
}

static int wait_more(lua_State *L, struct udp *udp, struct task *task, int64_t timeout)
{
	const struct taking *taking = (struct taking *)task->call;

	udp->reader = task;
	udp_watch(udp);
	return task_wait(L, task, udp, detach_reader, timeout, taking->iterating, go_on);
}

/* The daemon is being stopped. What was sent before is given, then nil; a handler that does not
 * see the end must not keep the loop from its deadline. */
static int step_stopping(lua_State *L, struct udp *udp, struct task *task)
{
	int count;

	if (udp->taken >= TAKE_AT_ONCE) {
		udp->taken = 0;
		return wait_more(L, udp, task, 0);
	}
	count = udp->left > 0 ? take(L, udp) : 0;
	if (count > 0)
		return count;
	udp->left = 0;
	udp->taken++;
	lua_pushnil(L);
	return 1;
}

static int step(lua_State *L, struct udp *udp, struct task *task, bool timed_out)
{
	struct taking *taking = (struct taking *)task->call;
	int64_t left = -1;
	int count;

	if (!udp || !udp->open) {
		if (!taking->iterating)
			return udp_closed(L);
		lua_pushnil(L);
		return 1;
	}
	if (udp->stopping)
		return step_stopping(L, udp, task);
	/* The loop is still watching: it comes back here at once, after the others. */
	count = udp->taken < TAKE_AT_ONCE ? take(L, udp) : 0;
	if (count > 0)
		return count;
	if (timed_out)
		return vm_fail(L, "no datagram came in time", "ETIMEDOUT");
	if (taking->timeout >= 0) {
		uint64_t now = vm_now(udp->vm);

		if (taking->deadline == 0)
			taking->deadline = now + (uint64_t)taking->timeout;
		left = taking->deadline > now ? (int64_t)(taking->deadline - now) : 0;
	}
	return wait_more(L, udp, task, left);
}

static int begin(lua_State *L, struct udp *udp, int64_t timeout, bool iterating)
{
	struct task *task = task_check(L);

	if (udp && udp->reader)
		return luaL_error(L, "another task is already reading from this socket");
	*(struct taking *)task->call = (struct taking){.timeout = timeout, .iterating = iterating};
	return step(L, udp, task, false);
}

static int l_receive(lua_State *L)
{
	struct udp *udp = udp_check(L);

	return begin(L, udp, units_options(L, 2, 0, false).timeout, false);
}

/* upvalues: socket, timeout */
static int iterate(lua_State *L)
{
	struct udp **box = lua_touserdata(L, lua_upvalueindex(1));

	return begin(L, *box, lua_tointeger(L, lua_upvalueindex(2)), true);
}

static int l_packets(lua_State *L)
{
	struct options_of_wait options;

	udp_check(L);
	options = units_options(L, 2, 0, false);
	lua_pushvalue(L, 1);
	lua_pushinteger(L, options.timeout);
	lua_pushcclosure(L, iterate, 2);
	return 1;
}

/* --- the rest --- */

static int l_close(lua_State *L)
{
	struct udp *udp = udp_check(L);

	if (udp)
		udp_finish(udp);
	return 0;
}

static int l_gc(lua_State *L)
{
	struct udp *udp = udp_check(L);

	if (udp)
		udp->box = NULL;
	return 0;
}

static int l_tostring(lua_State *L)
{
	struct udp *udp = udp_check(L);

	lua_pushfstring(L, "luvd.socket (%s)", udp ? udp->listener->actual : "closed");
	return 1;
}

static int l_index(lua_State *L)
{
	struct udp *udp;
	const char *key;

	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
		return 1;
	udp = udp_check(L);
	key = luaL_tolstring(L, 2, NULL);
	if (strcmp(key, "local_address") == 0)
		lua_pushstring(L, udp ? udp->listener->actual : "closed");
	else if (strcmp(key, "listener") == 0 && udp)
		lua_rawgeti(L, LUA_REGISTRYINDEX, udp->entry);
	else if (strcmp(key, "listener") == 0)
		lua_pushnil(L);
	else
		return luaL_error(L, "a socket has no field \"%s\"", key);
	return 1;
}

void udp_push(lua_State *L, struct udp *udp)
{
	struct udp **box = lua_newuserdatauv(L, sizeof(void *), 0);

	*box = udp;
	udp->box = box;
	luaL_setmetatable(L, meta);
}

void udp_open(lua_State *L)
{
	static const luaL_Reg methods[] = {{"packets", l_packets},
					   {"receive", l_receive},
					   {"send", udp_l_send},
					   {"close", l_close},
					   {NULL, NULL}};
	static const luaL_Reg events[] = {
	    {"__gc", l_gc}, {"__close", l_close}, {"__tostring", l_tostring}, {NULL, NULL}};

	push_metatable(L, meta);
	luaL_setfuncs(L, events, 0);
	luaL_newlib(L, methods);
	lua_pushcclosure(L, l_index, 1);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}
