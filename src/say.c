#include "say.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "colour.h"
#include "text.h"

/* Lines stay lines, as in a traceback. */
static void put_text(FILE *out, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n\t");

		text_shown(out, text, length);
		text += length;
		if (*text)
			fputc(*text++, out);
	}
}

/* "    7 | umask = 22": what stands before the bar is not the user's; a caret is the point of it.
 */
static void put_quote(FILE *out, const char *quote, bool coloured)
{
	for (const char *line = quote; *line;) {
		size_t length = strcspn(line, "\n");
		const char *bar = memchr(line, '|', length);
		size_t head = bar ? (size_t)(bar - line) + 1 : 0;
		bool caret = head && line[strspn(line + head, " ") + head] == '^';

		fprintf(out, "%s%.*s%s", colour_begin(coloured, COLOUR_BLUE), (int)head, line,
			colour_begin(coloured, COLOUR_NONE));
		fprintf(out, "%s%.*s%s\n", colour_begin(coloured && caret, COLOUR_RED),
			(int)(length - head), line + head,
			colour_begin(coloured && caret, COLOUR_NONE));
		line += length + (line[length] == '\n');
	}
}

static void put(FILE *out, bool coloured, enum say_kind kind, const struct err *err,
		const char *quote)
{
	bool error = kind == SAY_ERROR;
	char text[ERR_TEXT_MAX];

	fprintf(out, "%sluvd:%s%s ", colour_begin(coloured, error ? COLOUR_RED : COLOUR_YELLOW),
		error ? "" : " warning:", colour_begin(coloured, COLOUR_NONE));
	put_text(out, err_text(err, text, sizeof text));
	fputc('\n', out);
	if (quote)
		put_quote(out, quote, coloured);
}

static void write_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t n = write(fd, bytes, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return; /* nobody listens */
		bytes += n;
		length -= (size_t)n;
	}
}

void say(int fd, char *const *environment, enum say_kind kind, const struct err *err,
	 const char *quote)
{
	char *bytes = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&bytes, &length);

	if (!out)
		return;
	put(out, colour_wanted(fd, environment), kind, err, quote);
	if (fclose(out) == 0)
		write_all(fd, bytes, length);
	free(bytes);
}
