#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crew_kit.h"

/* --- reload in place --- */

static void test_a_load_that_fails_is_refused_with_its_words(void **state)
{
	struct kit *kit = *state;
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
	struct kit *kit = *state;

	kit_run(kit);
	kit_apply(kit);
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
	struct kit *kit = *state;

	kit->rules.workers = 3;
	kit_run(kit);
	kit_apply(kit);
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
	struct kit *kit = *state;

	kit->rules.workers = 1;
	kit_run(kit);
	kit->rules.timeout_stop = 77;
	kit_apply(kit);
	kit_refused(kit, 1, 1, "no");
	kit_apply(kit);
	kit_refused(kit, 1, 1, "no");
	kit_forget(kit);
	crew_stop(kit->crew, 0, false, kit->now);
	kit_expect(kit, "leave 1/1 stop 10000");
}

static void test_the_rules_of_an_accepted_reload_are_in_force(void **state)
{
	struct kit *kit = *state;

	kit->rules.workers = 1;
	kit_run(kit);
	kit->rules.timeout_stop = 77;
	kit_apply(kit);
	kit_accepted(kit, 1, 1);
	kit_forget(kit);
	crew_stop(kit->crew, 0, false, kit->now);
	kit_expect(kit, "leave 1/1 stop 77");
}

static void test_who_does_not_answer_is_killed_and_has_refused(void **state)
{
	struct kit *kit = *state;

	kit_run(kit);
	kit_apply(kit);
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
	struct kit *kit = *state;

	kit_run(kit);
	kit_apply(kit);
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
	struct kit *kit = *state;

	kit_run(kit);
	kit_apply(kit);
	kit_forget(kit);
	kit_accepted(kit, 1, 1);
	kit_died(kit, 1, 1, KILLED); /* it had accepted */
	kit_accepted(kit, 1, 2);
	kit_expect(kit, "back 1/2");
	kit_accepted(kit, 1, 2);
	kit_expect(kit, "refused; spawn 1/1");
	kit_ready(kit, 1, 1);
	kit_apply(kit);
	kit_forget(kit);
	kit_died(kit, 1, 2, KILLED); /* it had not answered */
	kit_accepted(kit, 1, 1);
	kit_accepted(kit, 1, 1);
	kit_expect(kit, "back 1/1; refused; spawn 1/2");
}

static void test_a_worker_that_starts_is_asked_when_it_is_ready(void **state)
{
	struct kit *kit = *state;

	kit_run(kit);
	kit_died(kit, 1, 1, KILLED);
	kit_forget(kit);
	kit_apply(kit);
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
	struct kit *kit = *state;

	kit_run(kit);
	kit_died(kit, 1, 1, KILLED);
	kit_died(kit, 1, 1, KILLED);
	kit_forget(kit);
	kit_apply(kit);
	kit_expect(kit, "reload 1/2");
	kit_later(kit, 100);
	kit_expect(kit, "");
	kit_accepted(kit, 1, 2);
	kit_expect(kit, "done; spawn 1/1");
}

/* --- reloads that wait --- */

static void test_wishes_during_a_reload_wait_and_collapse(void **state)
{
	struct kit *kit = *state;
	struct crew_status status;

	kit->rules.workers = 1;
	kit_run(kit);
	kit_apply(kit);
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
	struct kit *kit = *state;

	kit->rules.workers = 1;
	kit_start(kit);
	assert_false(crew_reload(kit->crew, kit->now));
	kit_forget(kit);
	kit_ready(kit, 1, 1);
	kit_expect(kit, "current 1; started; load");
}

static void test_a_wish_is_answered_when_the_start_fails(void **state)
{
	struct kit *kit = *state;

	kit->rules.workers = 1;
	kit_start(kit);
	assert_false(crew_reload(kit->crew, kit->now));
	kit_forget(kit);
	kit_failed(kit, 1, 1, "no");
	kit_expect(kit, "start_failed; refused");
	assert_string_equal(kit->verdict, "the daemon is stopping");
}

static void test_several_refusals_are_one(void **state)
{
	struct kit *kit = *state;

	kit_run(kit);
	kit_apply(kit);
	kit_forget(kit);
	kit_refused(kit, 1, 2, "first");
	kit_expect(kit, "");
	kit_refused(kit, 1, 1, "second");
	kit_expect(kit, "refused");
	assert_string_equal(kit->verdict, "first");
}

#define RULE(test) cmocka_unit_test_setup_teardown(test, kit_open, kit_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	    RULE(test_wishes_during_a_reload_wait_and_collapse),
	    RULE(test_a_wish_during_the_start_waits_for_its_end),
	    RULE(test_a_wish_is_answered_when_the_start_fails),
	    RULE(test_several_refusals_are_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
