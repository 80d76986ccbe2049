#include "spec/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_SIZE = 8192 };

struct chunk {
	struct chunk *next;
	size_t used, size;
	alignas(max_align_t) unsigned char bytes[];
};

struct arena {
	struct chunk *chunks; /* the one being filled first */
};

struct arena *arena_create(void)
{
	return calloc(1, sizeof(struct arena));
}

void arena_destroy(struct arena *arena)
{
	if (!arena)
		return;
	for (struct chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(arena);
}

static struct chunk *add_chunk(struct arena *arena, size_t size)
{
	size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
	struct chunk *chunk = calloc(1, sizeof *chunk + room);

	if (!chunk)
		return NULL;
	chunk->size = room;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	return chunk;
}

void *arena_try(struct arena *arena, size_t size)
{
	const size_t unit = alignof(max_align_t);
	struct chunk *chunk = arena->chunks;
	void *bytes;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + unit - 1) / unit * unit;
	if (!chunk || chunk->size - chunk->used < size)
		chunk = add_chunk(arena, size);
	if (!chunk)
		return NULL;
	bytes = chunk->bytes + chunk->used;
	chunk->used += size;
	return bytes;
}

int arena_reserve(struct arena *arena, size_t size)
{
	const struct chunk *chunk = arena->chunks;

	if (size > SIZE_MAX / 2)
		return -1;
	return (chunk && chunk->size - chunk->used >= size) || add_chunk(arena, size) ? 0 : -1;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	void *bytes = arena_try(arena, size);

	if (!bytes) {
		fputs("luvd: out of memory\n", stderr);
		_Exit(1);
	}
	return bytes;
}

char *arena_text(struct arena *arena, const char *text)
{
	size_t size = text ? strlen(text) + 1 : 0;

	return text ? memcpy(arena_alloc(arena, size), text, size) : NULL;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text, *copy;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	copy = arena_text(arena, length < 0 ? "" : text);
	if (length >= 0)
		free(text);
	return copy;
}
