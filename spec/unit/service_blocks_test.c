#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "service/blocks.h"

/* Small blocks of memory that are kept for the next who asks. */

enum { MANY = 3000 };

static void test_every_block_holds_what_was_put_into_it(void **state)
{
	struct block_cache blocks = {0};
	unsigned char *block[MANY];
	size_t size[MANY];

	(void)state;
	srand(1);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < MANY; i++) {
			size[i] = 1 + (size_t)rand() % 1500;
			block[i] = blocks_take(&blocks, size[i]);
			memset(block[i], i & 255, size[i]);
		}
		for (int i = 0; i < MANY; i++) {
			for (size_t k = 0; k < size[i]; k++)
				assert_int_equal(block[i][k], i & 255);
			blocks_give(&blocks, block[i], size[i]);
		}
	}
	blocks_finish(&blocks);
	assert_int_equal(blocks.kept, 0);
}

static void test_a_block_keeps_its_bytes_when_its_size_changes(void **state)
{
	static const size_t sizes[] = {1, 16, 17, 1024, 1025, 5000, 4000, 1025, 1024, 40, 33, 1};
	struct block_cache blocks = {0};
	size_t before = 1;
	char *block = blocks_take(&blocks, before);

	(void)state;
	*block = 'x';
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		block = blocks_resize(&blocks, block, before, sizes[i]);
		assert_non_null(block);
		assert_int_equal(*block, 'x');
		block[sizes[i] - 1] = sizes[i] == 1 ? 'x' : 'y';
		before = sizes[i];
	}
	blocks_give(&blocks, block, before);
	blocks_finish(&blocks);
}

static void test_what_is_kept_is_bounded(void **state)
{
	struct block_cache blocks = {0};
	void *block[MANY];

	(void)state;
	for (int i = 0; i < MANY; i++)
		block[i] = blocks_take(&blocks, 1000);
	for (int i = 0; i < MANY; i++)
		blocks_give(&blocks, block[i], 1000);
	assert_true(blocks.kept <= (256 << 10) + 1024);
	blocks_finish(&blocks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_block_holds_what_was_put_into_it),
	    cmocka_unit_test(test_a_block_keeps_its_bytes_when_its_size_changes),
	    cmocka_unit_test(test_what_is_kept_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
