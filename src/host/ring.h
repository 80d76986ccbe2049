#ifndef LUVD_HOST_RING_H
#define LUVD_HOST_RING_H

#include <stddef.h>
#include <stdint.h>

/* The last lines, in a fixed number of bytes: a new one pushes out the oldest. Lines are numbered
 * from 1 on. */

enum { RING_SIZE = 65536 };

struct ring {
	char *bytes; /* RING_SIZE; each line behind its length, wrapping around */
	size_t start, used;
	uint64_t first; /* number of the oldest line */
	uint64_t next;  /* number that the next line will have */
};

int ring_init(struct ring *ring); /* -1: out of memory */
void ring_finish(struct ring *ring);
/* A line longer than the ring is cut. */
void ring_add(struct ring *ring, const char *line, size_t length);
/* Copies whole lines from number *position on (0: the oldest) while they fit, moves *position to
 * the line after them and returns the number of bytes. *lost: how many lines between *position and
 * the oldest are gone. The first line is cut when it is longer than size. */
size_t ring_read(const struct ring *ring, uint64_t *position, char *bytes, size_t size,
		 uint64_t *lost);

/* Every line in memory of malloc(3), oldest first, NULL-terminated; NULL: out of memory. */
char **ring_lines(const struct ring *ring);
/* An empty ring gets these lines; next: the number of the line after them. */
void ring_restore(struct ring *ring, char *const *lines, uint64_t next);

#endif
