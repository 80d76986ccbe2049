#include "host/courier.h"

#include <errno.h>
#include <stdlib.h>

#include "sys/sys.h"

enum { AT_ONCE = 64 }; /* messages that are taken before others in the loop have their turn */

struct waiting {
	struct waiting *next;
	struct message message;
};

struct courier {
	uv_poll_t poll;
	int fd;
	struct courier_calls calls;
	struct waiting *first, **last;
	size_t count;
	bool ended, closed;
};

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(struct courier *courier)
{
	int writable = courier->first ? UV_WRITABLE : 0;

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

static void forget_first(struct courier *courier)
{
	struct waiting *first = courier->first;

	courier->first = first->next;
	if (!courier->first)
		courier->last = &courier->first;
	courier->count--;
	free(first);
}

/* An end of the channel is left to be read: what came before it is still to be told. */
static void flush(struct courier *courier)
{
	while (courier->first && channel_send(courier->fd, &courier->first->message) == 0)
		forget_first(courier);
	if (courier->first && errno != EAGAIN)
		while (courier->first)
			forget_first(courier);
}

static bool keep(struct courier *courier, const struct message *message)
{
	struct waiting *waiting =
	    courier->count < COURIER_WAITING_MAX ? malloc(sizeof *waiting) : NULL;

	if (!waiting)
		return false;
	waiting->next = NULL;
	waiting->message = *message;
	*courier->last = waiting;
	courier->last = &waiting->next;
	courier->count++;
	watch(courier);
	return true;
}

bool courier_send_now(struct courier *courier, const struct message *message)
{
	return !courier->ended && !courier->first && channel_send(courier->fd, message) == 0;
}

bool courier_send(struct courier *courier, const struct message *message)
{
	if (courier_send_now(courier, message))
		return true;
	if (courier->ended || (!courier->first && errno != EAGAIN))
		return false;
	return keep(courier, message);
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
		flush(courier);
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
	courier->last = &courier->first;
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
	flush(courier);
	while (courier->first)
		forget_first(courier);
	free(courier);
}
