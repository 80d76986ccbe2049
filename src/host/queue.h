#ifndef LUVD_HOST_QUEUE_H
#define LUVD_HOST_QUEUE_H

#include <stddef.h>
#include <stdint.h>

/* Formatted lines that wait for the log's sink, oldest first, in a bounded number of bytes. */

struct line {
	struct line *next;
	size_t length;
	size_t offset; /* of these are written */
	char bytes[];
};

enum { QUEUE_SIZE = 1024 * 1024 };

struct queue {
	struct line *head, *last;
	size_t bytes;
	uint64_t dropped; /* lines that found no room, since they were last asked for */
};

struct line *line_make(const char *bytes, size_t length); /* NULL: out of memory */

/* Takes the line, or counts and frees it when there is no room (NULL is counted too). Once one was
 * dropped the queue takes nothing until dropped is 0 again: losses come in one piece. */
void queue_add(struct queue *queue, struct line *line);
struct line *queue_take(struct queue *queue); /* NULL when empty; freed with free(3) */
void queue_finish(struct queue *queue);

#endif
