#ifndef LUVD_UNIT_WORDS_H
#define LUVD_UNIT_WORDS_H

#include <stdint.h>
#include <stdio.h>

#include "err.h"

/* Names, paths and arguments as each format wants them. What a format cannot hold is refused, with
 * -1 and the word in err. */

/* Refuses a path with control characters. format: "a unit". */
int words_check(const char *format, const char *path, struct err *err);
/* One word of a shell script, in single quotes unless it needs none. Holds any byte. */
void words_shell(FILE *out, const char *word);
/* One argument of a command line of systemd: neither specifier nor variable in it is expanded.
 * Control characters are escaped, bytes that are not UTF-8 refused. */
int words_systemd(FILE *out, const char *word, struct err *err);
/* A path in a list of systemd, with a prefix such as "-"; checked by words_check. */
int words_systemd_path(FILE *out, const char *prefix, const char *path, struct err *err);
/* The rest of a line in systemd, for people: what cannot stand there becomes a space. */
void words_systemd_text(FILE *out, const char *text);
/* A file as a URI in systemd's Documentation=. */
void words_systemd_uri(FILE *out, const char *path);
/* A path in logrotate, where it is a pattern; braces are refused. */
int words_logrotate(FILE *out, const char *path, struct err *err);
/* Text for people in a comment or between quotes of a shell script: printable characters without
 * quotes, $, ` and backslash; all others become spaces. */
void words_plain(FILE *out, const char *text);
/* "35s", "1500ms", or "infinity" for 0. */
void words_span(FILE *out, int64_t milliseconds);

#endif
