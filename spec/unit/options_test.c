#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cmd/cmd.h"

/* main's table is not linked here: these two rows are enough for every rule. */
const struct command commands[] = {
    {"start", "FILE [--set KEY=VALUE ...]", "start it",
     OPTION_SET | OPTION_IF_STOPPED | OPTION_NOTIFY_FD | OPTION_AS, true, true, NULL},
    {"logs", "FILE|NAME", "print lines", OPTION_FOLLOW | OPTION_LINES | OPTION_JSON, true, false,
     NULL},
    {"help", "[KEY]", "tell", 0, false, false, NULL},
    {"version", "", "print the version", 0, false, false, NULL},
    {"lua", "[SCRIPT]", "run it", OPTION_RAW, false, false, NULL},
    {"loader", "", NULL, 0, false, false, NULL},
    {NULL, NULL, NULL, 0, false, false, NULL},
};

struct parsed {
	struct options options;
	struct err err;
	int result;
};

static struct parsed parse(const char *name, const char **arguments)
{
	struct parsed parsed = {0};
	const struct command *command = command_find(name, &parsed.err);

	assert_non_null(command);
	parsed.result = options_parse(&parsed.options, command, (char **)arguments, &parsed.err);
	return parsed;
}

#define PARSE(name, ...) parse(name, (const char *[]){__VA_ARGS__, NULL})

static void refused(struct parsed parsed, const char *what)
{
	assert_int_equal(-1, parsed.result);
	assert_int_equal(EXIT_USAGE, parsed.err.exit);
	assert_string_equal(what, parsed.err.what);
	options_finish(&parsed.options);
}

static void a_file_and_its_sets_are_read(void **state)
{
	struct parsed p = PARSE("start", "--set", "a=1", "echo.lua", "--set=b=x=y", "--if-stopped");

	(void)state;
	assert_int_equal(0, p.result);
	assert_string_equal("start", p.options.command);
	assert_string_equal("echo.lua", p.options.file);
	assert_string_equal("a=1", p.options.sets[0]);
	assert_string_equal("b=x=y", p.options.sets[1]);
	assert_null(p.options.sets[2]);
	assert_true(p.options.if_stopped);
	options_finish(&p.options);
}

static void what_is_not_given_has_its_default(void **state)
{
	struct parsed p = PARSE("start", "echo.lua");

	(void)state;
	assert_int_equal(-1, p.options.lines);
	assert_int_equal(-1, p.options.notify_fd);
	assert_null(p.options.sets[0]);
	assert_false(p.options.json || p.options.follow || p.options.as_root || p.options.help);
	options_finish(&p.options);
}

static void short_options_take_their_value_in_both_forms(void **state)
{
	struct parsed p = PARSE("logs", "-f", "-n", "5", "echo");

	(void)state;
	assert_true(p.options.follow);
	assert_int_equal(5, p.options.lines);
	options_finish(&p.options);
	p = PARSE("logs", "-n7", "echo");
	assert_int_equal(7, p.options.lines);
	options_finish(&p.options);
	p = PARSE("logs", "--lines=0", "echo");
	assert_int_equal(0, p.options.lines);
	options_finish(&p.options);
}

static void two_dashes_end_the_options(void **state)
{
	struct parsed p = PARSE("start", "--", "--set");

	(void)state;
	assert_int_equal(0, p.result);
	assert_string_equal("--set", p.options.file);
	options_finish(&p.options);
}

static void help_needs_no_file(void **state)
{
	struct parsed p = PARSE("start", "-h");

	(void)state;
	assert_int_equal(0, p.result);
	assert_true(p.options.help);
	options_finish(&p.options);
	p = PARSE("start", "--help");
	assert_true(p.options.help);
	options_finish(&p.options);
}

static void a_missing_file_is_named(void **state)
{
	(void)state;
	refused(PARSE("start", NULL),
		"start: which daemon? usage: luvd start FILE [--set KEY=VALUE ...]");
}

static void an_unknown_option_has_the_nearest_right_one(void **state)
{
	(void)state;
	refused(PARSE("logs", "--folow", "echo"),
		"unknown logs option '--folow', did you mean '--follow'?");
	refused(PARSE("logs", "--zzzz", "echo"), "unknown logs option '--zzzz'");
	refused(PARSE("logs", "-x", "echo"), "unknown logs option '-x'");
}

static void an_option_of_another_command_is_refused(void **state)
{
	(void)state;
	refused(PARSE("start", "--follow", "echo.lua"), "unknown start option '--follow'");
}

static void a_missing_value_is_named(void **state)
{
	(void)state;
	refused(PARSE("start", "echo.lua", "--set"), "start: a value is missing after '--set'");
	refused(PARSE("logs", "-n"), "logs: a value is missing after '-n'");
}

static void a_wrong_value_is_shown_with_what_was_expected(void **state)
{
	(void)state;
	refused(PARSE("start", "--set", "novalue", "echo.lua"),
		"start: --set: expected KEY=VALUE, got 'novalue'");
	refused(PARSE("start", "--set", "=x", "echo.lua"),
		"start: --set: expected KEY=VALUE, got '=x'");
	refused(PARSE("logs", "--lines", "-3", "echo"), "logs: --lines: expected N, got '-3'");
	refused(PARSE("logs", "--lines", "3x", "echo"), "logs: --lines: expected N, got '3x'");
	refused(PARSE("logs", "--lines", "99999999999999999999", "echo"),
		"logs: --lines: expected N, got '99999999999999999999'");
	refused(PARSE("start", "--notify-fd", "2", "echo.lua"),
		"start: --notify-fd: expected N, got '2'");
	refused(PARSE("start", "--as", "www", "echo.lua"), "start: --as: expected root, got 'www'");
}

static void a_flag_takes_no_value(void **state)
{
	(void)state;
	refused(PARSE("logs", "--json=yes", "echo"),
		"unknown logs option '--json=yes', did you mean '--json'?");
	refused(PARSE("logs", "-fx", "echo"), "unknown logs option '-fx'");
}

static void a_second_file_is_unexpected(void **state)
{
	(void)state;
	refused(PARSE("start", "a.lua", "b.lua"), "start: unexpected argument 'b.lua'");
	refused(PARSE("version", "x"), "version: unexpected argument 'x'");
	refused(PARSE("start", ""), "start: not a file: ''");
}

static void help_takes_a_key(void **state)
{
	struct parsed p = PARSE("help", "umask");

	(void)state;
	assert_int_equal(0, p.result);
	assert_string_equal("umask", p.options.topic);
	assert_null(p.options.file);
	options_finish(&p.options);
}

static void an_unknown_command_has_the_nearest_right_one(void **state)
{
	struct err err = {0};

	(void)state;
	assert_null(command_find("strat", &err));
	assert_int_equal(EXIT_USAGE, err.exit);
	assert_string_equal("unknown command 'strat', did you mean 'start'?", err.what);
	assert_null(command_find("frobnicate", &err));
	assert_string_equal("unknown command 'frobnicate'", err.what);
}

static void a_hidden_command_is_never_proposed(void **state)
{
	struct err err = {0};

	(void)state;
	assert_null(command_find("loadr", &err));
	assert_string_equal("unknown command 'loadr'", err.what);
	assert_non_null(command_find("loader", &err));
}

static void what_a_raw_command_is_given_is_left_to_it(void **state)
{
	struct parsed parsed = PARSE("lua", "-e", "x", "--", "--help");

	(void)state;
	assert_int_equal(0, parsed.result);
	assert_false(parsed.options.help);
	assert_string_equal("-e", parsed.options.words[0]);
	assert_string_equal("--help", parsed.options.words[3]);
	assert_true(PARSE("lua", "--help").options.help);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_file_and_its_sets_are_read),
	    cmocka_unit_test(what_is_not_given_has_its_default),
	    cmocka_unit_test(short_options_take_their_value_in_both_forms),
	    cmocka_unit_test(two_dashes_end_the_options),
	    cmocka_unit_test(help_needs_no_file),
	    cmocka_unit_test(a_missing_file_is_named),
	    cmocka_unit_test(an_unknown_option_has_the_nearest_right_one),
	    cmocka_unit_test(an_option_of_another_command_is_refused),
	    cmocka_unit_test(a_missing_value_is_named),
	    cmocka_unit_test(a_wrong_value_is_shown_with_what_was_expected),
	    cmocka_unit_test(a_flag_takes_no_value),
	    cmocka_unit_test(a_second_file_is_unexpected),
	    cmocka_unit_test(help_takes_a_key),
	    cmocka_unit_test(an_unknown_command_has_the_nearest_right_one),
	    cmocka_unit_test(a_hidden_command_is_never_proposed),
	    cmocka_unit_test(what_a_raw_command_is_given_is_left_to_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
