#ifndef LUVD_HOST_COURIER_H
#define LUVD_HOST_COURIER_H

#include <uv.h>

#include "host/channel.h"

/* One end of a channel in a loop: tells what comes, and sends without ever waiting. What the socket
 * does not take is kept in order until it does; what is more than OUTBOX_MAX is refused.
 */

struct courier;

/* Called from the loop; both may call courier_close. */
struct courier_calls {
	void *data;
	/* fds: count descriptors that came with it, closed afterwards. */
	void (*message)(void *data, const struct message *message, const int *fds, size_t count);
	/* What came was no message. */
	void (*malformed)(void *data);
	/* The other side is gone. Told once. */
	void (*ended)(void *data);
};

/* fd stays the caller's. */
struct courier *courier_create(uv_loop_t *loop, int fd, const struct courier_calls *calls,
			       struct err *err);
/* false: it will not arrive: too much waits, or the other side is gone. */
bool courier_send(struct courier *courier, const struct message *message);
/* The same, but not at all when anything has to wait: for what is old a moment later. */
bool courier_send_now(struct courier *courier, const struct message *message);
/* Closes its handle; the loop must run once more before courier_destroy. Accepts NULL. */
void courier_close(struct courier *courier);
/* What waits is tried once more and then forgotten. Accepts NULL. */
void courier_destroy(struct courier *courier);

#endif
