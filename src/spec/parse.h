#ifndef LUVD_SPEC_PARSE_H
#define LUVD_SPEC_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The small languages inside the daemon file's strings. All return whether text is of that form
 * and leave *to alone when it is not. */

/* "250ms", "10s", "5m", "2h", "7d", "1.5s"; milliseconds, at most DURATION_MAX. */
#define DURATION_MAX INT64_C(315360000000) /* ten years */
bool parse_duration(const char *text, int64_t *to);
/* "512B", "64KiB", "4MiB", "1GiB", "1TiB", "1.5KiB"; whole bytes, below 2^53. */
bool parse_size(const char *text, uint64_t *to);
/* "027", "0640", "1777": octal digits only. */
bool parse_octal(const char *text, mode_t *to);
/* [A-Za-z0-9][A-Za-z0-9_.-]*, at most 64 bytes. */
bool parse_name(const char *text);
/* A number of a user or group: decimal digits, below 2^32 - 1. */
bool parse_id(const char *text, uint32_t *to);

#endif
