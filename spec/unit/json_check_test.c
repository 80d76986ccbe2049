#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "host/json_check.h"

static void test_json_on_one_line_is_json(void **state)
{
	static const char *const right[] = {
	    "0",
	    "-0",
	    "12.5e+3",
	    "1E9",
	    "true",
	    "false",
	    "null",
	    "\"\"",
	    "\"a\\n\\u00e4\\\\\"",
	    "\"\xc3\xa4\"",
	    "[]",
	    "{}",
	    "[1, 2,[3]]",
	    " [ ] ",
	    "{\"a\": {\"b\": []}, \"c\":null}",
	    "[{},[],\"x\"]",
	    "{\"a\":[{\"b\":1}]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof right / sizeof *right; i++)
		if (!json_is_one_line(right[i], strlen(right[i])))
			fail_msg("%s is JSON", right[i]);
}

static void test_everything_else_is_none(void **state)
{
	static const char *const wrong[] = {
	    "",          " ",          "01",       "-",
	    "1.",        ".5",         "1e",       "+1",
	    "nul",       "truex",      "NaN",      "\"",
	    "\"a",       "a",          "\"\\x\"",  "\"\\u12g4\"",
	    "\"\\u123",  "\"\\",       "\"a\nb\"", "\"\x7f\"",
	    "\"\xff\"",  "\"\xc3\"",   "[",        "[1",
	    "[1,",       "[1,]",       "[,1]",     "[1 2]",
	    "]",         "[}",         "{",        "{\"a\"}",
	    "{\"a\":}",  "{\"a\":1,}", "{a:1}",    "{1:2}",
	    "{\"a\":1]", "1 2",        "1,2",      "[]]",
	    "1\n",       "[1,\n2]",    "\t1",      "{\"a\":1 \"b\":2}",
	    "{\"a\" 1}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (json_is_one_line(wrong[i], strlen(wrong[i])))
			fail_msg("%s is no JSON", wrong[i]);
	assert_false(json_is_one_line("1\0", 2));
	assert_false(json_is_one_line("\"\\\0\"", 4));
	assert_false(json_is_one_line("\"\\u\0\0\0\0\"", 8));
}

static void test_what_follows_the_bytes_is_not_read(void **state)
{
	(void)state;
	assert_true(json_is_one_line("[1]]", 3));
	assert_false(json_is_one_line("true", 3));
	assert_false(json_is_one_line("\"\xc3\xa4\"", 2));
}

static void test_depth_has_a_bound(void **state)
{
	char bytes[2 * (JSON_CHECK_DEPTH + 1)];

	(void)state;
	memset(bytes, '[', JSON_CHECK_DEPTH + 1);
	memset(bytes + JSON_CHECK_DEPTH + 1, ']', JSON_CHECK_DEPTH + 1);
	assert_false(json_is_one_line(bytes, sizeof bytes));
	assert_true(json_is_one_line(bytes + 1, sizeof bytes - 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_json_on_one_line_is_json),
	    cmocka_unit_test(test_everything_else_is_none),
	    cmocka_unit_test(test_what_follows_the_bytes_is_not_read),
	    cmocka_unit_test(test_depth_has_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
