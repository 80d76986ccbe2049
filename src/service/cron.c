#include "service/cron.h"

#include <string.h>

/* 29 February on a given weekday, over a year 2100 that has none. */
enum { YEARS = 40 };
static const int64_t DAY_SECONDS = 86400;

/* --- the calendar --- */

static bool has(uint64_t set, int value)
{
	return set >> value & 1;
}

static bool is_day(const struct cron *cron, const struct tm *tm)
{
	bool of_month = has(cron->days, tm->tm_mday), of_week = has(cron->weekdays, tm->tm_wday);

	return cron->either_day ? of_month || of_week : of_month && of_week;
}

/* Moves tm to the first time of the next month, day, hour or minute, whichever of them is wrong;
 * false: none is. */
static bool advance(const struct cron *cron, struct tm *tm)
{
	if (!has(cron->months, tm->tm_mon + 1)) {
		tm->tm_mon++;
		tm->tm_mday = 1;
		tm->tm_hour = tm->tm_min = 0;
	} else if (!is_day(cron, tm)) {
		tm->tm_mday++;
		tm->tm_hour = tm->tm_min = 0;
	} else if (!has(cron->hours, tm->tm_hour)) {
		tm->tm_hour++;
		tm->tm_min = 0;
	} else if (!has(cron->minutes, tm->tm_min)) {
		tm->tm_min++;
	} else {
		return false;
	}
	return true;
}

/* The first time that fits from the given one on, of a calendar without zones. */
static int64_t next_on_calendar(const struct cron *cron, int64_t from)
{
	time_t time = (time_t)((from + 59) / 60 * 60);
	struct tm tm;
	int last;

	if (!gmtime_r(&time, &tm))
		return -1;
	last = tm.tm_year + YEARS;
	while (advance(cron, &tm)) {
		time = timegm(&tm); /* puts tm in order too */
		if (tm.tm_year > last)
			return -1;
	}
	return time;
}

/* --- zones --- */

/* What local clocks are ahead of UTC. */
static int64_t offset(int64_t at, bool utc)
{
	time_t time = (time_t)at;
	struct tm tm;

	return utc || !localtime_r(&time, &tm) ? 0 : tm.tm_gmtoff;
}

/* The first moment in (from, to] with the offset of to, which is not that of from. A zone that
 * changes its clocks twice in a day is not known. */
static int64_t find_change(int64_t from, int64_t to)
{
	int64_t after = offset(to, false);

	while (to - from > 1) {
		int64_t middle = from + (to - from) / 2;

		if (offset(middle, false) == after)
			to = middle;
		else
			from = middle;
	}
	return to;
}

/* at, or when its local time has been there before: the end of what is there twice. */
static int64_t skip_repeated(int64_t at)
{
	int64_t back = offset(at - DAY_SECONDS, false) - offset(at, false);
	int64_t end;

	if (back <= 0)
		return at;
	end = find_change(at - DAY_SECONDS, at) + back;
	return at < end ? end : at;
}

/* A day or what is left of it before the clocks change. */
static int64_t end_of_offset(int64_t at, bool utc)
{
	int64_t end = at + DAY_SECONDS;

	return offset(end, utc) == offset(at, utc) ? end : find_change(at, end);
}

int64_t cron_next(const struct cron *cron, int64_t after, bool utc)
{
	bool fixed = !cron->wildcard && !utc;
	int64_t at = after;

	for (;;) {
		int64_t now, wanted, end;

		if (fixed)
			at = skip_repeated(at);
		now = offset(at, utc);
		wanted = next_on_calendar(cron, (at > after ? at : after + 1) + now);
		/* 02:30 on a 29 March that is a Sunday may be skipped in each year that has it. */
		if (wanted < 0 || wanted > after + (int64_t)YEARS * 366 * DAY_SECONDS)
			return -1;
		end = end_of_offset(at, utc);
		if (wanted - now < end)
			return wanted - now;
		if (fixed && wanted < end + offset(end, utc))
			return end; /* the clocks skip it */
		/* What changes on the way does not matter, only what changes near either end. */
		at = offset(end, utc) == now ? wanted - now - 2 * DAY_SECONDS : end;
		if (at < end)
			at = end;
	}
}
