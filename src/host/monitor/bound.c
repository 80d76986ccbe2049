#include "host/monitor/bound.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "plan/listener.h"
#include "plan/unix.h"
#include "sys/sys.h"

/* --- life --- */

static struct bound *make(const struct listen *listen, const struct address *address,
			  struct err *err)
{
	struct bound *bound = calloc(1, sizeof *bound);

	if (!bound) {
		err_set(err, "out of memory");
		return NULL;
	}
	bound->listen = *listen;
	bound->listen.addresses = NULL;
	bound->listen.address_count = 0;
	bound->listen.name = strdup(listen->name);
	bound->listen.owner = listen->owner ? strdup(listen->owner) : NULL;
	bound->address = *address;
	bound->address.text = strdup(address->text);
	bound->listener.fd = -1;
	if (bound->listen.name && bound->address.text && (bound->listen.owner || !listen->owner))
		return bound;
	err_set(err, "out of memory");
	bound_destroy(bound);
	return NULL;
}

/* The copies are its own from here on. */
static void point(struct bound *bound)
{
	bound->listener.listen = &bound->listen;
	bound->listener.address = &bound->address;
}

struct bound *bound_take(struct listener *listener, bool by_name, struct err *err)
{
	struct bound *bound = make(listener->listen, listener->address, err);

	if (!bound)
		return NULL;
	bound->listener = *listener;
	bound->by_name = by_name;
	point(bound);
	listener->fd = -1;
	listener->others = NULL;
	listener->other_count = 0;
	return bound;
}

struct bound *bound_open(const struct listen *listen, const struct address *address, int workers,
			 uid_t self, struct err *err)
{
	struct bound *bound = make(listen, address, err);

	if (!bound)
		return NULL;
	point(bound);
	if (listener_bind_all(&bound->listener, workers, self, err) == 0)
		return bound;
	bound_close(bound);
	bound_destroy(bound);
	return NULL;
}

void bound_destroy(struct bound *bound)
{
	if (!bound)
		return;
	listener_close(&bound->listener);
	free(bound->listen.name);
	free(bound->listen.owner);
	free(bound->address.text);
	free(bound);
}

void bound_close(struct bound *bound)
{
	struct listener *listener = &bound->listener;

	if (listener->inherited)
		return;
	if (listener->inode)
		sys_discard(unix_path(&bound->address), listener->device, listener->inode);
	listener->inode = 0;
	listener_close(listener);
	bound->closed = true;
}

/* --- addresses --- */

struct endpoint {
	in_port_t port;
	const void *host;
	size_t length;
};

/* false: it is none of the internet. */
static bool endpoint_of(const struct sockaddr_storage *address, struct endpoint *endpoint)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;

	if (address->ss_family == AF_INET)
		*endpoint = (struct endpoint){four->sin_port, &four->sin_addr, 4};
	else if (address->ss_family == AF_INET6)
		*endpoint = (struct endpoint){six->sin6_port, &six->sin6_addr, 16};
	else
		return false;
	return true;
}

static bool is_any_host(const struct endpoint *endpoint)
{
	static const unsigned char zeros[16];

	return memcmp(endpoint->host, zeros, endpoint->length) == 0;
}

static bool same_address(const struct address *a, const struct address *b)
{
	return a->kind == b->kind && a->length == b->length &&
	       memcmp(&a->socket, &b->socket, a->length) == 0;
}

bool bound_is(const struct bound *bound, const struct listen *listen, const struct address *address)
{
	struct endpoint endpoint;

	if (bound->closed || !same_address(&bound->address, address))
		return false;
	/* Port 0 is another port each time: the entry's name tells which one is meant. */
	return !endpoint_of(&address->socket, &endpoint) || endpoint.port != 0 ||
	       strcmp(bound->listen.name, listen->name) == 0;
}

const char *bound_lacks(const struct bound *bound, const struct listen *listen, int workers)
{
	const struct listener *listener = &bound->listener;
	bool file = bound->address.kind == ADDRESS_UNIX;

	if (listener->inherited)
		return NULL;
	if (file && bound->listen.mode != listen->mode)
		return "mode";
	if (file && (bound->listen.uid != listen->uid || bound->listen.gid != listen->gid))
		return "owner";
	if (bound->listen.reuseport != listen->reuseport ||
	    (listen->reuseport && listener->other_count + 1 != (size_t)workers))
		return "reuseport";
	return NULL;
}

bool bound_overlaps(const struct bound *bound, const struct address *address)
{
	struct endpoint mine, other;
	struct sockaddr_storage actual;
	socklen_t length = 0;

	if (bound->closed || bound->address.kind != address->kind)
		return false;
	if (same_address(&bound->address, address))
		return !endpoint_of(&address->socket, &other) || other.port != 0;
	/* The port that the kernel has chosen counts, not the 0 that was asked for. */
	if (sys_socket_name(bound->listener.fd, &actual, &length) < 0 ||
	    actual.ss_family != address->socket.ss_family || !endpoint_of(&actual, &mine) ||
	    !endpoint_of(&address->socket, &other) || mine.port != other.port)
		return false;
	return is_any_host(&mine) || is_any_host(&other) ||
	       memcmp(mine.host, other.host, mine.length) == 0;
}

/* --- what may change on a bound socket --- */

static void settle_one(int fd, const struct bound *bound, const struct listen *listen)
{
	/* Neither is worth the reload that is done: what was set before is still right. */
	if (bound->address.kind != ADDRESS_UDP && bound->listen.backlog != listen->backlog)
		(void)sys_listen(fd, listen->backlog);
	if (listen->receive_buffer && bound->listen.receive_buffer != listen->receive_buffer)
		(void)sys_socket_set(fd, SOL_SOCKET, SO_RCVBUF, (int)listen->receive_buffer);
}

void bound_settle(struct bound *bound, const struct listen *listen)
{
	if (bound->closed || bound->listener.inherited)
		return;
	settle_one(bound->listener.fd, bound, listen);
	for (size_t i = 0; i < bound->listener.other_count; i++)
		settle_one(bound->listener.others[i], bound, listen);
	bound->listen.backlog = listen->backlog;
	bound->listen.receive_buffer = listen->receive_buffer;
}
