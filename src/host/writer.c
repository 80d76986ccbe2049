#include "host/writer.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A terminal says that it can be written to as soon as there is room for one byte. */
enum { TERMINAL_CHUNK = 256 };

static void look_at_socket(struct writer *writer)
{
	int type = 0;
	socklen_t length = sizeof type;

	getsockopt(writer->fd, SOL_SOCKET, SO_TYPE, &type, &length);
	writer->datagram = type != SOCK_STREAM;
	writer->peer_length = sizeof writer->peer;
	if (getpeername(writer->fd, (struct sockaddr *)&writer->peer, &writer->peer_length) < 0)
		writer->peer_length = 0;
}

void writer_init(struct writer *writer, const struct sink *sink)
{
	struct stat file = {0};

	*writer =
	    (struct writer){.fd = sink->fd, .whole = sink->kind == SINK_JOURNAL, .chunk = PIPE_BUF};
	if (fstat(sink->fd, &file) < 0)
		return; /* what every kind of sink takes */
	writer->regular = S_ISREG(file.st_mode);
	writer->socket = S_ISSOCK(file.st_mode);
	writer->chunk = S_ISCHR(file.st_mode) ? TERMINAL_CHUNK : PIPE_BUF;
	if (writer->regular || writer->socket)
		writer->chunk = SSIZE_MAX;
	if (writer->socket)
		look_at_socket(writer);
}

static enum writer_result failed(int code)
{
	errno = code;
	return WRITER_FAILED;
}

static bool gone(int code)
{
	return code == ECONNREFUSED || code == ENOTCONN || code == ECONNRESET || code == EPIPE ||
	       code == EDESTADDRREQ;
}

static ssize_t send_datagram(struct writer *writer, const char *bytes, size_t length)
{
	int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
	ssize_t sent = send(writer->fd, bytes, length, flags);

	/* A syslog daemon that was started anew has a new socket under the old name. */
	if (sent < 0 && gone(errno) && writer->peer_length &&
	    connect(writer->fd, (struct sockaddr *)&writer->peer, writer->peer_length) == 0)
		sent = send(writer->fd, bytes, length, flags);
	return sent;
}

static enum writer_result put_datagrams(struct writer *writer, struct line *line)
{
	while (line->offset < line->length) {
		const char *from = line->bytes + line->offset;
		size_t left = line->length - line->offset;
		const char *end = writer->whole ? NULL : memchr(from, '\n', left);
		size_t length = end ? (size_t)(end - from) : left;

		if (send_datagram(writer, from, length) < 0) {
			if (errno == EINTR)
				continue;
			return errno == EAGAIN ? WRITER_BLOCKED : failed(errno);
		}
		line->offset += length + (end != NULL);
	}
	return WRITER_DONE;
}

/* 1: can be written to; 0: not now; -1: nobody reads any more. */
static int writable(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};

	if (poll(&poll_fd, 1, 0) <= 0)
		return 0;
	if (poll_fd.revents & (POLLERR | POLLHUP | POLLNVAL)) {
		errno = poll_fd.revents & POLLNVAL ? EBADF : EPIPE;
		return -1;
	}
	return 1;
}

static ssize_t put_some(struct writer *writer, const char *bytes, size_t length)
{
	int ready = 1;

	if (length > writer->chunk)
		length = writer->chunk;
	if (writer->socket)
		return send(writer->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (!writer->regular)
		ready = writable(writer->fd);
	if (ready > 0)
		return write(writer->fd, bytes, length);
	if (ready == 0)
		errno = EAGAIN;
	return -1;
}

static enum writer_result give_up(const struct writer *writer)
{
	return errno == EAGAIN && !writer->regular ? WRITER_BLOCKED : WRITER_FAILED;
}

static enum writer_result put_stream(struct writer *writer, struct line *line)
{
	while (writer->torn || line->offset < line->length) {
		ssize_t n = writer->torn ? put_some(writer, "\n", 1)
					 : put_some(writer, line->bytes + line->offset,
						    line->length - line->offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0)
			return give_up(writer);
		if (writer->torn)
			writer->torn = false;
		else
			line->offset += (size_t)n;
	}
	return WRITER_DONE;
}

enum writer_result writer_put(struct writer *writer, struct line *line)
{
	if (writer->fd < 0)
		return failed(EBADF);
	return writer->datagram ? put_datagrams(writer, line) : put_stream(writer, line);
}
