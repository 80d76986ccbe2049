#ifndef LUVD_HOST_OUTBOX_H
#define LUVD_HOST_OUTBOX_H

#include "host/channel.h"

/* Messages that a channel does not take now: kept in order, with copies of their descriptors, until
 * it does. Bounded: what is more than OUTBOX_MAX is refused. Zeroed is empty. */

enum { OUTBOX_MAX = 256 };

struct waiting;

struct outbox {
	struct waiting *first, *last;
	size_t count;
};

/* Sends to the channel fd, or keeps it for outbox_flush; fds, at most MESSAGE_FDS, stay the
 * caller's. -1 with errno when it will not arrive: ENOBUFS too much waits, EPIPE the other side is
 * gone, EMFILE, ENOMEM. */
int outbox_send(struct outbox *outbox, int fd, const struct message *message, const int *fds,
		size_t count);
/* The same, but EAGAIN when anything has to wait: for what is old a moment later. */
int outbox_send_now(struct outbox *outbox, int fd, const struct message *message);
/* Sends what the channel takes; of one whose other side is gone, nothing is kept. */
void outbox_flush(struct outbox *outbox, int fd);
void outbox_finish(struct outbox *outbox);

#endif
