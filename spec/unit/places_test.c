#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "plan/aim.h"
#include "plan/duty.h"
#include "sample.h"
#include "sys/sys.h"
#include "sys_fake.h"
#include "unit/places.h"

static struct sample sample;

static struct unit unit_of(void)
{
	return (struct unit){.daemon = &sample.daemon, .program = "/usr/bin/luvd"};
}

static int begin(void **state)
{
	(void)state;
	fake_reset(true);
	sample_jail(&sample, "");
	sample.daemon.source.path = strdup("/srv/jail.lua");
	return 0;
}

static int end(void **state)
{
	(void)state;
	sample_finish(&sample);
	return 0;
}

static void folders_are_compared_by_whole_names(void **state)
{
	(void)state;
	assert_true(place_is_below("/run/a", "/run"));
	assert_true(place_is_below("/run", "/run"));
	assert_true(place_is_below("/run", "/"));
	assert_false(place_is_below("/runner/a", "/run"));
	assert_false(place_is_below("/", "/run"));
}

static void what_is_written_to_has_no_doubles(void **state)
{
	struct unit unit = unit_of();
	struct written written;
	struct err err = {0};

	(void)state;
	assert_int_equal(written_make(&written, &unit, &err), 0);
	for (size_t i = 0; i < written.count; i++)
		for (size_t k = 0; k < written.count; k++)
			if (i != k)
				assert_false(
				    place_is_below(written.folders[i], written.folders[k]));
	/* /run has pidfile, socket and control; /var/log log and series, its own folder below. */
	assert_int_equal(written.count, 4);
	written_finish(&written);
}

static void a_file_that_is_only_read_makes_nothing_writable(void **state)
{
	struct unit unit = unit_of();
	struct written written;
	struct err err = {0};

	(void)state;
	sample.files[0] = (struct file){(char *)"series", (char *)"/opt/series", 'r', 0640};
	assert_int_equal(written_make(&written, &unit, &err), 0);
	for (size_t i = 0; i < written.count; i++)
		assert_false(place_is_below("/opt/series", written.folders[i]));
	written_finish(&written);
}

static void places_below_finds_each_kind(void **state)
{
	const char *const srv[] = {"/home", "/srv", NULL}, *const usr[] = {"/usr/bin", NULL};
	const char *const none[] = {"/home", "/tmp", NULL};
	struct unit unit = unit_of();

	(void)state;
	assert_true(places_below(&unit, srv));
	assert_true(places_below(&unit, usr));
	assert_false(places_below(&unit, none));
}

static void all_of_the_start_is_more_than_what_a_monitor_keeps(void **state)
{
	uint64_t kept, whole;

	(void)state;
	sample.spec.workers = 1;
	kept = duty_kept(&sample.daemon);
	whole = duty_whole(&sample.daemon);
	assert_true((kept & whole) == kept);
	assert_true(aim_has(whole, CAPABILITY_SETUID));
	assert_true(aim_has(whole, CAPABILITY_KILL));
	assert_false(aim_has(whole, CAPABILITY_SYS_RESOURCE));
}

static void only_a_monitor_kills_others(void **state)
{
	(void)state;
	sample.spec.workers = 0;
	assert_false(aim_has(duty_whole(&sample.daemon), CAPABILITY_KILL));
}

static void root_that_stays_root_keeps_all(void **state)
{
	(void)state;
	sample.spec.drops = false;
	sample.spec.capabilities_given = false;
	assert_true(duty_whole(&sample.daemon) == sample.daemon.machine.capabilities);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(folders_are_compared_by_whole_names, begin, end),
	    cmocka_unit_test_setup_teardown(what_is_written_to_has_no_doubles, begin, end),
	    cmocka_unit_test_setup_teardown(a_file_that_is_only_read_makes_nothing_writable, begin,
					    end),
	    cmocka_unit_test_setup_teardown(places_below_finds_each_kind, begin, end),
	    cmocka_unit_test_setup_teardown(all_of_the_start_is_more_than_what_a_monitor_keeps,
					    begin, end),
	    cmocka_unit_test_setup_teardown(only_a_monitor_kills_others, begin, end),
	    cmocka_unit_test_setup_teardown(root_that_stays_root_keeps_all, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
