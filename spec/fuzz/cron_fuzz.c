#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/cron.h"

/* Any bytes as an expression. What is accepted comes, after every moment, and fits its fields. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(bool fine)
{
	if (!fine)
		abort();
}

static void check_fields(const struct cron *cron, int64_t at)
{
	time_t time = (time_t)at;
	struct tm tm;
	bool day, weekday;

	gmtime_r(&time, &tm);
	day = cron->days >> tm.tm_mday & 1;
	weekday = cron->weekdays >> tm.tm_wday & 1;
	check(tm.tm_sec == 0);
	check(cron->minutes >> tm.tm_min & 1);
	check(cron->hours >> tm.tm_hour & 1);
	check(cron->months >> (tm.tm_mon + 1) & 1);
	check(cron->either_day ? day || weekday : day && weekday);
}

static void check_times(const struct cron *cron, int64_t after)
{
	int64_t utc = cron_next(cron, after, true), local = cron_next(cron, after, false);

	check(utc > after);
	check(local > after || (local == -1 && cron->wildcard));
	check_fields(cron, utc);
	/* Nothing lies between: what comes after the second before it is the same. */
	check(cron_next(cron, utc - 1, true) == utc);
	check(local == -1 || cron_next(cron, local - 1, false) == local);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	/* 1970, leap days, both changes of the clocks of 2026, 2038, the year 2100. */
	static const int64_t moments[] = {0,          951782400,  1774744199, 1792886340,
					  1792890000, 2147483647, 4102444800};
	char *text = malloc(size + 1);
	struct cron cron;
	struct err err = {0};

	if (!text)
		return 0;
	/* Rules as text: there is no file of zones to read. */
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	memcpy(text, bytes, size);
	text[size] = 0;
	if (cron_parse(&cron, text, &err) < 0)
		check(strncmp(err.what, "cron: ", 6) == 0);
	else
		for (size_t i = 0; i < sizeof moments / sizeof *moments; i++)
			check_times(&cron, moments[i]);
	free(text);
	return 0;
}
