/* http PORT [collect]: "hello" in C on libuv and llhttp, the parser that luvd.http uses too. Each
 * answer is a write of its own, as a program that writes in its handler does; with `collect` the
 * answers to the requests of one read are one write. It looks at one header as the Lua handlers do,
 * and has no limits and no timeouts. */

#include <err.h>
#include <llhttp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "serve.h"

enum { READ = 65536, ANSWERS = 65536, FIELD = 32 };

static char buffer[READ];
static char answer[256];
static size_t answer_length;
static char answer_german[256];
static size_t answer_german_length;
static bool collect;
static llhttp_settings_t settings;

static const char wanted[] = "accept-language";

struct conn {
	uv_tcp_t tcp;
	llhttp_t parser;
	char name[FIELD]; /* of the header that is read, cut */
	size_t name_length;
	char value[FIELD];
	size_t value_length;
	bool german, ended;
};

/* The answers to the requests of one read. */
static char out[ANSWERS];
static size_t out_length;

struct outgoing {
	uv_write_t request;
	char bytes[];
};

/* --- writing --- */

static void on_written(uv_write_t *request, int status)
{
	if (status < 0)
		serve_close(request->handle);
	free(request->data);
}

static void send_bytes(uv_stream_t *stream, char *bytes, size_t length)
{
	uv_buf_t buf = uv_buf_init(bytes, (unsigned)length);
	int sent = uv_try_write(stream, &buf, 1);
	struct outgoing *outgoing;

	if (sent == UV_EAGAIN)
		sent = 0;
	if (sent < 0 || (size_t)sent == length)
		return;
	length -= (size_t)sent;
	outgoing = malloc(sizeof *outgoing + length);
	if (!outgoing)
		err(1, "http");
	memcpy(outgoing->bytes, bytes + sent, length);
	outgoing->request.data = outgoing;
	buf = uv_buf_init(outgoing->bytes, (unsigned)length);
	if (uv_write(&outgoing->request, stream, &buf, 1, on_written) < 0)
		free(outgoing);
}

static void flush(struct conn *conn)
{
	if (out_length > 0)
		send_bytes((uv_stream_t *)&conn->tcp, out, out_length);
	out_length = 0;
}

static void respond(struct conn *conn)
{
	char *bytes = conn->german ? answer_german : answer;
	size_t length = conn->german ? answer_german_length : answer_length;

	if (!collect) {
		send_bytes((uv_stream_t *)&conn->tcp, bytes, length);
		return;
	}
	if (out_length + length > sizeof out)
		flush(conn);
	memcpy(out + out_length, bytes, length);
	out_length += length;
}

/* --- the parser --- */

static size_t append(char *to, size_t at, const char *bytes, size_t length)
{
	if (length > FIELD - at)
		length = FIELD - at;
	memcpy(to + at, bytes, length);
	return at + length;
}

static int on_begin(llhttp_t *parser)
{
	struct conn *conn = parser->data;

	conn->german = false;
	conn->name_length = conn->value_length = 0;
	return 0;
}

static int on_field(llhttp_t *parser, const char *bytes, size_t length)
{
	struct conn *conn = parser->data;

	conn->name_length = append(conn->name, conn->name_length, bytes, length);
	return 0;
}

static int on_value(llhttp_t *parser, const char *bytes, size_t length)
{
	struct conn *conn = parser->data;

	conn->value_length = append(conn->value, conn->value_length, bytes, length);
	return 0;
}

static int on_header(llhttp_t *parser)
{
	struct conn *conn = parser->data;

	if (conn->name_length == sizeof wanted - 1 &&
	    strncasecmp(conn->name, wanted, conn->name_length) == 0)
		conn->german = conn->value_length >= 2 && memcmp(conn->value, "de", 2) == 0;
	conn->name_length = conn->value_length = 0;
	return 0;
}

static int on_complete(llhttp_t *parser)
{
	struct conn *conn = parser->data;

	respond(conn);
	conn->ended = !llhttp_should_keep_alive(parser);
	return 0;
}

/* --- the connection --- */

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *into)
{
	(void)handle;
	(void)size;
	*into = uv_buf_init(buffer, sizeof buffer);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *from)
{
	struct conn *conn = (struct conn *)stream;

	if (count == 0)
		return;
	if (count < 0 || llhttp_execute(&conn->parser, from->base, (size_t)count) != HPE_OK)
		conn->ended = true;
	flush(conn);
	if (conn->ended)
		serve_close(stream);
}

static void *allocate(void)
{
	return calloc(1, sizeof(struct conn));
}

static void accepted(uv_tcp_t *tcp)
{
	struct conn *conn = (struct conn *)tcp;

	llhttp_init(&conn->parser, HTTP_REQUEST, &settings);
	conn->parser.data = conn;
	uv_read_start((uv_stream_t *)tcp, on_alloc, on_read);
}

/* --- the answers, with the second's date --- */

static size_t write_answer(char *text, size_t size, const char *body)
{
	char date[40];
	time_t now = time(NULL);

	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime(&now));
	return (size_t)snprintf(text, size,
				"HTTP/1.1 200 OK\r\nDate: %s\r\nContent-Type: text/plain\r\n"
				"Content-Length: %zu\r\n\r\n%s",
				date, strlen(body), body);
}

static void on_second(uv_timer_t *timer)
{
	(void)timer;
	answer_length = write_answer(answer, sizeof answer, "hello\n");
	answer_german_length = write_answer(answer_german, sizeof answer_german, "hallo\n");
}

int main(int count, char **arguments)
{
	struct service service = {allocate, accepted};
	static uv_timer_t timer;

	if (count < 2)
		errx(2, "usage: http PORT [collect]");
	collect = count > 2 && strcmp(arguments[2], "collect") == 0;
	llhttp_settings_init(&settings);
	settings.on_message_begin = on_begin;
	settings.on_header_field = on_field;
	settings.on_header_value = on_value;
	settings.on_header_value_complete = on_header;
	settings.on_message_complete = on_complete;
	on_second(NULL);
	uv_timer_init(uv_default_loop(), &timer);
	uv_timer_start(&timer, on_second, 1000, 1000);
	serve(uv_default_loop(), arguments[1], &service);
	return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
