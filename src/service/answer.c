#include "service/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool make_room(struct answer *answer, size_t more)
{
	size_t size = answer->size ? answer->size : 256;
	char *bytes;

	while (size <= answer->length + more)
		size *= 2;
	if (size == answer->size)
		return true;
	bytes = realloc(answer->bytes, size);
	if (!bytes)
		return false;
	answer->bytes = bytes;
	answer->size = size;
	return true;
}

static void append(struct answer *answer, const char *bytes, size_t length)
{
	size_t left = answer->most - answer->length;

	if (answer->cut)
		return;
	if (length > left) {
		length = left;
		answer->cut = true;
	}
	if (!make_room(answer, length)) {
		answer->cut = true;
		return;
	}
	if (length)
		memcpy(answer->bytes + answer->length, bytes, length);
	answer->length += length;
	answer->bytes[answer->length] = '\0';
}

void answer_add(struct answer *answer, const char *bytes, size_t length)
{
	const char *zero;

	while (length && (zero = memchr(bytes, '\0', length))) {
		size_t before = (size_t)(zero - bytes);

		append(answer, bytes, before);
		append(answer, "\\0", 2);
		bytes = zero + 1;
		length -= before + 1;
	}
	append(answer, bytes, length);
}

void answer_text(struct answer *answer, const char *text)
{
	append(answer, text, strlen(text));
}

void answer_format(struct answer *answer, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	answer_text(answer, text);
}

const char *answer_finish(struct answer *answer)
{
	static const char cut[] = "\n(the rest is left out)\n";

	if (answer->cut) {
		answer->cut = false;
		answer->most = answer->length + sizeof cut;
		append(answer, cut, sizeof cut - 1);
		answer->cut = true;
	}
	return answer->bytes ? answer->bytes : "";
}

void answer_free(struct answer *answer)
{
	free(answer->bytes);
	*answer = (struct answer){.most = answer->most};
}
