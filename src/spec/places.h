#ifndef LUVD_SPEC_PLACES_H
#define LUVD_SPEC_PLACES_H

#include "spec/arena.h"
#include "spec/value.h"

/* Lua's tables do not know their lines. This finds in the text where the keys of the returned
 * table stand: in `return { ... }`, in a local table that is returned or named as a value, in
 * assignments to it, and in what include gives. What it does not understand has no line. */

struct place {
	struct value key; /* texts live in the arena */
	int line;
	const char *name;    /* the value is this local variable; or NULL */
	const char *include; /* the value is what include gives for this path; or NULL */
	struct place *children, *last, *next;
};

struct places {
	struct place *root;   /* what the file returns; never NULL */
	struct place *locals; /* key: the variable's name */
};

void places_find(struct places *places, struct arena *arena, const char *text, size_t length);

/* Writes line and file into every value of a tree whose place is known. files: places of the
 * daemon file and its includes; resolve tells which of them an include in file means, or -1. */
struct place_files {
	const struct places *places;
	int count;
	int (*resolve)(void *data, int file, const char *path);
	void *data;
};
void places_mark(const struct place_files *files, struct value *root);

#endif
