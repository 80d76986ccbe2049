#ifndef LUVD_TEXT_H
#define LUVD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* How values become text for people and programs. Everything here writes to a
 * stream (open_memstream(3) makes one in memory), so that nothing is cut. */

/* A named value of a log line. */
struct log_field {
	const char *key;
	bool raw; /* bytes are JSON already: a number, true, null, nested */
	const char *bytes;
	size_t length;
};

/* The length of the well-formed UTF-8 sequence at bytes (RFC 3629), of which so many are left, at
 * least one; 0: it is none. */
size_t text_utf8_length(const unsigned char *bytes, size_t left);

/* A JSON string with its quotes, RFC 8259: control characters, quotes and backslashes
 * escaped, bytes that are not UTF-8 become U+FFFD. */
void text_json(FILE *out, const char *bytes, size_t length);

/* One line of a log or a terminal: control characters, DEL and bytes that are not UTF-8 as \xNN,
 * backslash doubled only when such an escape would else be ambiguous; printable UTF-8 as it is. */
void text_line(FILE *out, const char *bytes, size_t length);

/* The same with every backslash as it is: for a person, of what may hold such escapes already. */
void text_shown(FILE *out, const char *bytes, size_t length);

/* "1h 5m", "30s", "250ms"; milliseconds in. */
void text_duration(FILE *out, int64_t milliseconds);

/* "64 KiB", "3.1 MiB", "512 B". */
void text_size(FILE *out, uint64_t bytes);

#endif
