#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "service/burst.h"
#include "service/vm.h"

/* A vm with no more than a loop, its alarms. */
struct world {
	uv_loop_t loop;
	struct vm vm;
	struct burst burst;
	char log[512];
};

/* Instead of service/vm.c. */
void vm_log(struct vm *vm, enum log_level level, const char *message,
	    const struct log_field *fields, size_t count)
{
	struct world *world = LIST_ENTRY(vm, struct world, vm);
	FILE *out = fmemopen(world->log, sizeof world->log, "a");

	fprintf(out, "%d %s", level, message);
	for (size_t i = 0; i < count; i++)
		fprintf(out, " %s=%.*s", fields[i].key, (int)fields[i].length, fields[i].bytes);
	fputc('\n', out);
	fclose(out);
}

static void begin(struct world *world)
{
	*world = (struct world){.vm.loop = &world->loop, .vm.clock.loop = &world->loop};
	uv_loop_init(&world->loop);
	alarms_init(&world->vm.alarms, &world->vm.clock);
}

static void end(struct world *world)
{
	burst_end(&world->burst);
	uv_close((uv_handle_t *)&world->vm.alarms.timer, NULL);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&world->loop), 0);
}

static void happen(struct world *world, const char *peer)
{
	struct log_field field = {"peer", false, peer, strlen(peer)};

	vm_log_burst(&world->vm, &world->burst, LEVEL_WARN, "too many", &field, 1);
}

/* As the loop does it ten seconds later. */
static void pass_window(struct world *world)
{
	struct alarm *alarm = &world->burst.alarm;

	assert_true(alarm_is_set(alarm));
	alarm_clear(&world->vm.alarms, alarm);
	world->vm.alarms.rings[alarm->kind](alarm);
}

static void test_the_first_is_logged_at_once_and_the_rest_is_counted(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	happen(&world, "a");
	assert_string_equal(world.log, "2 too many peer=a\n");
	happen(&world, "b");
	happen(&world, "c");
	assert_string_equal(world.log, "2 too many peer=a\n");
	pass_window(&world);
	assert_string_equal(world.log, "2 too many peer=a\n2 too many suppressed=2\n");
	end(&world);
}

static void test_a_burst_that_goes_on_is_a_line_per_window(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	for (int window = 0; window < 3; window++) {
		for (int i = 0; i < 100; i++)
			happen(&world, "a");
		pass_window(&world);
	}
	assert_string_equal(world.log, "2 too many peer=a\n2 too many suppressed=99\n"
				       "2 too many suppressed=100\n2 too many suppressed=100\n");
	end(&world);
}

static void test_after_a_quiet_window_the_next_is_a_first_again(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	happen(&world, "a");
	pass_window(&world);
	assert_false(alarm_is_set(&world.burst.alarm));
	happen(&world, "b");
	assert_string_equal(world.log, "2 too many peer=a\n2 too many peer=b\n");
	end(&world);
}

static void test_the_end_tells_what_is_left(void **state)
{
	struct world world;

	(void)state;
	begin(&world);
	burst_end(&world.burst); /* nothing ever happened */
	happen(&world, "a");
	happen(&world, "b");
	burst_end(&world.burst);
	burst_end(&world.burst);
	assert_string_equal(world.log, "2 too many peer=a\n2 too many suppressed=1\n");
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_the_first_is_logged_at_once_and_the_rest_is_counted),
	    cmocka_unit_test(test_a_burst_that_goes_on_is_a_line_per_window),
	    cmocka_unit_test(test_after_a_quiet_window_the_next_is_a_first_again),
	    cmocka_unit_test(test_the_end_tells_what_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
