#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "text.h"

static char *text;
static size_t size;
static FILE *out;

static int open_stream(void **state)
{
	(void)state;
	text = NULL;
	out = open_memstream(&text, &size);
	return out ? 0 : -1;
}

static int close_stream(void **state)
{
	(void)state;
	free(text);
	return 0;
}

static void wrote(const char *expected)
{
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, expected);
}

static void json_escapes_quotes_and_control_characters(void **state)
{
	(void)state;
	text_json(out, "a\"b\\c\n\t\r\x01\x7F\0z", 11);
	wrote("\"a\\\"b\\\\c\\n\\t\\r\\u0001\\u007f\\u0000\"");
}

static void json_keeps_utf8_and_replaces_what_is_none(void **state)
{
	static const char bytes[] = "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80" /* whole */
				    "\xC0\xAF\xED\xA0\x80\xE2\x82";        /* overlong, half, cut */

	(void)state;
	text_json(out, bytes, sizeof bytes - 1);
	wrote("\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"
	      "\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\"");
}

static void a_line_carries_no_control_character_to_a_terminal(void **state)
{
	(void)state;
	text_line(out, "a\x1B[31mb\n\x7F\xC2\x9B\xFFz", 13);
	wrote("a\\x1b[31mb\\x0a\\x7f\\xc2\\x9b\\xffz");
}

static void a_line_cannot_be_made_to_look_escaped(void **state)
{
	(void)state;
	text_line(out, "\\x1b and C:\\temp", 16);
	wrote("\\\\x1b and C:\\temp");
}

static void durations_have_at_most_two_units(void **state)
{
	static const int64_t durations[] = {0, 250, 1000, 90000, 3600000, 93784000};

	(void)state;
	for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
		text_duration(out, durations[i]);
		fputc('|', out);
	}
	wrote("0ms|250ms|1s|1m 30s|1h|1d 2h|");
}

static void sizes_have_the_unit_that_fits(void **state)
{
	static const uint64_t sizes[] = {0, 1023, 1024, 1536, UINT64_C(5) << 20, UINT64_C(3) << 40};

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		text_size(out, sizes[i]);
		fputc('|', out);
	}
	wrote("0 B|1023 B|1 KiB|1.5 KiB|5 MiB|3 TiB|");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_stream, close_stream)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(json_escapes_quotes_and_control_characters),
	    TEST(json_keeps_utf8_and_replaces_what_is_none),
	    TEST(a_line_carries_no_control_character_to_a_terminal),
	    TEST(a_line_cannot_be_made_to_look_escaped),
	    TEST(durations_have_at_most_two_units),
	    TEST(sizes_have_the_unit_that_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
