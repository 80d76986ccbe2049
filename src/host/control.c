#include "host/control.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	REQUEST_MAX = 256,   /* bytes of a request's text */
	REQUEST_MS = 10000,  /* from the connection to the whole request; from END to its reading */
	MARGIN_MS = 10000,   /* over the daemon file's timeouts */
	FOLLOW_MS = 60000,   /* how long a follower may leave unread what was sent */
	FOLLOW_QUEUE = 65536 /* a follower with more unread than this gets no new lines */
};

/* What a peer may ask for; each includes those before. */
enum right { RIGHT_NONE, RIGHT_VIEW, RIGHT_ALL };

enum state {
	CLIENT_ASKS,    /* its request is not yet whole */
	CLIENT_STOPS,   /* waits for the end of the process */
	CLIENT_RELOADS, /* waits for control_end */
	CLIENT_FOLLOWS, /* gets each new line */
	CLIENT_ENDED    /* has its END */
};

struct control_client {
	struct control *control;
	struct control_client *next;
	uv_pipe_t pipe;
	uv_timer_t timer;
	uv_shutdown_t shutdown;
	int handles;  /* that libuv still has */
	bool closing; /* uv_close was called */
	bool owed;    /* the host will call control_end */
	enum state state;
	enum right right;
	uint64_t position; /* in the log's ring */
	unsigned char in[FRAME_HEAD + REQUEST_MAX];
	size_t have;
};

struct control {
	uv_loop_t *loop;
	struct daemon *daemon;
	struct log *log;
	struct control_calls calls;
	uv_pipe_t listener;
	uv_async_t line_added;
	struct control_client *clients;
	size_t count;
	int handles;              /* that libuv still has, besides the clients' */
	bool failed;              /* at its creation: freed when the handles are closed */
	char lines[32768 + 4096]; /* the longest line of the log, with its head */
};

/* One write: the frame's bytes lie behind it. */
struct output {
	uv_write_t request;
	uv_buf_t buffer;
	char bytes[];
};

/* --- the end of a client --- */

static void forget(struct control_client *client)
{
	struct control_client **link = &client->control->clients;

	if (client->handles > 0 || client->owed)
		return;
	while (*link != client)
		link = &(*link)->next;
	*link = client->next;
	free(client);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct control_client *client = handle->data;

	client->handles--;
	forget(client);
}

static void client_close(struct control_client *client)
{
	if (client->closing)
		return;
	client->closing = true;
	uv_close((uv_handle_t *)&client->pipe, on_handle_closed);
	uv_close((uv_handle_t *)&client->timer, on_handle_closed);
}

static void on_timer(uv_timer_t *timer)
{
	client_close(timer->data);
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
	(void)status;
	client_close(request->data);
}

/* --- sending --- */

static void on_written(uv_write_t *request, int status)
{
	struct control_client *client = request->data;

	free(request);
	if (status < 0) {
		client_close(client);
		return;
	}
	if (client->closing || client->state != CLIENT_FOLLOWS)
		return;
	if (uv_stream_get_write_queue_size((uv_stream_t *)&client->pipe) == 0)
		uv_timer_stop(&client->timer);
	uv_async_send(&client->control->line_added);
}

static struct output *output_make(enum frame_type type, const char *bytes, size_t length)
{
	struct output *output = malloc(sizeof *output + FRAME_HEAD + length);

	if (!output)
		return NULL;
	frame_head((unsigned char *)output->bytes, type, length);
	memcpy(output->bytes + FRAME_HEAD, bytes, length);
	output->buffer = uv_buf_init(output->bytes, (unsigned)(FRAME_HEAD + length));
	return output;
}

static void client_send(struct control_client *client, enum frame_type type, const char *bytes,
			size_t length)
{
	struct output *output;

	if (client->closing)
		return;
	output = output_make(type, bytes, length);
	if (!output) {
		client_close(client);
		return;
	}
	output->request.data = client;
	if (uv_write(&output->request, (uv_stream_t *)&client->pipe, &output->buffer, 1,
		     on_written) < 0) {
		free(output);
		client_close(client);
	}
}

static void client_print(struct control_client *client, const char *bytes, size_t length)
{
	while (length > 0) {
		size_t part = length < FRAME_PAYLOAD_MAX ? length : FRAME_PAYLOAD_MAX;

		client_send(client, FRAME_OUTPUT, bytes, part);
		bytes += part;
		length -= part;
	}
}

static size_t end_payload(char *payload, size_t size, int code, const char *text)
{
	payload[0] = (char)code;
	snprintf(payload + 1, size - 1, "%s", text); /* cut when it is too long */
	return 1 + strlen(payload + 1);
}

static void client_end(struct control_client *client, int code, const char *text)
{
	char payload[ERR_TEXT_MAX];
	size_t length = end_payload(payload, sizeof payload, code, text ? text : "");

	if (client->closing || client->state == CLIENT_ENDED)
		return;
	client_send(client, FRAME_END, payload, length);
	if (client->closing)
		return;
	client->state = CLIENT_ENDED;
	client->shutdown.data = client;
	if (uv_shutdown(&client->shutdown, (uv_stream_t *)&client->pipe, on_shutdown) < 0)
		client_close(client);
	else
		uv_timer_start(&client->timer, on_timer, REQUEST_MS, 0);
}

/* At the end of the loop nothing that is queued would be written any more. */
static void client_end_now(struct control_client *client, int code, const char *text)
{
	char bytes[FRAME_HEAD + ERR_TEXT_MAX];
	size_t length = end_payload(bytes + FRAME_HEAD, ERR_TEXT_MAX, code, text);
	uv_buf_t buffer = uv_buf_init(bytes, (unsigned)(FRAME_HEAD + length));

	frame_head((unsigned char *)bytes, FRAME_END, length);
	(void)uv_try_write((uv_stream_t *)&client->pipe, &buffer, 1);
}

/* --- the requests --- */

static void answer_status(struct control_client *client, const char *arguments)
{
	struct control *control = client->control;
	char *text = NULL;
	size_t length = 0;
	FILE *out;

	if (*arguments && strcmp(arguments, "json") != 0) {
		client_end(client, EXIT_USAGE, "expected: status [json]");
		return;
	}
	out = open_memstream(&text, &length);
	if (!out) {
		client_end(client, EXIT_FAILED, "out of memory");
		return;
	}
	control->calls.status(control->calls.data, *arguments != 0, out);
	fclose(out);
	client_print(client, text, length);
	free(text);
	client_end(client, EXIT_DONE, NULL);
}

/* How long the host may take for what it was asked, with the time that loader, log and last
 * cleaning have of their own. */
static void say_within(struct control_client *client, int64_t timeout_ms)
{
	char text[32];
	int length = snprintf(text, sizeof text, "%lld", (long long)timeout_ms + MARGIN_MS);

	client_send(client, FRAME_WITHIN, text, (size_t)length);
}

/* The arguments of --set, a frame each: what restart starts the next one with. */
static void answer_sets(struct control_client *client, const char *arguments)
{
	char **sets = client->control->daemon->source.sets;

	(void)arguments;
	for (; sets && *sets; sets++)
		client_print(client, *sets, strlen(*sets));
	client_end(client, EXIT_DONE, NULL);
}

static void answer_stop(struct control_client *client, const char *arguments)
{
	(void)arguments;
	say_within(client, client->control->daemon->spec->timeout_stop);
	if (client->closing)
		return;
	client->state = CLIENT_STOPS;
	client->owed = true;
	client->control->calls.stop(client->control->calls.data, client);
}

static void answer_reload(struct control_client *client, const char *arguments)
{
	(void)arguments;
	/* Twice: it may have to wait for the end of another one. */
	say_within(client, 2 * client->control->daemon->spec->timeout_reload + MARGIN_MS);
	if (client->closing)
		return;
	client->state = CLIENT_RELOADS;
	client->owed = true;
	client->control->calls.reload(client->control->calls.data, client);
}

static void say_lost(struct control_client *client, uint64_t lost)
{
	bool json = client->control->daemon->spec->log.json;
	char text[96];
	int length = snprintf(text, sizeof text,
			      json ? "{\"message\":\"%llu line%s lost\"}\n" : "%llu line%s lost\n",
			      (unsigned long long)lost, lost == 1 ? " was" : "s were");

	client_print(client, text, (size_t)length);
}

/* Sends what the log has from the client's position on; no more than a slow reader can hold. */
static void send_lines(struct control_client *client, bool say)
{
	struct control *control = client->control;
	uint64_t lost;
	size_t length;

	while (!client->closing &&
	       uv_stream_get_write_queue_size((uv_stream_t *)&client->pipe) < FOLLOW_QUEUE) {
		length = log_read(control->log, &client->position, control->lines,
				  sizeof control->lines, &lost);
		if (lost && say)
			say_lost(client, lost);
		if (length == 0)
			break;
		client_print(client, control->lines, length);
		say = true;
	}
}

static void follow(struct control_client *client)
{
	send_lines(client, true);
	if (!client->closing && uv_stream_get_write_queue_size((uv_stream_t *)&client->pipe) > 0 &&
	    !uv_is_active((uv_handle_t *)&client->timer))
		uv_timer_start(&client->timer, on_timer, FOLLOW_MS, 0);
}

/* "[follow] [N]". The last N lines, all that are kept when there is no N. */
static int parse_logs(const char *arguments, bool *follows, unsigned long *count)
{
	char *end;

	*follows = strncmp(arguments, "follow", 6) == 0 && (!arguments[6] || arguments[6] == ' ');
	if (*follows)
		arguments += arguments[6] ? 7 : 6;
	*count = ULONG_MAX;
	if (!*arguments)
		return 0;
	if (*arguments < '0' || *arguments > '9')
		return -1;
	*count = strtoul(arguments, &end, 10);
	return *end ? -1 : 0;
}

static void answer_logs(struct control_client *client, const char *arguments)
{
	unsigned long count;
	uint64_t next = log_next(client->control->log);
	bool follows;

	if (parse_logs(arguments, &follows, &count) < 0) {
		client_end(client, EXIT_USAGE, "expected: logs [follow] [N]");
		return;
	}
	client->position = next > count ? next - count : 0;
	send_lines(client, false);
	if (!follows) {
		client_end(client, EXIT_DONE, NULL);
		return;
	}
	client->state = CLIENT_FOLLOWS;
	follow(client);
}

/* refused: the exit code of who may not. */
static const struct request {
	const char *name;
	enum right right;
	int refused;
	void (*answer)(struct control_client *client, const char *arguments);
} requests[] = {
    {"status", RIGHT_VIEW, EXIT_UNKNOWN, answer_status},
    {"logs", RIGHT_VIEW, EXIT_FAILED, answer_logs},
    {"sets", RIGHT_ALL, EXIT_FAILED, answer_sets},
    {"reload", RIGHT_ALL, EXIT_FAILED, answer_reload},
    {"stop", RIGHT_ALL, EXIT_FAILED, answer_stop},
};

static const struct request *find_request(char *text, const char **arguments)
{
	char *space = strchr(text, ' ');

	*arguments = "";
	if (space) {
		*space = 0;
		*arguments = space + 1;
	}
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
		if (strcmp(text, requests[i].name) == 0)
			return &requests[i];
	return NULL;
}

static void handle_request(struct control_client *client, char *text)
{
	const char *arguments;
	const struct request *request = find_request(text, &arguments);
	char refusal[128];

	uv_timer_stop(&client->timer);
	if (!request) {
		client_end(client, EXIT_USAGE, "unknown request");
		return;
	}
	if (client->right < request->right) {
		snprintf(refusal, sizeof refusal,
			 "permission denied: %s is for root and the user "
			 "who started the daemon%s",
			 request->name,
			 request->right == RIGHT_VIEW ? ", and for the daemon's own" : "");
		client_end(client, request->refused, refusal);
		return;
	}
	request->answer(client, arguments);
}

/* --- reading --- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct control_client *client = handle->data;

	(void)suggested;
	*buffer = uv_buf_init((char *)client->in + client->have,
			      (unsigned)(sizeof client->in - client->have));
}

static void take_request(struct control_client *client)
{
	struct frame frame;
	ssize_t length = frame_parse(&frame, client->in, client->have, REQUEST_MAX + 1);
	char text[REQUEST_MAX + 1];

	if (length == 0)
		return;
	if (length < 0 || frame.type != FRAME_REQUEST || (size_t)length != client->have ||
	    memchr(frame.payload, 0, frame.length)) {
		client_end(client, EXIT_USAGE, "malformed request");
		return;
	}
	memcpy(text, frame.payload, frame.length);
	text[frame.length] = 0;
	client->have = 0;
	handle_request(client, text);
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
	struct control_client *client = stream->data;

	(void)buffer;
	if (length == 0)
		return;
	/* A client that has its END, or that only closed its sending side after the request, still
	 * reads; a follower or one that waits is gone. */
	if (length < 0) {
		if (client->state != CLIENT_ENDED)
			client_close(client);
		else
			uv_read_stop(stream);
		return;
	}
	if (client->state == CLIENT_ENDED)
		return;
	if (client->state != CLIENT_ASKS) {
		client_end(client, EXIT_USAGE, "one request a connection");
		return;
	}
	client->have += (size_t)length;
	take_request(client);
}

/* --- accepting --- */

static enum right right_of(const struct control *control, int fd)
{
	const struct daemon *daemon = control->daemon;
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t length = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return RIGHT_NONE;
	if (peer.uid == 0 || peer.uid == daemon->source.owner)
		return RIGHT_ALL;
	return peer.uid == daemon->spec->uid ? RIGHT_VIEW : RIGHT_NONE;
}

static struct control_client *client_make(struct control *control)
{
	struct control_client *client = calloc(1, sizeof *client);

	if (!client)
		return NULL;
	client->control = control;
	client->handles = 2;
	uv_pipe_init(control->loop, &client->pipe, 0);
	uv_timer_init(control->loop, &client->timer);
	client->pipe.data = client->timer.data = client;
	client->next = control->clients;
	control->clients = client;
	return client;
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

static void on_connection(uv_stream_t *listener, int status)
{
	struct control *control = listener->data;
	struct control_client *client;
	uv_os_fd_t fd = -1;

	if (status < 0 || !(client = client_make(control)))
		return;
	if (uv_accept(listener, (uv_stream_t *)&client->pipe) < 0) {
		client_close(client);
		return;
	}
	if (uv_fileno((uv_handle_t *)&client->pipe, &fd) == 0)
		client->right = right_of(control, fd);
	if (!has_place(client)) {
		client_end_now(client, EXIT_FAILED, "too many clients");
		client_close(client);
		return;
	}
	uv_timer_start(&client->timer, on_timer, REQUEST_MS, 0);
	if (uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read) < 0)
		client_close(client);
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
			follow(client);
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
	control->line_added.data = control->listener.data = control;
	control->handles = 2;
	if (listen_on_copy(control, err) < 0) {
		control->failed = true;
		control_close(control);
		return NULL;
	}
	log_on_line(log, on_line, &control->line_added);
	return control;
}

void control_end(struct control_client *client, int code, const char *text)
{
	client->owed = false;
	client_end(client, code, text);
	forget(client);
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
		client_end_now(client, EXIT_DONE, "");
	else if (client->state != CLIENT_ENDED)
		client_end_now(client, EXIT_FAILED, "the daemon has stopped");
	client_close(client);
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
		free(client);
	}
	free(control);
}
