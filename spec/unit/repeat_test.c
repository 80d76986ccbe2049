#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "host/repeat.h"

static struct entry entry_of(const char *message, const struct log_field *field)
{
	return (struct entry){.level = LEVEL_WARN,
			      .message = message,
			      .length = strlen(message),
			      .fields = field,
			      .count = field ? 1 : 0};
}

static void test_an_equal_entry_is_a_repeat_until_its_time_is_over(void **state)
{
	struct repeat repeat = {0};
	struct entry entry = entry_of("hello", NULL);
	enum log_level level;

	(void)state;
	assert_false(repeat_is(&repeat, &entry, 100));
	repeat_begin(&repeat, &entry, 100);
	assert_int_equal(repeat_until(&repeat), -1);
	assert_true(repeat_is(&repeat, &entry, 101));
	assert_true(repeat_is(&repeat, &entry, 99 + REPEAT_MS));
	assert_int_equal(repeat_until(&repeat), 100 + REPEAT_MS);
	assert_false(repeat_is(&repeat, &entry, 100 + REPEAT_MS));
	assert_int_equal(repeat_end(&repeat, &level), 2);
	assert_int_equal(level, LEVEL_WARN);
	assert_int_equal(repeat_end(&repeat, &level), 0);
	assert_false(repeat_is(&repeat, &entry, 101));
}

static void assert_differ(const struct entry *a, const struct entry *b)
{
	struct repeat repeat = {0};

	repeat_begin(&repeat, a, 0);
	assert_true(repeat_is(&repeat, a, 1));
	assert_false(repeat_is(&repeat, b, 1));
	repeat_begin(&repeat, b, 1);
	assert_true(repeat_is(&repeat, b, 1));
	assert_false(repeat_is(&repeat, a, 1));
	repeat_finish(&repeat);
}

static void test_entries_that_differ_in_anything_are_no_repeats(void **state)
{
	const struct log_field one = {"code", false, "1", 1}, two = {"code", false, "2", 1},
			       raw = {"code", true, "1", 1}, key = {"kode", false, "1", 1},
			       longer = {"code", false, "1\0", 2};
	struct entry plain = entry_of("hello", NULL), with = entry_of("hello", &one);
	struct entry others[] = {entry_of("hello", &two), entry_of("hello", &raw),
				 entry_of("hello", &key), entry_of("hello", &longer),
				 entry_of("hallo", &one), entry_of("hello!", &one),
				 entry_of("", &one),      plain};

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_differ(&with, &others[i]);
	with = plain;
	with.level = LEVEL_ERROR;
	assert_differ(&plain, &with);
}

static void test_a_line_that_is_too_long_is_never_a_repeat(void **state)
{
	struct repeat repeat = {0};
	char *text = malloc(REPEAT_MAX + 1);
	struct entry entry;

	(void)state;
	memset(text, 'x', REPEAT_MAX);
	text[REPEAT_MAX] = 0;
	entry = entry_of(text, NULL);
	repeat_begin(&repeat, &entry, 0);
	assert_false(repeat_is(&repeat, &entry, 1));
	entry.length = REPEAT_MAX - 2 * sizeof(size_t);
	repeat_begin(&repeat, &entry, 0);
	assert_true(repeat_is(&repeat, &entry, 1));
	repeat_finish(&repeat);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_an_equal_entry_is_a_repeat_until_its_time_is_over),
	    cmocka_unit_test(test_entries_that_differ_in_anything_are_no_repeats),
	    cmocka_unit_test(test_a_line_that_is_too_long_is_never_a_repeat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
