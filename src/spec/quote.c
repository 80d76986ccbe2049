#include "spec/quote.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/quote_caret.h"
#include "text.h"

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

static bool find_line(const struct module *module, int number, struct quote_line *line)
{
	const char *at = module->text, *end = at + module->length;

	for (int i = 1; at < end; i++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		if (!stop)
			stop = end;
		if (i == number) {
			*line = (struct quote_line){at, (size_t)(stop - at), number};
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
		 const struct err *err, struct quote_line *line)
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
static size_t whole(const struct quote_line *line, size_t at)
{
	while (at > 0 && at < line->length && (line->bytes[at] & 0xC0) == 0x80)
		at--;
	return at;
}

static void put(FILE *out, const struct quote_line *line, size_t caret)
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
	struct quote_line line;
	char *text = NULL;
	size_t length;
	FILE *out;

	if (!find(source, modules, count, err, &line))
		return NULL;
	out = open_memstream(&text, &length);
	if (!out)
		return NULL;
	put(out, &line, quote_caret(&line, err));
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
