#ifndef LUVD_SPEC_VALUE_H
#define LUVD_SPEC_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* Plain data as Lua knows it, without Lua: what the daemon file returned, the
 * service's config, what crosses to another process. Trees only: the reader refuses
 * cycles and more than VALUE_DEPTH_MAX levels. */

enum value_type {
	VALUE_NIL,
	VALUE_BOOLEAN,
	VALUE_INTEGER,
	VALUE_NUMBER,
	VALUE_STRING,
	VALUE_TABLE,
	VALUE_FUNCTION /* stands for a function in the text; only its place is known */
};

enum { VALUE_DEPTH_MAX = 32 };

struct value {
	enum value_type type;
	int line; /* where it stands in the daemon file (or an included one); 0 unknown */
	union {
		bool boolean;
		int64_t integer;
		double number;
		struct {
			char *bytes; /* closed by a 0 that length does not count */
			size_t length;
		} string;
		struct {
			struct pair *pairs; /* sorted: integers ascending, then strings */
			size_t count;
		} table;
	} as;
};

struct pair {
	struct value key; /* VALUE_INTEGER or VALUE_STRING */
	struct value value;
};

/* NULL when absent or when table is not a table. */
const struct value *value_get(const struct value *table, const char *key);
const struct value *value_at(const struct value *table, int64_t index);
bool value_equal(const struct value *a, const struct value *b); /* lines do not count */
int value_copy(struct value *to, const struct value *from);     /* deep; -1: out of memory */
void value_finish(struct value *value);                         /* deep; leaves it nil */

#endif
