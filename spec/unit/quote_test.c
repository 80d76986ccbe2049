#include "spec/quote.h"

#include "spec_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The line of an error: which one, and where its caret stands. */

static struct source source = {.path = "/srv/echo/echo.lua", .shown = "etc/echo.lua"};

static char *quote(const char *text, const struct err *err)
{
	struct module modules[] = {
	    {.path = "/srv/echo/echo.lua", .text = (char *)text, .length = strlen(text)},
	    {.path = "/srv/echo/room.lua", .text = "room", .length = 4},
	    {.path = "/usr/lib/lua/5.4/c.so", .kind = MODULE_C}};

	return quote_make(&source, modules, 3, err);
}

static void assert_quotes(const char *text, const struct err *err, const char *expected)
{
	char *told = quote(text, err);

	assert_non_null(told);
	assert_string_equal(told, expected);
	free(told);
}

static void the_caret_stands_at_a_value_where_a_key_has_one(void **state)
{
	struct err err = {.where = "etc/echo.lua:2", .key = "umask", .what = "expected x, got 22"};

	(void)state;
	assert_quotes("return {\n  umask = 22,\n}", &err,
		      "    2 |   umask = 22,\n      |           ^\n");
}

static void the_caret_stands_at_a_key_that_nobody_knows(void **state)
{
	struct err err = {.where = "etc/echo.lua:1", .key = "limits.nofle", .what = "no such key"};

	(void)state;
	assert_quotes("limits = { nofle = 1 }", &err,
		      "    1 | limits = { nofle = 1 }\n      |            ^\n");
}

static void a_key_is_looked_for_behind_those_above_it(void **state)
{
	struct err err = {
	    .where = "etc/echo.lua:1", .key = "listen.b.address", .what = "expected x, got 2"};

	(void)state;
	assert_quotes("a = { address = 1 }, b = { [\"address\"] = 2 }", &err,
		      "    1 | a = { address = 1 }, b = { [\"address\"] = 2 }\n"
		      "      |                                          ^\n");
}

static void a_token_that_stands_twice_is_not_guessed(void **state)
{
	struct err err = {.where = "etc/echo.lua:1", .what = "unexpected symbol near ','"};

	(void)state;
	assert_quotes("  a = { 1,, 2, }", &err, "    1 |   a = { 1,, 2, }\n      |   ^\n");
	snprintf(err.what, sizeof err.what, "'}' expected near 'b'");
	assert_quotes("  a b", &err, "    1 |   a b\n      |     ^\n");
	snprintf(err.what, sizeof err.what, "unfinished string near <eof>");
	assert_quotes("  a b", &err, "    1 |   a b\n      |      ^\n");
}

static void a_tab_takes_four_columns_and_a_character_one(void **state)
{
	struct err err = {.where = "etc/echo.lua:1", .key = "x", .what = "expected y, got 1"};

	(void)state;
	assert_quotes("\té = 2, x = 1", &err,
		      "    1 |     é = 2, x = 1\n      |                ^\n");
}

static void what_would_act_on_a_terminal_is_escaped(void **state)
{
	struct err err = {.where = "etc/echo.lua:1", .key = "x", .what = "expected y, got 1"};

	(void)state;
	assert_quotes("--\x1b[2J\x9b\r\nx", &err, "    1 | --\\x1b[2J\\x9b\n      | ^\n");
	assert_quotes("--[[\x1b]] x = 1", &err,
		      "    1 | --[[\\x1b]] x = 1\n      |                ^\n");
}

static void of_a_long_line_the_part_around_the_caret_is_shown(void **state)
{
	struct err err = {.where = "etc/echo.lua:1", .key = "x", .what = "expected y, got 1"};
	char text[4096], *told, *caret, *one;

	(void)state;
	memset(text, 'a', sizeof text);
	memcpy(text + 2000, " x = 1 ", 7);
	text[sizeof text - 1] = 0;
	told = quote(text, &err);
	assert_non_null(told);
	assert_true(strlen(told) < 300);
	one = strchr(told + 8, '1');
	caret = strchr(told, '^');
	assert_int_equal(one - told, caret - strchr(told, '\n') - 1);
	free(told);
}

static void an_empty_line_is_a_line(void **state)
{
	struct err err = {.where = "etc/echo.lua:2", .what = "x"};

	(void)state;
	assert_quotes("a\n\nb", &err, "    2 | \n      | ^\n");
}

static void other_files_of_the_daemon_are_known_by_all_their_names(void **state)
{
	static const char *const names[] = {"etc/room.lua:1: x", "/srv/echo/room.lua:1: x",
					    "...ho/room.lua:1: x"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct err err = {.step = "start"};

		snprintf(err.what, sizeof err.what, "%s", names[i]);
		assert_quotes("", &err, "    1 | room\n      | ^\n");
	}
}

static void nothing_is_shown_of_what_was_not_read(void **state)
{
	static const char *const places[] = {"",
					     "echo.lua",
					     "etc/echo.lua:0",
					     "etc/echo.lua:3",
					     "etc/echo.lua:x",
					     "/etc/passwd:1",
					     "--set user",
					     "/usr/lib/lua/5.4/c.so:1"};

	(void)state;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		struct err err = {.what = "x"};

		snprintf(err.where, sizeof err.where, "%s", places[i]);
		assert_null(quote("a\nb\n", &err));
	}
}

static void quotes_are_taken_out_of_a_text_and_left_in_another(void **state)
{
	char plain[64], full[64], little[8], less[8];

	(void)state;
	quote_split("a\n\x1f  b\n\x1f  ^\nc", plain, full, sizeof plain);
	assert_string_equal(plain, "a\nc");
	assert_string_equal(full, "a\n  b\n  ^\nc");
	quote_split("one two\n\x1fthree\nfour", little, less, sizeof little);
	assert_string_equal(little, "one two");
	assert_string_equal(less, "one two");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_caret_stands_at_a_value_where_a_key_has_one),
	    cmocka_unit_test(the_caret_stands_at_a_key_that_nobody_knows),
	    cmocka_unit_test(a_key_is_looked_for_behind_those_above_it),
	    cmocka_unit_test(a_token_that_stands_twice_is_not_guessed),
	    cmocka_unit_test(a_tab_takes_four_columns_and_a_character_one),
	    cmocka_unit_test(what_would_act_on_a_terminal_is_escaped),
	    cmocka_unit_test(of_a_long_line_the_part_around_the_caret_is_shown),
	    cmocka_unit_test(an_empty_line_is_a_line),
	    cmocka_unit_test(other_files_of_the_daemon_are_known_by_all_their_names),
	    cmocka_unit_test(nothing_is_shown_of_what_was_not_read),
	    cmocka_unit_test(quotes_are_taken_out_of_a_text_and_left_in_another),
	};

	return cmocka_run_group_tests_name("quotes of source lines", tests, NULL, NULL);
}
