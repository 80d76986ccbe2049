#ifndef LUVD_SERVICE_UNITS_H
#define LUVD_SERVICE_UNITS_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

/* What services write: durations and sizes as in a daemon file, bytes, and the option table of
 * calls that wait. */

/* Milliseconds of the argument: a number of seconds, or "250ms", "10s", "1.5m", "2h", "7d".
 * Raises. */
int64_t units_duration(lua_State *L, int index);
/* Bytes of the argument: a whole number, or "512B", "64KiB", "4MiB", "1GiB". Raises. */
int64_t units_size(lua_State *L, int index);

/* The option key, on top of the stack: a whole number from least to most. Raises. */
int units_count(lua_State *L, const char *key, int least, int most);

struct options_of_wait {
	int64_t timeout; /* milliseconds; -1: none */
	int64_t max;     /* bytes */
};

/* { timeout = "5s", max = "64KiB" } at index. has_max: whether max makes sense there. An unknown
 * option raises. */
struct options_of_wait units_read_options(lua_State *L, int index, int64_t max, bool has_max);

/* The same, or nil or nothing, as most calls have it. */
static inline struct options_of_wait units_options(lua_State *L, int index, int64_t max,
						   bool has_max)
{
	if (lua_isnoneornil(L, index))
		return (struct options_of_wait){.timeout = -1, .max = max};
	return units_read_options(L, index, max, has_max);
}

/* The bytes of a string, or of a list of strings, which is pushed joined. Raises. */
const char *units_bytes(lua_State *L, int index, size_t *length);

#endif
