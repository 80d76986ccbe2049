#ifndef LUVD_PLAN_PROOF_H
#define LUVD_PLAN_PROOF_H

#include "plan/daemon.h"

/* What step audit has proved at the start, read anew from the kernel: a line each, "uid 65534",
 * "capabilities none". -1 with err when the kernel does not answer. */
int proof_tell(const struct daemon *daemon, void (*tell)(void *data, const char *line), void *data,
	       struct err *err);

#endif
