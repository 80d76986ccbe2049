#include "host/monitor/rules.h"
#include "spec_fixture.h"

static void the_crews_rules_are_those_of_the_daemon_file(void **state)
{
	struct fixture *fixture = *state;
	const struct spec *spec = fixture_right(
	    fixture, "return { service = { start = function() end }, workers = 7,\n"
		     "generations = 5, restart = { policy = 'on-failure', limit = 4,\n"
		     "backoff = '20ms', backoff_limit = '1s', window = '9s',\n"
		     "over = 'go-on', final_codes = { 3, 4 } },\n"
		     "timeouts = { start = 1, reload = 2, stop = 3, drain = 4 } }");
	struct crew_rules rules;

	rules_of(&rules, spec);
	assert_int_equal(rules.workers, 7);
	assert_int_equal(rules.generations, 5);
	assert_int_equal(rules.timeout_start, 1000);
	assert_int_equal(rules.timeout_reload, 2000);
	assert_int_equal(rules.timeout_stop, 3000);
	assert_int_equal(rules.timeout_drain, 4000);
	assert_int_equal(rules.restart.policy, RESTART_ON_FAILURE);
	assert_int_equal(rules.restart.backoff, 20);
	assert_int_equal(rules.restart.backoff_limit, 1000);
	assert_int_equal(rules.restart.limit, 4);
	assert_int_equal(rules.restart.window, 9000);
	assert_int_equal(rules.restart.over, RESTART_OVER_GO_ON);
	assert_int_equal(rules.restart.final_code_count, 2);
	assert_int_equal(rules.restart.final_codes[0], 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(the_crews_rules_are_those_of_the_daemon_file)};

	return cmocka_run_group_tests_name("the rules of a crew", tests, NULL, NULL);
}
