#ifndef LUVD_HOST_TAIL_H
#define LUVD_HOST_TAIL_H

#include <stddef.h>

/* The last lines of a worker, for the line that says how it died. */

enum { TAIL_SIZE = 4096, TAIL_LINE_MAX = 1024 /* bytes; a longer one is cut */ };

struct tail {
	char bytes[TAIL_SIZE]; /* each with a newline */
	size_t have;
};

void tail_add(struct tail *tail, const char *line, size_t length);
/* Whole lines, as many of the last ones as fit, without the last newline. "" when there are none.
 */
void tail_copy(const struct tail *tail, char *text, size_t size);

#endif
