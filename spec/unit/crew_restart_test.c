#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "crew_kit.h"
#include "host/crew/death.h"

static void test_a_worker_that_dies_is_replaced_at_once_the_first_time_in_a_window(void **state)
{
	struct kit *kit = *state;

	kit_run(kit);
	for (int i = 0; i < 8; i++) {
		kit->now += 60000;
		kit_died(kit, 1, 2, KILLED);
		kit_expect(kit, "spawn 1/2");
		kit_ready(kit, 1, 2);
	}
	kit_expect(kit, "");
	assert_int_equal(kit_slot(kit, 1, 2)->restarts, 8);
	assert_int_equal(kit_slot(kit, 1, 1)->restarts, 0);
}

static void test_each_further_death_in_a_window_waits_twice_as_long_up_to_the_cap(void **state)
{
	static const int waits[] = {100, 200, 400, 800, 1000, 1000, 1000};
	struct kit *kit = *state;

	kit->rules.restart.limit = 0;
	kit_run(kit);
	kit_died(kit, 1, 1, KILLED);
	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
		kit_expect(kit, "spawn 1/1");
		kit_ready(kit, 1, 1);
		kit_died(kit, 1, 1, KILLED);
		assert_int_equal(crew_next(kit->crew), kit->now + waits[i]);
		kit_later(kit, waits[i] - 1);
		kit_expect(kit, "");
		kit_later(kit, 1);
	}
}

static void test_the_wait_is_a_quarter_more_or_less_but_never_over_the_cap(void **state)
{
	struct kit *kit = *state;

	kit->rules.restart.limit = 0;
	kit_run(kit);
	kit_died(kit, 1, 1, KILLED);
	kit->random = 0;
	kit_died(kit, 1, 1, KILLED);
	assert_int_equal(crew_next(kit->crew), kit->now + 75);
	kit_later(kit, 75);
	kit->random = 1024;
	kit_died(kit, 1, 1, KILLED);
	assert_int_equal(crew_next(kit->crew), kit->now + 250);
	kit_later(kit, 250);
	for (int i = 0; i < 5; i++) {
		kit_died(kit, 1, 1, KILLED);
		kit_later(kit, 1000);
	}
	kit_died(kit, 1, 1, KILLED);
	assert_int_equal(crew_next(kit->crew), kit->now + 1000);
}

static void die_often(struct kit *kit, int times, int64_t lived)
{
	for (int i = 0; i < times; i++) {
		kit_ready(kit, 1, 1);
		kit->now += lived;
		kit_died(kit, 1, 1, KILLED);
		if (kit_slot(kit, 1, 1)->at)
			kit_later(kit, kit_slot(kit, 1, 1)->at - kit->now);
	}
}

static void test_more_deaths_than_the_limit_stop_the_daemon(void **state)
{
	struct kit *kit = *state;

	kit_run(kit);
	die_often(kit, 5, 10);
	assert_int_equal(kit_state(kit), MONITOR_RUNNING);
	kit_forget(kit);
	die_often(kit, 1, 10);
	kit_expect_log(kit, "worker 1 died 6 times within 1m: the daemon stops");
	kit_expect(kit, "leave 1/2 stop 10000");
	kit_died(kit, 1, 2, EXITED_0);
	kit_expect(kit, "gone 1; stopped 1");
}

static void test_a_slow_start_does_not_carry_a_crash_loop_out_of_its_window(void **state)
{
	struct kit *kit = *state;

	kit->rules.restart.backoff = 20000;
	kit->rules.restart.backoff_limit = 30000;
	kit_run(kit);
	die_often(kit, 6, 5000);
	assert_int_equal(kit_state(kit), MONITOR_STOPPING);
}

static void test_deaths_far_apart_are_never_too_many(void **state)
{
	struct kit *kit = *state;

	kit_run(kit);
	die_often(kit, 100, 20000);
	assert_int_equal(kit_state(kit), MONITOR_RUNNING);
}

static void test_over_go_on_goes_on_while_a_worker_is_left(void **state)
{
	struct kit *kit = *state;

	kit->rules.restart.over = RESTART_OVER_GO_ON;
	kit->rules.restart.limit = 1;
	kit_run(kit);
	die_often(kit, 2, 10);
	assert_true(kit_slot(kit, 1, 1)->lost);
	kit_expect_log(kit, "worker 1 died 2 times within 1m: it is not restarted");
	assert_int_equal(kit_state(kit), MONITOR_RUNNING);
	kit_died(kit, 1, 2, KILLED);
	kit_forget(kit);
	kit_died(kit, 1, 2, KILLED);
	kit_expect(kit, "gone 1; stopped 1");
}

static void test_a_worker_that_leaves_unasked_is_replaced(void **state)
{
	struct kit *kit = *state;

	kit_run(kit);
	kit_died(kit, 1, 1, EXITED_0);
	kit_expect(kit, "spawn 1/1");
}

static void test_on_failure_lets_a_worker_go_that_is_done(void **state)
{
	struct kit *kit = *state;

	kit->rules.restart.policy = RESTART_ON_FAILURE;
	kit_run(kit);
	kit_died(kit, 1, 1, EXITED_0);
	kit_expect(kit, "");
	assert_true(kit_slot(kit, 1, 1)->lost);
	kit_died(kit, 1, 2, EXITED_1);
	kit_expect(kit, "spawn 1/2");
	kit_ready(kit, 1, 2);
	kit_died(kit, 1, 2, EXITED_0);
	kit_expect(kit, "gone 1; stopped 0");
}

static void test_a_start_that_exits_0_is_a_failure(void **state)
{
	struct kit *kit = *state;

	kit->rules.restart.policy = RESTART_ON_FAILURE;
	kit_run(kit);
	kit_died(kit, 1, 1, KILLED);
	kit_died(kit, 1, 1, EXITED_0);
	assert_false(kit_slot(kit, 1, 1)->lost);
	assert_int_equal(crew_next(kit->crew), kit->now + 100);
}

static void test_never_loses_every_worker_that_dies(void **state)
{
	struct kit *kit = *state;

	kit->rules.restart.policy = RESTART_NEVER;
	kit_run(kit);
	kit_died(kit, 1, 1, KILLED);
	kit_expect(kit, "");
	kit_died(kit, 1, 2, EXITED_0);
	kit_expect(kit, "gone 1; stopped 1");
}

static void test_a_final_code_means_do_not_restart(void **state)
{
	struct kit *kit = *state;
	int codes[] = {3, 7};

	kit->rules.restart.final_codes = codes;
	kit->rules.restart.final_code_count = 2;
	kit_run(kit);
	codes[1] = 1; /* copied */
	kit_died(kit, 1, 1, EXITED_7);
	kit_expect(kit, "");
	kit_died(kit, 1, 2, EXITED_1);
	kit_expect(kit, "spawn 1/2");
}

static void test_a_replacement_that_cannot_start_counts_as_a_death(void **state)
{
	struct kit *kit = *state;

	kit_run(kit);
	kit_died(kit, 1, 1, KILLED);
	kit_failed(kit, 1, 1, "no route");
	kit_expect_log(kit, "no route");
	kit_died(kit, 1, 1, EXITED_1);
	kit_forget(kit);
	kit_later(kit, 100);
	kit_expect(kit, "spawn 1/1");
	kit_later(kit, 30000);
	kit_expect_log(kit, "worker 1 was not ready within 30s: " START_MUST_RETURN);
	kit_expect(kit, "kill 1/1");
	kit_died(kit, 1, 1, KILLED);
	kit->refusals = 1;
	kit_later(kit, 200);
	kit_expect(kit, "no spawn 1/1");
	kit_expect_log(kit, "no more processes");
	assert_int_equal(crew_next(kit->crew), kit->now + 400);
}

static void test_no_process_to_be_had_ends_each_turn(void **state)
{
	struct kit *kit = *state;

	kit->rules.restart = (struct restart_spec){0};
	kit_run(kit);
	kit->refusals = 1000000;
	kit_died(kit, 1, 1, KILLED);
	assert_in_range(kit->refusals, 999990, 999999);
	assert_true(crew_next(kit->crew) > kit->now);
}

static void test_a_condemned_worker_is_killed_and_replaced(void **state)
{
	struct kit *kit = *state;

	kit_run(kit);
	crew_condemn(kit->crew, kit_slot(kit, 1, 1), "no heartbeat for 30s", kit->now);
	kit_expect_log(kit, "worker 1: no heartbeat for 30s");
	kit_expect(kit, "kill 1/1");
	crew_condemn(kit->crew, kit_slot(kit, 1, 1), "again", kit->now);
	kit_ready(kit, 1, 1);
	kit_expect(kit, "");
	kit_died(kit, 1, 1, KILLED);
	kit_expect(kit, "spawn 1/1");
}

static void test_the_log_has_the_last_lines_of_who_died(void **state)
{
	struct kit *kit = *state;

	kit_run(kit);
	kit->now += 192000;
	crew_died(kit->crew, kit_slot(kit, 1, 2), 11 | 0x80, "one\n\ntwo", kit->now);
	kit_expect_log(kit, "worker 2 (pid 102) was killed by signal 11 (SIGSEGV), dumped core, "
			    "after 3m 12s\n"
			    "! worker 2: its last lines: one\n"
			    "! worker 2: its last lines: two\n"
			    "worker 2 is restarted\n");
}

static void count_lines(void *data, const char *text, int length)
{
	int *lines = data;

	if (*lines == 0)
		assert_memory_equal(text, "5", (size_t)length);
	++*lines;
}

static void test_no_more_than_so_many_last_lines_are_shown(void **state)
{
	char text[256] = "";
	int lines = 0;

	(void)state;
	for (int i = 0; i < DEATH_LINES + 5; i++)
		(void)snprintf(text + strlen(text), 8, "%d\n", i);
	death_lines(text, count_lines, &lines);
	assert_int_equal(lines, DEATH_LINES);
	lines = 0;
	death_lines("", count_lines, &lines);
	death_lines("\n\n", count_lines, &lines);
	assert_int_equal(lines, 0);
}

static void test_who_is_done_too_often_has_failed(void **state)
{
	struct kit *kit = *state;

	kit->rules.workers = 1;
	kit->rules.restart.limit = 1;
	kit_run(kit);
	kit_died(kit, 1, 1, EXITED_0);
	kit_ready(kit, 1, 1);
	kit_forget(kit);
	kit_died(kit, 1, 1, EXITED_0);
	kit_expect(kit, "gone 1; stopped 1");
}

static void test_any_number_of_deaths_in_a_window_is_borne_without_a_limit(void **state)
{
	struct kit *kit = *state;

	kit->rules.restart.limit = 0;
	kit_run(kit);
	for (int i = 0; i < 3 * RESTART_LIMIT_MAX; i++) {
		kit_died(kit, 1, 1, KILLED);
		kit_later(kit, 1000);
		kit_expect(kit, "spawn 1/1");
		kit->log[0] = 0;
	}
	kit_ready(kit, 1, 1);
	kit_died(kit, 1, 1, KILLED);
	assert_int_equal(crew_next(kit->crew), kit->now + 1000);
}

#define RULE(test) cmocka_unit_test_setup_teardown(test, kit_open, kit_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RULE(test_a_worker_that_dies_is_replaced_at_once_the_first_time_in_a_window),
	    RULE(test_each_further_death_in_a_window_waits_twice_as_long_up_to_the_cap),
	    RULE(test_the_wait_is_a_quarter_more_or_less_but_never_over_the_cap),
	    RULE(test_more_deaths_than_the_limit_stop_the_daemon),
	    RULE(test_a_slow_start_does_not_carry_a_crash_loop_out_of_its_window),
	    RULE(test_deaths_far_apart_are_never_too_many),
	    RULE(test_over_go_on_goes_on_while_a_worker_is_left),
	    RULE(test_a_worker_that_leaves_unasked_is_replaced),
	    RULE(test_on_failure_lets_a_worker_go_that_is_done),
	    RULE(test_a_start_that_exits_0_is_a_failure),
	    RULE(test_never_loses_every_worker_that_dies),
	    RULE(test_a_final_code_means_do_not_restart),
	    RULE(test_a_replacement_that_cannot_start_counts_as_a_death),
	    RULE(test_no_process_to_be_had_ends_each_turn),
	    RULE(test_a_condemned_worker_is_killed_and_replaced),
	    RULE(test_the_log_has_the_last_lines_of_who_died),
	    RULE(test_no_more_than_so_many_last_lines_are_shown),
	    RULE(test_who_is_done_too_often_has_failed),
	    RULE(test_any_number_of_deaths_in_a_window_is_borne_without_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
