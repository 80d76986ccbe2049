#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "unit/words.h"

/* What writes into text, which the test frees. */
static char *text;
static size_t length;

static FILE *begin(void)
{
	return open_memstream(&text, &length);
}

static void finish(FILE *out, const char *expected)
{
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void plain_words_need_no_quotes(void **state)
{
	struct err err = {0};
	FILE *out = begin();

	(void)state;
	words_shell(out, "/usr/bin/luvd");
	words_systemd(out, "config.x=5", &err);
	words_logrotate(out, "/var/log/a-b.log", &err);
	finish(out, "/usr/bin/luvdconfig.x=5/var/log/a-b.log");
}

static void a_shell_word_holds_anything(void **state)
{
	FILE *out = begin();

	(void)state;
	words_shell(out, "it's $HOME\n\xff");
	words_shell(out, "");
	finish(out, "'it'\\''s $HOME\n\xff'''");
}

static void an_argument_of_systemd_is_not_expanded(void **state)
{
	struct err err = {0};
	FILE *out = begin();

	(void)state;
	assert_int_equal(words_systemd(out, "a $b %c \"d\" \\e\n\x7f;\xc3\xa9", &err), 0);
	assert_int_equal(words_systemd(out, ";", &err), 0);
	finish(out, "\"a $$b %%c \\\"d\\\" \\\\e\\x0a\\x7f;\xc3\xa9\"\";\"");
}

static void a_path_of_systemd_has_its_prefix_inside_the_quotes(void **state)
{
	struct err err = {0};
	FILE *out = begin();

	(void)state;
	assert_int_equal(words_systemd_path(out, "-", "/srv/$a %b", &err), 0);
	assert_int_equal(words_systemd_path(out, "-", "/run", &err), 0);
	finish(out, "\"-/srv/$a %%b\"-/run");
}

static void bytes_that_are_no_utf8_are_refused(void **state)
{
	struct err err = {0};
	FILE *out = begin();

	(void)state;
	assert_int_equal(words_systemd(out, "a\xff", &err), -1);
	assert_string_equal(err.what, "a unit of systemd cannot hold 'a\\xff': it is not UTF-8");
	assert_int_equal(words_systemd_path(out, "", "/\xff", &err), -1);
	finish(out, "");
}

static void a_path_with_control_characters_is_refused(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(words_check("a unit", "/srv/a\nb", &err), -1);
	assert_string_equal(err.what,
			    "a unit cannot hold '/srv/a\\x0ab': it has a control character");
	assert_int_equal(words_check("a unit", "/srv/a b", &err), 0);
}

static void a_path_of_logrotate_is_no_pattern(void **state)
{
	struct err err = {0};
	FILE *out = begin();

	(void)state;
	assert_int_equal(words_logrotate(out, "/var/log/a *?[b]\\\".log", &err), 0);
	assert_int_equal(words_logrotate(out, "/var/log/{", &err), -1);
	finish(out, "\"/var/log/a \\*\\?\\[b\\]\\\\\\\".log\"");
	assert_non_null(strstr(err.what, "a brace"));
}

static void text_for_people_ends_no_line_and_no_string(void **state)
{
	FILE *out = begin();

	(void)state;
	words_systemd_text(out, "50 %\na\\");
	words_plain(out, "|`a` \"$b\" 'c'\\\n");
	words_systemd_text(out, "|\xff|\xc3\xa9");
	finish(out, "50 %% a | a    b   c   | |  ");
}

static void a_file_becomes_a_uri(void **state)
{
	FILE *out = begin();

	(void)state;
	words_systemd_uri(out, "/etc/a b%.lua");
	finish(out, "file:/etc/a%%20b%%25.lua");
}

static void spans_have_units(void **state)
{
	FILE *out = begin();

	(void)state;
	words_span(out, 35000);
	words_span(out, 250);
	words_span(out, 0);
	finish(out, "35s250msinfinity");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_words_need_no_quotes),
	    cmocka_unit_test(a_shell_word_holds_anything),
	    cmocka_unit_test(an_argument_of_systemd_is_not_expanded),
	    cmocka_unit_test(a_path_of_systemd_has_its_prefix_inside_the_quotes),
	    cmocka_unit_test(bytes_that_are_no_utf8_are_refused),
	    cmocka_unit_test(a_path_with_control_characters_is_refused),
	    cmocka_unit_test(a_path_of_logrotate_is_no_pattern),
	    cmocka_unit_test(text_for_people_ends_no_line_and_no_string),
	    cmocka_unit_test(a_file_becomes_a_uri),
	    cmocka_unit_test(spans_have_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
