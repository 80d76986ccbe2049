/* timers PORT: 100,000 timers that fire once a second. Who connects gets the count of calls. */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "serve.h"

enum { TIMERS = 100000, PERIOD = 1000 };

static unsigned long fired;

static void on_timer(uv_timer_t *timer)
{
	(void)timer;
	fired++;
}

static void *allocate(void)
{
	return malloc(sizeof(uv_tcp_t));
}

static void accepted(uv_tcp_t *tcp)
{
	char text[32];
	uv_buf_t buf = uv_buf_init(text, (unsigned)snprintf(text, sizeof text, "%lu\n", fired));

	uv_try_write((uv_stream_t *)tcp, &buf, 1);
	serve_close((uv_stream_t *)tcp);
}

int main(int count, char **arguments)
{
	struct service service = {allocate, accepted};

	if (count != 2)
		errx(2, "usage: timers PORT");
	for (int i = 0; i < TIMERS; i++) {
		uv_timer_t *timer = malloc(sizeof *timer);

		if (!timer)
			err(1, "a timer");
		uv_timer_init(uv_default_loop(), timer);
		uv_timer_start(timer, on_timer, PERIOD, PERIOD);
	}
	serve(uv_default_loop(), arguments[1], &service);
	return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
