#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "service/http/condition.h"
#include "service/http/mime.h"
#include "service/http/reply.h"

/* 1000 bytes, of Sun, 06 Nov 1994 08:49:37 GMT, asked for an hour later. */
enum { MODIFIED = 784111777, SIZE = 1000 };

static struct condition file(void)
{
	return (struct condition){
	    .size = SIZE, .modified = {.tv_sec = MODIFIED, .tv_nsec = 5}, .now = MODIFIED + 3600};
}

static struct condition_field field(const char *text)
{
	return (struct condition_field){text, text ? strlen(text) : 0};
}

static int status(const char *none_match, const char *since)
{
	struct condition condition = file();
	uint64_t first, last;

	condition.none_match = field(none_match);
	condition.modified_since = field(since);
	return condition_status(&condition, &first, &last);
}

static void assert_range(const char *range, const char *expected)
{
	struct condition condition = file();
	uint64_t first = 0, last = 0;
	char text[64];
	int code;

	condition.range = field(range);
	code = condition_status(&condition, &first, &last);
	if (code == 206)
		snprintf(text, sizeof text, "%llu-%llu", (unsigned long long)first,
			 (unsigned long long)last);
	else
		snprintf(text, sizeof text, "%d", code);
	if (strcmp(text, expected) != 0)
		print_error("Range: %s\n", range);
	assert_string_equal(text, expected);
}

static int if_range(const char *value)
{
	struct condition condition = file();
	uint64_t first, last;

	condition.range = field("bytes=0-1");
	condition.if_range = field(value);
	return condition_status(&condition, &first, &last);
}

static time_t date(const char *text)
{
	time_t time = -1;

	return condition_date(field(text), &time) ? time : -1;
}

/* --- the tests --- */

static void test_a_tag_tells_files_apart(void **state)
{
	struct condition condition = file();
	char a[CONDITION_TAG_MAX], b[CONDITION_TAG_MAX];
	size_t length = condition_tag(&condition, a);

	(void)state;
	assert_int_equal(length, strlen(a));
	assert_memory_equal(a, "W/\"", 3);
	condition.modified.tv_nsec++;
	condition_tag(&condition, b);
	assert_string_not_equal(a, b);
	condition = file();
	condition.size++;
	condition_tag(&condition, b);
	assert_string_not_equal(a, b);
}

static void test_a_known_tag_is_not_sent_again(void **state)
{
	struct condition condition = file();
	char tag[CONDITION_TAG_MAX], list[256];

	(void)state;
	condition_tag(&condition, tag);
	assert_int_equal(status(tag, NULL), 304);
	assert_int_equal(status(tag + 2, NULL), 304); /* weakly */
	snprintf(list, sizeof list, "\"a,b\", W/\"c\" ,%s", tag);
	assert_int_equal(status(list, NULL), 304);
	assert_int_equal(status("*", NULL), 304);
	assert_int_equal(status("\"other\"", NULL), 200);
	assert_int_equal(status("W/", NULL), 200);
	assert_int_equal(status("\"open", NULL), 200);
	assert_int_equal(status("", NULL), 200);
}

static void test_a_tag_outweighs_a_date(void **state)
{
	(void)state;
	assert_int_equal(status(NULL, "Sun, 06 Nov 1994 08:49:37 GMT"), 304);
	assert_int_equal(status(NULL, "Sun, 06 Nov 1994 08:49:36 GMT"), 200);
	assert_int_equal(status(NULL, "yesterday"), 200);
	assert_int_equal(status("\"other\"", "Sun, 06 Nov 1994 08:49:37 GMT"), 200);
}

static void test_dates_have_three_forms(void **state)
{
	char text[REPLY_TIME_MAX];

	(void)state;
	assert_int_equal(date("Sun, 06 Nov 1994 08:49:37 GMT"), MODIFIED);
	assert_int_equal(date("Sunday, 06-Nov-94 08:49:37 GMT"), MODIFIED);
	assert_int_equal(date("Sun Nov  6 08:49:37 1994"), MODIFIED);
	*reply_time(text, MODIFIED) = '\0';
	assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_int_equal(date(NULL), -1);
	assert_int_equal(date(""), -1);
	assert_int_equal(date("Sun, 06 Nov 1994 08:49:37 GMTx"), -1);
	assert_int_equal(date("Sun, 06 Nov 1994 08:49:37 CET"), -1);
	assert_int_equal(date("Sunday, 06-Nov- 08:49:37 GMT"), -1);
	assert_int_equal(date("Sun, 06 Nov 1994 08:49"), -1);
	assert_int_equal(date("Sun, 06 No"), -1);
	assert_int_equal(date("Sun, 06 Nix 1994 08:49:37 GMT"), -1);
	assert_int_equal(date("Sun, 06 Nov 1994 24:49:37 GMT"), -1);
	assert_int_equal(date("Sun, 96 Nov 1994 08:49:37 GMT"), -1);
	assert_int_equal(date("Sun, 06 Nov 1994 08:49:37 GMT                                  "
			      "                 "),
			 -1);
}

static void test_one_range_of_bytes_is_given(void **state)
{
	(void)state;
	assert_range("bytes=0-0", "0-0");
	assert_range("bytes=0-499", "0-499");
	assert_range("bytes=500-", "500-999");
	assert_range("bytes=999-5000", "999-999");
	assert_range("bytes=-1", "999-999");
	assert_range("bytes=-5000", "0-999");
	assert_range("bytes=0-18446744073709551609", "0-999");
}

static void test_a_range_beyond_the_file_is_416(void **state)
{
	(void)state;
	assert_range("bytes=1000-", "416");
	assert_range("bytes=1000-2000", "416");
	assert_range("bytes=-0", "416");
}

static void test_other_ranges_are_ignored(void **state)
{
	static const char *const ranges[] = {"bytes=",     "bytes=-",
					     "bytes=a-b",  "bytes=5",
					     "bytes=5-4",  "bytes=0-1,3-4",
					     "lines=0-1",  "bytes 0-1",
					     "bytes=0-1 ", "bytes=+1-2",
					     "bytes=--1",  "bytes=0x1-2",
					     "bytes=1-2-", "bytes=99999999999999999999-"};

	(void)state;
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
		assert_range(ranges[i], "200");
}

static void test_a_range_of_another_file_is_the_whole(void **state)
{
	struct condition condition = file();
	char tag[CONDITION_TAG_MAX];
	uint64_t first, last;

	(void)state;
	condition_tag(&condition, tag);
	assert_int_equal(if_range(NULL), 206);
	assert_int_equal(if_range("Sun, 06 Nov 1994 08:49:37 GMT"), 206);
	assert_int_equal(if_range("Sun, 06 Nov 1994 08:49:38 GMT"), 200);
	assert_int_equal(if_range(tag), 200); /* a weak one proves nothing */
	condition.range = field("bytes=0-1");
	condition.if_range = field("Sun, 06 Nov 1994 08:49:37 GMT");
	condition.now = MODIFIED + 1; /* it may change again within the second */
	assert_int_equal(condition_status(&condition, &first, &last), 200);
}

static void test_types_go_by_the_extension(void **state)
{
	(void)state;
	assert_string_equal(mime_type("a/b.html"), "text/html; charset=utf-8");
	assert_string_equal(mime_type("B.JS"), "text/javascript; charset=utf-8");
	assert_string_equal(mime_type("x.7z"), "application/x-7z-compressed");
	assert_string_equal(mime_type("x.tar.zst"), "application/zstd");
	assert_string_equal(mime_type("x.woff2"), "font/woff2");
	assert_string_equal(mime_type("x.xhtml"), "application/xhtml+xml");
	assert_string_equal(mime_type("html"), "application/octet-stream");
	assert_string_equal(mime_type("a.html/b"), "application/octet-stream");
	assert_string_equal(mime_type("a."), "application/octet-stream");
	assert_string_equal(mime_type(""), "application/octet-stream");
}

/* Whoever can write a file can give it any time. */
static void test_times_beyond_four_digits_of_a_year_are_the_last_and_the_first(void **state)
{
	static const struct {
		time_t time;
		const char *text;
	} rows[] = {{INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT"},
		    {253402300800, "Fri, 31 Dec 9999 23:59:59 GMT"},
		    {-1, "Wed, 31 Dec 1969 23:59:59 GMT"},
		    {INT64_MIN, "Wed, 01 Jan 1000 00:00:00 GMT"}};
	char text[REPLY_TIME_MAX + 32];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		*reply_time(text, rows[i].time) = '\0';
		assert_string_equal(text, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_tag_tells_files_apart),
	    cmocka_unit_test(test_a_known_tag_is_not_sent_again),
	    cmocka_unit_test(test_a_tag_outweighs_a_date),
	    cmocka_unit_test(test_dates_have_three_forms),
	    cmocka_unit_test(test_one_range_of_bytes_is_given),
	    cmocka_unit_test(test_a_range_beyond_the_file_is_416),
	    cmocka_unit_test(test_other_ranges_are_ignored),
	    cmocka_unit_test(test_a_range_of_another_file_is_the_whole),
	    cmocka_unit_test(test_times_beyond_four_digits_of_a_year_are_the_last_and_the_first),
	    cmocka_unit_test(test_types_go_by_the_extension),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
