#ifndef LUVD_SPEC_FIELDS_H
#define LUVD_SPEC_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spec/value.h"

/* What a changed key takes in a running daemon. */
enum change_kind {
	CHANGE_RESTART,    /* a restart: the zero, and so what a row is that says nothing */
	CHANGE_GENERATION, /* a new generation of workers; a classic daemon restarts */
	CHANGE_IN_PLACE    /* nothing but service.reload */
};

/* THE table of the daemon file's keys. Validation, unknown keys with the nearest right one,
 * defaults, the reload diff, `luvd help KEY` and the man page come from it. */

struct check;
struct field;

/* What a key's value may be. */
struct kind {
	const char *name;      /* for help: "duration" */
	const char *expected;  /* for errors: "a duration such as \"10s\"" */
	const char *shorthand; /* a plain value stands for a table with only this key; or NULL */
	/* Checks value and puts it where base + field->offset says. */
	void (*put)(struct check *check, const struct field *field, const char *path, void *base,
		    const struct value *value);
	/* Writes what value means, so that "10s" equals 10; NULL: as it stands. -1: no memory. */
	int (*normal)(const struct value *value, struct value *to);
	bool group; /* its rows are "KEY.child" and share base */
	bool map;   /* its rows are "KEY.NAME": the user chooses the names */
};

struct field {
	const char *name; /* "listen.NAME.backlog"; NAME stands for any name */
	const struct kind *kind;
	size_t offset;
	const char *fallback; /* default: a Lua literal, or words in parentheses; NULL: none */
	enum change_kind change;
	bool later;          /* known, refused until it comes */
	int64_t least, most; /* of numbers */
	const char *help;    /* one line */
};

extern const struct field fields[]; /* ends with a NULL name */

/* The row of a dotted path, "listen.web.backlog" or "listen.NAME.backlog"; NULL: none. */
const struct field *field_find(const char *path);
/* The row of key below prefix, whose segments are the table's own ("" at the top). */
const struct field *field_below(const char *prefix, const char *key);
/* The dotted name most like path, or NULL: for `luvd help KEY` and unknown keys. */
const char *field_nearest(const char *path);
/* Is field a row right below prefix? */
bool field_is_below(const struct field *field, const char *prefix);
/* The default as a value; nil when there is none or it is told in words. -1: out of memory. */
int field_default(const struct field *field, struct value *value);

#endif
