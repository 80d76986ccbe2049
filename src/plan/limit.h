#ifndef LUVD_PLAN_LIMIT_H
#define LUVD_PLAN_LIMIT_H

#include <stdbool.h>
#include <sys/resource.h>

#include "spec/spec.h"

enum { LIMIT_TEXT_MAX = 24 };

/* "50000" or "unlimited"; returns text. */
const char *limit_text(rlim_t value, char text[LIMIT_TEXT_MAX]);
/* nproc counts the threads of the user: it is set when those of luvd itself run (host/pool). */
bool limit_is_late(const struct limit *limit);
/* Sets soft and hard, never silently lower. The error names what was asked and what is allowed. */
int limit_set(const struct spec *spec, const struct limit *limit, struct err *err);
/* The same error without trying: for plan_check. code: errno, or 0. */
int limit_refuse(const struct spec *spec, const struct limit *limit, rlim_t allowed, int code,
		 struct err *err);

#endif
