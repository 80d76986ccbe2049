#ifndef LUVD_SPEC_TRUST_H
#define LUVD_SPEC_TRUST_H

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

#include "err.h"
#include "spec/source.h"

enum { TEXT_SIZE_MAX = 1 << 20 }; /* of one file */

/* What a file was when it was read: to see whether it has moved meanwhile. */
struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

/* Opens a file, then checks what was opened: a regular file of at most TEXT_SIZE_MAX; when
 * source->uid is 0 also owned by root or source->owner, not writable by others, and so every folder
 * up to "/" (those with the sticky bit that root owns pass). *text gets its bytes, closed by a 0
 * and freed by the caller; text NULL: only checks. Errors name owner and remedy. A file that is
 * replaced meanwhile is read again, a few times. */
int trust_read(const struct source *source, const char *path, char **text, size_t *length,
	       struct stamp *stamp, struct err *err);
/* The same checks of a program; its bytes are not read. Returns a descriptor of what was checked,
 * close-on-exec, the caller's; -1. */
int trust_open_program(const struct source *source, const char *path, struct err *err);
/* The wall clock as the kernel writes it into files that are changed: up to a tick behind the
 * precise one, so that a change after this moment is never older. */
void trust_clock(struct timespec *now);
/* How the file at path is now; false: there is none, and stamp is zeroed. */
bool trust_look(const char *path, struct stamp *stamp);
bool trust_same(const struct stamp *a, const struct stamp *b);
/* Is the file at path still the one of stamp? */
bool trust_unchanged(const char *path, const struct stamp *stamp);

#endif
