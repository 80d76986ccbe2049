#ifndef LUVD_HOST_OUTPUT_H
#define LUVD_HOST_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* What the process writes to fd 1 and 2, cut into lines. */

enum { OUTPUT_LINE_MAX = 4096 }; /* a longer line becomes several */

struct output {
	char bytes[OUTPUT_LINE_MAX];
	size_t have;
};

/* Reads what is there from fd, at most once, without waiting, and tells each complete line (without
 * its newline; empty ones are left out). 1: something was read; 0: nothing there; -1: the end. */
int output_read(struct output *output, int fd, void (*tell)(void *, const char *, size_t),
		void *data);
/* Tells what is left without a newline. */
void output_flush(struct output *output, void (*tell)(void *, const char *, size_t), void *data);

#endif
