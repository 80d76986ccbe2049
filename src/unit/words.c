#include "unit/words.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7F;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_one_of(char c, const char *list)
{
	return c && strchr(list, c);
}

/* A word that every format takes as it is. */
static bool is_plain(const char *word)
{
	if (!*word)
		return false;
	for (; *word; word++)
		if (!is_letter(*word) && !is_one_of(*word, "/._-+:,@="))
			return false;
	return true;
}

static bool is_utf8(const char *word)
{
	for (size_t left = strlen(word); left;) {
		size_t length = text_utf8_length((const unsigned char *)word, left);

		if (!length)
			return false;
		word += length;
		left -= length;
	}
	return true;
}

static bool has_control(const char *word)
{
	while (*word && !is_control(*word))
		word++;
	return *word;
}

static int refuse(struct err *err, const char *format, const char *word, const char *why)
{
	char *shown = NULL;
	size_t length;
	FILE *out = open_memstream(&shown, &length);

	if (!out)
		return err_set(err, "out of memory");
	text_line(out, word, strlen(word));
	fclose(out);
	err_set(err, "%s cannot hold '%s': %s", format, shown, why);
	free(shown);
	return -1;
}

int words_check(const char *format, const char *path, struct err *err)
{
	return has_control(path) ? refuse(err, format, path, "it has a control character") : 0;
}

/* --- shell --- */

void words_shell(FILE *out, const char *word)
{
	if (is_plain(word)) {
		fputs(word, out);
		return;
	}
	fputc('\'', out);
	for (; *word; word++)
		if (*word == '\'')
			fputs("'\\''", out);
		else
			fputc(*word, out);
	fputc('\'', out);
}

/* --- systemd --- */

static void systemd_char(FILE *out, char c, bool command)
{
	if (is_control(c))
		fprintf(out, "\\x%02x", (unsigned char)c);
	else if (c == '\\' || c == '"')
		fprintf(out, "\\%c", c);
	else if (c == '%' || (command && c == '$'))
		fprintf(out, "%c%c", c, c);
	else
		fputc(c, out);
}

static void systemd_quoted(FILE *out, const char *prefix, const char *word, bool command)
{
	const char *quote = is_plain(word) ? "" : "\"";

	fprintf(out, "%s%s", quote, prefix);
	for (; *word; word++)
		systemd_char(out, *word, command);
	fputs(quote, out);
}

int words_systemd(FILE *out, const char *word, struct err *err)
{
	if (!is_utf8(word))
		return refuse(err, "a unit of systemd", word, "it is not UTF-8");
	systemd_quoted(out, "", word, true);
	return 0;
}

int words_systemd_path(FILE *out, const char *prefix, const char *path, struct err *err)
{
	if (!is_utf8(path))
		return refuse(err, "a unit of systemd", path, "it is not UTF-8");
	systemd_quoted(out, prefix, path, false);
	return 0;
}

/* A backslash at the end of a line would join the next one to it. */
void words_systemd_text(FILE *out, const char *text)
{
	bool utf8 = is_utf8(text);

	for (; *text; text++) {
		bool fits = !is_control(*text) && *text != '\\' && (utf8 || *text >= 0);

		fputs(*text == '%' ? "%" : "", out);
		fputc(fits ? *text : ' ', out);
	}
}

void words_systemd_uri(FILE *out, const char *path)
{
	fputs("file:", out);
	for (; *path; path++)
		if (is_letter(*path) || is_one_of(*path, "/._-~+,@="))
			fputc(*path, out);
		else /* doubled: % begins a specifier */
			fprintf(out, "%%%%%02X", (unsigned char)*path);
}

/* --- logrotate --- */

int words_logrotate(FILE *out, const char *path, struct err *err)
{
	if (strpbrk(path, "{}"))
		return refuse(err, "a stanza of logrotate", path, "it has a brace");
	fputs(is_plain(path) ? "" : "\"", out);
	for (const char *p = path; *p; p++) {
		fputs(is_one_of(*p, "*?[]\\\"") ? "\\" : "", out);
		fputc(*p, out);
	}
	fputs(is_plain(path) ? "" : "\"", out);
	return 0;
}

/* --- for people --- */

void words_plain(FILE *out, const char *text)
{
	for (; *text; text++)
		fputc(is_control(*text) || is_one_of(*text, "'\"`$\\") ? ' ' : *text, out);
}

void words_span(FILE *out, int64_t milliseconds)
{
	if (milliseconds == 0)
		fputs("infinity", out);
	else if (milliseconds % 1000)
		fprintf(out, "%" PRId64 "ms", milliseconds);
	else
		fprintf(out, "%" PRId64 "s", milliseconds / 1000);
}
