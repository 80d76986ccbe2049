#include "host/output.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

void output_flush(struct output *output, void (*tell)(void *, const char *, size_t), void *data)
{
	if (output->have)
		tell(data, output->bytes, output->have);
	output->have = 0;
}

static void tell_lines(struct output *output, void (*tell)(void *, const char *, size_t),
		       void *data)
{
	const char *p = output->bytes;
	const char *end = p + output->have;
	const char *line;

	while ((line = memchr(p, '\n', (size_t)(end - p)))) {
		if (line > p)
			tell(data, p, (size_t)(line - p));
		p = line + 1;
	}
	output->have = (size_t)(end - p);
	memmove(output->bytes, p, output->have);
	if (output->have == sizeof output->bytes)
		output_flush(output, tell, data);
}

int output_read(struct output *output, int fd, void (*tell)(void *, const char *, size_t),
		void *data)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	ssize_t n;

	/* The pipe is not necessarily non-blocking, but we are its only reader. */
	if (poll(&poll_fd, 1, 0) <= 0)
		return 0;
	n = read(fd, output->bytes + output->have, sizeof output->bytes - output->have);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -1;
	if (n == 0)
		return -1;
	output->have += (size_t)n;
	tell_lines(output, tell, data);
	return 1;
}
