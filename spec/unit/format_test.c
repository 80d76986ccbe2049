#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "format.h"

static struct format format_of(enum form form)
{
	return (struct format){.form = form, .name = "echo", .pid = 4711, .facility = LOG_DAEMON};
}

static struct entry entry_of(const char *message)
{
	return (struct entry){.time = {1795354805, 123456789},
			      .level = LEVEL_INFO,
			      .message = message,
			      .length = strlen(message)};
}

static void assert_formats(const struct format *format, const struct entry *entry, const char *text)
{
	char *bytes = NULL;
	size_t length;
	FILE *out = open_memstream(&bytes, &length);

	format_entry(out, format, entry);
	fclose(out);
	assert_string_equal(bytes, text);
	assert_int_equal(length, strlen(text));
	free(bytes);
}

static const struct log_field fields[] = {
    {"peer", false, "10.0.0.1", 8},
    {"reason", false, "not found", 9},
    {"count", true, "3", 1},
    {"name", false, "", 0},
};

static void test_a_text_line_has_time_level_name_and_pid(void **state)
{
	struct format format = format_of(FORM_TEXT);
	struct entry entry = entry_of("message");

	(void)state;
	assert_formats(&format, &entry, "2026-11-22T13:40:05.123Z info  echo[4711]: message\n");
}

static void test_fields_are_quoted_when_they_must_be(void **state)
{
	struct format format = format_of(FORM_TEXT);
	struct entry entry = entry_of("message");

	(void)state;
	entry.fields = fields;
	entry.count = 4;
	assert_formats(&format, &entry,
		       "2026-11-22T13:40:05.123Z info  echo[4711]: message peer=10.0.0.1 "
		       "reason=\"not found\" count=3 name=\"\"\n");
}

static void test_a_message_cannot_forge_a_line(void **state)
{
	struct format format = format_of(FORM_TEXT);
	struct entry entry = entry_of("a\x1b[2J\r\n2026-11-22T13:40:05.123Z forged\n");

	(void)state;
	assert_formats(&format, &entry,
		       "2026-11-22T13:40:05.123Z info  echo[4711]: a\\x1b[2J\\x0d\n"
		       "    2026-11-22T13:40:05.123Z forged\n");
}

static void test_a_terminal_has_the_time_of_day_and_columns(void **state)
{
	struct format format = format_of(FORM_TERMINAL);
	struct entry entry = entry_of("one\x1b[2J\ntwo");

	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	assert_formats(&format, &entry, "13:40:05.123 info  echo[4711]    one\\x1b[2J\n    two\n");
	entry.pid = 4194304;
	entry.more = "shown\n  7 | x";
	entry.fields = fields;
	entry.count = 1;
	assert_formats(&format, &entry,
		       "13:40:05.123 info  echo[4194304] shown peer=10.0.0.1\n      7 | x\n");
}

static void test_colours_are_ended_before_the_message(void **state)
{
	struct format format = format_of(FORM_TERMINAL);
	struct entry entry = entry_of("message");

	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	format.coloured = true;
	entry.level = LEVEL_ERROR;
	entry.fields = fields;
	entry.count = 1;
	assert_formats(&format, &entry,
		       "\x1b[2m13:40:05.123\x1b[0m \x1b[1;31merror\x1b[0m "
		       "\x1b[2mecho[4711]\x1b[0m    message \x1b[2mpeer=\x1b[0m10.0.0.1\n");
}

static void test_a_traceback_is_indented_below_the_fields(void **state)
{
	struct format format = format_of(FORM_TEXT);
	struct entry entry = entry_of("boom\nstack traceback:\n\t[C]: in ?\n");

	(void)state;
	entry.level = LEVEL_ERROR;
	entry.fields = fields;
	entry.count = 1;
	assert_formats(&format, &entry,
		       "2026-11-22T13:40:05.123Z error echo[4711]: boom peer=10.0.0.1\n"
		       "    stack traceback:\n        [C]: in ?\n");
}

static void test_json_escapes_and_renames_fields_that_would_hide_its_own(void **state)
{
	struct format format = format_of(FORM_JSON);
	struct entry entry = entry_of("a\"\n\x01\xff");

	(void)state;
	entry.fields = fields;
	entry.count = 4;
	assert_formats(
	    &format, &entry,
	    "{\"time\":\"2026-11-22T13:40:05.123Z\",\"level\":\"info\",\"name\":\"echo\","
	    "\"pid\":4711,\"message\":\"a\\\"\\n\\u0001\\ufffd\",\"peer\":\"10.0.0.1\","
	    "\"reason\":\"not found\",\"count\":3,\"name_\":\"\"}\n");
}

static void test_what_is_cut_is_said(void **state)
{
	struct format format = format_of(FORM_TEXT);
	struct entry entry = entry_of("0123456789");

	(void)state;
	entry.limit = 4;
	assert_formats(&format, &entry, "2026-11-22T13:40:05.123Z info  echo[4711]: 0123 cut=6\n");
	format.form = FORM_JSON;
	assert_formats(
	    &format, &entry,
	    "{\"time\":\"2026-11-22T13:40:05.123Z\",\"level\":\"info\",\"name\":\"echo\","
	    "\"pid\":4711,\"message\":\"0123\",\"cut\":6}\n");
}

static void test_a_stream_to_the_journal_has_a_priority_on_each_line(void **state)
{
	struct format format = format_of(FORM_STREAM);
	struct entry entry = entry_of("one\ntwo");

	(void)state;
	entry.level = LEVEL_WARN;
	assert_formats(&format, &entry, "<4>one\n<4>    two\n");
}

static void test_syslog_has_rfc_3164_heads(void **state)
{
	struct format format = format_of(FORM_SYSLOG);
	struct entry entry = entry_of("one\ntwo");

	(void)state;
	assert_formats(
	    &format, &entry,
	    "<30>Nov 22 13:40:05 echo[4711]: one\n<30>Nov 22 13:40:05 echo[4711]:     two\n");
	format.facility = LOG_LOCAL7;
	entry.level = LEVEL_ERROR;
	entry.length = 3;
	assert_formats(&format, &entry, "<187>Nov 22 13:40:05 echo[4711]: one\n");
}

static void test_the_journal_gets_its_own_protocol(void **state)
{
	static const char expected[] =
	    "PRIORITY=6\nSYSLOG_IDENTIFIER=echo\nSYSLOG_PID=4711\n"
	    "LUVD_PEER_ADDRESS=10.0.0.1\nMESSAGE\n\x07\0\0\0\0\0\0\0one\ntwo\n";
	static const struct log_field field = {"peer.address", false, "10.0.0.1", 8};
	struct format format = format_of(FORM_JOURNAL);
	struct entry entry = entry_of("one\ntwo");
	char *bytes = NULL;
	size_t length;
	FILE *out = open_memstream(&bytes, &length);

	(void)state;
	entry.fields = &field;
	entry.count = 1;
	format_entry(out, &format, &entry);
	fclose(out);
	assert_int_equal(length, sizeof expected - 1);
	assert_memory_equal(bytes, expected, length);
	free(bytes);
}

static void test_time_knows_leap_years(void **state)
{
	static const struct {
		time_t seconds;
		const char *text;
	} cases[] = {{0, "1970-01-01T00:00:00.000Z"},
		     {951782400, "2000-02-29T00:00:00.000Z"},
		     {1709251199, "2024-02-29T23:59:59.000Z"},
		     {4107542400, "2100-03-01T00:00:00.000Z"}};
	char text[FORMAT_TIME_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct timespec time = {cases[i].seconds, 0};

		assert_string_equal(format_time(text, &time), cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_text_line_has_time_level_name_and_pid),
	    cmocka_unit_test(test_fields_are_quoted_when_they_must_be),
	    cmocka_unit_test(test_a_message_cannot_forge_a_line),
	    cmocka_unit_test(test_a_terminal_has_the_time_of_day_and_columns),
	    cmocka_unit_test(test_colours_are_ended_before_the_message),
	    cmocka_unit_test(test_a_traceback_is_indented_below_the_fields),
	    cmocka_unit_test(test_json_escapes_and_renames_fields_that_would_hide_its_own),
	    cmocka_unit_test(test_what_is_cut_is_said),
	    cmocka_unit_test(test_a_stream_to_the_journal_has_a_priority_on_each_line),
	    cmocka_unit_test(test_syslog_has_rfc_3164_heads),
	    cmocka_unit_test(test_the_journal_gets_its_own_protocol),
	    cmocka_unit_test(test_time_knows_leap_years),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
