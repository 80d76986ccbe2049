#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "load.h"

#define HEAD "HTTP/1.1 200 OK\r\nDate: x\r\ncontent-LENGTH: 6\r\n\r\n"

static const struct options hello = {.body = "hello\n"};

static ssize_t check(const char *bytes)
{
	return answer_check(&hello, bytes, strlen(bytes));
}

static void a_whole_answer_is_as_long_as_its_head_and_body(void **state)
{
	(void)state;
	assert_int_equal(check(HEAD "hello\n"), sizeof HEAD - 1 + 6);
	assert_int_equal(check(HEAD "hello\n" HEAD "hello\n"), sizeof HEAD - 1 + 6);
}

static void every_beginning_of_an_answer_is_a_part(void **state)
{
	static const char answer[] = HEAD "hello\n";

	(void)state;
	for (size_t length = 0; length < sizeof answer - 1; length++) {
		char *bytes = malloc(length ? length : 1); /* what is read beyond it is found */

		assert_non_null(bytes);
		memcpy(bytes, answer, length);
		assert_int_equal(answer_check(&hello, bytes, length), ANSWER_PARTIAL);
		free(bytes);
	}
}

static void what_is_not_the_expected_answer_is_wrong(void **state)
{
	(void)state;
	assert_int_equal(check("HTTP/1.1 404 Not Found\r\n\r\n"), ANSWER_WRONG);
	assert_int_equal(check("garbage"), ANSWER_WRONG);
	assert_int_equal(check("HTTP/1.1 200 OK\r\nDate: x\r\n\r\nhello\n"), ANSWER_WRONG);
	assert_int_equal(check(HEAD "hallo\n"), ANSWER_WRONG);
	assert_int_equal(check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), ANSWER_WRONG);
}

static void a_body_may_have_to_contain_a_text_only(void **state)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"a\":123}";
	struct options options = {.body = "\"a\":123", .contains = true};

	(void)state;
	assert_int_equal(answer_check(&options, answer, sizeof answer - 1), sizeof answer - 1);
	options.body = "\"a\":124";
	assert_int_equal(answer_check(&options, answer, sizeof answer - 1), ANSWER_WRONG);
}

static void percentiles_are_right_to_a_sixteenth(void **state)
{
	static struct latency latency;

	(void)state;
	for (uint64_t i = 1; i <= 100000; i++)
		latency_add(&latency, i * 1000);
	assert_in_range(latency_at(&latency, 0.5), 50000000, 53200000);
	assert_in_range(latency_at(&latency, 0.99), 99000000, 100000000);
	assert_int_equal(latency_at(&latency, 1.0), 100000000);
	assert_int_equal(latency.total, 100000);
}

static void the_longest_times_have_a_place_too(void **state)
{
	static struct latency latency;

	(void)state;
	latency_add(&latency, UINT64_MAX);
	latency_add(&latency, 0);
	assert_int_equal(latency_at(&latency, 0.9), UINT64_MAX);
	assert_int_equal(latency_at(&latency, 0.0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_whole_answer_is_as_long_as_its_head_and_body),
	    cmocka_unit_test(every_beginning_of_an_answer_is_a_part),
	    cmocka_unit_test(what_is_not_the_expected_answer_is_wrong),
	    cmocka_unit_test(a_body_may_have_to_contain_a_text_only),
	    cmocka_unit_test(percentiles_are_right_to_a_sixteenth),
	    cmocka_unit_test(the_longest_times_have_a_place_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
