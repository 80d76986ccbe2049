#ifndef LUVD_SERVICE_CRON_H
#define LUVD_SERVICE_CRON_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "err.h"

/* The times of crontab(5): minute, hour, day of month, month, day of week. Each set has a bit for
 * each value that it holds. */
struct cron {
	uint64_t minutes, hours, days, months;
	uint64_t weekdays; /* 0 is Sunday, and never 7 */
	bool either_day;   /* neither field of days begins with "*": one that fits is enough */
	bool wildcard;     /* minute or hour begins with "*": see cron_next */
};

enum { CRON_TEXT_MAX = 255 };

/* Fields have numbers, ranges "1-5", lists "1,5", steps "0-30/10" and names ("mon", "jan") in any
 * case; 7 is Sunday too; "@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly" and
 * "@annually" stand for whole expressions. -1: err->what names the field and the value, as in
 *   cron: minute "61": expected 0 to 59
 * An expression that never comes (30 February) is wrong too. */
int cron_parse(struct cron *cron, const char *text, struct err *err);

/* The first time after the given one, in seconds since the epoch; -1: none in 40 years (a wildcard
 * of a time that the zone always skips). In local time (the zone that tzset(3) has read) unless
 * utc. Where a zone changes its clocks, as cron(8): a time that a day skips comes right after the
 * gap, one that a day has twice comes the first time; with a wildcard in minute or hour just the
 * wall clock counts. */
int64_t cron_next(const struct cron *cron, int64_t after, bool utc);

#endif
