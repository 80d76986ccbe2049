#ifndef LUVD_SERVICE_SCHEDULE_H
#define LUVD_SERVICE_SCHEDULE_H

#include "service/cron.h"

/* When the times of a cron expression are due on a clock that people set, as cron(8) has it:
 * - set forward by at most three hours: what was skipped is due once, at once;
 * - set back by less than three hours: what was due already is not due again, but for wildcards,
 *   which follow the clock when it goes back by a minute or more;
 * - set by more than that: the new time counts.
 * Nothing here knows a loop: wall is the milliseconds of CLOCK_REALTIME, steady those of a clock
 * that nobody sets. */

struct schedule {
	struct cron cron;
	bool utc;
	int64_t due;          /* seconds since the epoch; -1: never */
	int64_t wall, steady; /* when last looked at */
};

/* How long nobody may look away, so that a clock that was set is noticed: milliseconds. */
enum { SCHEDULE_LOOK = 60000 };

/* The first time is after wall. */
void schedule_begin(struct schedule *schedule, int64_t wall, int64_t steady);
/* Is it due now? At most once for each time. */
bool schedule_look(struct schedule *schedule, int64_t wall, int64_t steady);
/* Milliseconds from the last look to the next. */
int64_t schedule_wait(const struct schedule *schedule);

#endif
