#include "spec/quote_caret.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Where a word stands by itself, not before from; -1: nowhere. */
static int find_word(const struct quote_line *line, size_t from, const char *word, size_t length)
{
	for (size_t i = from; length && i + length <= line->length; i++) {
		const char *at = line->bytes + i;

		if (memcmp(at, word, length) == 0 &&
		    !(i > 0 && is_word(at[-1]) && is_word(word[0])) &&
		    !(i + length < line->length && is_word(at[length]) &&
		      is_word(word[length - 1])))
			return (int)i;
	}
	return -1;
}

/* The only place of a token; -1: there is none, or nobody knows which it is. */
static int find_only(const struct quote_line *line, const char *token, size_t length)
{
	int at = find_word(line, 0, token, length);

	return at >= 0 && find_word(line, (size_t)at + 1, token, length) < 0 ? at : -1;
}

/* What stands behind `key =` or `["key"] =`; -1: the value is on another line. */
static int behind(const struct quote_line *line, size_t at)
{
	while (at < line->length && strchr("\"'] \t", line->bytes[at]))
		at++;
	if (at == line->length || line->bytes[at] != '=')
		return -1;
	for (at++; at < line->length && isspace((unsigned char)line->bytes[at]); at++)
		;
	return at < line->length ? (int)at : -1;
}

/* The last name of a key's path, behind those before it that are on the same line. */
static int find_name(const struct quote_line *line, const char *path, size_t *end)
{
	size_t from = 0;
	int at = -1;

	for (;; path++) {
		size_t length = strcspn(path, ".");

		at = find_word(line, from, path, length);
		if (at >= 0)
			from = (size_t)at + length;
		path += length;
		if (!*path)
			break;
	}
	*end = from;
	return isdigit((unsigned char)path[-1]) ? -1 : at;
}

static int find_key(const struct quote_line *line, const struct err *err)
{
	size_t end;
	int at = *err->key ? find_name(line, err->key, &end) : -1;
	bool itself =
	    strncmp(err->what, "no such", 7) == 0 || strncmp(err->what, "missing", 7) == 0;
	int value = at < 0 || itself ? -1 : behind(line, end);

	return value < 0 ? at : value;
}

/* `..., got "BAD NAME"; did you mean ...`: the item of a list has no name. */
static int find_got(const struct quote_line *line, const struct err *err)
{
	const char *got = strstr(err->what, ", got "), *value = got ? got + 6 : "";

	return find_only(line, value, strcspn(value, ";"));
}

/* `os.getenv is not there while ...` */
static int find_absent(const struct quote_line *line, const struct err *err)
{
	const char *end = strstr(err->what, " is not there");

	return end ? find_only(line, err->what, (size_t)(end - err->what)) : -1;
}

/* `'}' expected near 'umask'`, `... near <eof>`. */
static int find_near(const struct quote_line *line, const struct err *err)
{
	const char *near = strstr(err->what, " near "), *token = near ? near + 6 : NULL, *end;

	if (!token)
		return -1;
	if (strncmp(token, "<eof>", 5) == 0)
		return (int)line->length;
	end = *token == '\'' ? strrchr(token + 1, '\'') : NULL;
	return end ? find_only(line, token + 1, (size_t)(end - token - 1)) : -1;
}

/* The first of the names that the message quotes that stands in the line. */
static int find_quoted(const struct quote_line *line, const struct err *err)
{
	const char *at = err->what + strcspn(err->what, "'\"\n");

	while (*at && *at != '\n') {
		const char *end = strchr(at + 1, *at);
		int found = end ? find_only(line, at, (size_t)(end - at + 1)) : -1;

		if (end && found < 0)
			found = find_only(line, at + 1, (size_t)(end - at - 1));
		if (!end || found >= 0)
			return found;
		at = end + 1 + strcspn(end + 1, "'\"\n");
	}
	return -1;
}

static size_t find_first(const struct quote_line *line)
{
	size_t i = 0;

	while (i < line->length && isspace((unsigned char)line->bytes[i]))
		i++;
	return i;
}

size_t quote_caret(const struct quote_line *line, const struct err *err)
{
	static int (*const ways[])(const struct quote_line *line, const struct err *err) = {
	    find_key, find_got, find_near, find_absent, find_quoted};

	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		int at = ways[i](line, err);

		if (at >= 0)
			return (size_t)at;
	}
	return find_first(line);
}
