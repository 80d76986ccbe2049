#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "service/schedule.h"

/* Two clocks of the test's own: people set wall, nobody sets steady. 2026-11-22 10:00:00 UTC. */
static const int64_t TEN = INT64_C(1795341600000);

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

struct world {
	struct schedule schedule;
	int64_t wall, steady;
	int calls;
};

static void begin(struct world *world, const char *expression)
{
	struct err err;

	*world = (struct world){.wall = TEN, .steady = 5000, .schedule.utc = true};
	assert_int_equal(cron_parse(&world->schedule.cron, expression, &err), 0);
	schedule_begin(&world->schedule, world->wall, world->steady);
}

/* Time passes, and the schedule is looked at when it wants to be. */
static void pass(struct world *world, int64_t duration)
{
	int64_t end = world->steady + duration;

	while (world->steady < end) {
		int64_t wait = schedule_wait(&world->schedule);

		if (wait == 0)
			wait = 1;
		if (wait > end - world->steady)
			wait = end - world->steady;
		world->wall += wait;
		world->steady += wait;
		world->calls += schedule_look(&world->schedule, world->wall, world->steady);
	}
}

static void assert_calls(struct world *world, int calls)
{
	assert_int_equal(world->calls, calls);
	world->calls = 0;
}

static void test_each_time_is_due_once(void **state)
{
	struct world world;

	(void)state;
	begin(&world, "* * * * *");
	pass(&world, 59 * SECOND);
	assert_calls(&world, 0);
	pass(&world, SECOND);
	assert_calls(&world, 1);
	pass(&world, 10 * MINUTE);
	assert_calls(&world, 10);
	begin(&world, "30 12 * * *");
	pass(&world, 24 * HOUR);
	assert_calls(&world, 1);
}

static void test_nobody_looks_away_for_more_than_a_minute(void **state)
{
	struct world world;

	(void)state;
	begin(&world, "0 0 1 1 *");
	assert_int_equal(schedule_wait(&world.schedule), SCHEDULE_LOOK);
	begin(&world, "1 10 * * *");
	pass(&world, 40 * SECOND + 250);
	assert_int_equal(schedule_wait(&world.schedule), 20 * SECOND - 250);
}

static void test_what_was_late_is_due_once(void **state)
{
	struct world world;

	(void)state;
	begin(&world, "* * * * *");
	world.wall += 5 * HOUR; /* the process was stopped */
	world.steady += 5 * HOUR;
	pass(&world, 1);
	assert_calls(&world, 1);
	pass(&world, MINUTE);
	assert_calls(&world, 1);
}

static void test_a_clock_set_forward_by_little_makes_up_for_what_it_skips(void **state)
{
	struct world world;

	(void)state;
	begin(&world, "30 10 * * *");
	pass(&world, MINUTE);
	world.wall += HOUR;
	pass(&world, MINUTE);
	assert_calls(&world, 1);
	pass(&world, 23 * HOUR);
	assert_calls(&world, 0);
}

static void test_a_clock_set_forward_by_much_counts_as_it_is(void **state)
{
	struct world world;

	(void)state;
	begin(&world, "30 10 * * *");
	pass(&world, MINUTE);
	world.wall += 4 * (int64_t)HOUR;
	pass(&world, HOUR);
	assert_calls(&world, 0);
	pass(&world, 24 * (int64_t)HOUR);
	assert_calls(&world, 1);
}

static void test_a_clock_set_back_by_little_repeats_nothing(void **state)
{
	struct world world;

	(void)state;
	begin(&world, "30 10 * * *");
	pass(&world, HOUR);
	assert_calls(&world, 1);
	world.wall -= HOUR;
	pass(&world, 2 * HOUR);
	assert_calls(&world, 0);
}

static void test_a_clock_that_is_adjusted_does_not_repeat_a_minute(void **state)
{
	struct world world;

	(void)state;
	begin(&world, "* * * * *");
	pass(&world, MINUTE);
	assert_calls(&world, 1);
	world.wall -= 2 * SECOND;
	pass(&world, 30 * SECOND);
	assert_calls(&world, 0);
	pass(&world, 32 * SECOND);
	assert_calls(&world, 1);
}

static void test_wildcards_follow_a_clock_that_is_set_back(void **state)
{
	struct world world;

	(void)state;
	begin(&world, "* * * * *");
	pass(&world, 30 * MINUTE);
	world.calls = 0;
	world.wall -= 20 * MINUTE;
	pass(&world, 3 * MINUTE);
	assert_calls(&world, 3);
}

static void test_a_clock_set_back_by_much_counts_as_it_is(void **state)
{
	struct world world;

	(void)state;
	begin(&world, "30 10 * * *");
	pass(&world, HOUR);
	assert_calls(&world, 1);
	world.wall -= 10 * (int64_t)HOUR;
	pass(&world, 12 * HOUR);
	assert_calls(&world, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_time_is_due_once),
	    cmocka_unit_test(test_nobody_looks_away_for_more_than_a_minute),
	    cmocka_unit_test(test_what_was_late_is_due_once),
	    cmocka_unit_test(test_a_clock_set_forward_by_little_makes_up_for_what_it_skips),
	    cmocka_unit_test(test_a_clock_set_forward_by_much_counts_as_it_is),
	    cmocka_unit_test(test_a_clock_set_back_by_little_repeats_nothing),
	    cmocka_unit_test(test_a_clock_that_is_adjusted_does_not_repeat_a_minute),
	    cmocka_unit_test(test_wildcards_follow_a_clock_that_is_set_back),
	    cmocka_unit_test(test_a_clock_set_back_by_much_counts_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
