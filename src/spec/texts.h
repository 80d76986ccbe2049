#ifndef LUVD_SPEC_TEXTS_H
#define LUVD_SPEC_TEXTS_H

#include <stdbool.h>

#include "spec/spec.h"
#include "spec/trust.h"

enum { TEXTS_MAX = 1024, TEXTS_SIZE_MAX = 16 << 20 };

/* The files that one reading of a daemon file has read, in order: the daemon file, what it
 * includes, modules. They become the modules of the spec. */
struct texts {
	const struct source *source;
	struct module *modules;
	struct stamp *stamps; /* of each */
	size_t count, size;   /* files, bytes in all */
};

/* Reads a file and adds it. name is copied. Returns its index, or -1. */
int texts_add(struct texts *texts, const char *name, const char *path, enum module_kind kind,
	      struct err *err);
/* Has no file changed since it was read? */
bool texts_settled(const struct texts *texts);
void texts_finish(struct texts *texts);
/* The absolute path of name as a file at path names it: relative to that file's folder. NULL: out
 * of memory. The caller frees it. */
char *texts_beside(const char *path, const char *name);

#endif
