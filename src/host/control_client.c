#include "host/control_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One write: the frame's bytes lie behind it. */
struct output {
	uv_write_t request;
	uv_buf_t buffer;
	char bytes[];
};

/* --- the end of a client --- */

void control_client_free(struct control_client *client)
{
	if (client->in != client->request)
		free(client->in);
	free(client);
}

static void forget(struct control_client *client)
{
	struct control_client **link = &client->control->clients;

	if (client->handles > 0 || client->owed)
		return;
	while (*link != client)
		link = &(*link)->next;
	*link = client->next;
	control_client_free(client);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct control_client *client = handle->data;

	client->handles--;
	forget(client);
}

void control_client_close(struct control_client *client)
{
	if (client->closing)
		return;
	client->closing = true;
	uv_close((uv_handle_t *)&client->pipe, on_handle_closed);
	uv_close((uv_handle_t *)&client->timer, on_handle_closed);
}

static void on_timer(uv_timer_t *timer)
{
	control_client_close(timer->data);
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
	(void)status;
	control_client_close(request->data);
}

/* --- sending --- */

static void on_written(uv_write_t *request, int status)
{
	struct control_client *client = request->data;

	free(request);
	if (status < 0) {
		control_client_close(client);
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

void control_client_send(struct control_client *client, enum frame_type type, const char *bytes,
			 size_t length)
{
	struct output *output;

	if (client->closing)
		return;
	output = output_make(type, bytes, length);
	if (!output) {
		control_client_close(client);
		return;
	}
	output->request.data = client;
	if (uv_write(&output->request, (uv_stream_t *)&client->pipe, &output->buffer, 1,
		     on_written) < 0) {
		free(output);
		control_client_close(client);
	}
}

void control_client_print(struct control_client *client, const char *bytes, size_t length)
{
	while (length > 0) {
		size_t part = length < FRAME_PAYLOAD_MAX ? length : FRAME_PAYLOAD_MAX;

		control_client_send(client, FRAME_OUTPUT, bytes, part);
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

void control_client_end(struct control_client *client, int code, const char *text)
{
	char payload[ERR_TEXT_MAX];
	size_t length = end_payload(payload, sizeof payload, code, text ? text : "");

	if (client->closing || client->state == CLIENT_ENDED)
		return;
	control_client_send(client, FRAME_END, payload, length);
	if (client->closing)
		return;
	client->state = CLIENT_ENDED;
	client->shutdown.data = client;
	if (uv_shutdown(&client->shutdown, (uv_stream_t *)&client->pipe, on_shutdown) < 0)
		control_client_close(client);
	else
		uv_timer_start(&client->timer, on_timer, REQUEST_MS, 0);
}

void control_client_end_now(struct control_client *client, int code, const char *text)
{
	char bytes[FRAME_HEAD + ERR_TEXT_MAX];
	size_t length = end_payload(bytes + FRAME_HEAD, ERR_TEXT_MAX, code, text);
	uv_buf_t buffer = uv_buf_init(bytes, (unsigned)(FRAME_HEAD + length));

	frame_head((unsigned char *)bytes, FRAME_END, length);
	(void)uv_try_write((uv_stream_t *)&client->pipe, &buffer, 1);
}

void control_client_limit(struct control_client *client)
{
	if (control_client_unread(client) > 0 && !uv_is_active((uv_handle_t *)&client->timer))
		uv_timer_start(&client->timer, on_timer, FOLLOW_MS, 0);
}

size_t control_client_unread(const struct control_client *client)
{
	return uv_stream_get_write_queue_size((const uv_stream_t *)&client->pipe);
}

void control_print(struct control_client *client, const char *bytes, size_t length)
{
	if (client->state != CLIENT_ENDED)
		control_client_print(client, bytes, length);
}

void control_end(struct control_client *client, int code, const char *text)
{
	client->owed = false;
	control_client_end(client, code, text);
	forget(client);
}

void control_result(struct control_client *client, bool failed)
{
	const char code = failed ? 1 : 0;

	client->owed = false;
	if (client->state == CLIENT_TALKS)
		control_client_send(client, FRAME_RESULT, &code, 1);
	forget(client);
}

/* --- reading --- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct control_client *client = handle->data;

	(void)suggested;
	*buffer =
	    uv_buf_init((char *)client->in + client->have, (unsigned)(client->size - client->have));
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
		control_client_end(client, EXIT_USAGE, "malformed request");
		return;
	}
	memcpy(text, frame.payload, frame.length);
	text[frame.length] = 0;
	client->have = 0;
	control_request_handle(client, text);
}

/* One text at a time: what comes before the answer to the last one is no conversation. */
static void take_talk(struct control_client *client)
{
	struct frame frame;
	ssize_t length = frame_parse(&frame, client->in, client->have, CONTROL_LUA_MAX + 1);

	if (length == 0 && !client->owed)
		return;
	if (client->owed)
		control_client_end(client, EXIT_USAGE, "one text at a time");
	else if (length < 0 || (frame.type != FRAME_LUA && frame.type != FRAME_COMPLETE) ||
		 (size_t)length != client->have || memchr(frame.payload, 0, frame.length))
		control_client_end(client, EXIT_USAGE, "malformed request");
	else if (control_client_unread(client) > FOLLOW_QUEUE)
		control_client_end(client, EXIT_FAILED, "the answers are not read");
	else
		control_console_take(client, &frame);
	client->have = 0;
}

int control_client_talk(struct control_client *client)
{
	unsigned char *in = malloc(FRAME_HEAD + CONTROL_LUA_MAX + 1);

	if (!in)
		return -1;
	client->in = in;
	client->size = FRAME_HEAD + CONTROL_LUA_MAX;
	client->have = 0;
	client->state = CLIENT_TALKS;
	return 0;
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
	struct control_client *client = stream->data;

	(void)buffer;
	if (length == 0)
		return;
	/* A client that has its END, or that only closed its sending side after the request, still
	 * reads; a follower, a console or one that waits for long is gone. */
	if (length < 0) {
		if (client->state != CLIENT_ENDED && client->state != CLIENT_LOOKS)
			control_client_close(client);
		else
			uv_read_stop(stream);
		return;
	}
	if (client->state == CLIENT_ENDED)
		return;
	if (client->state != CLIENT_ASKS && client->state != CLIENT_TALKS) {
		control_client_end(client, EXIT_USAGE, "one request a connection");
		return;
	}
	client->have += (size_t)length;
	if (client->state == CLIENT_TALKS)
		take_talk(client);
	else
		take_request(client);
}

/* --- its beginning --- */

struct control_client *control_client_make(struct control *control)
{
	struct control_client *client = calloc(1, sizeof *client);

	if (!client)
		return NULL;
	client->control = control;
	client->in = client->request;
	client->size = sizeof client->request;
	client->uid = (uid_t)-1;
	client->handles = 2;
	uv_pipe_init(control->loop, &client->pipe, 0);
	uv_timer_init(control->loop, &client->timer);
	client->pipe.data = client->timer.data = client;
	client->next = control->clients;
	control->clients = client;
	return client;
}

void control_client_listen(struct control_client *client)
{
	uv_timer_start(&client->timer, on_timer, REQUEST_MS, 0);
	control_client_go_on(client);
}

void control_client_go_on(struct control_client *client)
{
	if (uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read) < 0)
		control_client_close(client);
}
