#include "host/outbox.h"

#include <errno.h>
#include <stdlib.h>

#include "sys/sys.h"

struct waiting {
	struct waiting *next;
	struct message message;
	size_t count;
	int fds[];
};

static void waiting_free(struct waiting *waiting)
{
	for (size_t i = 0; i < waiting->count; i++)
		sys_close(waiting->fds[i]);
	free(waiting);
}

static void forget_first(struct outbox *outbox)
{
	struct waiting *first = outbox->first;

	outbox->first = first->next;
	if (!outbox->first)
		outbox->last = NULL;
	outbox->count--;
	waiting_free(first);
}

static struct waiting *copy(const struct message *message, const int *fds, size_t count)
{
	struct waiting *waiting = malloc(sizeof *waiting + count * sizeof *fds);

	if (!waiting)
		return NULL;
	*waiting = (struct waiting){.message = *message};
	for (; waiting->count < count; waiting->count++) {
		int fd = sys_dup(fds[waiting->count]);

		if (fd < 0) {
			int code = errno;

			waiting_free(waiting);
			errno = code;
			return NULL;
		}
		waiting->fds[waiting->count] = fd;
	}
	return waiting;
}

static int keep(struct outbox *outbox, const struct message *message, const int *fds, size_t count)
{
	struct waiting *waiting;

	errno = ENOBUFS;
	if (outbox->count == OUTBOX_MAX)
		return -1;
	waiting = copy(message, fds, count);
	if (!waiting)
		return -1;
	if (outbox->last)
		outbox->last->next = waiting;
	else
		outbox->first = waiting;
	outbox->last = waiting;
	outbox->count++;
	return 0;
}

int outbox_send(struct outbox *outbox, int fd, const struct message *message, const int *fds,
		size_t count)
{
	if (!outbox->first && channel_send_fds(fd, message, fds, count) == 0)
		return 0;
	if (!outbox->first && errno != EAGAIN)
		return -1;
	return keep(outbox, message, fds, count);
}

int outbox_send_now(struct outbox *outbox, int fd, const struct message *message)
{
	errno = EAGAIN;
	return outbox->first ? -1 : channel_send(fd, message);
}

void outbox_flush(struct outbox *outbox, int fd)
{
	while (outbox->first) {
		const struct waiting *first = outbox->first;

		if (channel_send_fds(fd, &first->message, first->fds, first->count) == 0)
			forget_first(outbox);
		else if (errno == EAGAIN)
			return;
		else
			outbox_finish(outbox);
	}
}

void outbox_finish(struct outbox *outbox)
{
	while (outbox->first)
		forget_first(outbox);
}
