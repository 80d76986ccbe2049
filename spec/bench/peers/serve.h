#ifndef LUVD_BENCH_SERVE_H
#define LUVD_BENCH_SERVE_H

#include <uv.h>

/* What the C peers share: they listen on 127.0.0.1, accept without delay and end by a signal. */

/* Accepts into what allocate returns (its first member is a uv_tcp_t), then calls accepted.
 * Exits with a message when the port cannot be had. */
struct service {
	void *(*allocate)(void);
	void (*accepted)(uv_tcp_t *tcp);
};

void serve(uv_loop_t *loop, const char *port, struct service *service);

/* Frees the connection when it is closed. */
void serve_close(uv_stream_t *stream);

#endif
