#include "host/channel.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

/* A datagram is this head and the five strings one after the other, without their closing 0:
 * a step's name costs some forty bytes, so that the socket's buffer holds every step there is. */
struct head {
	uint32_t type;
	int32_t pid;
	int32_t exit;
	int32_t code;
	uint32_t lengths[5];
};

/* Where the strings of a message are, in the order of the datagram. */
struct part {
	char *bytes;
	size_t size;
};

enum { PARTS = 5, DATAGRAM_MAX = sizeof(struct head) + sizeof(struct message) };

static void parts_of(struct message *message, struct part parts[PARTS])
{
	struct err *err = &message->err;

	parts[0] = (struct part){err->step, sizeof err->step};
	parts[1] = (struct part){err->where, sizeof err->where};
	parts[2] = (struct part){err->key, sizeof err->key};
	parts[3] = (struct part){err->what, sizeof err->what};
	parts[4] = (struct part){message->text, sizeof message->text};
}

static size_t pack(struct message *message, unsigned char *bytes)
{
	struct head head = {.type = message->type,
			    .pid = message->pid,
			    .exit = message->err.exit,
			    .code = message->err.code};
	struct part parts[PARTS];
	size_t length = sizeof head;

	parts_of(message, parts);
	for (int i = 0; i < PARTS; i++) {
		size_t n = strnlen(parts[i].bytes, parts[i].size - 1);

		head.lengths[i] = (uint32_t)n;
		memcpy(bytes + length, parts[i].bytes, n);
		length += n;
	}
	memcpy(bytes, &head, sizeof head);
	return length;
}

static int unpack(struct message *message, const unsigned char *bytes, size_t length)
{
	struct head head;
	struct part parts[PARTS];
	size_t at = sizeof head;

	if (length < sizeof head)
		return -1;
	memcpy(&head, bytes, sizeof head);
	if (head.type < MESSAGE_PID || head.type > MESSAGE_READY)
		return -1;
	*message = (struct message){.type = head.type, .pid = head.pid};
	message->err.exit = head.exit;
	message->err.code = head.code;
	parts_of(message, parts);
	for (int i = 0; i < PARTS; i++) {
		size_t n = head.lengths[i];

		if (n >= parts[i].size || n > length - at || memchr(bytes + at, 0, n))
			return -1;
		memcpy(parts[i].bytes, bytes + at, n);
		at += n;
	}
	return at == length ? 0 : -1;
}

int channel_send(int fd, const struct message *message)
{
	unsigned char bytes[DATAGRAM_MAX];
	struct message copy = *message;
	size_t length = pack(&copy, bytes);
	ssize_t n;

	do
		n = send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	/* What the other side had not read when it closed makes this ECONNRESET: gone is gone. */
	if (n < 0 && (errno == ECONNRESET || errno == ENOTCONN))
		errno = EPIPE;
	return n < 0 ? -1 : 0;
}

int channel_receive(int fd, struct message *message)
{
	unsigned char bytes[DATAGRAM_MAX];
	ssize_t n;

	do
		n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return 0;
	if (n < 0)
		return -1;
	if ((size_t)n > sizeof bytes || unpack(message, bytes, (size_t)n) < 0) {
		errno = EBADMSG;
		return -1;
	}
	return 1;
}
