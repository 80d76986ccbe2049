#include "host/json_check.h"

#include <string.h>

#include "text.h"

struct check {
	const char *p, *end;
	int depth;
	bool object[JSON_CHECK_DEPTH]; /* what each open bracket is */
};

static void skip_blanks(struct check *check)
{
	while (check->p < check->end && *check->p == ' ')
		check->p++;
}

static bool next_is(struct check *check, char c)
{
	if (check->p == check->end || *check->p != c)
		return false;
	check->p++;
	return true;
}

static bool digits(struct check *check)
{
	const char *start = check->p;

	while (check->p < check->end && *check->p >= '0' && *check->p <= '9')
		check->p++;
	return check->p > start;
}

static bool number(struct check *check)
{
	(void)next_is(check, '-');
	if (!next_is(check, '0') && !digits(check))
		return false;
	if (next_is(check, '.') && !digits(check))
		return false;
	if (!next_is(check, 'e') && !next_is(check, 'E'))
		return true;
	(void)(next_is(check, '+') || next_is(check, '-'));
	return digits(check);
}

static bool escape(struct check *check)
{
	char c = 0;

	if (check->p < check->end)
		c = *check->p++;
	if (c != 'u')
		return c != 0 && strchr("\"\\/bfnrt", c);
	for (int i = 0; i < 4; i++, check->p++)
		if (check->p == check->end || *check->p == 0 ||
		    !strchr("0123456789abcdefABCDEF", *check->p))
			return false;
	return true;
}

static bool string(struct check *check)
{
	if (!next_is(check, '"'))
		return false;
	while (check->p < check->end) {
		const unsigned char *p = (const unsigned char *)check->p;
		size_t n = text_utf8_length(p, (size_t)(check->end - check->p));

		if (n == 0 || *p < 0x20 || *p == 0x7F)
			return false;
		check->p += n;
		if (*p == '"')
			return true;
		if (*p == '\\' && !escape(check))
			return false;
	}
	return false;
}

static bool word(struct check *check)
{
	static const char *const words[] = {"true", "false", "null"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t length = strlen(words[i]);

		if ((size_t)(check->end - check->p) >= length &&
		    memcmp(check->p, words[i], length) == 0) {
			check->p += length;
			return true;
		}
	}
	return false;
}

static bool name(struct check *check)
{
	skip_blanks(check);
	if (!string(check))
		return false;
	skip_blanks(check);
	return next_is(check, ':');
}

static bool scalar(struct check *check)
{
	if (check->p == check->end)
		return false;
	if (*check->p == '"')
		return string(check);
	return *check->p == '-' || (*check->p >= '0' && *check->p <= '9') ? number(check)
									  : word(check);
}

/* Opens the brackets before the next scalar; *closed: an empty one ended them. */
static bool open_brackets(struct check *check, bool *closed)
{
	*closed = false;
	for (;;) {
		bool object;

		skip_blanks(check);
		object = check->p < check->end && *check->p == '{';
		if (!object && (check->p == check->end || *check->p != '['))
			return true;
		if (check->depth == JSON_CHECK_DEPTH)
			return false;
		check->p++;
		skip_blanks(check);
		if (next_is(check, object ? '}' : ']')) {
			*closed = true;
			return true;
		}
		check->object[check->depth++] = object;
		if (object && !name(check))
			return false;
	}
}

/* Behind a value: closes brackets until a comma or the end. */
static bool go_on(struct check *check, bool *more)
{
	*more = false;
	for (;;) {
		skip_blanks(check);
		if (check->depth == 0)
			return check->p == check->end;
		if (next_is(check, ',')) {
			*more = true;
			return !check->object[check->depth - 1] || name(check);
		}
		if (!next_is(check, check->object[check->depth - 1] ? '}' : ']'))
			return false;
		check->depth--;
	}
}

bool json_is_one_line(const char *bytes, size_t length)
{
	struct check check = {.p = bytes, .end = bytes + length};
	bool closed, more;

	do {
		if (!open_brackets(&check, &closed) || (!closed && !scalar(&check)) ||
		    !go_on(&check, &more))
			return false;
	} while (more);
	return true;
}
