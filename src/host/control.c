#include "host/control_client.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	ACCEPTS_MAX = 16, /* connections in one turn of the loop */
	REST_MS = 5       /* before the next one */
};

/* --- accepting --- */

/* At first it has no right at all. */
void control_recognise(struct control_client *client, int fd)
{
	const struct daemon *daemon = client->control->daemon;
	struct ucred peer;
	socklen_t length = sizeof peer;
	bool own;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return;
	own = peer.uid == daemon->spec->uid;
	client->uid = peer.uid;
	client->pid = peer.pid;
	client->console = peer.uid == 0 || own;
	if (peer.uid == 0 || peer.uid == daemon->source.owner)
		client->right = RIGHT_ALL;
	else
		client->right = own ? RIGHT_VIEW : RIGHT_NONE;
}

/* Each kind of peer has places of its own, so that strangers who say nothing keep nobody out. */
static bool has_place(const struct control_client *client)
{
	static const int places[] = {[RIGHT_NONE] = CONTROL_STRANGERS_MAX,
				     [RIGHT_VIEW] = CONTROL_VIEWERS_MAX,
				     [RIGHT_ALL] = CONTROL_OWNERS_MAX};
	const struct control_client *other = client->control->clients;
	int count = 0;

	for (; other; other = other->next)
		count += other->right == client->right && !other->closing;
	return count <= places[client->right];
}

static void on_rested(uv_timer_t *timer);

/* libuv accepts nothing more before it was asked for the one that waits. */
static void rest(struct control *control)
{
	uv_timer_start(&control->rest, on_rested, REST_MS, 0);
}

static void take_connection(struct control *control)
{
	struct control_client *client = control_client_make(control);
	uv_os_fd_t fd = -1;

	if (!client) {
		rest(control);
		return;
	}
	if (uv_accept((uv_stream_t *)&control->listener, (uv_stream_t *)&client->pipe) < 0) {
		control_client_close(client);
		return;
	}
	if (uv_fileno((uv_handle_t *)&client->pipe, &fd) == 0)
		control_recognise(client, fd);
	if (!has_place(client)) {
		control_client_end_now(client, EXIT_FAILED, "too many clients");
		control_client_close(client);
		return;
	}
	control_client_listen(client);
}

/* Everybody may connect, as often as he likes: whoever does nothing else must not keep the loop
 * from what else it has to do. */
static bool has_turn(struct control *control)
{
	uint64_t now = uv_now(control->loop);

	if (now != control->turn)
		control->accepted = 0;
	control->turn = now;
	return control->accepted++ < ACCEPTS_MAX;
}

static void on_rested(uv_timer_t *timer)
{
	struct control *control = timer->data;

	(void)has_turn(control);
	take_connection(control);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct control *control = listener->data;

	if (status < 0)
		return;
	if (has_turn(control))
		take_connection(control);
	else
		rest(control);
}

/* --- lines for followers --- */

/* In any thread. */
static void on_line(void *data)
{
	uv_async_send(data);
}

static void on_line_added(uv_async_t *async)
{
	struct control *control = async->data;
	struct control_client *next;

	for (struct control_client *client = control->clients; client; client = next) {
		next = client->next;
		if (client->state == CLIENT_FOLLOWS && !client->closing)
			control_request_follow(client);
	}
}

/* --- create, close --- */

static int uv_failed(struct err *err, int code, const char *what)
{
	err_set(err, "%s", what);
	err->code = -code; /* libuv's codes are errno's, negated */
	return -1;
}

static int listen_on_copy(struct control *control, struct err *err)
{
	int fd = fcntl(control->daemon->control_fd, F_DUPFD_CLOEXEC, 3);
	int code;

	if (fd < 0)
		return err_sys(err, "cannot copy the control socket");
	code = uv_pipe_open(&control->listener, fd);
	if (code < 0) {
		close(fd);
		return uv_failed(err, code, "cannot watch the control socket");
	}
	code = uv_listen((uv_stream_t *)&control->listener, CONTROL_CLIENTS_MAX, on_connection);
	return code < 0 ? uv_failed(err, code, "cannot listen on the control socket") : 0;
}

struct control *control_create(uv_loop_t *loop, struct daemon *daemon, struct log *log,
			       const struct control_calls *calls, struct err *err)
{
	struct control *control = calloc(1, sizeof *control);
	int code;

	if (!control) {
		err_sys(err, "cannot serve the control socket");
		return NULL;
	}
	control->loop = loop;
	control->daemon = daemon;
	control->log = log;
	control->calls = *calls;
	code = uv_async_init(loop, &control->line_added, on_line_added);
	if (code < 0) {
		uv_failed(err, code, "cannot serve the control socket");
		free(control);
		return NULL;
	}
	uv_pipe_init(loop, &control->listener, 0);
	uv_timer_init(loop, &control->rest);
	control->line_added.data = control->listener.data = control->rest.data = control;
	control->handles = 3;
	if (listen_on_copy(control, err) < 0) {
		control->failed = true;
		control_close(control);
		return NULL;
	}
	log_on_line(log, on_line, &control->line_added);
	return control;
}

static void close_client_of(struct control_client *client)
{
	uv_os_fd_t fd;

	if (client->closing)
		return;
	/* A copy that nobody closes before the process is gone. */
	if (client->state == CLIENT_STOPS && uv_fileno((uv_handle_t *)&client->pipe, &fd) == 0)
		(void)fcntl(fd, F_DUPFD_CLOEXEC, 3);
	else if (client->state == CLIENT_FOLLOWS)
		control_client_end_now(client, EXIT_DONE, "");
	else if (client->state != CLIENT_ENDED)
		control_client_end_now(client, EXIT_FAILED, "the daemon has stopped");
	control_client_close(client);
}

static void on_own_closed(uv_handle_t *handle)
{
	struct control *control = handle->data;

	if (--control->handles == 0 && control->failed)
		control_destroy(control);
}

void control_close(struct control *control)
{
	if (!control || uv_is_closing((uv_handle_t *)&control->listener))
		return;
	log_on_line(control->log, NULL, NULL);
	uv_close((uv_handle_t *)&control->listener, on_own_closed);
	uv_close((uv_handle_t *)&control->line_added, on_own_closed);
	uv_close((uv_handle_t *)&control->rest, on_own_closed);
	for (struct control_client *client = control->clients; client; client = client->next)
		close_client_of(client);
}

void control_destroy(struct control *control)
{
	if (!control)
		return;
	while (control->clients) {
		struct control_client *client = control->clients;

		control->clients = client->next;
		control_client_free(client);
	}
	free(control);
}
