#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "service/alarm.h"

/* Alarms on a loop of the test's own. */

enum { MANY = 2000 };

struct bell {
	struct alarm alarm;
	struct tower *tower;
	uint64_t due;
	int rung;
};

struct tower {
	struct clock clock;
	uv_loop_t loop;
	struct alarms alarms;
	struct bell bells[MANY];
	int rung;
	uint64_t last; /* due of the one that rang last */
	struct bell *other;
};

static void ring(struct alarm *alarm)
{
	struct bell *bell = (struct bell *)alarm;
	struct tower *tower = bell->tower;

	assert_false(alarm_is_set(alarm));
	assert_true(uv_now(&tower->loop) >= bell->due);
	assert_true(bell->due >= tower->last);
	tower->last = bell->due;
	tower->rung++;
	bell->rung++;
}

static void set(struct tower *tower, int i, uint64_t after)
{
	struct bell *bell = &tower->bells[i];

	bell->due = uv_now(&tower->loop) + after;
	alarm_set(&tower->alarms, &bell->alarm, bell->due);
}

static int make(void **state)
{
	struct tower *tower = calloc(1, sizeof *tower);

	uv_loop_init(&tower->loop);
	tower->clock.loop = &tower->loop;
	alarms_init(&tower->alarms, &tower->clock);
	for (int i = 0; i < MANY; i++) {
		tower->bells[i] = (struct bell){.tower = tower};
		alarm_init(&tower->alarms, &tower->bells[i].alarm, ring);
	}
	*state = tower;
	return 0;
}

static int destroy(void **state)
{
	struct tower *tower = *state;

	uv_close((uv_handle_t *)&tower->alarms.timer, NULL);
	uv_run(&tower->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&tower->loop), 0);
	free(tower);
	return 0;
}

static void test_each_alarm_rings_once_in_the_order_of_time(void **state)
{
	struct tower *tower = *state;

	srand(1);
	for (int i = 0; i < MANY; i++)
		set(tower, i, (uint64_t)(rand() % 50) + 1);
	uv_run(&tower->loop, UV_RUN_DEFAULT);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(tower->bells[i].rung, 1);
}

static void test_a_cleared_alarm_does_not_ring(void **state)
{
	struct tower *tower = *state;

	for (int i = 0; i < MANY; i++)
		set(tower, i, (uint64_t)(i % 37) + 1);
	for (int i = 0; i < MANY; i += 3)
		alarm_clear(&tower->alarms, &tower->bells[i].alarm);
	alarm_clear(&tower->alarms, &tower->bells[0].alarm);
	uv_run(&tower->loop, UV_RUN_DEFAULT);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(tower->bells[i].rung, i % 3 != 0);
}

static void test_an_alarm_that_is_moved_rings_at_its_new_time(void **state)
{
	struct tower *tower = *state;

	set(tower, 0, 10000);
	set(tower, 1, 20);
	set(tower, 0, 10); /* sooner */
	set(tower, 2, 1);
	set(tower, 2, 30); /* later */
	uv_run(&tower->loop, UV_RUN_DEFAULT);
	assert_int_equal(tower->rung, 3);
	assert_ptr_equal(tower->alarms.first, NULL);
}

static void ring_again(struct alarm *alarm)
{
	struct bell *bell = (struct bell *)alarm;
	struct tower *tower = bell->tower;

	tower->rung++;
	alarm_clear(&tower->alarms, &tower->other->alarm);
	if (tower->rung < 3)
		alarm_set(&tower->alarms, alarm, 1); /* long ago */
}

static void test_an_alarm_may_set_itself_and_clear_others_while_it_rings(void **state)
{
	struct tower *tower = *state;

	alarm_init(&tower->alarms, &tower->bells[0].alarm, ring_again);
	tower->other = &tower->bells[1];
	set(tower, 0, 1);
	set(tower, 1, 1);
	uv_run(&tower->loop, UV_RUN_DEFAULT);
	assert_int_equal(tower->rung, 3);
	assert_int_equal(tower->bells[1].rung, 0);
}

static void ring_in_turn(struct alarm *alarm)
{
	struct bell *bell = (struct bell *)alarm;

	assert_int_equal(bell - bell->tower->bells, bell->tower->rung++);
}

static void test_of_those_that_are_due_together_the_first_set_rings_first(void **state)
{
	struct tower *tower = *state;

	for (int i = 0; i < MANY; i++) {
		alarm_init(&tower->alarms, &tower->bells[i].alarm, ring_in_turn);
		set(tower, i, 5);
	}
	uv_run(&tower->loop, UV_RUN_DEFAULT);
	assert_int_equal(tower->rung, MANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_each_alarm_rings_once_in_the_order_of_time, make,
					    destroy),
	    cmocka_unit_test_setup_teardown(test_a_cleared_alarm_does_not_ring, make, destroy),
	    cmocka_unit_test_setup_teardown(test_an_alarm_that_is_moved_rings_at_its_new_time, make,
					    destroy),
	    cmocka_unit_test_setup_teardown(
		test_an_alarm_may_set_itself_and_clear_others_while_it_rings, make, destroy),
	    cmocka_unit_test_setup_teardown(
		test_of_those_that_are_due_together_the_first_set_rings_first, make, destroy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
