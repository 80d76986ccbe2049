/* echo PORT: the plain C server on libuv. One read buffer for all connections, uv_try_write first:
 * the fastest straightforward program. */

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "serve.h"

static char buffer[65536];

struct outgoing {
	uv_write_t request;
	char bytes[];
};

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *into)
{
	(void)handle;
	(void)size;
	*into = uv_buf_init(buffer, sizeof buffer);
}

static void on_written(uv_write_t *request, int status)
{
	if (status < 0)
		serve_close(request->handle);
	free(request->data);
}

static void queue(uv_stream_t *stream, const char *bytes, size_t length)
{
	struct outgoing *outgoing = malloc(sizeof *outgoing + length);
	uv_buf_t buf;

	if (!outgoing)
		err(1, "echo");
	memcpy(outgoing->bytes, bytes, length);
	outgoing->request.data = outgoing;
	buf = uv_buf_init(outgoing->bytes, (unsigned)length);
	if (uv_write(&outgoing->request, stream, &buf, 1, on_written) < 0) {
		free(outgoing);
		serve_close(stream);
	}
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *from)
{
	uv_buf_t buf = uv_buf_init(from->base, count > 0 ? (unsigned)count : 0);
	int sent;

	if (count == 0)
		return;
	if (count < 0) {
		serve_close(stream);
		return;
	}
	sent = uv_try_write(stream, &buf, 1);
	if (sent == UV_EAGAIN)
		sent = 0;
	if (sent < 0)
		serve_close(stream);
	else if (sent < count)
		queue(stream, from->base + sent, (size_t)(count - sent));
}

static void *allocate(void)
{
	return malloc(sizeof(uv_tcp_t));
}

static void accepted(uv_tcp_t *tcp)
{
	uv_read_start((uv_stream_t *)tcp, on_alloc, on_read);
}

int main(int count, char **arguments)
{
	struct service service = {allocate, accepted};

	if (count != 2)
		errx(2, "usage: echo PORT");
	serve(uv_default_loop(), arguments[1], &service);
	return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
