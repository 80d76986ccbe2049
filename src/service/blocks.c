#include "service/blocks.h"

#include <stdlib.h>
#include <string.h>

/* Memory that nobody uses is kept up to here. Under the address sanitizer none is: it has to see
 * each block come and go. */
#ifdef __SANITIZE_ADDRESS__
enum { KEPT_MOST = 0 };
#else
enum { KEPT_MOST = 256 << 10 };
#endif

static size_t class_of(size_t size)
{
	return (size - 1) / BLOCK_STEP;
}

void *blocks_take(struct block_cache *blocks, size_t size)
{
	size_t class = class_of(size);
	void *block;

	if (size > BLOCK_MOST)
		return malloc(size);
	block = blocks->free[class];
	if (!block)
		return malloc((class + 1) * BLOCK_STEP);
	blocks->free[class] = *(void **)block;
	blocks->kept -= (class + 1) * BLOCK_STEP;
	return block;
}

void blocks_give(struct block_cache *blocks, void *block, size_t size)
{
	size_t class = class_of(size);

	if (size > BLOCK_MOST || blocks->kept + size > KEPT_MOST) {
		free(block);
		return;
	}
	*(void **)block = blocks->free[class];
	blocks->free[class] = block;
	blocks->kept += (class + 1) * BLOCK_STEP;
}

void *blocks_resize(struct block_cache *blocks, void *block, size_t before, size_t after)
{
	void *fresh;

	if (before > BLOCK_MOST && after > BLOCK_MOST)
		return realloc(block, after);
	if (before <= BLOCK_MOST && after <= BLOCK_MOST && class_of(before) == class_of(after))
		return block;
	fresh = blocks_take(blocks, after);
	if (!fresh) /* Lua relies on it that less can be had: the block is only too large */
		return after < before ? block : NULL;
	memcpy(fresh, block, before < after ? before : after);
	blocks_give(blocks, block, before);
	return fresh;
}

void blocks_finish(struct block_cache *blocks)
{
	for (size_t class = 0; class < BLOCK_CLASSES; class ++) {
		while (blocks->free[class]) {
			void *block = blocks->free[class];

			blocks->free[class] = *(void **)block;
			free(block);
		}
	}
	blocks->kept = 0;
}
