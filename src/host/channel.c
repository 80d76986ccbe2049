#include "host/channel.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* A datagram is this head and the five strings one after the other, without their closing 0:
 * a step's name costs some forty bytes, so that the socket's buffer holds every step there is. */
struct head {
	uint32_t type;
	int32_t pid;
	int32_t exit;
	int32_t code;
	int64_t number[MESSAGE_NUMBERS];
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

	memcpy(head.number, message->number, sizeof head.number);
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
	if (head.type < MESSAGE_PID || head.type >= MESSAGE_TYPES)
		return -1;
	*message = (struct message){.type = head.type, .pid = head.pid};
	message->err.exit = head.exit;
	message->err.code = head.code;
	memcpy(message->number, head.number, sizeof message->number);
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

/* Room for descriptors beside a datagram, cmsg(3). */
union control {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(MESSAGE_FDS * sizeof(int))];
};

static void attach(struct msghdr *packet, union control *control, const int *fds, size_t count)
{
	struct cmsghdr *head = &control->head;

	if (count == 0)
		return;
	memset(control, 0, sizeof *control);
	packet->msg_control = control;
	packet->msg_controllen = CMSG_SPACE(count * sizeof *fds);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(count * sizeof *fds);
	memcpy(CMSG_DATA(head), fds, count * sizeof *fds);
}

int channel_send_fds(int fd, const struct message *message, const int *fds, size_t count)
{
	unsigned char bytes[DATAGRAM_MAX];
	struct message copy = *message;
	struct iovec part = {bytes, pack(&copy, bytes)};
	struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
	union control control;
	ssize_t n;

	if (count > MESSAGE_FDS) {
		errno = EINVAL;
		return -1;
	}
	attach(&packet, &control, fds, count);
	do
		n = sendmsg(fd, &packet, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	/* What the other side had not read when it closed makes this ECONNRESET: gone is gone. */
	if (n < 0 && (errno == ECONNRESET || errno == ENOTCONN))
		errno = EPIPE;
	return n < 0 ? -1 : 0;
}

int channel_send(int fd, const struct message *message)
{
	return channel_send_fds(fd, message, NULL, 0);
}

static void close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
}

static size_t detach(struct msghdr *packet, int *fds)
{
	size_t count = 0;

	for (struct cmsghdr *head = CMSG_FIRSTHDR(packet); head; head = CMSG_NXTHDR(packet, head)) {
		size_t n = (head->cmsg_len - CMSG_LEN(0)) / sizeof *fds;

		if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS ||
		    n > MESSAGE_FDS - count)
			continue;
		memcpy(fds + count, CMSG_DATA(head), n * sizeof *fds);
		count += n;
	}
	return count;
}

int channel_receive_fds(int fd, struct message *message, int *fds, size_t *count)
{
	unsigned char bytes[DATAGRAM_MAX];
	struct iovec part = {bytes, sizeof bytes};
	union control control;
	struct msghdr packet = {.msg_iov = &part,
				.msg_iovlen = 1,
				.msg_control = &control,
				.msg_controllen = sizeof control};
	ssize_t n;

	*count = 0;
	/* Who closes without having read everything makes this ECONNRESET, once: what it has said
	 * before comes after that. */
	do
		n = recvmsg(fd, &packet, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n == 0)
		return 0;
	if (n < 0)
		return -1;
	*count = detach(&packet, fds);
	if ((size_t)n <= sizeof bytes && !(packet.msg_flags & MSG_CTRUNC) &&
	    unpack(message, bytes, (size_t)n) == 0)
		return 1;
	close_all(fds, *count);
	*count = 0;
	errno = EBADMSG;
	return -1;
}

int channel_receive(int fd, struct message *message)
{
	int fds[MESSAGE_FDS];
	size_t count;
	int result = channel_receive_fds(fd, message, fds, &count);

	close_all(fds, count);
	return result;
}
