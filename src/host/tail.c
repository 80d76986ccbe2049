#include "host/tail.h"

#include <string.h>

/* Where the first whole line of the last `room` bytes begins. */
static size_t first_that_fits(const struct tail *tail, size_t room)
{
	const char *newline;

	if (tail->have <= room)
		return 0;
	newline = memchr(tail->bytes + (tail->have - room) - 1, '\n', room + 1);
	return newline ? (size_t)(newline + 1 - tail->bytes) : tail->have;
}

void tail_add(struct tail *tail, const char *line, size_t length)
{
	size_t start;

	while (length > 0 && line[length - 1] == '\n')
		length--;
	if (length > TAIL_LINE_MAX)
		length = TAIL_LINE_MAX;
	start = first_that_fits(tail, sizeof tail->bytes - length - 1);
	tail->have -= start;
	memmove(tail->bytes, tail->bytes + start, tail->have);
	if (length > 0)
		memcpy(tail->bytes + tail->have, line, length);
	tail->bytes[tail->have + length] = '\n';
	tail->have += length + 1;
}

void tail_copy(const struct tail *tail, char *text, size_t size)
{
	size_t start, length;

	if (size == 0)
		return;
	start = first_that_fits(tail, size);
	length = tail->have - start;
	memcpy(text, tail->bytes + start, length);
	text[length > 0 ? length - 1 : 0] = 0;
}
