#ifndef LUVD_HOST_MONITOR_VIEW_H
#define LUVD_HOST_MONITOR_VIEW_H

#include "host/monitor/bound.h"

/* The sockets of one generation, in the order of its spec. */

/* What it is bound to, and where it stands: spec->listens[entry].addresses[address]. */
struct use {
	struct bound *bound;
	size_t entry, address;
};

struct view {
	int generation;
	struct use *uses;
	struct listener *list; /* for status, in the same order */
	size_t count;
	struct view *next;
};

struct view *view_create(int generation, struct err *err); /* NULL: out of memory */
/* Its sockets lose a user each, and stay open; accepts NULL. */
void view_destroy(struct view *view);
/* The bound has a user more. -1: out of memory. */
int view_add(struct view *view, struct bound *bound, const struct spec *spec, size_t entry,
	     size_t address, struct err *err);
bool view_has(const struct view *view, const struct bound *bound);
/* Fills list[index] anew from its socket and spec. */
void view_tell(struct view *view, size_t index, const struct spec *spec);

/* All of them: what sockets.c and sockets_state.c share. */
struct sockets {
	uid_t self;
	struct bound *bounds;
	struct view *views; /* youngest first */
};

#endif
