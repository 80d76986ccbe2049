#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crew_kit.h"

static void test_a_new_generation_serves_when_all_of_it_are_ready(void **state)
{
	struct kit *kit = *state;

	kit_run(kit);
	assert_int_equal(crew_next_generation(kit->crew), 2);
	assert_int_equal(kit_renew(kit), 2);
	kit_expect(kit, "spawn 2/1; spawn 2/2");
	kit_ready(kit, 2, 1);
	kit_expect(kit, "");
	kit_ready(kit, 2, 2);
	kit_expect(kit, "current 2; leave 1/1 reload 60000; leave 1/2 reload 60000; done");
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
	struct kit *kit = *state;

	kit->rules.workers = 3;
	kit_run(kit);
	kit_renew(kit);
	kit_ready(kit, 2, 1);
	kit_forget(kit);
	kit_failed(kit, 2, 2, "start: no");
	assert_string_equal(kit->verdict, "start: no");
	kit_expect(kit, "refused; leave 2/1 reload 60000; leave 2/3 reload 60000");
	kit_died(kit, 2, 1, EXITED_0);
	kit_died(kit, 2, 3, EXITED_1);
	kit_expect(kit, "");
	/* Nobody is warned of a start that fails since it was told to. */
	kit_expect_log(kit, "\nworker 3 (pid 106) exited with code 1");
	kit_died(kit, 2, 2, EXITED_1);
	kit_expect(kit, "gone 2");
	kit_died(kit, 1, 3, KILLED);
	kit_expect_log(kit, "\n! worker 3 (pid 103) was killed by signal 9 (SIGKILL)");
	kit_expect(kit, "spawn 1/3");
}

static void test_a_new_generation_is_refused_by_a_death_and_by_time(void **state)
{
	struct kit *kit = *state;

	kit->rules.workers = 1;
	kit_run(kit);
	kit_renew(kit);
	kit_died(kit, 2, 1, KILLED);
	kit_expect(kit, "spawn 2/1; refused; gone 2");
	kit->refusals = 1;
	assert_int_equal(kit_renew(kit), 3);
	kit_expect(kit, "no spawn 3/1; refused; gone 3");
	kit_renew(kit);
	kit_forget(kit);
	kit_later(kit, 30000);
	kit_expect(kit, "kill 4/1; refused");
	assert_string_equal(kit->verdict, "worker 1 was not ready within 30s: " START_MUST_RETURN);
}

static void test_a_ready_worker_that_dies_before_the_others_are_ready_refuses_too(void **state)
{
	struct kit *kit = *state;

	kit_run(kit);
	kit_renew(kit);
	kit_ready(kit, 2, 1);
	kit_forget(kit);
	kit_died(kit, 2, 1, KILLED);
	kit_expect(kit, "refused; leave 2/2 reload 60000");
}

static void test_who_was_not_heard_to_be_ready_leaves_soon_or_finishes_what_it_serves(void **state)
{
	struct kit *kit = *state;

	kit->rules.workers = 3;
	kit_run(kit);
	kit_renew(kit);
	kit_forget(kit);
	kit_failed(kit, 2, 1, "start: no");
	kit_expect(kit, "refused; leave 2/2 reload 60000; leave 2/3 reload 60000");
	kit_ready(kit, 2, 2); /* its word was on the way */
	kit_died(kit, 2, 1, EXITED_1);
	kit_later(kit, 1000);
	kit_expect(kit, "kill 2/3");
	kit_died(kit, 2, 3, KILLED);
	/* Here somebody is warned: it should have left. */
	kit_expect_log(kit, "\n! worker 3 (pid 106) was killed by signal 9 (SIGKILL)");
	kit_later(kit, 59999);
	kit_expect(kit, "");
	kit_later(kit, 1001);
	kit_expect(kit, "kill 2/2");
	kit_died(kit, 2, 2, KILLED);
	kit_expect(kit, "gone 2");
}

static void test_no_more_generations_live_than_may(void **state)
{
	struct kit *kit = *state;

	kit->rules.workers = 1;
	kit_run(kit);
	kit_renew(kit);
	kit_ready(kit, 2, 1);
	kit_forget(kit);
	assert_int_equal(kit_renew(kit), 3);
	kit_expect(kit, "");
	assert_int_equal(kit_state(kit), MONITOR_RENEWING);
	kit_died(kit, 1, 1, EXITED_0);
	kit_expect(kit, "gone 1; spawn 3/1");
	kit_ready(kit, 3, 1);
	kit_expect(kit, "current 3; leave 2/1 reload 60000; done");
}

static void test_the_old_generation_replaces_its_dead_while_the_new_one_starts(void **state)
{
	struct kit *kit = *state;

	kit->rules.workers = 1;
	kit_run(kit);
	kit_renew(kit);
	kit_forget(kit);
	kit_died(kit, 1, 1, KILLED);
	kit_expect(kit, "spawn 1/1");
	kit_ready(kit, 2, 1);
	kit_expect(kit, "current 2; leave 1/1 reload 60000; done");
}

static void test_who_drains_is_not_replaced(void **state)
{
	struct kit *kit = *state;

	kit->rules.workers = 1;
	kit_run(kit);
	kit_renew(kit);
	kit_ready(kit, 2, 1);
	kit_forget(kit);
	kit_died(kit, 1, 1, KILLED);
	kit_expect(kit, "gone 1");
}

static void test_two_generations_may_always_live(void **state)
{
	struct kit *kit = *state;

	kit->rules.generations = 0;
	kit->rules.workers = 1;
	kit_run(kit);
	kit_renew(kit);
	kit_expect(kit, "spawn 2/1");
}

static void test_a_new_generation_is_not_blamed_for_the_losses_of_the_old(void **state)
{
	struct kit *kit = *state;

	kit->rules.restart.policy = RESTART_NEVER;
	kit_run(kit);
	kit_died(kit, 1, 1, KILLED);
	kit->rules.workers = 1;
	kit_renew(kit);
	kit_ready(kit, 2, 1);
	kit_died(kit, 1, 2, EXITED_0);
	kit_forget(kit);
	kit_died(kit, 2, 1, EXITED_0);
	kit_expect(kit, "gone 2; stopped 0");
}

#define RULE(test) cmocka_unit_test_setup_teardown(test, kit_open, kit_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RULE(test_a_new_generation_serves_when_all_of_it_are_ready),
	    RULE(test_a_new_generation_that_fails_changes_nothing),
	    RULE(test_a_new_generation_is_refused_by_a_death_and_by_time),
	    RULE(test_a_ready_worker_that_dies_before_the_others_are_ready_refuses_too),
	    RULE(test_who_was_not_heard_to_be_ready_leaves_soon_or_finishes_what_it_serves),
	    RULE(test_no_more_generations_live_than_may),
	    RULE(test_the_old_generation_replaces_its_dead_while_the_new_one_starts),
	    RULE(test_who_drains_is_not_replaced),
	    RULE(test_two_generations_may_always_live),
	    RULE(test_a_new_generation_is_not_blamed_for_the_losses_of_the_old),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
