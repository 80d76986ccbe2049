#ifndef LUVD_SPEC_LISTEN_H
#define LUVD_SPEC_LISTEN_H

#include "spec/arena.h"
#include "spec/spec.h"

/* An entry of listen that no daemon file holds: the table { address = ..., backlog = ... } by the
 * same rules, defaults included. What it needs lives in the arena; folder is where relative paths
 * start. Errors go to errs, with the option as key; -1 when there are any, or, with none, when
 * memory is out: a service that runs goes on. */
int listen_read(struct arena *arena, const char *folder, const struct value *table,
		struct listen *listen, struct errs *errs);

#endif
