#include "cmd/template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

const struct template templates[] = {
    {"http", "answers HTTP requests", "curl http://127.0.0.1:8080/hello/you"},
    {"tcp", "talks in lines over TCP", "nc 127.0.0.1 7000"},
    {"udp", "counts the words that datagrams bring", "echo hits | nc -u -w 1 127.0.0.1 7001"},
    {"timer", "does something again and again", "luvd logs @NAME@ --follow"},
    {NULL, NULL, NULL},
};

const struct template *template_find(const char *name, struct err *err)
{
	char names[128] = "";
	size_t length = 0;

	if (!name)
		return templates;
	for (const struct template *row = templates; row->name; row++) {
		const char *before = length == 0 ? "" : row[1].name ? ", " : " or ";

		if (strcmp(row->name, name) == 0)
			return row;
		length += (size_t)snprintf(names + length, sizeof names - length, "%s%s", before,
					   row->name);
	}
	err->exit = EXIT_USAGE;
	err_set(err, "new: --template: expected %s, got '%s'", names, name);
	return NULL;
}

static void fill_name(FILE *out, const struct blanks *blanks)
{
	fputs(blanks->name, out);
}

static void fill_about(FILE *out, const struct blanks *blanks)
{
	fputs(blanks->template->about, out);
}

/* A blank of its own may be in it. */
static void fill_attempt(FILE *out, const struct blanks *blanks)
{
	const char *text = blanks->template->attempt;
	struct err err = {0};
	char *filled = template_text(text, strlen(text), blanks, &err);

	if (filled)
		fputs(filled, out);
	free(filled);
}

/* The items of a list in JSON. */
static void fill_types(FILE *out, const struct blanks *blanks)
{
	if (blanks->types)
		text_json(out, blanks->types, strlen(blanks->types));
}

static const struct {
	const char *word;
	void (*fill)(FILE *out, const struct blanks *blanks);
} rows[] = {
    {"@NAME@", fill_name},
    {"@ABOUT@", fill_about},
    {"@TRY@", fill_attempt},
    {"@TYPES@", fill_types},
};
enum { ROWS = sizeof rows / sizeof *rows };

/* Writes the blank that stands here, and returns its length; 0: there is none. */
static size_t fill(FILE *out, const char *at, size_t left, const struct blanks *blanks)
{
	for (int i = 0; i < ROWS; i++) {
		size_t length = strlen(rows[i].word);

		if (length > left || memcmp(at, rows[i].word, length) != 0)
			continue;
		rows[i].fill(out, blanks);
		return length;
	}
	return 0;
}

char *template_text(const char *bytes, size_t length, const struct blanks *blanks, struct err *err)
{
	char *text = NULL;
	size_t size, at = 0;
	FILE *out = open_memstream(&text, &size);

	while (out && at < length) {
		size_t filled = fill(out, bytes + at, length - at, blanks);

		if (!filled)
			fputc(bytes[at], out);
		at += filled ? filled : 1;
	}
	if (out && fclose(out) == 0)
		return text;
	free(text);
	err_set(err, "out of memory");
	return NULL;
}

/* What follows this folder and its slash; NULL: the path is not below it. */
static const char *below(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	return strncmp(path, folder, length) == 0 && path[length] == '/' ? path + length + 1 : NULL;
}

char *template_path(const struct embedded *file, const struct blanks *blanks, struct err *err)
{
	const char *path = below(file->name, blanks->template->name), *place;
	char *result = NULL;

	if (!path)
		path = below(file->name, "any");
	if (!path)
		return NULL;
	place = strstr(path, "NAME");
	if (place) {
		if (asprintf(&result, "%.*s%s%s", (int)(place - path), path, blanks->name,
			     place + 4) >= 0)
			return result;
	} else if (asprintf(&result, "%s", strncmp(path, "dot.", 4) == 0 ? path + 3 : path) >= 0) {
		return result;
	}
	err_set(err, "out of memory");
	return NULL;
}
