#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crew_kit.h"
#include "host/crew/death.h"

static struct kit *kit_of(void **state)
{
	return *state;
}

static void assert_logged(const struct kit *kit, const char *text)
{
	if (!strstr(kit->log, text))
		fail_msg("not logged: %s\nbut: %s", text, kit->log);
}

/* --- start --- */

static void test_a_start_spawns_all_and_is_done_when_all_are_ready(void **state)
{
	struct kit *kit = kit_of(state);

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
	struct kit *kit = kit_of(state);

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
	struct kit *kit = kit_of(state);

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
	struct kit *kit = kit_of(state);

	kit_start(kit);
	kit_forget(kit);
	kit->now += 2000;
	kit_died(kit, 1, 1, KILLED);
	assert_string_equal(kit->verdict,
			    "worker 1 (pid 101) was killed by signal 9 (SIGKILL) after 2s");
	kit_expect(kit, "start_failed; kill 1/2");
	kit_died(kit, 1, 2, KILLED);
	kit_expect(kit, "gone 1; stopped 1");
}

static void test_a_worker_that_is_not_ready_in_time_ends_the_start(void **state)
{
	struct kit *kit = kit_of(state);

	kit_start(kit);
	kit_ready(kit, 1, 1);
	kit_forget(kit);
	kit_later(kit, 29999);
	kit_expect(kit, "");
	kit_later(kit, 1);
	assert_string_equal(kit->verdict, "worker 2 was not ready within 30s");
	kit_expect(kit, "kill 1/2; start_failed; leave 1/1 stop 10000");
}

static void test_a_process_that_cannot_be_had_ends_the_start(void **state)
{
	struct kit *kit = kit_of(state);

	kit->refusals = 2;
	kit_start(kit);
	assert_string_equal(kit->verdict, "no more processes");
	kit_expect(kit, "no spawn 1/1; start_failed; gone 1; stopped 1");
}

/* --- restart --- */

static void test_a_worker_that_dies_is_replaced_at_once_the_first_time_in_a_window(void **state)
{
	struct kit *kit = kit_of(state);

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
	struct kit *kit = kit_of(state);

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
	struct kit *kit = kit_of(state);

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
	struct kit *kit = kit_of(state);

	kit_run(kit);
	die_often(kit, 5, 10);
	assert_int_equal(kit_state(kit), MONITOR_RUNNING);
	kit_forget(kit);
	die_often(kit, 1, 10);
	assert_logged(kit, "worker 1 died 6 times within 1m: the daemon stops");
	kit_expect(kit, "leave 1/2 stop 10000");
	kit_died(kit, 1, 2, EXITED_0);
	kit_expect(kit, "gone 1; stopped 1");
}

static void test_a_slow_start_does_not_carry_a_crash_loop_out_of_its_window(void **state)
{
	struct kit *kit = kit_of(state);

	kit->rules.restart.backoff = 20000;
	kit->rules.restart.backoff_limit = 30000;
	kit_run(kit);
	die_often(kit, 6, 5000);
	assert_int_equal(kit_state(kit), MONITOR_STOPPING);
}

static void test_deaths_far_apart_are_never_too_many(void **state)
{
	struct kit *kit = kit_of(state);

	kit_run(kit);
	die_often(kit, 100, 20000);
	assert_int_equal(kit_state(kit), MONITOR_RUNNING);
}

static void test_over_go_on_goes_on_while_a_worker_is_left(void **state)
{
	struct kit *kit = kit_of(state);

	kit->rules.restart.over = RESTART_OVER_GO_ON;
	kit->rules.restart.limit = 1;
	kit_run(kit);
	die_often(kit, 2, 10);
	assert_true(kit_slot(kit, 1, 1)->lost);
	assert_logged(kit, "worker 1 died 2 times within 1m: it is not restarted");
	assert_int_equal(kit_state(kit), MONITOR_RUNNING);
	kit_died(kit, 1, 2, KILLED);
	kit_forget(kit);
	kit_died(kit, 1, 2, KILLED);
	kit_expect(kit, "gone 1; stopped 1");
}

static void test_a_worker_that_leaves_unasked_is_replaced(void **state)
{
	struct kit *kit = kit_of(state);

	kit_run(kit);
	kit_died(kit, 1, 1, EXITED_0);
	kit_expect(kit, "spawn 1/1");
}

static void test_on_failure_lets_a_worker_go_that_is_done(void **state)
{
	struct kit *kit = kit_of(state);

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
	struct kit *kit = kit_of(state);

	kit->rules.restart.policy = RESTART_ON_FAILURE;
	kit_run(kit);
	kit_died(kit, 1, 1, KILLED);
	kit_died(kit, 1, 1, EXITED_0);
	assert_false(kit_slot(kit, 1, 1)->lost);
	assert_int_equal(crew_next(kit->crew), kit->now + 100);
}

static void test_never_loses_every_worker_that_dies(void **state)
{
	struct kit *kit = kit_of(state);

	kit->rules.restart.policy = RESTART_NEVER;
	kit_run(kit);
	kit_died(kit, 1, 1, KILLED);
	kit_expect(kit, "");
	kit_died(kit, 1, 2, EXITED_0);
	kit_expect(kit, "gone 1; stopped 1");
}

static void test_a_final_code_means_do_not_restart(void **state)
{
	struct kit *kit = kit_of(state);
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
	struct kit *kit = kit_of(state);

	kit_run(kit);
	kit_died(kit, 1, 1, KILLED);
	kit_failed(kit, 1, 1, "no route");
	assert_logged(kit, "no route");
	kit_died(kit, 1, 1, EXITED_1);
	kit_forget(kit);
	kit_later(kit, 100);
	kit_expect(kit, "spawn 1/1");
	kit_later(kit, 30000);
	assert_logged(kit, "worker 1 was not ready within 30s");
	kit_expect(kit, "kill 1/1");
	kit_died(kit, 1, 1, KILLED);
	kit->refusals = 1;
	kit_later(kit, 200);
	kit_expect(kit, "no spawn 1/1");
	assert_logged(kit, "no more processes");
	assert_int_equal(crew_next(kit->crew), kit->now + 400);
}

static void test_no_process_to_be_had_ends_each_turn(void **state)
{
	struct kit *kit = kit_of(state);

	kit->rules.restart = (struct restart_spec){0};
	kit_run(kit);
	kit->refusals = 1000000;
	kit_died(kit, 1, 1, KILLED);
	assert_in_range(kit->refusals, 999990, 999999);
	assert_true(crew_next(kit->crew) > kit->now);
}

static void test_a_condemned_worker_is_killed_and_replaced(void **state)
{
	struct kit *kit = kit_of(state);

	kit_run(kit);
	crew_condemn(kit->crew, kit_slot(kit, 1, 1), "no heartbeat for 30s", kit->now);
	assert_logged(kit, "worker 1: no heartbeat for 30s");
	kit_expect(kit, "kill 1/1");
	crew_condemn(kit->crew, kit_slot(kit, 1, 1), "again", kit->now);
	kit_ready(kit, 1, 1);
	kit_expect(kit, "");
	kit_died(kit, 1, 1, KILLED);
	kit_expect(kit, "spawn 1/1");
}

static void test_the_log_has_the_last_lines_of_who_died(void **state)
{
	struct kit *kit = kit_of(state);

	kit_run(kit);
	kit->now += 192000;
	crew_died(kit->crew, kit_slot(kit, 1, 2), 11 | 0x80, "one\n\ntwo", kit->now);
	assert_logged(kit, "worker 2 (pid 102) was killed by signal 11 (SIGSEGV), dumped core, "
			   "after 3m 12s\n"
			   "worker 2: its last lines: one\n"
			   "worker 2: its last lines: two\n"
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

/* --- reload in place --- */

static void apply(struct kit *kit)
{
	assert_true(crew_reload(kit->crew, kit->now));
	assert_int_equal(kit_state(kit), MONITOR_LOADING);
	crew_apply(kit->crew, &kit->rules, kit->now);
}

static void test_a_load_that_fails_is_refused_with_its_words(void **state)
{
	struct kit *kit = kit_of(state);
	struct err err = {0};

	kit_run(kit);
	assert_true(crew_reload(kit->crew, kit->now));
	err_set(&err, "echo.lua:3: syntax");
	crew_load_failed(kit->crew, &err, kit->now);
	kit_expect(kit, "refused");
	assert_string_equal(kit->verdict, "echo.lua:3: syntax");
	assert_int_equal(kit_state(kit), MONITOR_RUNNING);
}

static void test_a_reload_in_place_is_done_when_all_have_accepted(void **state)
{
	struct kit *kit = kit_of(state);

	kit_run(kit);
	apply(kit);
	kit_expect(kit, "reload 1/1; reload 1/2");
	assert_int_equal(crew_next(kit->crew), kit->now + 6000);
	kit_accepted(kit, 1, 2);
	kit_expect(kit, "");
	kit_accepted(kit, 1, 1);
	kit_expect(kit, "done");
	assert_int_equal(crew_next(kit->crew), 0);
}

static void test_one_refusal_gives_the_others_the_old_back(void **state)
{
	struct kit *kit = kit_of(state);

	kit->rules.workers = 3;
	kit_run(kit);
	apply(kit);
	kit_accepted(kit, 1, 1);
	kit_forget(kit);
	kit_refused(kit, 1, 2, "reload: no");
	kit_expect(kit, "back 1/1");
	kit_accepted(kit, 1, 3);
	kit_expect(kit, "back 1/3");
	kit_accepted(kit, 1, 1);
	kit_expect(kit, "");
	kit_refused(kit, 1, 3, "what it says now does not matter");
	kit_expect(kit, "refused");
	assert_string_equal(kit->verdict, "reload: no");
	assert_int_equal(kit_slot(kit, 1, 3)->state, WORKER_READY);
}

static void test_the_rules_of_a_refused_reload_are_forgotten(void **state)
{
	struct kit *kit = kit_of(state);

	kit->rules.workers = 1;
	kit_run(kit);
	kit->rules.timeout_stop = 77;
	apply(kit);
	kit_refused(kit, 1, 1, "no");
	apply(kit);
	kit_refused(kit, 1, 1, "no");
	kit_forget(kit);
	crew_stop(kit->crew, 0, false, kit->now);
	kit_expect(kit, "leave 1/1 stop 10000");
}

static void test_the_rules_of_an_accepted_reload_are_in_force(void **state)
{
	struct kit *kit = kit_of(state);

	kit->rules.workers = 1;
	kit_run(kit);
	kit->rules.timeout_stop = 77;
	apply(kit);
	kit_accepted(kit, 1, 1);
	kit_forget(kit);
	crew_stop(kit->crew, 0, false, kit->now);
	kit_expect(kit, "leave 1/1 stop 77");
}

static void test_who_does_not_answer_is_killed_and_has_refused(void **state)
{
	struct kit *kit = kit_of(state);

	kit_run(kit);
	apply(kit);
	kit_accepted(kit, 1, 1);
	kit_forget(kit);
	kit_later(kit, 6000);
	kit_expect(kit, "kill 1/2; back 1/1");
	kit_died(kit, 1, 2, KILLED);
	kit_expect(kit, ""); /* it comes back with the bundle that has won */
	assert_int_equal(crew_next(kit->crew), kit->now + 6000);
	kit_accepted(kit, 1, 1);
	kit_expect(kit, "refused; spawn 1/2");
	assert_string_equal(kit->verdict, "worker 2 has not answered within 5s");
}

static void test_the_way_back_is_bounded(void **state)
{
	struct kit *kit = kit_of(state);

	kit_run(kit);
	apply(kit);
	kit_accepted(kit, 1, 1);
	kit_refused(kit, 1, 2, "no");
	kit_forget(kit);
	kit_later(kit, 6000);
	kit_expect(kit, "kill 1/1; refused");
	kit_died(kit, 1, 1, KILLED);
	kit_expect(kit, "spawn 1/1");
}

static void test_a_death_during_a_reload_refuses_it(void **state)
{
	struct kit *kit = kit_of(state);

	kit_run(kit);
	apply(kit);
	kit_forget(kit);
	kit_accepted(kit, 1, 1);
	kit_died(kit, 1, 1, KILLED); /* it had accepted */
	kit_accepted(kit, 1, 2);
	kit_expect(kit, "back 1/2");
	kit_accepted(kit, 1, 2);
	kit_expect(kit, "refused; spawn 1/1");
	kit_ready(kit, 1, 1);
	apply(kit);
	kit_forget(kit);
	kit_died(kit, 1, 2, KILLED); /* it had not answered */
	kit_accepted(kit, 1, 1);
	kit_accepted(kit, 1, 1);
	kit_expect(kit, "back 1/1; refused; spawn 1/2");
}

static void test_a_worker_that_starts_is_asked_when_it_is_ready(void **state)
{
	struct kit *kit = kit_of(state);

	kit_run(kit);
	kit_died(kit, 1, 1, KILLED);
	kit_forget(kit);
	apply(kit);
	kit_expect(kit, "reload 1/2");
	kit_accepted(kit, 1, 2);
	kit_expect(kit, "");
	kit_ready(kit, 1, 1);
	kit_expect(kit, "reload 1/1");
	kit_accepted(kit, 1, 1);
	kit_expect(kit, "done");
}

static void test_workers_in_backoff_are_not_asked(void **state)
{
	struct kit *kit = kit_of(state);

	kit_run(kit);
	kit_died(kit, 1, 1, KILLED);
	kit_died(kit, 1, 1, KILLED);
	kit_forget(kit);
	apply(kit);
	kit_expect(kit, "reload 1/2");
	kit_later(kit, 100);
	kit_expect(kit, "");
	kit_accepted(kit, 1, 2);
	kit_expect(kit, "done; spawn 1/1");
}

/* --- a new generation --- */

static int renew(struct kit *kit)
{
	assert_true(crew_reload(kit->crew, kit->now));
	return crew_renew(kit->crew, &kit->rules, kit->now);
}

static void test_a_new_generation_serves_when_all_of_it_are_ready(void **state)
{
	struct kit *kit = kit_of(state);

	kit_run(kit);
	assert_int_equal(crew_next_generation(kit->crew), 2);
	assert_int_equal(renew(kit), 2);
	kit_expect(kit, "spawn 2/1; spawn 2/2");
	kit_ready(kit, 2, 1);
	kit_expect(kit, "");
	kit_ready(kit, 2, 2);
	kit_expect(kit, "current 2; done; leave 1/1 reload 60000; leave 1/2 reload 60000");
	kit_died(kit, 1, 1, EXITED_0);
	kit_later(kit, 60999);
	kit_expect(kit, "");
	kit_later(kit, 1);
	kit_expect(kit, "kill 1/2");
	kit_died(kit, 1, 2, KILLED);
	kit_expect(kit, "gone 1");
	assert_int_equal(crew_generation(kit->crew, 1), GENERATION_GONE);
	assert_int_equal(crew_slots(kit->crew), 2);
}

static void test_a_new_generation_that_fails_changes_nothing(void **state)
{
	struct kit *kit = kit_of(state);

	kit->rules.workers = 3;
	kit_run(kit);
	renew(kit);
	kit_ready(kit, 2, 1);
	kit_forget(kit);
	kit_failed(kit, 2, 2, "start: no");
	assert_string_equal(kit->verdict, "start: no");
	kit_expect(kit, "refused; leave 2/1 reload 60000; kill 2/3");
	kit_died(kit, 2, 1, EXITED_0);
	kit_died(kit, 2, 3, KILLED);
	kit_expect(kit, "");
	kit_died(kit, 2, 2, EXITED_1);
	kit_expect(kit, "gone 2");
	kit_died(kit, 1, 3, KILLED);
	kit_expect(kit, "spawn 1/3");
}

static void test_a_new_generation_is_refused_by_a_death_and_by_time(void **state)
{
	struct kit *kit = kit_of(state);

	kit->rules.workers = 1;
	kit_run(kit);
	renew(kit);
	kit_died(kit, 2, 1, KILLED);
	kit_expect(kit, "spawn 2/1; refused; gone 2");
	kit->refusals = 1;
	assert_int_equal(renew(kit), 3);
	kit_expect(kit, "no spawn 3/1; refused; gone 3");
	renew(kit);
	kit_forget(kit);
	kit_later(kit, 30000);
	kit_expect(kit, "kill 4/1; refused");
	assert_string_equal(kit->verdict, "worker 1 was not ready within 30s");
}

static void test_a_ready_worker_that_dies_before_the_others_are_ready_refuses_too(void **state)
{
	struct kit *kit = kit_of(state);

	kit_run(kit);
	renew(kit);
	kit_ready(kit, 2, 1);
	kit_forget(kit);
	kit_died(kit, 2, 1, KILLED);
	kit_expect(kit, "refused; kill 2/2");
}

static void test_no_more_generations_live_than_may(void **state)
{
	struct kit *kit = kit_of(state);

	kit->rules.workers = 1;
	kit_run(kit);
	renew(kit);
	kit_ready(kit, 2, 1);
	kit_forget(kit);
	assert_int_equal(renew(kit), 3);
	kit_expect(kit, "");
	assert_int_equal(kit_state(kit), MONITOR_RENEWING);
	kit_died(kit, 1, 1, EXITED_0);
	kit_expect(kit, "gone 1; spawn 3/1");
	kit_ready(kit, 3, 1);
	kit_expect(kit, "current 3; done; leave 2/1 reload 60000");
}

static void test_the_old_generation_replaces_its_dead_while_the_new_one_starts(void **state)
{
	struct kit *kit = kit_of(state);

	kit->rules.workers = 1;
	kit_run(kit);
	renew(kit);
	kit_forget(kit);
	kit_died(kit, 1, 1, KILLED);
	kit_expect(kit, "spawn 1/1");
	kit_ready(kit, 2, 1);
	kit_expect(kit, "current 2; done; kill 1/1"); /* it had not begun to serve */
}

static void test_who_drains_is_not_replaced(void **state)
{
	struct kit *kit = kit_of(state);

	kit->rules.workers = 1;
	kit_run(kit);
	renew(kit);
	kit_ready(kit, 2, 1);
	kit_forget(kit);
	kit_died(kit, 1, 1, KILLED);
	kit_expect(kit, "gone 1");
}

/* --- reloads that wait --- */

static void test_wishes_during_a_reload_wait_and_collapse(void **state)
{
	struct kit *kit = kit_of(state);
	struct crew_status status;

	kit->rules.workers = 1;
	kit_run(kit);
	apply(kit);
	assert_false(crew_reload(kit->crew, kit->now));
	assert_false(crew_reload(kit->crew, kit->now));
	crew_status(kit->crew, &status);
	assert_true(status.reload_waits);
	kit_accepted(kit, 1, 1);
	kit_expect(kit, "reload 1/1; done; load");
	assert_int_equal(kit_state(kit), MONITOR_LOADING);
	crew_apply(kit->crew, &kit->rules, kit->now);
	kit_accepted(kit, 1, 1);
	kit_expect(kit, "reload 1/1; done");
}

static void test_a_wish_during_the_start_waits_for_its_end(void **state)
{
	struct kit *kit = kit_of(state);

	kit->rules.workers = 1;
	kit_start(kit);
	assert_false(crew_reload(kit->crew, kit->now));
	kit_forget(kit);
	kit_ready(kit, 1, 1);
	kit_expect(kit, "current 1; started; load");
}

static void test_a_wish_is_answered_when_the_start_fails(void **state)
{
	struct kit *kit = kit_of(state);

	kit->rules.workers = 1;
	kit_start(kit);
	assert_false(crew_reload(kit->crew, kit->now));
	kit_forget(kit);
	kit_failed(kit, 1, 1, "no");
	kit_expect(kit, "start_failed; refused");
	assert_string_equal(kit->verdict, "the daemon is stopping");
}

/* --- stop --- */

static void test_a_stop_tells_all_and_ends_with_the_last(void **state)
{
	struct kit *kit = kit_of(state);

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
	struct kit *kit = kit_of(state);

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
	struct kit *kit = kit_of(state);

	kit->rules.workers = 1;
	kit_run(kit);
	renew(kit);
	assert_false(crew_reload(kit->crew, kit->now));
	kit_forget(kit);
	crew_stop(kit->crew, 0, false, kit->now);
	kit_expect(kit, "leave 1/1 stop 10000; kill 2/1; refused; refused");
	assert_string_equal(kit->verdict, "the daemon is stopping");
	kit_died(kit, 1, 1, EXITED_0);
	kit_died(kit, 2, 1, KILLED);
	kit_expect(kit, "gone 1; gone 2; stopped 0");
}

static void test_a_stop_forgets_a_generation_that_waits(void **state)
{
	struct kit *kit = kit_of(state);

	kit->rules.workers = 1;
	kit_run(kit);
	renew(kit);
	kit_ready(kit, 2, 1);
	renew(kit);
	kit_forget(kit);
	crew_stop(kit->crew, 0, false, kit->now);
	kit_expect(kit, "leave 1/1 stop 10000; leave 2/1 stop 10000; refused; gone 3");
}

static void test_who_drains_longer_than_a_stop_is_hurried(void **state)
{
	struct kit *kit = kit_of(state);

	kit->rules.workers = 1;
	kit_run(kit);
	renew(kit);
	kit_ready(kit, 2, 1);
	kit_later(kit, 55000);
	kit_forget(kit);
	crew_stop(kit->crew, 0, false, kit->now);
	kit_expect(kit, "leave 2/1 stop 10000"); /* 1/1 has 5 s left */
	assert_int_equal(crew_next(kit->crew), kit->now + 6000);
}

static void test_workers_in_backoff_do_not_come_back_after_a_stop(void **state)
{
	struct kit *kit = kit_of(state);

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

/* --- upgrade --- */

static void test_an_upgrade_is_tried_only_while_all_is_quiet(void **state)
{
	struct kit *kit = kit_of(state);

	kit_start(kit);
	assert_false(crew_upgrade(kit->crew, kit->now));
	kit_ready(kit, 1, 1);
	kit_ready(kit, 1, 2);
	kit_forget(kit);
	assert_true(crew_upgrade(kit->crew, kit->now));
	assert_false(crew_upgrade(kit->crew, kit->now));
	assert_false(crew_reload(kit->crew, kit->now));
	kit_expect(kit, "");
	crew_upgrade_failed(kit->crew, kit->now);
	kit_expect(kit, "load");
	assert_false(crew_upgrade(kit->crew, kit->now));
}

static void test_after_an_upgrade_the_workers_are_replaced(void **state)
{
	struct kit *kit = kit_of(state);

	kit->rules.workers = 1;
	kit_run(kit);
	assert_int_equal(crew_renew_after_upgrade(kit->crew, kit->now), 0);
	assert_true(crew_upgrade(kit->crew, kit->now));
	assert_int_equal(crew_renew_after_upgrade(kit->crew, kit->now), 2);
	kit_ready(kit, 2, 1);
	kit_expect(kit, "spawn 2/1; current 2; done; leave 1/1 upgrade 60000");
}

static void test_a_stop_wins_over_an_upgrade(void **state)
{
	struct kit *kit = kit_of(state);

	kit->rules.workers = 1;
	kit_run(kit);
	assert_true(crew_upgrade(kit->crew, kit->now));
	crew_stop(kit->crew, 0, false, kit->now);
	crew_upgrade_failed(kit->crew, kit->now);
	assert_int_equal(crew_renew_after_upgrade(kit->crew, kit->now), 0);
	kit_expect(kit, "leave 1/1 stop 10000");
	assert_int_equal(kit_state(kit), MONITOR_STOPPING);
}

/* --- the bytes --- */

/* The crew as another image would have it. */
static void hand_over(struct kit *kit)
{
	struct crew_calls calls = kit_calls(kit);
	unsigned char *bytes;
	size_t length;
	struct err err;

	assert_int_equal(crew_encode(kit->crew, &bytes, &length, &err), 0);
	crew_destroy(kit->crew);
	kit->crew = crew_decode(&calls, bytes, length, &err);
	free(bytes);
	assert_non_null(kit->crew);
}

static void test_a_crew_goes_on_after_it_was_handed_over(void **state)
{
	struct kit *kit = kit_of(state);
	int code = 7;

	kit->rules.restart.final_codes = &code;
	kit->rules.restart.final_code_count = 1;
	kit_run(kit);
	renew(kit);
	kit_ready(kit, 2, 1);
	kit_ready(kit, 2, 2);
	kit_died(kit, 2, 1, KILLED);
	kit_died(kit, 2, 1, KILLED);
	assert_true(crew_upgrade(kit->crew, kit->now));
	assert_false(crew_reload(kit->crew, kit->now));
	hand_over(kit);
	kit_forget(kit);
	assert_int_equal(kit_state(kit), MONITOR_UPGRADING);
	assert_int_equal(kit_slot(kit, 2, 1)->restarts, 1);
	assert_int_equal(kit_slot(kit, 2, 2)->pid, 104);
	assert_int_equal(crew_next(kit->crew), kit->now + 100);
	crew_upgrade_failed(kit->crew, kit->now);
	kit_expect(kit, "load");
	kit_later(kit, 100);
	kit_died(kit, 2, 2, EXITED_7);
	kit_died(kit, 1, 1, EXITED_0);
	kit_died(kit, 2, 1, KILLED);
	assert_int_equal(crew_next(kit->crew), kit->now + 200);
	kit_expect(kit, "spawn 2/1");
	assert_true(kit_slot(kit, 2, 2)->lost);
	kit_later(kit, 61000);
	kit_expect(kit, "kill 1/2; spawn 2/1");
}

static void test_a_crew_is_handed_over_only_while_all_is_quiet(void **state)
{
	struct kit *kit = kit_of(state);
	unsigned char *bytes;
	struct err err = {0};
	size_t length;

	kit_start(kit);
	assert_int_equal(crew_encode(kit->crew, &bytes, &length, &err), -1);
	assert_null(bytes);
	assert_string_equal(err.what, "cannot hand the workers over while the daemon is starting");
}

static void test_cut_or_damaged_bytes_are_refused(void **state)
{
	struct kit *kit = kit_of(state);
	struct crew_calls calls = kit_calls(kit);
	unsigned char *bytes;
	size_t length;
	struct err err = {0};

	kit_run(kit);
	assert_int_equal(crew_encode(kit->crew, &bytes, &length, &err), 0);
	for (size_t i = 0; i < length; i++)
		assert_null(crew_decode(&calls, bytes, i, &err));
	assert_string_equal(err.what, "workers: not of this version, cut or damaged");
	for (size_t i = 0; i < length; i++) {
		unsigned char good = bytes[i];
		struct crew *crew;

		/* What passes for a crew must also live like one. */
		for (int bit = 0; bit < 8; bit++) {
			bytes[i] = good ^ (unsigned char)(1 << bit);
			crew = crew_decode(&calls, bytes, length, &err);
			if (crew) {
				crew_tick(crew, kit->now + 1000000);
				crew_stop(crew, 0, true, kit->now);
				crew_destroy(crew);
			}
			kit_forget(kit);
			kit->log[0] = 0;
		}
		bytes[i] = good;
	}
	free(bytes);
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
	    RULE(test_a_load_that_fails_is_refused_with_its_words),
	    RULE(test_a_reload_in_place_is_done_when_all_have_accepted),
	    RULE(test_one_refusal_gives_the_others_the_old_back),
	    RULE(test_the_rules_of_a_refused_reload_are_forgotten),
	    RULE(test_the_rules_of_an_accepted_reload_are_in_force),
	    RULE(test_who_does_not_answer_is_killed_and_has_refused),
	    RULE(test_the_way_back_is_bounded),
	    RULE(test_a_death_during_a_reload_refuses_it),
	    RULE(test_a_worker_that_starts_is_asked_when_it_is_ready),
	    RULE(test_workers_in_backoff_are_not_asked),
	    RULE(test_a_new_generation_serves_when_all_of_it_are_ready),
	    RULE(test_a_new_generation_that_fails_changes_nothing),
	    RULE(test_a_new_generation_is_refused_by_a_death_and_by_time),
	    RULE(test_a_ready_worker_that_dies_before_the_others_are_ready_refuses_too),
	    RULE(test_no_more_generations_live_than_may),
	    RULE(test_the_old_generation_replaces_its_dead_while_the_new_one_starts),
	    RULE(test_who_drains_is_not_replaced),
	    RULE(test_wishes_during_a_reload_wait_and_collapse),
	    RULE(test_a_wish_during_the_start_waits_for_its_end),
	    RULE(test_a_wish_is_answered_when_the_start_fails),
	    RULE(test_a_stop_tells_all_and_ends_with_the_last),
	    RULE(test_a_second_stop_now_kills),
	    RULE(test_a_stop_gives_a_new_generation_up),
	    RULE(test_a_stop_forgets_a_generation_that_waits),
	    RULE(test_who_drains_longer_than_a_stop_is_hurried),
	    RULE(test_workers_in_backoff_do_not_come_back_after_a_stop),
	    RULE(test_an_upgrade_is_tried_only_while_all_is_quiet),
	    RULE(test_after_an_upgrade_the_workers_are_replaced),
	    RULE(test_a_stop_wins_over_an_upgrade),
	    RULE(test_a_crew_goes_on_after_it_was_handed_over),
	    RULE(test_a_crew_is_handed_over_only_while_all_is_quiet),
	    RULE(test_cut_or_damaged_bytes_are_refused),
	    RULE(test_states_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
