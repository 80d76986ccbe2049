/* idle PORT: a loop that waits, the least that a process on libuv takes. Who connects is let go. */

#include <err.h>
#include <stdlib.h>

#include "serve.h"

static void *allocate(void)
{
	return malloc(sizeof(uv_tcp_t));
}

static void accepted(uv_tcp_t *tcp)
{
	serve_close((uv_stream_t *)tcp);
}

int main(int count, char **arguments)
{
	struct service service = {allocate, accepted};

	if (count != 2)
		errx(2, "usage: idle PORT");
	serve(uv_default_loop(), arguments[1], &service);
	return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
