#include "err.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fill(struct err *err, int code, const char *format, va_list args)
{
	if (!err)
		return;
	vsnprintf(err->what, sizeof err->what, format, args);
	err->code = code;
}

int err_set(struct err *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fill(err, 0, format, args);
	va_end(args);
	return -1;
}

int err_sys(struct err *err, const char *format, ...)
{
	int code = errno;
	va_list args;

	va_start(args, format);
	fill(err, code, format, args);
	va_end(args);
	return -1;
}

const char *err_reason(int code)
{
	static _Thread_local char text[128];

	snprintf(text, sizeof text, "%s", strerror(code));
	/* "Is a directory" becomes "is a directory"; "RPC failed" keeps its capitals. */
	if (text[0] && !isupper((unsigned char)text[1]))
		text[0] = (char)tolower((unsigned char)text[0]);
	return text;
}

const char *err_text(const struct err *err, char *text, size_t size)
{
	const char *part = err->key[0] ? err->key : err->step;

	snprintf(text, size, "%s%s%s%s%s%s%s", err->where, err->where[0] ? ": " : "", part,
		 part[0] ? ": " : "", err->what, err->code ? ": " : "",
		 err->code ? err_reason(err->code) : "");
	return text;
}

int errs_reserve(struct errs *errs)
{
	/* The entry after the last one is always there: it is the scratch entry. */
	if (!errs->list)
		errs->list = calloc(ERRS_MAX + 1, sizeof *errs->list);
	return errs->list ? 0 : -1;
}

struct err *errs_add(struct errs *errs)
{
	if (errs_reserve(errs) < 0)
		abort(); /* 150 KB at the start of a command: nothing sensible is left to do */
	if (errs->count == ERRS_MAX) {
		errs->dropped++;
		memset(&errs->list[ERRS_MAX], 0, sizeof *errs->list);
		return &errs->list[ERRS_MAX];
	}
	return &errs->list[errs->count++];
}

void errs_cut(struct errs *errs, size_t count)
{
	for (size_t i = count; errs->quotes && i < ERRS_MAX; i++) {
		free(errs->quotes[i]);
		errs->quotes[i] = NULL;
	}
	errs->count = count;
}

void errs_finish(struct errs *errs)
{
	for (size_t i = 0; errs->quotes && i < ERRS_MAX; i++)
		free(errs->quotes[i]);
	for (char **path = errs->seen; path && *path; path++)
		free(*path);
	free(errs->quotes);
	free(errs->seen);
	free(errs->list);
	*errs = (struct errs){0};
}
