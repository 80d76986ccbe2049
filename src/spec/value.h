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

enum { VALUE_DEPTH_MAX = 32, VALUE_FROM_SET = -1 };

struct value {
	enum value_type type;
	int line; /* where it stands in its file; 0 unknown; of --set: its number, from 1 */
	int file; /* 0 the daemon file, n what spec->modules[n] includes, VALUE_FROM_SET */
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

/* What stands at a dotted path ("listen.web.address.2"), or NULL. */
const struct value *value_path(const struct value *root, const char *path);
/* Makes *value, which must be nil, a string. -1: out of memory. */
int value_string(struct value *value, const char *bytes, size_t length);
/* The order of keys: integers ascending, then strings by their bytes. */
int value_order(const struct value *a, const struct value *b);
/* Brings the pairs of a table into that order. */
void value_sort(struct value *table);
/* The place of key in table, added as nil when absent. NULL: out of memory. */
struct value *value_put(struct value *table, const struct value *key);
void value_remove(struct value *table, const struct value *key);
/* A value as a message shows it: "tcp", 22, { 1, x = true }; cut to size. Returns text. */
const char *value_show(const struct value *value, char *text, size_t size);
/* The element count of a list (keys 1 to n and no other), or -1. */
int64_t value_list(const struct value *value);

#endif
