#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "host/frame.h"

static void test_a_frame_survives_a_round_trip(void **state)
{
	unsigned char bytes[FRAME_HEAD + 6];
	struct frame frame;

	(void)state;
	frame_head(bytes, FRAME_REQUEST, 6);
	memcpy(bytes + FRAME_HEAD, "status", 6);
	assert_memory_equal(bytes, "\0\0\0\x07Q", 5);
	assert_int_equal(frame_parse(&frame, bytes, sizeof bytes, CONTROL_FRAME_MAX), sizeof bytes);
	assert_int_equal(frame.type, FRAME_REQUEST);
	assert_int_equal(frame.length, 6);
	assert_memory_equal(frame.payload, "status", 6);
}

static void test_a_split_frame_waits_for_its_rest(void **state)
{
	unsigned char bytes[FRAME_HEAD + 6];
	struct frame frame;

	(void)state;
	frame_head(bytes, FRAME_OUTPUT, 6);
	memcpy(bytes + FRAME_HEAD, "abcdef", 6);
	for (size_t have = 0; have < sizeof bytes; have++)
		assert_int_equal(frame_parse(&frame, bytes, have, CONTROL_FRAME_MAX), 0);
}

static void test_a_frame_without_payload_is_one(void **state)
{
	unsigned char bytes[FRAME_HEAD];
	struct frame frame;

	(void)state;
	frame_head(bytes, FRAME_END, 0);
	assert_int_equal(frame_parse(&frame, bytes, sizeof bytes, 1), FRAME_HEAD);
	assert_int_equal(frame.length, 0);
}

static void test_an_empty_an_oversized_and_an_unknown_frame_are_refused(void **state)
{
	struct frame frame;

	(void)state;
	assert_int_equal(frame_parse(&frame, (const unsigned char *)"\0\0\0\0", 4, 10), -1);
	assert_int_equal(frame_parse(&frame, (const unsigned char *)"\0\0\0\x0b", 4, 10), -1);
	assert_int_equal(
	    frame_parse(&frame, (const unsigned char *)"\xff\xff\xff\xff", 4, CONTROL_FRAME_MAX),
	    -1);
	assert_int_equal(frame_parse(&frame, (const unsigned char *)"\0\0\0\1X", 5, 10), -1);
}

static void test_the_longest_payload_makes_the_longest_frame(void **state)
{
	static unsigned char bytes[FRAME_HEAD + FRAME_PAYLOAD_MAX];
	struct frame frame;

	(void)state;
	frame_head(bytes, FRAME_OUTPUT, FRAME_PAYLOAD_MAX);
	assert_int_equal(frame_parse(&frame, bytes, sizeof bytes, CONTROL_FRAME_MAX), sizeof bytes);
	assert_int_equal(frame_parse(&frame, bytes, sizeof bytes, CONTROL_FRAME_MAX - 1), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_frame_survives_a_round_trip),
	    cmocka_unit_test(test_a_split_frame_waits_for_its_rest),
	    cmocka_unit_test(test_a_frame_without_payload_is_one),
	    cmocka_unit_test(test_an_empty_an_oversized_and_an_unknown_frame_are_refused),
	    cmocka_unit_test(test_the_longest_payload_makes_the_longest_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
