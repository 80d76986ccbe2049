#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/ring.h"

static int setup(void **state)
{
	static struct ring ring;

	*state = &ring;
	return ring_init(&ring);
}

static int teardown(void **state)
{
	ring_finish(*state);
	return 0;
}

static void test_lines_come_back_in_order_and_once(void **state)
{
	struct ring *ring = *state;
	uint64_t position = 0, lost;
	char bytes[64];

	ring_add(ring, "one\n", 4);
	ring_add(ring, "two\n", 4);
	assert_int_equal(ring_read(ring, &position, bytes, sizeof bytes, &lost), 8);
	assert_memory_equal(bytes, "one\ntwo\n", 8);
	assert_int_equal(lost, 0);
	assert_int_equal(position, 3);
	assert_int_equal(ring_read(ring, &position, bytes, sizeof bytes, &lost), 0);
	ring_add(ring, "three\n", 6);
	assert_int_equal(ring_read(ring, &position, bytes, sizeof bytes, &lost), 6);
}

static void test_only_whole_lines_are_copied(void **state)
{
	struct ring *ring = *state;
	uint64_t position = 0, lost;
	char bytes[6];

	ring_add(ring, "one\n", 4);
	ring_add(ring, "two\n", 4);
	assert_int_equal(ring_read(ring, &position, bytes, sizeof bytes, &lost), 4);
	assert_int_equal(ring_read(ring, &position, bytes, sizeof bytes, &lost), 4);
	assert_memory_equal(bytes, "two\n", 4);
}

static void test_a_line_longer_than_the_reader_is_cut(void **state)
{
	struct ring *ring = *state;
	uint64_t position = 0, lost;
	char bytes[3];

	ring_add(ring, "one\n", 4);
	assert_int_equal(ring_read(ring, &position, bytes, sizeof bytes, &lost), 3);
	assert_int_equal(ring_read(ring, &position, bytes, sizeof bytes, &lost), 0);
}

/* Lines of changing length, so that the end of the ring falls on every part of one. */
static void test_new_lines_push_out_the_oldest_and_readers_learn_how_many(void **state)
{
	struct ring *ring = *state;
	uint64_t position = 1, lost;
	char line[128], bytes[RING_SIZE];
	size_t length;

	for (int i = 1; i <= 5000; i++) {
		length = (size_t)snprintf(line, sizeof line, "%d %.*s\n", i, i % 97,
					  "................................................."
					  "................................................");
		ring_add(ring, line, length);
	}
	length = ring_read(ring, &position, bytes, sizeof bytes, &lost);
	assert_int_equal(lost, ring->first - 1);
	assert_int_equal(position, 5001);
	snprintf(line, sizeof line, "%d ", (int)ring->first);
	assert_memory_equal(bytes, line, strlen(line));
	assert_true(length < RING_SIZE);
	assert_int_equal(bytes[length - 1], '\n');
}

static void test_a_line_longer_than_the_ring_is_cut(void **state)
{
	struct ring *ring = *state;
	static char line[RING_SIZE * 2], bytes[RING_SIZE];
	uint64_t position = 0, lost;

	memset(line, 'x', sizeof line);
	ring_add(ring, "one\n", 4);
	ring_add(ring, line, sizeof line);
	assert_int_equal(ring_read(ring, &position, bytes, sizeof bytes, &lost),
			 RING_SIZE - sizeof(uint32_t));
	assert_int_equal(bytes[0], 'x');
}

static void test_another_ring_goes_on_with_its_lines_and_numbers(void **state)
{
	struct ring *ring = *state, other;
	uint64_t position = 0, lost;
	char bytes[64], **lines;
	size_t length;

	for (int i = 0; i < 5000; i++)
		ring_add(ring, "a line that is not so short\n", 28);
	ring_add(ring, "two\nof one\n", 11);
	lines = ring_lines(ring);
	assert_non_null(lines);
	assert_int_equal(ring_init(&other), 0);
	ring_restore(&other, lines, ring->next);
	assert_int_equal(other.first, ring->first);
	assert_int_equal(other.next, 5002);
	position = 5001;
	length = ring_read(&other, &position, bytes, sizeof bytes, &lost);
	assert_int_equal(length, 11);
	assert_memory_equal(bytes, "two\nof one\n", 11);
	assert_int_equal(lost, 0);
	ring_finish(&other);
	for (size_t i = 0; lines[i]; i++)
		free(lines[i]);
	free(lines);
}

static void test_numbers_that_cannot_be_are_not_believed(void **state)
{
	struct ring *ring = *state;
	char one[] = "one\n", two[] = "two\n", *lines[] = {one, two, NULL};

	ring_restore(ring, lines, 0);
	assert_int_equal(ring->first, 1);
	assert_int_equal(ring->next, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_lines_come_back_in_order_and_once, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(test_only_whole_lines_are_copied, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_a_line_longer_than_the_reader_is_cut, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(
		test_new_lines_push_out_the_oldest_and_readers_learn_how_many, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_a_line_longer_than_the_ring_is_cut, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(test_another_ring_goes_on_with_its_lines_and_numbers,
					    setup, teardown),
	    cmocka_unit_test_setup_teardown(test_numbers_that_cannot_be_are_not_believed, setup,
					    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
