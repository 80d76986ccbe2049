#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crew_kit.h"

/* --- start --- */

static void test_a_start_spawns_all_and_is_done_when_all_are_ready(void **state)
{
	struct kit *kit = *state;

	kit_start(kit);
	kit_expect(kit, "spawn 1/1; spawn 1/2");
	assert_int_equal(crew_next(kit->crew), kit->now + 30000);
	kit_ready(kit, 1, 2);
	kit_expect(kit, "");
	kit_ready(kit, 1, 1);
	kit_expect(kit, "current 1; started");
	assert_int_equal(kit_state(kit), MONITOR_RUNNING);
	assert_int_equal(crew_generation(kit->crew, 1), GENERATION_CURRENT);
	assert_int_equal(crew_next(kit->crew), 0);
}

static void test_a_worker_that_fails_ends_the_start_with_its_words(void **state)
{
	struct kit *kit = *state;

	kit_start(kit);
	kit_ready(kit, 1, 1);
	kit_forget(kit);
	kit_failed(kit, 1, 2, "start: no route");
	assert_string_equal(kit->verdict, "start: no route");
	kit_expect(kit, "start_failed; leave 1/1 stop 10000");
	kit_died(kit, 1, 2, EXITED_1);
	kit_expect(kit, "");
	kit_died(kit, 1, 1, EXITED_0);
	kit_expect(kit, "gone 1; stopped 1");
	assert_int_equal(kit_state(kit), MONITOR_STOPPED);
}

static void test_a_worker_that_says_that_it_failed_and_stays_is_killed(void **state)
{
	struct kit *kit = *state;

	kit->rules.workers = 1;
	kit_start(kit);
	kit_failed(kit, 1, 1, "no");
	kit_forget(kit);
	kit_later(kit, 999);
	kit_expect(kit, "");
	kit_later(kit, 1);
	kit_expect(kit, "kill 1/1");
	assert_int_equal(crew_next(kit->crew), 0);
	kit_died(kit, 1, 1, KILLED);
	kit_expect(kit, "gone 1; stopped 1");
}

static void test_a_death_ends_the_start_once(void **state)
{
	struct kit *kit = *state;

	kit_start(kit);
	kit_forget(kit);
	kit->now += 2000;
	kit_died(kit, 1, 1, KILLED);
	assert_string_equal(kit->verdict,
			    "worker 1 (pid 101) was killed by signal 9 (SIGKILL) after 2s");
	kit_expect(kit, "start_failed; leave 1/2 stop 10000");
	kit_died(kit, 1, 2, KILLED);
	kit_expect(kit, "gone 1; stopped 1");
}

static void test_a_worker_that_is_not_ready_in_time_ends_the_start(void **state)
{
	struct kit *kit = *state;

	kit_start(kit);
	kit_ready(kit, 1, 1);
	kit_forget(kit);
	kit_later(kit, 29999);
	kit_expect(kit, "");
	kit_later(kit, 1);
	assert_string_equal(kit->verdict, "worker 2 was not ready within 30s: " START_MUST_RETURN);
	kit_expect(kit, "kill 1/2; start_failed; leave 1/1 stop 10000");
}

static void test_a_process_that_cannot_be_had_ends_the_start(void **state)
{
	struct kit *kit = *state;

	kit->refusals = 2;
	kit_start(kit);
	assert_string_equal(kit->verdict, "no more processes");
	kit_expect(kit, "no spawn 1/1; start_failed; gone 1; stopped 1");
}

/* --- stop --- */

static void test_a_stop_tells_all_and_ends_with_the_last(void **state)
{
	struct kit *kit = *state;

	kit_run(kit);
	crew_stop(kit->crew, 7, false, kit->now);
	kit_expect(kit, "leave 1/1 stop 10000; leave 1/2 stop 10000");
	kit_died(kit, 1, 1, EXITED_0);
	kit_later(kit, 11000);
	kit_expect(kit, "kill 1/2");
	kit_died(kit, 1, 2, KILLED);
	kit_expect(kit, "gone 1; stopped 7");
}

static void test_a_second_stop_now_kills(void **state)
{
	struct kit *kit = *state;

	kit_run(kit);
	crew_stop(kit->crew, 0, false, kit->now);
	kit_forget(kit);
	crew_stop(kit->crew, 1, false, kit->now);
	kit_expect(kit, "");
	crew_stop(kit->crew, 1, true, kit->now);
	kit_expect(kit, "kill 1/1; kill 1/2");
	kit_died(kit, 1, 1, KILLED);
	kit_died(kit, 1, 2, KILLED);
	kit_expect(kit, "gone 1; stopped 0");
}

static void test_a_stop_gives_a_new_generation_up(void **state)
{
	struct kit *kit = *state;

	kit->rules.workers = 1;
	kit_run(kit);
	kit_renew(kit);
	assert_false(crew_reload(kit->crew, kit->now));
	kit_forget(kit);
	crew_stop(kit->crew, 0, false, kit->now);
	kit_expect(kit, "leave 1/1 stop 10000; leave 2/1 stop 10000; refused; refused");
	assert_string_equal(kit->verdict, "the daemon is stopping");
	kit_died(kit, 1, 1, EXITED_0);
	kit_died(kit, 2, 1, KILLED);
	kit_expect(kit, "gone 1; gone 2; stopped 0");
}

static void test_a_stop_forgets_a_generation_that_waits(void **state)
{
	struct kit *kit = *state;

	kit->rules.workers = 1;
	kit_run(kit);
	kit_renew(kit);
	kit_ready(kit, 2, 1);
	kit_renew(kit);
	kit_forget(kit);
	crew_stop(kit->crew, 0, false, kit->now);
	kit_expect(kit, "leave 1/1 stop 10000; leave 2/1 stop 10000; refused; gone 3");
}

static void test_who_drains_longer_than_a_stop_is_hurried(void **state)
{
	struct kit *kit = *state;

	kit->rules.workers = 1;
	kit_run(kit);
	kit_renew(kit);
	kit_ready(kit, 2, 1);
	kit_later(kit, 55000);
	kit_forget(kit);
	crew_stop(kit->crew, 0, false, kit->now);
	kit_expect(kit, "leave 2/1 stop 10000"); /* 1/1 has 5 s left */
	assert_int_equal(crew_next(kit->crew), kit->now + 6000);
}

static void test_workers_in_backoff_do_not_come_back_after_a_stop(void **state)
{
	struct kit *kit = *state;

	kit->rules.workers = 1;
	kit_run(kit);
	kit_died(kit, 1, 1, KILLED);
	kit_died(kit, 1, 1, KILLED);
	kit_forget(kit);
	crew_stop(kit->crew, 0, false, kit->now);
	kit_expect(kit, "gone 1; stopped 0");
	kit_later(kit, 1000);
	kit_expect(kit, "");
}

/* --- names --- */

static void test_states_have_names(void **state)
{
	(void)state;
	assert_string_equal(worker_state_name(WORKER_KILLED), "killed");
	assert_string_equal(generation_state_name(GENERATION_GONE), "gone");
	assert_string_equal(monitor_state_name(MONITOR_STOPPED), "stopped");
	for (int i = 0; i < (int)MONITOR_STATES; i++)
		assert_non_null(monitor_state_name((enum monitor_state)i));
}

static void test_a_stop_before_the_start_ends_at_once(void **state)
{
	struct kit *kit = *state;

	crew_stop(kit->crew, 0, false, kit->now);
	kit_expect(kit, "stopped 0");
}

static void test_who_leaves_can_be_condemned(void **state)
{
	struct kit *kit = *state;

	kit->rules.workers = 1;
	kit_run(kit);
	crew_stop(kit->crew, 0, false, kit->now);
	kit_forget(kit);
	crew_condemn(kit->crew, kit_slot(kit, 1, 1), "it spoke nonsense", kit->now);
	kit_expect_log(kit, "worker 1: it spoke nonsense");
	kit_expect(kit, "kill 1/1");
	kit_died(kit, 1, 1, KILLED);
	kit_expect(kit, "gone 1; stopped 0");
}

#define RULE(test) cmocka_unit_test_setup_teardown(test, kit_open, kit_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RULE(test_a_start_spawns_all_and_is_done_when_all_are_ready),
	    RULE(test_a_worker_that_fails_ends_the_start_with_its_words),
	    RULE(test_a_worker_that_says_that_it_failed_and_stays_is_killed),
	    RULE(test_a_death_ends_the_start_once),
	    RULE(test_a_worker_that_is_not_ready_in_time_ends_the_start),
	    RULE(test_a_process_that_cannot_be_had_ends_the_start),
	    RULE(test_a_stop_tells_all_and_ends_with_the_last),
	    RULE(test_a_second_stop_now_kills),
	    RULE(test_a_stop_gives_a_new_generation_up),
	    RULE(test_a_stop_forgets_a_generation_that_waits),
	    RULE(test_who_drains_longer_than_a_stop_is_hurried),
	    RULE(test_workers_in_backoff_do_not_come_back_after_a_stop),
	    RULE(test_states_have_names),
	    RULE(test_a_stop_before_the_start_ends_at_once),
	    RULE(test_who_leaves_can_be_condemned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
