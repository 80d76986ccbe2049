#ifndef LUVD_SPEC_TEXTS_H
#define LUVD_SPEC_TEXTS_H

#include <stdbool.h>

#include "spec/spec.h"
#include "spec/trust.h"

enum { TEXTS_MAX = 1024, TEXTS_SIZE_MAX = 16 << 20, TEXTS_MISSED_MAX = 256 };

/* The files that one reading of a daemon file has read, in order: the daemon file, what it
 * includes, modules. They become the modules of the spec. */
struct texts {
	const struct source *source;
	struct module *modules;
	struct stamp *stamps; /* of each */
	size_t count, size;   /* files, bytes in all */
	char **missed;        /* paths where none was found, or none that may be read */
	size_t missed_count;
};

/* Reads a file and adds it. name is copied. Returns its index, or -1. */
int texts_add(struct texts *texts, const char *name, const char *path, enum module_kind kind,
	      struct err *err);
/* Nothing that counts was found at path. More than TEXTS_MISSED_MAX are forgotten. */
void texts_miss(struct texts *texts, const char *path);
/* All paths that the reading depended on, for errs->seen. NULL: out of memory. */
char **texts_seen(const struct texts *texts);
/* Has no file changed since it was read? */
bool texts_settled(const struct texts *texts);
void texts_finish(struct texts *texts);
/* The absolute path of name as a file at path names it: relative to that file's folder. NULL: out
 * of memory. The caller frees it. */
char *texts_beside(const char *path, const char *name);

#endif
