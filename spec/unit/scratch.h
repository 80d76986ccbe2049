#ifndef LUVD_SPEC_SCRATCH_H
#define LUVD_SPEC_SCRATCH_H

#include "sample.h"

/* A folder of our own with run, var/lib, var/cache and var/log in it, for tests against the real
 * kernel. */
const char *scratch_make(void);
void scratch_remove(void);
/* Is there a file of this name below the folder? */
int scratch_has(const char *name);
/* The path of name below the folder, in one static buffer. */
const char *scratch_path(const char *name);
/* Makes sample->daemon.machine what the real one is, and the spec's ids those of the caller. */
void scratch_probe(struct sample *sample);

#endif
