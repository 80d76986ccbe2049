#ifndef LUVD_SERVICE_JSON_WRITER_H
#define LUVD_SERVICE_JSON_WRITER_H

#include <lua.h>
#include <stdbool.h>
#include <string.h>

#include "service/json.h"

/* The tables that the value being written is in, as the way to it. */
struct level {
	const struct level *up;
	int key; /* index of the key in the stack */
};

struct writer {
	lua_State *L;
	struct out *out;
	struct json_style style;
	const struct level *level;
	int depth;
};

/* Raises with the way to the value before the message; the format is lua_pushfstring's. */
void writer_fail(struct writer *w, const char *format, ...) __attribute__((noreturn));

/* Raises: the limit of the style is reached. */
void writer_too_long(struct writer *w) __attribute__((noreturn));

/* Makes room for so many bytes more. */
void writer_grow(struct writer *w, size_t more);
/* what the string is, for the message: "a key". */
void writer_string(struct writer *w, const char *text, size_t length, const char *what);
void writer_number(struct writer *w, int index);

/* Where at least so many bytes may be written. */
static inline char *writer_reserve(struct writer *w, size_t more)
{
	if (w->out->size - w->out->length < more)
		writer_grow(w, more);
	return w->out->bytes + w->out->length;
}

static inline void writer_put(struct writer *w, char c)
{
	*writer_reserve(w, 1) = c;
	w->out->length++;
}

static inline void writer_text(struct writer *w, const char *text, size_t length)
{
	memcpy(writer_reserve(w, length), text, length);
	w->out->length += length;
}

#endif
