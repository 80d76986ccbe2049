#include "host/courier.h"

#include <errno.h>
#include <stdlib.h>

#include "host/outbox.h"
#include "sys/sys.h"

enum { AT_ONCE = 64 }; /* messages that are taken before others in the loop have their turn */

struct courier {
	uv_poll_t poll;
	int fd;
	struct courier_calls calls;
	struct outbox outbox;
	bool ended, closed;
};

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(struct courier *courier)
{
	int writable = courier->outbox.first ? UV_WRITABLE : 0;

	if (!courier->closed)
		uv_poll_start(&courier->poll, UV_READABLE | writable, on_poll);
}

static void end(struct courier *courier)
{
	if (courier->ended || courier->closed)
		return;
	courier->ended = true;
	uv_poll_stop(&courier->poll);
	courier->calls.ended(courier->calls.data);
}

/* --- out --- */

bool courier_send_now(struct courier *courier, const struct message *message)
{
	return !courier->ended && outbox_send_now(&courier->outbox, courier->fd, message) == 0;
}

bool courier_send(struct courier *courier, const struct message *message)
{
	if (courier->ended || outbox_send(&courier->outbox, courier->fd, message, NULL, 0) < 0)
		return false;
	if (courier->outbox.first)
		watch(courier);
	return true;
}

/* --- in --- */

static void tell(struct courier *courier, const struct message *message, const int *fds,
		 size_t count)
{
	courier->calls.message(courier->calls.data, message, fds, count);
	for (size_t i = 0; i < count; i++)
		sys_close(fds[i]);
}

static void receive(struct courier *courier)
{
	for (int i = 0; i < AT_ONCE && !courier->closed; i++) {
		int fds[MESSAGE_FDS];
		size_t count;
		struct message message;
		int got = channel_receive_fds(courier->fd, &message, fds, &count);

		if (got > 0) {
			tell(courier, &message, fds, count);
		} else if (got < 0 && errno == EBADMSG) {
			courier->calls.malformed(courier->calls.data);
		} else {
			if (got == 0 || errno != EAGAIN)
				end(courier);
			return;
		}
	}
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct courier *courier = poll->data;

	if (status == 0 && (events & UV_WRITABLE)) {
		/* An end of the channel is left to be read: what came before it is still to be
		 * told. */
		outbox_flush(&courier->outbox, courier->fd);
		watch(courier);
	}
	if (status < 0 || (events & UV_READABLE))
		receive(courier);
	/* The other side has gone without reading all; libuv does not look any more. */
	if (status < 0)
		end(courier);
}

/* --- making and taking down --- */

struct courier *courier_create(uv_loop_t *loop, int fd, const struct courier_calls *calls,
			       struct err *err)
{
	struct courier *courier = calloc(1, sizeof *courier);
	int code;

	if (!courier) {
		err_set(err, "out of memory");
		return NULL;
	}
	code = uv_poll_init(loop, &courier->poll, fd);
	if (code < 0) {
		err_set(err, "cannot watch the channel: %s", uv_strerror(code));
		free(courier);
		return NULL;
	}
	courier->poll.data = courier;
	courier->fd = fd;
	courier->calls = *calls;
	watch(courier);
	return courier;
}

void courier_close(struct courier *courier)
{
	if (!courier || courier->closed)
		return;
	courier->closed = true;
	uv_close((uv_handle_t *)&courier->poll, NULL);
}

void courier_destroy(struct courier *courier)
{
	if (!courier)
		return;
	outbox_flush(&courier->outbox, courier->fd);
	outbox_finish(&courier->outbox);
	free(courier);
}
