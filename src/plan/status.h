#ifndef LUVD_PLAN_STATUS_H
#define LUVD_PLAN_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the text of /proc/PID/status, proc(5): "Name:\tvalue" a line. */

enum { STATUS_BYTES_MAX = 8192 };

/* Up to count numbers of the line "field:", in this base; returns how many there are, -1: no such
 * line. */
int status_numbers(const char *text, const char *field, int base, uint64_t *numbers, size_t count);
/* The first one; false when there is none. */
bool status_number(const char *text, const char *field, int base, uint64_t *number);

#endif
