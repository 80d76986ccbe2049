#include "serve.h"

#include <err.h>
#include <stdlib.h>

enum { BACKLOG = 4096 };

static void on_closed(uv_handle_t *handle)
{
	free(handle);
}

void serve_close(uv_stream_t *stream)
{
	if (!uv_is_closing((uv_handle_t *)stream))
		uv_close((uv_handle_t *)stream, on_closed);
}

static void on_connection(uv_stream_t *listener, int status)
{
	const struct service *service = listener->data;
	uv_tcp_t *tcp = service->allocate();

	if (status < 0 || !tcp)
		errx(1, "cannot accept");
	uv_tcp_init(listener->loop, tcp);
	if (uv_accept(listener, (uv_stream_t *)tcp) < 0)
		errx(1, "cannot accept");
	uv_tcp_nodelay(tcp, 1);
	service->accepted(tcp);
}

void serve(uv_loop_t *loop, const char *port, struct service *service)
{
	static uv_tcp_t listener;
	struct sockaddr_in address;
	int code;

	uv_ip4_addr("127.0.0.1", (int)strtol(port, NULL, 10), &address);
	uv_tcp_init(loop, &listener);
	listener.data = service;
	code = uv_tcp_bind(&listener, (struct sockaddr *)&address, 0);
	if (code == 0)
		code = uv_listen((uv_stream_t *)&listener, BACKLOG, on_connection);
	if (code < 0)
		errx(1, "port %s: %s", port, uv_strerror(code));
}
