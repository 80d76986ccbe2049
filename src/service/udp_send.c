#include <errno.h>
#include <lauxlib.h>
#include <string.h>

#include "service/guise.h"
#include "service/task.h"
#include "service/udp.h"
#include "service/units.h"
#include "service/vm.h"
#include "spec/endpoint.h"

enum {
	DATAGRAM_MAX = 65507, /* bytes in one: RFC 768 over RFC 791 */
	SEND_TIMEOUT = 5000   /* milliseconds for room in the kernel */
};

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
	return udp && udp->listener->guise
		   ? guise_name(udp->listener->guise, text, (struct sockaddr_un *)peer)
		   : length;
}

static int try_send(lua_State *L, struct udp *udp, bool last);

static int send_again(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	return try_send(L, udp_check(L), vm_of(L)->current->timed_out);
}

static int try_send(lua_State *L, struct udp *udp, bool last)
{
	struct sockaddr_storage peer;
	socklen_t address;
	size_t length;
	const char *bytes = lua_tolstring(L, 2, &length);
	struct task *task;

	if (!udp || !udp->open)
		return udp_closed(L);
	address = read_peer(L, 3, udp, &peer);
	while (sendto(udp->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&peer,
		      address) < 0) {
		if (errno == ECONNREFUSED && udp->listener->guise)
			break; /* a datagram to nobody is lost, as it is on a network */
		if (errno == EINTR || errno == ECONNREFUSED) /* of a datagram before this one */
			continue;
		if (errno != EAGAIN || last)
			return udp_fail(L, errno);
		task = task_check(L);
		list_append(&udp->writers, &task->queued);
		udp_watch(udp);
		return task_wait(L, task, udp, NULL, SEND_TIMEOUT, 0, send_again);
	}
	lua_pushboolean(L, 1);
	return 1;
}

/* socket:send(bytes, peer) */
int udp_l_send(lua_State *L)
{
	struct udp *udp = udp_check(L);
	size_t length;

	lua_settop(L, 3);
	units_bytes(L, 2, &length);
	if (lua_gettop(L) > 3)
		lua_replace(L, 2); /* the list, joined */
	if (length > DATAGRAM_MAX)
		return vm_fail(L, "a datagram has at most 65507 bytes", "EMSGSIZE");
	return try_send(L, udp, false);
}
