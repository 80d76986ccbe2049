#include "spec_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVICE "service = { start = function() end },"

/* "keys | refused | renewed | code" of a change from one text to the other. */
static const char *change(struct fixture *fixture, const char *before, const char *after)
{
	static char told[1024];
	struct spec *old;
	struct change change;
	size_t used = 0;

	fixture_right(fixture, before);
	old = fixture->spec;
	fixture->spec = NULL;
	fixture_right(fixture, after);
	assert_int_equal(spec_diff(old, fixture->spec, &change), 0);
	spec_destroy(old);
	for (char **key = change.keys; *key; key++)
		used += (size_t)snprintf(told + used, sizeof told - used, "%s ", *key);
	used += (size_t)snprintf(told + used, sizeof told - used, "|");
	for (char **key = change.refused; *key; key++)
		used += (size_t)snprintf(told + used, sizeof told - used, " %s", *key);
	used += (size_t)snprintf(told + used, sizeof told - used, " |");
	for (char **key = change.renewed; *key; key++)
		used += (size_t)snprintf(told + used, sizeof told - used, " %s", *key);
	snprintf(told + used, sizeof told - used, " |%s", change.code ? " code" : "");
	change_finish(&change);
	return told;
}

static const char *service_change(struct fixture *fixture, const char *before, const char *after)
{
	char old[1024], fresh[1024];

	fixture_write(fixture, "room.lua", "return {}");
	snprintf(old, sizeof old, "return { service = 'room', %s }", before);
	snprintf(fresh, sizeof fresh, "return { service = 'room', %s }", after);
	return change(fixture, old, fresh);
}

static void the_same_is_no_change(void **state)
{
	assert_string_equal(service_change(*state, "", ""), "| | |");
	assert_string_equal(service_change(*state, "name = 'x'", "  name = \"x\""), "| | |");
}

static void a_default_that_is_written_out_is_no_change(void **state)
{
	assert_string_equal(
	    service_change(*state, "listen = { web = 'tcp://127.0.0.1:1' }",
			   "umask = '0027', chdir = '/', timeouts = { stop = 30 },\n"
			   "log = { level = 'info' }, listen = { web = {\n"
			   "address = { 'tcp://127.0.0.1:1' }, write_buffer = 262144 } }"),
	    "| | |");
	assert_string_equal(service_change(*state, "signals = { HUP = 'stop' }, user = 33",
					   "signals = { SIGHUP = 'stop' }, user = '33'"),
			    "| | |");
}

static void config_differs_by_its_keys(void **state)
{
	assert_string_equal(
	    service_change(*state, "config = { a = 1, b = { c = 1, d = 1 }, e = { 1 }, g = 1 }",
			   "config = { a = 2, b = { c = 1, d = 2 }, e = { 2 }, f = 1 }"),
	    "config.a config.b.d config.e config.f config.g | | |");
}

static void what_outlives_every_worker_is_refused(void **state)
{
	assert_string_equal(service_change(*state, "user = 'a', log = '/x/a.log'",
					   "user = 'b', log = { to = '/x/b.log', level = 'warn' }"),
			    "log log.level user | log | user |");
	assert_string_equal(
	    service_change(*state, "pidfile = false, directories = { state = true }",
			   "name = 'x', control = false, log = { format = 'json' }"),
	    "control directories.state log.format name pidfile | control "
	    "directories.state log.format name pidfile | |");
}

static void what_new_workers_can_take_is_renewed(void **state)
{
	assert_string_equal(
	    service_change(*state, "timeouts = { stop = 1 }, limits = { nofile = 5 }",
			   "timeouts = { stop = 2 }, limits = { nofile = 6, core = 0 }"),
	    "limits.core limits.nofile timeouts.stop | | limits.core limits.nofile |");
	assert_string_equal(service_change(*state, "chdir = '/x', lua = { memory = 1 }",
					   "umask = '0', signals = { IO = 'stop' }"),
			    "chdir lua.memory signals.IO umask | | chdir lua.memory signals.IO "
			    "umask |");
}

static void what_the_monitor_alone_looks_at_changes_in_place(void **state)
{
	assert_string_equal(
	    service_change(*state, "restart = 'never', generations = 2",
			   "restart = { limit = 3, final_codes = { 7 } }, console = true,\n"
			   "timeouts = { watchdog = 0 }, lua = { slice = 2, abort = 3 }"),
	    "console generations lua.abort lua.slice restart restart.final_codes restart.limit "
	    "timeouts.watchdog | | |");
}

static void the_number_of_workers_is_renewed_but_not_to_or_from_none(void **state)
{
	assert_string_equal(service_change(*state, "workers = 2", "workers = 'auto'"),
			    "workers | | workers |");
	assert_string_equal(service_change(*state, "workers = 0", "workers = 2"),
			    "workers | workers | |");
	assert_string_equal(service_change(*state, "workers = 'auto'", "workers = 0"),
			    "workers | workers | |");
}

static void a_socket_for_each_worker_fixes_their_number(void **state)
{
	const char *before = "workers = 2, listen = { a = { address = 'tcp://127.0.0.1:1', "
			     "reuseport = true } }";

	assert_string_equal(service_change(*state, before,
					   "workers = 3, listen = { a = { reuseport = true, "
					   "address = 'tcp://127.0.0.1:1' } }"),
			    "workers | workers | |");
	assert_string_equal(
	    service_change(*state, before, "workers = 3, listen = { a = 'tcp://127.0.0.1:2' }"),
	    "listen.a listen.a.reuseport workers | | listen.a listen.a.reuseport workers |");
}

static void a_user_that_is_another_one_by_now_is_renewed(void **state)
{
	struct fixture *fixture = *state;
	struct change change;
	struct spec *old;

	fixture_write(fixture, "room.lua", "return {}");
	old = fixture_right(fixture, "return { service = 'room', user = 'a', umask = '0' }");
	fixture->spec = NULL;
	fixture_right(fixture, "return { service = 'room', user = 'a', workers = 2 }");
	fixture->spec->workers = old->workers = 1;
	fixture->spec->uid = 5;
	assert_int_equal(spec_diff(old, fixture->spec, &change), 0);
	assert_int_equal(change.count, 3);
	assert_string_equal(change.keys[0], "umask");
	assert_string_equal(change.keys[1], "user");
	assert_string_equal(change.renewed[1], "user");
	change_finish(&change);
	spec_destroy(old);
}

static void a_listener_that_comes_or_goes_is_told_once(void **state)
{
	assert_string_equal(service_change(*state, "listen = { a = 'tcp://127.0.0.1:1' }",
					   "listen = { b = 'tcp://127.0.0.1:2' },\n"
					   "files = { f = { path = '/f' } }"),
			    "files.f listen.a listen.b | | files.f listen.a listen.b |");
	assert_string_equal(
	    service_change(*state, "listen = { a = 'tcp://127.0.0.1:1' }",
			   "listen = { a = { address = 'tcp://127.0.0.1:2', backlog = 5 } }"),
	    "listen.a listen.a.backlog | | listen.a listen.a.backlog |");
}

static void code_is_the_modules_of_a_service(void **state)
{
	struct fixture *fixture = *state;
	struct change found;
	struct spec *old;

	fixture_write(fixture, "room.lua", "require 'part'");
	fixture_write(fixture, "part.lua", "return 1");
	fixture_right(fixture, "return { service = 'room' }");
	old = fixture->spec;
	fixture->spec = NULL;
	fixture_write(fixture, "part.lua", "return 2");
	fixture_right(fixture, "return { service = 'room' }");
	assert_int_equal(spec_diff(old, fixture->spec, &found), 0);
	assert_true(found.code);
	assert_int_equal(found.count, 0);
	change_finish(&found);
	spec_destroy(old);
}

static void code_is_the_whole_text_when_inline(void **state)
{
	assert_string_equal(change(*state, "return { " SERVICE " config = { a = 1 } }",
				   "return { " SERVICE " config = { a = 2 } }"),
			    "config.a | | | code");
	assert_string_equal(change(*state, "return { " SERVICE " }", "return { " SERVICE " }"),
			    "| | |");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_same_is_no_change),
	    TEST(a_default_that_is_written_out_is_no_change),
	    TEST(config_differs_by_its_keys),
	    TEST(what_outlives_every_worker_is_refused),
	    TEST(what_new_workers_can_take_is_renewed),
	    TEST(what_the_monitor_alone_looks_at_changes_in_place),
	    TEST(the_number_of_workers_is_renewed_but_not_to_or_from_none),
	    TEST(a_socket_for_each_worker_fixes_their_number),
	    TEST(a_user_that_is_another_one_by_now_is_renewed),
	    TEST(a_listener_that_comes_or_goes_is_told_once),
	    TEST(code_is_the_modules_of_a_service),
	    TEST(code_is_the_whole_text_when_inline),
	};

	return cmocka_run_group_tests_name("what differs between two specs", tests, NULL, NULL);
}
