#include "host/queue.h"

#include <stdlib.h>
#include <string.h>

struct line *line_make(const char *bytes, size_t length)
{
	struct line *line = malloc(sizeof *line + length);

	if (!line)
		return NULL;
	line->next = NULL;
	line->length = length;
	line->offset = 0;
	memcpy(line->bytes, bytes, length);
	return line;
}

static size_t cost(const struct line *line)
{
	return sizeof *line + line->length;
}

void queue_add(struct queue *queue, struct line *line)
{
	if (!line || queue->dropped || queue->bytes + cost(line) > QUEUE_SIZE) {
		queue->dropped++;
		free(line);
		return;
	}
	if (queue->last)
		queue->last->next = line;
	else
		queue->head = line;
	queue->last = line;
	queue->bytes += cost(line);
}

struct line *queue_take(struct queue *queue)
{
	struct line *line = queue->head;

	if (!line)
		return NULL;
	queue->head = line->next;
	if (!queue->head)
		queue->last = NULL;
	queue->bytes -= cost(line);
	line->next = NULL;
	return line;
}

void queue_finish(struct queue *queue)
{
	for (struct line *line; (line = queue_take(queue));)
		free(line);
}
