#include "service/json_reader.h"

#include <lauxlib.h>
#include <string.h>

#include "service/hex.h"
#include "service/json_plain.h"
#include "text.h"

bool reader_fail(struct reader *r, const char *wrong)
{
	r->wrong = wrong;
	return false;
}

/* The four digits behind "\u"; -1: they are none. */
static int read_unit(const char *at, const char *end)
{
	int unit = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(at[i]);

		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

static char *put_utf8(char *p, int code)
{
	if (code < 0x80) {
		*p++ = (char)code;
		return p;
	}
	if (code < 0x800) {
		*p++ = (char)(0xC0 | code >> 6);
	} else {
		if (code < 0x10000) {
			*p++ = (char)(0xE0 | code >> 12);
		} else {
			*p++ = (char)(0xF0 | code >> 18);
			*p++ = (char)(0x80 | (code >> 12 & 0x3F));
		}
		*p++ = (char)(0x80 | (code >> 6 & 0x3F));
	}
	*p++ = (char)(0x80 | (code & 0x3F));
	return p;
}

/* "\uXXXX" at r->at; characters above U+FFFF come as two surrogates. */
static bool read_code(struct reader *r, char **p)
{
	int code = read_unit(r->at + 2, r->end), low = -1;

	if (code < 0)
		return reader_fail(r, "expected four hexadecimal digits after \\u");
	if (code >= 0xD800 && code < 0xDC00 && r->end - r->at >= 12 && r->at[6] == '\\' &&
	    r->at[7] == 'u')
		low = read_unit(r->at + 8, r->end);
	if (code >= 0xD800 && code < 0xE000) {
		if (low < 0xDC00 || low > 0xDFFF)
			return reader_fail(r, "half of a surrogate pair");
		code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
		r->at += 6;
	}
	r->at += 6;
	*p = put_utf8(*p, code);
	return true;
}

/* What stands for the character behind a backslash; '\0': nothing does. */
static char escaped(char c)
{
	switch (c) {
	case '"':
	case '\\':
	case '/':
		return c;
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return '\0';
	}
}

/* The quote comes later, so there is a character behind the backslash. */
static bool read_escape(struct reader *r, char **p)
{
	char c = escaped(r->at[1]);

	if (r->at[1] == 'u')
		return read_code(r, p);
	if (!c)
		return reader_fail(r, "unknown escape in a string");
	*(*p)++ = c;
	r->at += 2;
	return true;
}

/* Where the string from r->at on ends; well-formed UTF-8 up to there, with so many escapes. */
static const char *find_quote(struct reader *r, size_t *escapes)
{
	const char *at = r->at;

	for (*escapes = 0; (at = plain_skip(at, r->end)) < r->end && *at != '"';) {
		size_t wide;

		if (*at == '\\') { /* what comes after it is looked at later, but must be whole */
			++*escapes;
			at += r->end - at > 1 && (unsigned char)at[1] < 0x80 ? 2 : 1;
			continue;
		}
		wide = text_utf8_length((const unsigned char *)at, (size_t)(r->end - at));
		if (wide > 1) {
			at += wide;
			continue;
		}
		r->at = at;
		r->wrong = wide ? "control character in a string" : "not UTF-8";
		return NULL;
	}
	if (at == r->end) {
		r->at = at;
		r->wrong = "expected '\"'";
		return NULL;
	}
	return at;
}

/* The string from r->at to quote, which is longer than what it says. */
static bool push_escaped(struct reader *r, const char *quote)
{
	luaL_Buffer buffer;
	char *bytes = luaL_buffinitsize(r->L, &buffer, (size_t)(quote - r->at)), *p = bytes;

	while ((r->at = plain_copy(r->at, quote, &p)) < quote) {
		if (*r->at != '\\')
			*p++ = *r->at++;
		else if (!read_escape(r, &p))
			return false;
	}
	luaL_pushresultsize(&buffer, (size_t)(p - bytes));
	return true;
}

bool reader_string(struct reader *r)
{
	const char *from = ++r->at, *quote;
	size_t escapes;

	quote = find_quote(r, &escapes);
	if (!quote)
		return false;
	r->at = from;
	if (escapes == 0)
		lua_pushlstring(r->L, from, (size_t)(quote - from));
	else if (!push_escaped(r, quote))
		return false;
	r->at = quote + 1;
	return true;
}
