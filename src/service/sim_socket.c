#include "service/sim_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service/guise.h"

/* Ports that the kernel would choose from, ip(7); more of a simulation begin again. */
enum { PORT_FIRST = 49152, PORTS = 16384 };

static unsigned next_port(struct sim *sim)
{
	return PORT_FIRST + sim->ports++ % PORTS;
}

static bool is_net(const struct address *address)
{
	return address->kind == ADDRESS_TCP || address->kind == ADDRESS_UDP;
}

/* A port that is 0 is chosen, as the kernel would. */
static void choose_port(struct sim *sim, const struct address *address, char *actual)
{
	size_t length = strlen(address->text);

	if (is_net(address) && length > 2 && strcmp(address->text + length - 2, ":0") == 0)
		snprintf(actual, SIM_ADDRESS_MAX, "%.*s:%u", (int)length - 2, address->text,
			 next_port(sim));
	else
		snprintf(actual, SIM_ADDRESS_MAX, "%s", address->text);
}

static struct sim_socket *find(const struct sim *sim, const char *key)
{
	for (struct link *at = sim->sockets.next; at != &sim->sockets; at = at->next)
		if (strcmp(LIST_ENTRY(at, struct sim_socket, all)->key, key) == 0)
			return LIST_ENTRY(at, struct sim_socket, all);
	return NULL;
}

static int open_one(struct sim *sim, const struct listener *listener, struct sim_socket *fresh)
{
	bool datagrams = listener->address->kind == ADDRESS_UDP;

	choose_port(sim, listener->address, fresh->actual);
	/* A stream's own name is short: a path might not fit. Who connects knows it from here. */
	snprintf(fresh->stand, sizeof fresh->stand, "#%u", sim->ports++);
	fresh->fd = guise_socket(sim->world, datagrams ? fresh->actual : fresh->stand,
				 datagrams ? SOCK_DGRAM : SOCK_STREAM);
	if (fresh->fd < 0)
		return -1;
	return datagrams ? 0 : listen(fresh->fd, listener->listen->backlog);
}

static void free_socket(struct sim_socket *socket)
{
	if (socket->fd >= 0)
		close(socket->fd);
	list_remove(&socket->all);
	free(socket->key);
	free(socket);
}

static struct sim_socket *make(struct sim *sim, const struct listener *listener, const char *key,
			       struct err *err)
{
	struct sim_socket *fresh = calloc(1, sizeof *fresh);

	if (fresh) {
		fresh->fd = -1;
		fresh->key = strdup(key);
		list_append(&sim->sockets, &fresh->all);
	}
	if (fresh && fresh->key && open_one(sim, listener, fresh) == 0)
		return fresh;
	err_sys(err, "cannot listen at %s", listener->address->text);
	if (fresh)
		free_socket(fresh);
	return NULL;
}

static int give(struct sim *sim, struct listener *listener, struct err *err)
{
	struct sim_socket *socket;
	char key[SIM_ADDRESS_MAX + 160];

	snprintf(key, sizeof key, "%s %s", listener->listen->name, listener->address->text);
	socket = find(sim, key);
	if (!socket)
		socket = make(sim, listener, key, err);
	if (!socket)
		return -1;
	listener->fd = fcntl(socket->fd, F_DUPFD_CLOEXEC, 0);
	if (listener->fd < 0)
		return err_sys(err, "cannot listen at %s", listener->address->text);
	listener->guise = sim->world;
	snprintf(listener->actual, sizeof listener->actual, "%s", socket->actual);
	return 0;
}

int sim_listen(struct sim *sim, struct daemon *daemon, struct err *err)
{
	const struct spec *spec = daemon->spec;
	size_t count = 0;

	for (size_t i = 0; i < spec->listen_count; i++)
		count += spec->listens[i].address_count;
	daemon->listeners = calloc(count ? count : 1, sizeof *daemon->listeners);
	if (!daemon->listeners)
		return err_set(err, "out of memory");
	for (size_t i = 0; i < spec->listen_count; i++) {
		const struct listen *listen = &spec->listens[i];

		for (size_t k = 0; k < listen->address_count; k++) {
			struct listener *listener = &daemon->listeners[daemon->listener_count++];

			*listener = (struct listener){
			    .listen = listen, .address = &listen->addresses[k], .fd = -1};
			if (give(sim, listener, err) < 0)
				return -1;
		}
	}
	return 0;
}

void sim_unlisten(struct sim *sim)
{
	while (!list_empty(&sim->sockets))
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it sees no rings */
		free_socket(LIST_ENTRY(sim->sockets.next, struct sim_socket, all));
}

/* --- clients --- */

static const struct listener *named(const struct sim *sim, const char *name)
{
	const struct daemon *daemon = sim->current ? &sim->current->daemon : NULL;

	for (size_t i = 0; daemon && i < daemon->listener_count; i++)
		if (strcmp(daemon->listeners[i].listen->name, name) == 0)
			return &daemon->listeners[i];
	return NULL;
}

const char *sim_address(const struct sim *sim, const char *name)
{
	const struct listener *listener = named(sim, name);

	return listener ? listener->actual : NULL;
}

/* Where a client of this listener comes from: the loopback of the same family. */
static void choose_self(struct sim *sim, const struct listener *listener, char *self)
{
	const char *scheme = listener->address->kind == ADDRESS_UDP ? "udp" : "tcp";
	bool six = listener->address->socket.ss_family == AF_INET6;

	if (is_net(listener->address))
		snprintf(self, SIM_ADDRESS_MAX, "%s://%s:%u", scheme, six ? "[::1]" : "127.0.0.1",
			 next_port(sim));
	else
		snprintf(self, SIM_ADDRESS_MAX, "unix:#%u", sim->ports++);
}

static int open_client(struct sim *sim, const struct sim_socket *to, struct sim_address *address)
{
	struct sockaddr_un name;
	socklen_t length;
	int fd =
	    guise_socket(sim->world, address->self, address->datagrams ? SOCK_DGRAM : SOCK_STREAM);

	if (fd < 0 || address->datagrams)
		return fd;
	length = guise_name(sim->world, to->stand, &name);
	if (connect(fd, (struct sockaddr *)&name, length) == 0)
		return fd;
	close(fd);
	return -1;
}

int sim_connect(struct sim *sim, const char *name, struct sim_address *address, struct err *err)
{
	const struct listener *listener = named(sim, name);
	const struct sim_socket *socket;
	char key[SIM_ADDRESS_MAX + 160];
	int fd = -1;

	if (!listener)
		return err_set(err, "the daemon does not run");
	snprintf(key, sizeof key, "%s %s", name, listener->address->text);
	socket = find(sim, key);
	address->world = sim->world;
	address->datagrams = listener->address->kind == ADDRESS_UDP;
	snprintf(address->text, sizeof address->text, "%s", listener->actual);
	choose_self(sim, listener, address->self);
	if (socket)
		fd = open_client(sim, socket, address);
	else
		errno = ECONNREFUSED;
	if (fd < 0)
		err_sys(err, "cannot connect to %s", listener->actual);
	return fd;
}
