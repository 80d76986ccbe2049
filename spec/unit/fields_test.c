#include "spec_fixture.h"

#include <string.h>

#include "spec/fields.h"

static void every_row_is_whole_and_named_once(void **state)
{
	(void)state;
	for (const struct field *field = fields; field->name; field++) {
		assert_non_null(field->kind);
		assert_non_null(field->help);
		assert_true(strlen(field->help) > 10 && strlen(field->help) < 90);
		assert_ptr_equal(field_find(field->name), field);
	}
}

static void every_row_has_its_parent(void **state)
{
	(void)state;
	for (const struct field *field = fields; field->name; field++) {
		const char *dot = strrchr(field->name, '.');
		char parent[64] = "";

		if (!dot)
			continue;
		memcpy(parent, field->name, (size_t)(dot - field->name));
		assert_non_null(field_find(parent));
		assert_true(field_is_below(field, parent));
	}
}

/* Each default has to pass the check of its own row. */
static void every_default_is_right(void **state)
{
	struct fixture *fixture = *state;
	const struct spec *spec = fixture_right(
	    fixture, "return { service = { start = function() end },\n"
		     " listen = { a = 'tcp://127.0.0.1:1' }, files = { f = { path = 'f' } } }");
	const struct listen *listen = spec_listen(spec, "a");

	assert_string_equal(spec->name, "main");
	assert_string_equal(spec->description, "");
	assert_string_equal(spec->chdir, "/");
	assert_int_equal(spec->umask, 027);
	assert_int_equal(spec->workers, 1);
	assert_int_equal(spec->timeout_start, 30000);
	assert_int_equal(spec->timeout_drain, 60000);
	assert_int_equal(spec->timeout_watchdog, 30000);
	assert_int_equal(spec->restart.policy, RESTART_ALWAYS);
	assert_int_equal(spec->restart.backoff, 100);
	assert_int_equal(spec->restart.backoff_limit, 30000);
	assert_int_equal(spec->restart.limit, 10);
	assert_int_equal(spec->restart.window, 60000);
	assert_int_equal(spec->restart.over, RESTART_OVER_STOP);
	assert_int_equal(spec->restart.final_code_count, 0);
	assert_int_equal(spec->generations, 3);
	assert_false(spec->console);
	assert_int_equal(spec->lua_slice, 1000);
	assert_int_equal(spec->lua_abort, 0);
	assert_int_equal(spec->log.to, SINK_DEFAULT);
	assert_int_equal(spec->log.level, LEVEL_INFO);
	assert_false(spec->log.json);
	assert_true(spec->control_wanted);
	assert_false(spec->folders[DIRECTORY_STATE].wanted);
	assert_int_equal(spec->folders[DIRECTORY_STATE].mode, 0750);
	assert_int_equal(listen->backlog, 511);
	assert_int_equal(listen->mode, 0666);
	assert_false(listen->reuseport);
	assert_int_equal(listen->write_buffer, 256 * 1024);
	assert_int_equal(listen->uid, (uid_t)-1);
	assert_int_equal(spec->files[0].mode, 'r');
	assert_int_equal(spec->files[0].perm, 0640);
}

static void workers_and_their_restart_are_read(void **state)
{
	const struct spec *spec = fixture_right(
	    *state, "return { service = { start = function() end }, workers = 'auto',\n"
		    " restart = { policy = 'on-failure', backoff = 1, backoff_limit = '2s',\n"
		    " limit = 0, window = '5m', over = 'go-on', final_codes = { 2, 78 } },\n"
		    " generations = 16, console = true, timeouts = { watchdog = 0 },\n"
		    " listen = { a = { address = 'udp://*:1', reuseport = true } } }");

	assert_int_equal(spec->workers, WORKERS_AUTO);
	assert_int_equal(spec->restart.policy, RESTART_ON_FAILURE);
	assert_int_equal(spec->restart.backoff, 1000);
	assert_int_equal(spec->restart.backoff_limit, 2000);
	assert_int_equal(spec->restart.limit, 0);
	assert_int_equal(spec->restart.window, 300000);
	assert_int_equal(spec->restart.over, RESTART_OVER_GO_ON);
	assert_int_equal(spec->restart.final_code_count, 2);
	assert_int_equal(spec->restart.final_codes[1], 78);
	assert_int_equal(spec->generations, 16);
	assert_true(spec->console);
	assert_int_equal(spec->timeout_watchdog, 0);
	assert_true(spec_listen(spec, "a")->reuseport);
}

static void a_policy_stands_for_restart(void **state)
{
	const struct spec *spec = fixture_right(
	    *state, "return { service = { start = function() end }, restart = 'never' }");

	assert_int_equal(spec->restart.policy, RESTART_NEVER);
	assert_int_equal(spec->restart.limit, 10);
}

static void names_are_found_by_the_users_own_words(void **state)
{
	(void)state;
	assert_string_equal(field_find("listen.web.backlog")->name, "listen.NAME.backlog");
	assert_string_equal(field_find("environment.set.TZ")->name, "environment.set.NAME");
	assert_null(field_find("listen.web.nothing"));
	assert_null(field_find("listen."));
	assert_null(field_find(""));
	assert_string_equal(field_nearest("timeouts.stpo"), "timeouts.stop");
	assert_string_equal(field_nearest("facility"), "log.facility");
	assert_null(field_nearest("qqqqqqqqqq"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_row_is_whole_and_named_once),
	    cmocka_unit_test(every_row_has_its_parent),
	    TEST(every_default_is_right),
	    TEST(workers_and_their_restart_are_read),
	    TEST(a_policy_stands_for_restart),
	    cmocka_unit_test(names_are_found_by_the_users_own_words),
	};

	return cmocka_run_group_tests_name("the field table", tests, NULL, NULL);
}
