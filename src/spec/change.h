#ifndef LUVD_SPEC_CHANGE_H
#define LUVD_SPEC_CHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "spec/spec.h"

/* A change in words. */

/* Adds "config.banner, service" or "nothing has changed" to text. */
void change_tell(char *text, size_t size, const struct change *change);
/* "needs restart: listen.web, user". renewed: keys that take new workers count too. Returns -1. */
int change_needs_restart(const struct change *change, bool renewed, struct err *err);

#endif
