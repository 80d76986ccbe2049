#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "crew_kit.h"

/* --- upgrade --- */

static void test_an_upgrade_is_tried_only_while_all_is_quiet(void **state)
{
	struct kit *kit = *state;

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
	struct kit *kit = *state;

	kit->rules.workers = 1;
	kit_run(kit);
	assert_int_equal(crew_renew_after_upgrade(kit->crew, kit->now), 0);
	assert_true(crew_upgrade(kit->crew, kit->now));
	assert_int_equal(crew_renew_after_upgrade(kit->crew, kit->now), 2);
	kit_ready(kit, 2, 1);
	kit_expect(kit, "spawn 2/1; current 2; leave 1/1 upgrade 60000; done");
}

static void test_a_stop_wins_over_an_upgrade(void **state)
{
	struct kit *kit = *state;

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
	struct kit *kit = *state;
	int code = 7;

	kit->rules.restart.final_codes = &code;
	kit->rules.restart.final_code_count = 1;
	kit_run(kit);
	kit_renew(kit);
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
	struct kit *kit = *state;
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
	struct kit *kit = *state;
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

static void test_a_loss_is_handed_over(void **state)
{
	struct kit *kit = *state;

	kit->rules.restart.policy = RESTART_ON_FAILURE;
	kit->rules.restart.limit = 1;
	kit->rules.restart.over = RESTART_OVER_GO_ON;
	kit_run(kit);
	kit_died(kit, 1, 1, KILLED);
	kit_died(kit, 1, 1, KILLED);
	hand_over(kit);
	kit_forget(kit);
	kit_died(kit, 1, 2, EXITED_0); /* it had been ready, so it is done */
	kit_expect(kit, "gone 1; stopped 1");
}

static void test_who_drains_is_hurried_after_a_hand_over_too(void **state)
{
	struct kit *kit = *state;

	kit->rules.workers = 1;
	kit_run(kit);
	kit_renew(kit);
	kit_ready(kit, 2, 1);
	hand_over(kit);
	kit_forget(kit);
	crew_stop(kit->crew, 0, false, kit->now);
	kit_expect(kit, "leave 1/1 stop 10000; leave 2/1 stop 10000");
}

static void test_the_clock_of_deaths_is_handed_over(void **state)
{
	struct kit *kit = *state;

	kit_run(kit);
	kit->now += 30000;
	kit_died(kit, 1, 1, KILLED);
	kit_ready(kit, 1, 1);
	hand_over(kit);
	kit_forget(kit);
	kit->now += 70000;
	kit_died(kit, 1, 1, KILLED);
	kit_expect(kit, "spawn 1/1");
}

static void test_bytes_that_no_crew_would_write_are_refused(void **state)
{
	/* The state of worker 1, which is READY, and its pid. */
	static const unsigned char place[] = {WORKER_READY, 0, 0, 0, 101, 0, 0, 0, 0, 0, 0, 0};
	struct kit *kit = *state;
	struct crew_calls calls = kit_calls(kit);
	unsigned char *bytes, *at;
	size_t length;
	struct err err;

	kit_run(kit);
	assert_int_equal(crew_encode(kit->crew, &bytes, &length, &err), 0);
	assert_null(crew_decode(&calls, bytes, length - 1, &err));
	/* One more than its own: the closing 0 of the memory stream. */
	assert_null(crew_decode(&calls, bytes, length + 1, &err));
	at = memmem(bytes, length, place, sizeof place);
	assert_non_null(at);
	for (unsigned char other = 0; other < 8; other++) {
		struct crew *crew;

		*at = other;
		crew = crew_decode(&calls, bytes, length, &err);
		/* Who is killed has a process and no time, too. */
		assert_true((crew != NULL) == (other == WORKER_READY || other == WORKER_KILLED));
		crew_destroy(crew);
	}
	free(bytes);
}

#define RULE(test) cmocka_unit_test_setup_teardown(test, kit_open, kit_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RULE(test_an_upgrade_is_tried_only_while_all_is_quiet),
	    RULE(test_after_an_upgrade_the_workers_are_replaced),
	    RULE(test_a_stop_wins_over_an_upgrade),
	    RULE(test_a_crew_goes_on_after_it_was_handed_over),
	    RULE(test_a_crew_is_handed_over_only_while_all_is_quiet),
	    RULE(test_cut_or_damaged_bytes_are_refused),
	    RULE(test_a_loss_is_handed_over),
	    RULE(test_who_drains_is_hurried_after_a_hand_over_too),
	    RULE(test_the_clock_of_deaths_is_handed_over),
	    RULE(test_bytes_that_no_crew_would_write_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
