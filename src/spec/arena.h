#ifndef LUVD_SPEC_ARENA_H
#define LUVD_SPEC_ARENA_H

#include <stddef.h>

/* Memory that lives and dies with one spec. */
struct arena;

struct arena *arena_create(void); /* NULL: out of memory */
void arena_destroy(struct arena *arena);
/* Zeroed bytes, aligned for anything; NULL: out of memory. */
void *arena_try(struct arena *arena, size_t size);
/* Makes room: the next allocations of size bytes in all, each rounded up to 16, cannot fail. 0 or
 * -1: out of memory. */
int arena_reserve(struct arena *arena, size_t size);
/* As arena_try for the commands that read a daemon file: out of memory ends the process, since a
 * half-read file is of no use to anybody. */
void *arena_alloc(struct arena *arena, size_t size);
char *arena_text(struct arena *arena, const char *text); /* NULL stays NULL */
char *arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
