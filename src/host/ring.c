#include "host/ring.h"

#include <stdlib.h>
#include <string.h>

int ring_init(struct ring *ring)
{
	*ring = (struct ring){.first = 1, .next = 1};
	ring->bytes = malloc(RING_SIZE);
	return ring->bytes ? 0 : -1;
}

void ring_finish(struct ring *ring)
{
	free(ring->bytes);
	*ring = (struct ring){0};
}

static void copy_in(struct ring *ring, const void *from, size_t length)
{
	size_t at = (ring->start + ring->used) % RING_SIZE;
	size_t part = length < RING_SIZE - at ? length : RING_SIZE - at;

	memcpy(ring->bytes + at, from, part);
	memcpy(ring->bytes, (const char *)from + part, length - part);
	ring->used += length;
}

static void copy_out(const struct ring *ring, size_t offset, void *to, size_t length)
{
	size_t at = (ring->start + offset) % RING_SIZE;
	size_t part = length < RING_SIZE - at ? length : RING_SIZE - at;

	memcpy(to, ring->bytes + at, part);
	memcpy((char *)to + part, ring->bytes, length - part);
}

static uint32_t length_at(const struct ring *ring, size_t offset)
{
	uint32_t length;

	copy_out(ring, offset, &length, sizeof length);
	return length;
}

static void drop_oldest(struct ring *ring)
{
	size_t gone = sizeof(uint32_t) + length_at(ring, 0);

	ring->start = (ring->start + gone) % RING_SIZE;
	ring->used -= gone;
	ring->first++;
}

void ring_add(struct ring *ring, const char *line, size_t length)
{
	uint32_t head;

	if (length > RING_SIZE - sizeof head)
		length = RING_SIZE - sizeof head;
	head = (uint32_t)length;
	while (RING_SIZE - ring->used < sizeof head + length)
		drop_oldest(ring);
	copy_in(ring, &head, sizeof head);
	copy_in(ring, line, length);
	ring->next++;
}

size_t ring_read(const struct ring *ring, uint64_t *position, char *bytes, size_t size,
		 uint64_t *lost)
{
	size_t copied = 0, offset = 0;

	*lost = *position && *position < ring->first ? ring->first - *position : 0;
	if (*position < ring->first)
		*position = ring->first;
	for (uint64_t number = ring->first; number < ring->next; number++) {
		size_t length = length_at(ring, offset);

		if (number >= *position) {
			size_t part = copied == 0 && length > size ? size : length;

			if (part > size - copied)
				break;
			copy_out(ring, offset + sizeof(uint32_t), bytes + copied, part);
			copied += part;
			*position = number + 1;
		}
		offset += sizeof(uint32_t) + length;
	}
	return copied;
}

static char *copy_line(const struct ring *ring, size_t offset)
{
	size_t length = length_at(ring, offset);
	char *line = malloc(length + 1);

	if (!line)
		return NULL;
	copy_out(ring, offset + sizeof(uint32_t), line, length);
	line[length] = 0;
	return line;
}

char **ring_lines(const struct ring *ring)
{
	size_t count = (size_t)(ring->next - ring->first), offset = 0;
	char **lines = calloc(count + 1, sizeof *lines);

	for (size_t i = 0; lines && i < count; i++) {
		lines[i] = copy_line(ring, offset);
		if (!lines[i]) {
			while (i > 0)
				free(lines[--i]);
			free(lines);
			return NULL;
		}
		offset += sizeof(uint32_t) + length_at(ring, offset);
	}
	return lines;
}

void ring_restore(struct ring *ring, char *const *lines, uint64_t next)
{
	uint64_t count = 0;

	while (lines[count])
		count++;
	if (next <= count)
		next = count + 1;
	ring->first = ring->next = next - count;
	for (uint64_t i = 0; i < count; i++)
		ring_add(ring, lines[i], strlen(lines[i]));
}
