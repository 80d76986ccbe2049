#ifndef LUVD_SERVICE_BLOCKS_H
#define LUVD_SERVICE_BLOCKS_H

#include <stddef.h>

/* Lua's small blocks of memory. Lua frees many at once when it collects, more than malloc(3) keeps
 * at hand, and asks for as many soon after: up to a bound they are kept here, by size. */

enum { BLOCK_STEP = 16, BLOCK_MOST = 1024, BLOCK_CLASSES = BLOCK_MOST / BLOCK_STEP };

struct block_cache {
	void *free[BLOCK_CLASSES]; /* each begins with the address of the next */
	size_t kept;               /* bytes in all of them */
};

/* As malloc and free; size is the one that was asked for. NULL: out of memory. */
void *blocks_take(struct block_cache *blocks, size_t size);
void blocks_give(struct block_cache *blocks, void *block, size_t size);
/* As realloc. Both sizes are more than 0. */
void *blocks_resize(struct block_cache *blocks, void *block, size_t before, size_t after);
/* Frees what is kept. */
void blocks_finish(struct block_cache *blocks);

#endif
