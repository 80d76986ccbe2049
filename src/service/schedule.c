#include "service/schedule.h"

enum { MINUTE_MS = 60 * 1000, CORRECTION_MS = 3 * 3600 * 1000 };

static void count_from(struct schedule *schedule, int64_t wall)
{
	schedule->due = cron_next(&schedule->cron, wall / 1000, schedule->utc);
}

static void note(struct schedule *schedule, int64_t wall, int64_t steady)
{
	schedule->wall = wall;
	schedule->steady = steady;
}

void schedule_begin(struct schedule *schedule, int64_t wall, int64_t steady)
{
	note(schedule, wall, steady);
	count_from(schedule, wall);
}

/* A clock that went back by seconds is being adjusted, and the same minute must not come twice. */
static bool starts_anew(const struct schedule *schedule, int64_t leap)
{
	if (leap > CORRECTION_MS || leap <= -CORRECTION_MS)
		return true;
	return schedule->cron.wildcard && leap <= -MINUTE_MS;
}

bool schedule_look(struct schedule *schedule, int64_t wall, int64_t steady)
{
	int64_t leap = (wall - schedule->wall) - (steady - schedule->steady);

	if (starts_anew(schedule, leap)) /* it was set since the last look, at the earliest then */
		count_from(schedule, wall - (steady - schedule->steady));
	note(schedule, wall, steady);
	if (schedule->due < 0 || wall < schedule->due * 1000)
		return false;
	count_from(schedule, wall);
	return true;
}

int64_t schedule_wait(const struct schedule *schedule)
{
	int64_t wait = schedule->due * 1000 - schedule->wall;

	if (schedule->due < 0 || wait > SCHEDULE_LOOK)
		return SCHEDULE_LOOK;
	return wait > 0 ? wait : 0;
}
