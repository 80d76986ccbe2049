#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "service/cron.h"

/* --- the kit --- */

static void set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

static int64_t moment(const char *text)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);

	assert_non_null(end);
	return timegm(&tm);
}

static struct cron parse(const char *expression)
{
	struct cron cron;
	struct err err = {0};

	if (cron_parse(&cron, expression, &err) < 0)
		print_error("%s: %s\n", expression, err.what);
	assert_string_equal(err.what, "");
	return cron;
}

/* The times after the first one, all in UTC; the list ends with NULL. */
static void assert_times(const char *expression, bool utc, const char *after,
			 const char *const *times)
{
	struct cron cron = parse(expression);
	int64_t at = moment(after);

	for (; *times; times++) {
		char text[32];
		time_t time;
		struct tm tm;

		at = cron_next(&cron, at, utc);
		time = (time_t)at;
		strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", gmtime_r(&time, &tm));
		if (strcmp(text, *times) != 0)
			print_error("'%s' after %s\n", expression, after);
		assert_string_equal(text, *times);
	}
}

#define UTC(expression, after, ...)                                                                \
	assert_times(expression, true, after, (const char *const[]){__VA_ARGS__, NULL})
#define LOCAL(expression, after, ...)                                                              \
	assert_times(expression, false, after, (const char *const[]){__VA_ARGS__, NULL})

static void assert_wrong(const char *expression, const char *what)
{
	struct cron cron;
	struct err err = {0};

	assert_int_equal(cron_parse(&cron, expression, &err), -1);
	assert_string_equal(err.what, what);
}

/* --- expressions --- */

static void test_the_fields_are_minute_hour_day_month_and_weekday(void **state)
{
	(void)state;
	UTC("* * * * *", "2026-11-22 10:00:00", "2026-11-22 10:01:00", "2026-11-22 10:02:00");
	UTC("* * * * *", "2026-12-31 23:59:59", "2027-01-01 00:00:00");
	UTC("5 * * * *", "2026-11-22 10:05:00", "2026-11-22 11:05:00");
	UTC("5 4 * * *", "2026-11-22 04:04:59", "2026-11-22 04:05:00", "2026-11-23 04:05:00");
	UTC("0 0 31 * *", "2026-01-31 00:00:00", "2026-03-31 00:00:00", "2026-05-31 00:00:00");
	UTC("15 14 1 7 *", "2026-11-22 00:00:00", "2027-07-01 14:15:00");
	UTC("30 8 * * 1", "2026-11-22 00:00:00", "2026-11-23 08:30:00", "2026-11-30 08:30:00");
}

static void test_lists_ranges_and_steps_can_be_mixed(void **state)
{
	(void)state;
	UTC("*/20 * * * *", "2026-11-22 10:00:00", "2026-11-22 10:20:00", "2026-11-22 10:40:00",
	    "2026-11-22 11:00:00");
	UTC("0,30-32 9 * * *", "2026-11-22 00:00:00", "2026-11-22 09:00:00", "2026-11-22 09:30:00",
	    "2026-11-22 09:31:00", "2026-11-22 09:32:00", "2026-11-23 09:00:00");
	UTC("0 8-18/5 * * *", "2026-11-22 00:00:00", "2026-11-22 08:00:00", "2026-11-22 13:00:00",
	    "2026-11-22 18:00:00", "2026-11-23 08:00:00");
	UTC("  7\t3   * */6 *  ", "2026-11-22 00:00:00", "2027-01-01 03:07:00",
	    "2027-01-02 03:07:00");
	UTC("5-5 * * * *", "2026-11-22 10:00:00", "2026-11-22 10:05:00", "2026-11-22 11:05:00");
}

static void test_months_and_weekdays_have_names_in_any_case(void **state)
{
	(void)state;
	UTC("0 0 1 feb,Dec *", "2026-11-22 00:00:00", "2026-12-01 00:00:00", "2027-02-01 00:00:00");
	UTC("0 12 * * MON-wed", "2026-11-22 00:00:00", "2026-11-23 12:00:00", "2026-11-24 12:00:00",
	    "2026-11-25 12:00:00", "2026-11-30 12:00:00");
	UTC("0 12 * * fri-sun", "2026-11-22 13:00:00", "2026-11-27 12:00:00", "2026-11-28 12:00:00",
	    "2026-11-29 12:00:00", "2026-12-04 12:00:00");
}

static void test_sunday_is_0_and_7(void **state)
{
	(void)state;
	UTC("0 0 * * 0", "2026-11-22 12:00:00", "2026-11-29 00:00:00");
	UTC("0 0 * * 7", "2026-11-22 12:00:00", "2026-11-29 00:00:00");
	UTC("0 0 * * 6-7", "2026-11-22 12:00:00", "2026-11-28 00:00:00", "2026-11-29 00:00:00",
	    "2026-12-05 00:00:00");
}

static void test_when_both_days_are_restricted_one_is_enough(void **state)
{
	(void)state;
	UTC("0 0 13 * fri", "2026-11-22 00:00:00", "2026-11-27 00:00:00", "2026-12-04 00:00:00",
	    "2026-12-11 00:00:00", "2026-12-13 00:00:00");
	/* A step over all begins with "*": both must fit. */
	UTC("0 0 */10 * fri", "2026-11-22 00:00:00", "2026-12-11 00:00:00", "2027-01-01 00:00:00");
	UTC("0 0 13 * */5", "2026-11-22 00:00:00", "2026-12-13 00:00:00", "2027-06-13 00:00:00");
}

static void test_words_stand_for_expressions(void **state)
{
	(void)state;
	UTC("@hourly", "2026-11-22 10:30:00", "2026-11-22 11:00:00");
	UTC("@daily", "2026-11-22 10:30:00", "2026-11-23 00:00:00");
	UTC("@midnight", "2026-11-22 10:30:00", "2026-11-23 00:00:00");
	UTC("@weekly", "2026-11-23 10:30:00", "2026-11-29 00:00:00");
	UTC("@monthly", "2026-11-22 10:30:00", "2026-12-01 00:00:00");
	UTC("@yearly", "2026-11-22 10:30:00", "2027-01-01 00:00:00", "2028-01-01 00:00:00");
	UTC("@annually", "2026-11-22 10:30:00", "2027-01-01 00:00:00");
}

static void test_leap_days_are_found_over_years_that_have_none(void **state)
{
	(void)state;
	UTC("0 0 29 2 *", "2026-11-22 00:00:00", "2028-02-29 00:00:00", "2032-02-29 00:00:00");
	UTC("0 0 29 2 *", "2096-03-01 00:00:00", "2104-02-29 00:00:00");
	/* Sundays only; 2100 is no leap year. */
	UTC("0 0 29 2 */7", "2076-01-01 00:00:00", "2088-02-29 00:00:00");
}

static void test_errors_name_field_and_value(void **state)
{
	(void)state;
	assert_wrong("61 * * * *", "cron: minute \"61\": expected 0 to 59");
	assert_wrong("0,60 * * * *", "cron: minute \"60\": expected 0 to 59");
	assert_wrong("0 24 * * *", "cron: hour \"24\": expected 0 to 23");
	assert_wrong("0 0 0 * *", "cron: day of month \"0\": expected 1 to 31");
	assert_wrong("0 0 * 13 *", "cron: month \"13\": expected 1 to 12 or jan to dec");
	assert_wrong("0 0 * juno *", "cron: month \"juno\": expected 1 to 12 or jan to dec");
	assert_wrong("0 0 * * 8", "cron: day of week \"8\": expected 0 to 7 or sun to sat");
	assert_wrong("mon 0 * * *", "cron: minute \"mon\": expected 0 to 59");
	assert_wrong("-1 * * * *", "cron: minute \"-1\": expected 0 to 59");
	assert_wrong("1- * * * *", "cron: minute \"1-\": expected 0 to 59");
	assert_wrong("1-2-3 * * * *", "cron: minute \"1-2-3\": expected 0 to 59");
	assert_wrong("1,,2 * * * *", "cron: minute \"\": expected 0 to 59");
	assert_wrong("1, * * * *", "cron: minute \"\": expected 0 to 59");
	assert_wrong("4294967297 * * * *", "cron: minute \"4294967297\": expected 0 to 59");
	assert_wrong("** * * * *", "cron: minute \"**\": expected 0 to 59");
	assert_wrong("30-10 * * * *", "cron: minute \"30-10\": expected a range from low to high");
	assert_wrong("*/0 * * * *", "cron: minute \"*/0\": expected a step from 1 to 59");
	assert_wrong("*/60 * * * *", "cron: minute \"*/60\": expected a step from 1 to 59");
	assert_wrong("*/ * * * *", "cron: minute \"*/\": expected a step from 1 to 59");
	assert_wrong("5/10 * * * *",
		     "cron: minute \"5/10\": expected \"*\" or a range before the step");
}

static void test_what_is_no_expression_is_refused(void **state)
{
	char text[300];

	(void)state;
	assert_wrong("", "cron: \"\": expected 5 fields, got 0");
	assert_wrong("* * * *", "cron: \"* * * *\": expected 5 fields, got 4");
	assert_wrong("* * * * * *", "cron: \"* * * * * *\": expected 5 fields, got 6");
	assert_wrong("@reboot", "cron: \"@reboot\": expected @hourly, @daily, @midnight, @weekly, "
				"@monthly, @yearly or @annually");
	memset(text, '0', sizeof text - 1);
	text[sizeof text - 1] = 0;
	assert_wrong(text, "cron: expected at most 255 bytes, got 299");
}

static void test_a_day_that_never_comes_is_refused(void **state)
{
	(void)state;
	assert_wrong("0 0 30 2 *", "cron: \"0 0 30 2 *\": this day never comes");
	assert_wrong("0 0 31 2,4,6,9,11 *", "cron: \"0 0 31 2,4,6,9,11 *\": this day never comes");
	UTC("0 0 30 2 mon", "2026-11-22 00:00:00", "2027-02-01 00:00:00");
	UTC("0 0 31 2,3 *", "2026-11-22 00:00:00", "2027-03-31 00:00:00");
}

/* --- zones --- */

static void test_local_times_follow_the_zone(void **state)
{
	(void)state;
	set_zone("Europe/Berlin");
	LOCAL("0 6 * * *", "2026-01-10 00:00:00", "2026-01-10 05:00:00", "2026-01-11 05:00:00");
	LOCAL("0 6 * * *", "2026-07-10 00:00:00", "2026-07-10 04:00:00");
	LOCAL("0 0 1 1 *", "2026-07-10 00:00:00", "2026-12-31 23:00:00", "2027-12-31 23:00:00");
	UTC("0 6 * * *", "2026-07-10 00:00:00", "2026-07-10 06:00:00");
	set_zone("Asia/Kolkata"); /* half an hour */
	LOCAL("0 * * * *", "2026-01-10 00:00:00", "2026-01-10 00:30:00", "2026-01-10 01:30:00");
}

/* 29 March 2026: at 01:00 UTC clocks go from 02:00 to 03:00. */
static void test_a_time_that_a_day_skips_comes_right_after_the_gap(void **state)
{
	(void)state;
	set_zone("Europe/Berlin");
	LOCAL("30 2 * * *", "2026-03-28 00:00:00", "2026-03-28 01:30:00", "2026-03-29 01:00:00",
	      "2026-03-30 00:30:00");
	LOCAL("15,45 2 * * *", "2026-03-29 00:59:59", "2026-03-29 01:00:00", "2026-03-30 00:15:00");
	LOCAL("0 2,3 * * *", "2026-03-29 00:00:00", "2026-03-29 01:00:00", "2026-03-30 00:00:00");
	LOCAL("0 3 * * *", "2026-03-29 00:00:00", "2026-03-29 01:00:00", "2026-03-30 01:00:00");
	LOCAL("30 2 29 3 *", "2026-01-01 00:00:00", "2026-03-29 01:00:00", "2027-03-29 00:30:00");
	set_zone("America/New_York"); /* 8 March 2026, 07:00 UTC */
	LOCAL("30 2 * * *", "2026-03-07 12:00:00", "2026-03-08 07:00:00", "2026-03-09 06:30:00");
	set_zone("Australia/Lord_Howe"); /* half an hour: 4 October 2026, 02:00 becomes 02:30 */
	LOCAL("10 2 * * *", "2026-10-03 12:00:00", "2026-10-03 15:30:00", "2026-10-04 15:10:00");
	set_zone("Pacific/Apia"); /* had no 30 December 2011 */
	LOCAL("0 12 30 12 *", "2011-12-01 00:00:00", "2011-12-30 10:00:00", "2012-12-29 22:00:00");
}

/* 25 October 2026: at 01:00 UTC clocks go from 03:00 back to 02:00. */
static void test_a_time_that_a_day_has_twice_comes_once(void **state)
{
	(void)state;
	set_zone("Europe/Berlin");
	LOCAL("30 2 * * *", "2026-10-24 12:00:00", "2026-10-25 00:30:00", "2026-10-26 01:30:00");
	LOCAL("15,45 2 * * *", "2026-10-24 12:00:00", "2026-10-25 00:15:00", "2026-10-25 00:45:00",
	      "2026-10-26 01:15:00");
	LOCAL("0 2,3 * * *", "2026-10-24 12:00:00", "2026-10-25 00:00:00", "2026-10-25 02:00:00",
	      "2026-10-26 01:00:00");
	/* Whoever begins in the second hour. */
	LOCAL("30 2 * * *", "2026-10-25 01:10:00", "2026-10-26 01:30:00");
	LOCAL("0 2 * * *", "2026-10-25 00:59:59", "2026-10-26 01:00:00");
	LOCAL("30 1,3 * * *", "2026-10-25 01:10:00", "2026-10-25 02:30:00");
	set_zone("America/New_York"); /* 1 November 2026, 06:00 UTC */
	LOCAL("30 1 * * *", "2026-10-31 12:00:00", "2026-11-01 05:30:00", "2026-11-02 06:30:00");
}

static void test_wildcards_follow_the_wall_clock(void **state)
{
	(void)state;
	set_zone("Europe/Berlin");
	LOCAL("30 * * * *", "2026-10-25 00:00:00", "2026-10-25 00:30:00", "2026-10-25 01:30:00",
	      "2026-10-25 02:30:00");
	LOCAL("@hourly", "2026-03-29 00:00:00", "2026-03-29 01:00:00", "2026-03-29 02:00:00");
	LOCAL("*/30 2 * * *", "2026-10-25 00:00:00", "2026-10-25 00:30:00", "2026-10-25 01:00:00",
	      "2026-10-25 01:30:00", "2026-10-26 01:00:00");
	/* No 02:xx that day, and a wildcard does not make up for it. */
	LOCAL("*/30 2 * * *", "2026-03-28 12:00:00", "2026-03-30 00:00:00");
	/* The second 02:xx of a day that comes once a year. */
	LOCAL("* 2 25 10 *", "2026-10-25 00:58:30", "2026-10-25 00:59:00", "2026-10-25 01:00:00");
	LOCAL("*/59 2 25 10 *", "2026-10-25 01:58:00", "2026-10-25 01:59:00",
	      "2027-10-25 00:00:00");
}

/* 29 March is the last Sunday of March whenever it is a Sunday. */
static void test_a_wildcard_that_the_zone_always_skips_never_comes(void **state)
{
	struct cron cron = parse("* 2 29 3 */7");

	(void)state;
	set_zone("Europe/Berlin");
	assert_int_equal(cron_next(&cron, moment("2026-01-01 00:00:00"), false), -1);
	UTC("* 2 29 3 */7", "2026-01-01 00:00:00", "2026-03-29 02:00:00");
	LOCAL("0 2 29 3 */7", "2026-01-01 00:00:00", "2026-03-29 01:00:00");
}

static void test_times_always_go_forward_and_fit(void **state)
{
	static const char *const zones[] = {"Europe/Berlin", "America/New_York", "Pacific/Apia",
					    "Australia/Lord_Howe", "Africa/Casablanca"};
	static const char *const expressions[] = {"*/7 * * * *", "13 */3 * * *", "30 2 * * *",
						  "59 23 31 * mon", "0 0-3 */2 1-12 *"};

	(void)state;
	for (size_t z = 0; z < sizeof zones / sizeof *zones; z++) {
		set_zone(zones[z]);
		for (size_t e = 0; e < sizeof expressions / sizeof *expressions; e++) {
			struct cron cron = parse(expressions[e]);
			int64_t at = moment("2011-12-20 00:00:00");

			for (int i = 0; i < 300; i++) {
				int64_t next = cron_next(&cron, at, false);
				time_t time = (time_t)next;
				struct tm tm;

				assert_true(next > at);
				localtime_r(&time, &tm);
				assert_int_equal(tm.tm_sec, 0);
				if (cron.wildcard)
					assert_true(cron.minutes >> tm.tm_min & 1);
				at = next;
			}
		}
	}
}

static int reset_zone(void **state)
{
	(void)state;
	set_zone("UTC");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_teardown(test_##name, reset_zone)
	    TEST(the_fields_are_minute_hour_day_month_and_weekday),
	    TEST(lists_ranges_and_steps_can_be_mixed),
	    TEST(months_and_weekdays_have_names_in_any_case),
	    TEST(sunday_is_0_and_7),
	    TEST(when_both_days_are_restricted_one_is_enough),
	    TEST(words_stand_for_expressions),
	    TEST(leap_days_are_found_over_years_that_have_none),
	    TEST(errors_name_field_and_value),
	    TEST(what_is_no_expression_is_refused),
	    TEST(a_day_that_never_comes_is_refused),
	    TEST(local_times_follow_the_zone),
	    TEST(a_time_that_a_day_skips_comes_right_after_the_gap),
	    TEST(a_time_that_a_day_has_twice_comes_once),
	    TEST(wildcards_follow_the_wall_clock),
	    TEST(a_wildcard_that_the_zone_always_skips_never_comes),
	    TEST(times_always_go_forward_and_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
