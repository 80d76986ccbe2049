#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "load.h"

static const char status[] = "HTTP/1.1 200 ", length_name[] = "content-length:";

enum { STATUS = sizeof status - 1, LENGTH_NAME = sizeof length_name - 1 };

/* The value of Content-Length in the head, or -1: the peers are told to send one. */
static long content_length(const char *head, const char *end)
{
	const char *line = memchr(head, '\n', (size_t)(end - head));

	while (line) {
		line++;
		if (end - line > LENGTH_NAME && strncasecmp(line, length_name, LENGTH_NAME) == 0)
			return strtol(line + LENGTH_NAME, NULL, 10);
		line = memchr(line, '\n', (size_t)(end - line));
	}
	return -1;
}

static bool is_body(const struct options *options, const char *body, size_t length)
{
	size_t wanted = strlen(options->body);

	if (options->contains)
		return memmem(body, length, options->body, wanted) != NULL;
	return length == wanted && memcmp(body, options->body, length) == 0;
}

ssize_t answer_check(const struct options *options, const char *bytes, size_t length)
{
	size_t known = length < STATUS ? length : STATUS;
	const char *end;
	size_t head;
	long body;

	if (memcmp(bytes, status, known) != 0)
		return ANSWER_WRONG;
	end = memmem(bytes, length, "\r\n\r\n", 4);
	if (!end)
		return ANSWER_PARTIAL;
	body = content_length(bytes, end);
	if (body < 0)
		return ANSWER_WRONG;
	head = (size_t)(end - bytes) + 4;
	if (length - head < (size_t)body)
		return ANSWER_PARTIAL;
	return is_body(options, bytes + head, (size_t)body) ? (ssize_t)(head + (size_t)body)
							    : ANSWER_WRONG;
}
