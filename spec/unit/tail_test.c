#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "host/tail.h"

static struct tail tail;

static int setup(void **state)
{
	(void)state;
	tail = (struct tail){0};
	return 0;
}

static void add(const char *line)
{
	tail_add(&tail, line, strlen(line));
}

static void test_lines_come_in_their_order(void **state)
{
	char text[64] = "before";

	(void)state;
	tail_copy(&tail, text, sizeof text);
	assert_string_equal(text, "");
	add("one");
	add("two\n  more\n");
	add("");
	add("three");
	tail_copy(&tail, text, sizeof text);
	assert_string_equal(text, "one\ntwo\n  more\n\nthree");
}

static void test_what_does_not_fit_begins_later(void **state)
{
	char text[64];

	(void)state;
	add("one");
	add("two");
	tail_copy(&tail, text, 8);
	assert_string_equal(text, "one\ntwo");
	tail_copy(&tail, text, 7);
	assert_string_equal(text, "two");
	tail_copy(&tail, text, 4);
	assert_string_equal(text, "two");
	tail_copy(&tail, text, 3);
	assert_string_equal(text, "");
	tail_copy(&tail, text, 1);
	assert_string_equal(text, "");
}

static void test_the_last_ones_push_out_the_first(void **state)
{
	char line[32], text[TAIL_SIZE + 1], last[64];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		snprintf(line, sizeof line, "line %d", i);
		add(line);
		tail_copy(&tail, text, sizeof text);
		assert_memory_equal(text, "line ", 5);
		snprintf(last, sizeof last, "%s%s", i ? "\n" : "", line);
		assert_string_equal(text + strlen(text) - strlen(last), last);
	}
	assert_true(strlen(text) > TAIL_SIZE - 32);
}

static void test_a_long_line_is_cut(void **state)
{
	char line[3 * TAIL_SIZE], text[TAIL_SIZE + 1];

	(void)state;
	memset(line, 'x', sizeof line);
	add("short");
	for (int i = 0; i < 8; i++)
		tail_add(&tail, line, sizeof line);
	tail_copy(&tail, text, sizeof text);
	assert_int_equal(strlen(text), 3 * (TAIL_LINE_MAX + 1) - 1);
	tail_add(&tail, "end", 3);
	tail_copy(&tail, text, sizeof text);
	assert_string_equal(text + strlen(text) - 4, "\nend");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(test_##name, setup)
	    TEST(lines_come_in_their_order),
	    TEST(what_does_not_fit_begins_later),
	    TEST(the_last_ones_push_out_the_first),
	    TEST(a_long_line_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
