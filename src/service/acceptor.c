#include "service/acceptor.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "service/conn.h"
#include "service/guise.h"
#include "service/tcp.h"
#include "service/vm.h"

enum {
	ACCEPT_AT_ONCE = 32, /* per turn of the loop: then the connections have theirs */
	RETRY = 1000         /* milliseconds without a closed connection before trying again */
};

static void on_poll(uv_poll_t *poll, int status, int events);

/* --- what is told of limits --- */

static void tell(struct server *server, struct burst *burst, const char *message,
		 const struct conn_peer *peer)
{
	char text[CONN_ADDRESS_MAX];
	struct log_field fields[2] = {
	    {.key = "listener", .bytes = server->name, .length = strlen(server->name)},
	    {.key = "peer"}};

	if (peer) {
		fields[1].bytes = conn_peer_text(peer, text);
		fields[1].length = strlen(text);
	}
	vm_log_burst(server->vm, burst, LEVEL_WARN, message, fields, peer ? 2 : 1);
}

void acceptor_tell_idle(struct acceptor *acceptor, const struct conn_peer *peer)
{
	tell(acceptor->server, &acceptor->server->idle, "closed: idle for idle_timeout", peer);
}

/* --- pausing and going on --- */

static bool full(const struct server *server)
{
	int max = server_listen(server)->max_connections;

	return max > 0 && server->connections >= (size_t)max;
}

static void pause_all(struct server *server)
{
	for (size_t i = 0; i < server->acceptor_count; i++) {
		struct acceptor *acceptor = &server->acceptors[i];

		if (acceptor->polling)
			uv_poll_stop(&acceptor->poll);
		acceptor->polling = false;
	}
}

void acceptors_go_on(struct server *server)
{
	if (full(server))
		return;
	for (size_t i = 0; i < server->acceptor_count; i++) {
		struct acceptor *acceptor = &server->acceptors[i];

		if (acceptor->open && !acceptor->polling)
			acceptor->polling =
			    uv_poll_start(&acceptor->poll, UV_READABLE, on_poll) == 0;
	}
}

static void on_retry(struct alarm *alarm)
{
	struct server *server = LIST_ENTRY(alarm, struct server, retry);

	server->starved = false;
	acceptors_go_on(server);
}

static void starve(struct server *server, int reason)
{
	struct vm *vm = server->vm;
	const char *text = err_reason(reason);
	struct log_field fields[2] = {
	    {.key = "listener", .bytes = server->name, .length = strlen(server->name)},
	    {.key = "reason", .bytes = text, .length = strlen(text)}};

	if (!server->starved)
		vm_log_burst(vm, &server->starving, LEVEL_WARN,
			     "cannot accept: waiting for a connection to close", fields, 2);
	server->starved = true;
	pause_all(server);
	alarm_init(&vm->alarms, &server->retry, on_retry);
	alarm_set(&vm->alarms, &server->retry, vm_now(vm) + RETRY);
}

/* --- the limits --- */

static void wait_for_room(struct server *server)
{
	pause_all(server);
	tell(server, &server->full, "max_connections are open: further clients wait", NULL);
}

/* Who is told nothing must not have to wait for it either: a reset, not an ordinary close, also
 * leaves no socket behind here. */
static void refuse(struct incoming *incoming)
{
	struct linger at_once = {.l_onoff = 1};

	setsockopt(incoming->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

static void identify(struct incoming *incoming)
{
	struct ucred peer;
	socklen_t length = sizeof peer;

	if (incoming->peer.family == AF_UNIX &&
	    getsockopt(incoming->fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0)
		incoming->peer.extra = peer.uid;
}

/* --- accepting --- */

static int accept_one(struct acceptor *acceptor, struct incoming *incoming)
{
	struct sockaddr_storage peer = {.ss_family = AF_UNIX}; /* one without a name has none */
	socklen_t length = sizeof peer;
	char guise[GUISE_ADDRESS_MAX];

	*incoming = (struct incoming){.acceptor = acceptor};
	incoming->fd = accept4(acceptor->listener->fd, (struct sockaddr *)&peer, &length,
			       SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (acceptor->listener->guise && incoming->fd >= 0 && guise_address(&peer, length, guise))
		incoming->peer = guise_peer(guise);
	else
		incoming->peer = conn_peer_of(&peer);
	return incoming->fd;
}

/* false: nothing more can be accepted now. */
static bool accept_failed(struct acceptor *acceptor, int reason)
{
	switch (reason) {
	case EAGAIN:
		return false;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EINVAL:
	case EBADF:
		starve(acceptor->server, reason);
		return false;
	default:
		return true; /* that one connection is gone already, accept(2) */
	}
}

static void hand_over(struct acceptor *acceptor, struct incoming *incoming)
{
	struct server *server = acceptor->server;
	int most = server_listen(server)->max_per_peer;

	if (most > 0) {
		identify(incoming);
		if (!peers_enter(&server->peers, &incoming->peer, (unsigned)most)) {
			tell(server, &server->crowded, "refused: max_per_peer are open",
			     &incoming->peer);
			refuse(incoming);
			close(incoming->fd);
			return;
		}
	}
	server->protocol->accepted(server, incoming);
	if (incoming->fd < 0)
		return;
	tell(server, &server->unusable, "refused: memory is short", &incoming->peer);
	close(incoming->fd);
	if (most > 0)
		peers_leave(&server->peers, &incoming->peer);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct acceptor *acceptor = poll->data;
	struct incoming incoming;

	(void)events;
	if (status < 0)
		starve(acceptor->server, -status);
	for (int i = 0; i < ACCEPT_AT_ONCE && acceptor->polling; i++) {
		if (full(acceptor->server)) {
			wait_for_room(acceptor->server);
			return;
		}
		if (accept_one(acceptor, &incoming) >= 0)
			hand_over(acceptor, &incoming);
		else if (!accept_failed(acceptor, errno))
			return;
	}
}

/* --- of connections --- */

void server_came(struct acceptor *acceptor, struct conn *conn)
{
	struct server *server = acceptor->server;

	list_append(&server->conns, &conn->all);
	server->references++;
	server->connections++;
	server->vm->connections++;
	acceptor->connections++;
	acceptor->accepted++;
}

void server_left(struct acceptor *acceptor, const struct conn *conn)
{
	struct server *server = acceptor->server;

	if (server_listen(server)->max_per_peer > 0)
		peers_leave(&server->peers, &conn->peer);
	acceptor->connections--;
	server->connections--;
	server->vm->connections--;
	if (server->starved) {
		server->starved = false;
		alarm_clear(&server->vm->alarms, &server->retry);
	}
	acceptors_go_on(server);
	server_tell_if_quiet(server->vm);
}

/* --- begin and end --- */

int acceptor_begin(struct acceptor *acceptor)
{
	struct vm *vm = acceptor->server->vm;
	struct listener *listener = acceptor->listener;
	int code = uv_poll_init(vm->loop, &acceptor->poll, listener->fd);

	if (code < 0)
		return code;
	acceptor->poll.data = acceptor;
	acceptor->open = true;
	acceptor->server->references++;
	vm->handles++;
	if (listener->address->kind != ADDRESS_TCP || listener->guise)
		return 0;
	return tcp_set_options(listener->fd);
}

static void on_closed(uv_handle_t *handle)
{
	struct server *server = ((struct acceptor *)handle->data)->server;

	server->vm->handles--;
	server_release(server);
}

void acceptors_end(struct server *server)
{
	for (size_t i = 0; i < server->acceptor_count; i++) {
		struct acceptor *acceptor = &server->acceptors[i];

		if (acceptor->open)
			vm_close_handle(server->vm, (uv_handle_t *)&acceptor->poll, on_closed);
		acceptor->open = acceptor->polling = false;
	}
	alarm_clear(&server->vm->alarms, &server->retry);
	server->starved = false;
}
