#include <errno.h>
#include <lauxlib.h>
#include <netinet/in.h>
#include <string.h>

#include "err.h"
#include "plan/address.h"
#include "service/task.h"
#include "service/udp.h"
#include "service/units.h"
#include "service/vm.h"
#include "spec/endpoint.h"

static const char meta[] = "luvd.socket";

enum {
	TAKE_AT_ONCE = 64,     /* datagrams, then the loop has its turn */
	REFUSALS_AT_ONCE = 16, /* ICMP errors of answers sent before, which nobody waits for */
	DATAGRAM_MAX = 65507,  /* bytes in one: RFC 768 over RFC 791 */
	SEND_TIMEOUT = 5000    /* milliseconds for room in the kernel */
};

static struct udp *check(lua_State *L)
{
	struct udp **box = luaL_checkudata(L, 1, meta);

	return *box;
}

static int closed(lua_State *L)
{
	return vm_fail(L, "the socket is closed", "ECLOSED");
}

static int fail(lua_State *L, int error)
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
	if (udp->peer_length != length || !is_same(&udp->peer, peer, length)) {
		udp->peer = *peer;
		udp->peer_length = length;
		address_text(peer, length, SOCK_DGRAM, udp->peer_text, sizeof udp->peer_text);
	}
	lua_pushstring(L, udp->peer_text);
}

/* "udp://192.0.2.1:53" as packets gives them. */
static socklen_t read_peer(lua_State *L, int index, const struct udp *udp,
			   struct sockaddr_storage *peer)
{
	size_t size;
	const char *text = luaL_checklstring(L, index, &size);
	struct endpoint endpoint;
	socklen_t length = 0;

	if (udp && udp->peer_length && strcmp(text, udp->peer_text) == 0) {
		*peer = udp->peer;
		return udp->peer_length;
	}
	if (endpoint_parse(text, size, &endpoint) != ENDPOINT_RIGHT ||
	    endpoint.type != SOCK_DGRAM || endpoint.port == 0 ||
	    !endpoint_address(&endpoint, peer, &length))
		luaL_argerror(L, index,
			      lua_pushfstring(L,
					      "expected a peer such as \"udp://192.0.2.1:53\", "
					      "got \"%s\"",
					      text));
	return length;
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
			lua_pushlstring(L, udp->vm->read_buffer, (size_t)count);
			push_peer(L, udp, &peer, length);
			return 2;
		}
		if (errno == EAGAIN)
			return 0;
		if (errno != EINTR && errno != ECONNREFUSED && errno != EHOSTUNREACH &&
		    errno != ENETUNREACH)
			return fail(L, errno);
	}
	return 0;
}

static void detach_reader(struct task *task)
{
	((struct udp *)task->object)->reader = NULL;
}

static int step(lua_State *L, struct udp *udp, struct task *task, bool timed_out);

static int go_on(lua_State *L, int status, lua_KContext context)
{
	struct udp **box = lua_touserdata(L, context ? lua_upvalueindex(1) : 1);
	struct task *task = vm_of(L)->current;

	(void)status;
	return step(L, *box, task, task->timed_out);
}

static int end(lua_State *L, const struct taking *taking, bool late)
{
	if (!taking->iterating && late)
		return vm_fail(L, "no datagram came in time", "ETIMEDOUT");
	lua_pushnil(L);
	return 1;
}

static int step(lua_State *L, struct udp *udp, struct task *task, bool timed_out)
{
	struct taking *taking = (struct taking *)task->call;
	int64_t left = -1;
	int count;

	if (!udp || !udp->open)
		return taking->iterating ? end(L, taking, false) : closed(L);
	/* The loop is still watching: it comes back here at once, after the others. */
	count = udp->taken < TAKE_AT_ONCE || udp->stopping ? take(L, udp) : 0;
	if (count > 0)
		return count;
	if (udp->stopping || timed_out)
		return end(L, taking, timed_out);
	if (taking->timeout >= 0) {
		uint64_t now = uv_now(udp->vm->loop);

		if (taking->deadline == 0)
			taking->deadline = now + (uint64_t)taking->timeout;
		left = taking->deadline > now ? (int64_t)(taking->deadline - now) : 0;
	}
	udp->reader = task;
	udp_watch(udp);
	return task_wait(L, task, udp, detach_reader, left, taking->iterating, go_on);
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
	struct udp *udp = check(L);

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

	check(L);
	options = units_options(L, 2, 0, false);
	lua_pushvalue(L, 1);
	lua_pushinteger(L, options.timeout);
	lua_pushcclosure(L, iterate, 2);
	return 1;
}

/* --- sending --- */

static int try_send(lua_State *L, struct udp *udp, bool last);

static int send_again(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	return try_send(L, check(L), vm_of(L)->current->timed_out);
}

static int try_send(lua_State *L, struct udp *udp, bool last)
{
	struct sockaddr_storage peer;
	socklen_t address;
	size_t length;
	const char *bytes = lua_tolstring(L, 2, &length);
	struct task *task;

	if (!udp || !udp->open)
		return closed(L);
	address = read_peer(L, 3, udp, &peer);
	while (sendto(udp->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&peer,
		      address) < 0) {
		if (errno == EINTR || errno == ECONNREFUSED) /* of a datagram before this one */
			continue;
		if (errno != EAGAIN || last)
			return fail(L, errno);
		task = task_check(L);
		list_append(&udp->writers, &task->queued);
		udp_watch(udp);
		return task_wait(L, task, udp, NULL, SEND_TIMEOUT, 0, send_again);
	}
	lua_pushboolean(L, 1);
	return 1;
}

/* socket:send(bytes, peer) */
static int l_send(lua_State *L)
{
	struct udp *udp = check(L);
	size_t length;

	lua_settop(L, 3);
	units_bytes(L, 2, &length);
	if (lua_gettop(L) > 3)
		lua_replace(L, 2); /* the list, joined */
	if (length > DATAGRAM_MAX)
		return vm_fail(L, "a datagram has at most 65507 bytes", "EMSGSIZE");
	return try_send(L, udp, false);
}

/* --- the rest --- */

static int l_close(lua_State *L)
{
	struct udp *udp = check(L);

	if (udp)
		udp_finish(udp);
	return 0;
}

static int l_gc(lua_State *L)
{
	struct udp *udp = check(L);

	if (udp)
		udp->box = NULL;
	return 0;
}

static int l_tostring(lua_State *L)
{
	struct udp *udp = check(L);

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
	udp = check(L);
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
	struct udp **box = lua_newuserdatauv(L, sizeof *box, 0);

	*box = udp;
	udp->box = box;
	luaL_setmetatable(L, meta);
}

void udp_open(lua_State *L)
{
	static const luaL_Reg methods[] = {{"packets", l_packets},
					   {"receive", l_receive},
					   {"send", l_send},
					   {"close", l_close},
					   {NULL, NULL}};
	static const luaL_Reg events[] = {
	    {"__gc", l_gc}, {"__close", l_close}, {"__tostring", l_tostring}, {NULL, NULL}};

	luaL_newmetatable(L, meta);
	luaL_setfuncs(L, events, 0);
	luaL_newlib(L, methods);
	lua_pushcclosure(L, l_index, 1);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}
