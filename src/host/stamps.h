#ifndef LUVD_HOST_STAMPS_H
#define LUVD_HOST_STAMPS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* Files that somebody waits for, and how they were when he looked last: a file that comes, goes, is
 * replaced, written to or only touched is another one. */

enum { STAMPS_MAX = 2048 };

struct stamps {
	struct stamped *list; /* sorted by path */
	size_t count;
};

/* Waits for these files from now on, for STAMPS_MAX of them at most; those that it knows keep what
 * was seen of them. One that was changed at since or later counts as changed. first and second may
 * be NULL and are NULL-terminated. -1: out of memory, all is as before. */
int stamps_set(struct stamps *stamps, char *const *first, char *const *second,
	       const struct timespec *since);
/* Looks at all of them. true: one is another than the last time. */
bool stamps_look(struct stamps *stamps);
const char *stamps_path(const struct stamps *stamps, size_t index);
void stamps_finish(struct stamps *stamps);

#endif
