#include "spec/quote.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

struct line {
	const char *bytes;
	size_t length;
	int number;
};

/* --- the line --- */

int quote_place(const char *where, size_t *name)
{
	const char *colon = strrchr(where, ':');
	bool line = colon && colon[1] && colon[1 + strspn(colon + 1, "0123456789")] == 0;

	*name = line ? (size_t)(colon - where) : strlen(where);
	return line ? (int)strtol(colon + 1, NULL, 10) : 0;
}

/* "room.lua:5: no such room\nstack traceback: ...", of a service that raised. */
static int place_in_message(const char *what, size_t *name)
{
	const char *colon = strchr(what, ':');

	if (!colon || !isdigit((unsigned char)colon[1]))
		return 0;
	*name = (size_t)(colon - what);
	return colon[1 + strspn(colon + 1, "0123456789")] == ':' ? (int)strtol(colon + 1, NULL, 10)
								 : 0;
}

static bool find_line(const struct module *module, int number, struct line *line)
{
	const char *at = module->text, *end = at + module->length;

	for (int i = 1; at < end; i++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		if (!stop)
			stop = end;
		if (i == number) {
			*line = (struct line){at, (size_t)(stop - at), number};
			if (line->length && stop[-1] == '\r')
				line->length--;
			return true;
		}
		at = stop + 1;
	}
	return false;
}

/* Lua leaves the beginning of a long name out: "...d/releases/17/lib/room.lua". */
static bool is_named(const char *file, const char *name, size_t length)
{
	size_t whole = strlen(file);

	if (length > 3 && strncmp(name, "...", 3) == 0 && whole > length - 3) {
		file += whole - (length - 3);
		name += 3;
		whole = length -= 3;
	}
	return whole == length && strncmp(file, name, length) == 0;
}

static bool find(const struct source *source, const struct module *modules, size_t count,
		 const struct err *err, struct line *line)
{
	const char *text = err->where;
	size_t name = 0;
	int number = quote_place(text, &name);

	if (!*text) {
		text = err->what;
		number = place_in_message(text, &name);
	}
	for (size_t i = 0; number && i < count; i++) {
		char shown[1024];

		if (modules[i].kind != MODULE_LUA || !modules[i].text)
			continue;
		spec_shown(source, modules[i].path, shown, sizeof shown);
		if (is_named(shown, text, name) || is_named(modules[i].path, text, name))
			return find_line(&modules[i], number, line);
	}
	return false;
}

/* --- the caret --- */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Where a word stands by itself, not before from; -1: nowhere. */
static int find_word(const struct line *line, size_t from, const char *word, size_t length)
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
static int find_only(const struct line *line, const char *token, size_t length)
{
	int at = find_word(line, 0, token, length);

	return at >= 0 && find_word(line, (size_t)at + 1, token, length) < 0 ? at : -1;
}

/* What stands behind `key =` or `["key"] =`; -1: the value is on another line. */
static int behind(const struct line *line, size_t at)
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
static int find_name(const struct line *line, const char *path, size_t *end)
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

static int find_key(const struct line *line, const struct err *err)
{
	size_t end;
	int at = *err->key ? find_name(line, err->key, &end) : -1;
	bool itself =
	    strncmp(err->what, "no such", 7) == 0 || strncmp(err->what, "missing", 7) == 0;
	int value = at < 0 || itself ? -1 : behind(line, end);

	return value < 0 ? at : value;
}

/* `..., got "BAD NAME"; did you mean ...`: the item of a list has no name. */
static int find_got(const struct line *line, const struct err *err)
{
	const char *got = strstr(err->what, ", got "), *value = got ? got + 6 : "";

	return find_only(line, value, strcspn(value, ";"));
}

/* `os.getenv is not there while ...` */
static int find_absent(const struct line *line, const struct err *err)
{
	const char *end = strstr(err->what, " is not there");

	return end ? find_only(line, err->what, (size_t)(end - err->what)) : -1;
}

/* `'}' expected near 'umask'`, `... near <eof>`. */
static int find_near(const struct line *line, const struct err *err)
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
static int find_quoted(const struct line *line, const struct err *err)
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

static size_t find_first(const struct line *line)
{
	size_t i = 0;

	while (i < line->length && isspace((unsigned char)line->bytes[i]))
		i++;
	return i;
}

static size_t find_caret(const struct line *line, const struct err *err)
{
	static int (*const ways[])(const struct line *line, const struct err *err) = {
	    find_key, find_got, find_near, find_absent, find_quoted};

	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		int at = ways[i](line, err);

		if (at >= 0)
			return (size_t)at;
	}
	return find_first(line);
}

/* --- the text --- */

/* How a piece is shown, with tabs as blanks. The columns that it takes, if each character takes
 * one. */
static size_t put_piece(FILE *out, const char *bytes, size_t length)
{
	char *shown = NULL;
	size_t size = 0, columns = 0;
	FILE *piece = open_memstream(&shown, &size);

	if (!piece)
		return 0;
	for (size_t at = 0; at < length;) {
		const char *tab = memchr(bytes + at, '\t', length - at);
		size_t plain = tab ? (size_t)(tab - bytes) - at : length - at;

		text_shown(piece, bytes + at, plain);
		if (tab)
			fputs("    ", piece);
		at += plain + (tab != NULL);
	}
	if (fclose(piece) == 0) {
		for (size_t i = 0; i < size; i++)
			columns += (shown[i] & 0xC0) != 0x80;
		if (out)
			fwrite(shown, 1, size, out);
	}
	free(shown);
	return columns;
}

/* No character is cut in two. */
static size_t whole(const struct line *line, size_t at)
{
	while (at > 0 && at < line->length && (line->bytes[at] & 0xC0) == 0x80)
		at--;
	return at;
}

static void put(FILE *out, const struct line *line, size_t caret)
{
	bool late = caret > QUOTE_WIDTH * 3 / 4;
	size_t from = late ? whole(line, caret - QUOTE_WIDTH / 2) : 0, columns = 0;
	size_t to =
	    whole(line, from + QUOTE_WIDTH < line->length ? from + QUOTE_WIDTH : line->length);

	fprintf(out, "%5d | ", line->number);
	columns += late ? (size_t)fprintf(out, "... ") : 0;
	columns += put_piece(NULL, line->bytes + from, caret - from);
	put_piece(out, line->bytes + from, to - from);
	fprintf(out, "%s\n      | %*s^\n", to < line->length ? " ..." : "", (int)columns, "");
}

char *quote_make(const struct source *source, const struct module *modules, size_t count,
		 const struct err *err)
{
	struct line line;
	char *text = NULL;
	size_t length;
	FILE *out;

	if (!find(source, modules, count, err, &line))
		return NULL;
	out = open_memstream(&text, &length);
	if (!out)
		return NULL;
	put(out, &line, find_caret(&line, err));
	fclose(out);
	return text;
}

void quote_all(const struct source *source, const struct module *modules, size_t count,
	       struct errs *errs)
{
	if (!errs->quotes)
		errs->quotes = calloc(ERRS_MAX, sizeof *errs->quotes);
	for (size_t i = 0; errs->quotes && i < errs->count; i++)
		if (!errs->quotes[i])
			errs->quotes[i] = quote_make(source, modules, count, &errs->list[i]);
}

static size_t put_line(char *to, size_t used, size_t size, const char *line, size_t length)
{
	int n = used < size ? snprintf(to + used, size - used, "%s%.*s", used ? "\n" : "",
				       (int)length, line)
			    : 0;

	return used + (n > 0 ? (size_t)n : 0);
}

void quote_split(const char *text, char *plain, char *full, size_t size)
{
	size_t in_plain = 0, in_full = 0;

	*plain = *full = 0;
	while (*text) {
		size_t length = strcspn(text, "\n");
		bool quote = *text == QUOTE_MARK;

		in_full = put_line(full, in_full, size, text + quote, length - quote);
		if (!quote)
			in_plain = put_line(plain, in_plain, size, text, length);
		text += length + (text[length] == '\n');
	}
}
