#include "service_kit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVICE(text)                                                                              \
	"local luvd, net = require 'luvd', require 'luvd.net'\nreturn { service = {" text "} }\n"

static struct kit *started(const char *text)
{
	struct kit *kit = kit_create(text);

	kit_listen(kit);
	kit_start(kit);
	return kit;
}

static void assert_text(const struct err *err, const char *expected)
{
	char text[ERR_TEXT_MAX];

	assert_string_equal(err_text(err, text, sizeof text), expected);
}

/* --- start --- */

static void test_start_may_wait_and_ready_comes_after_it(void **state)
{
	struct kit *kit =
	    started(SERVICE("start = function(d) luvd.sleep '20ms'; luvd.log:info 'up' end"));

	(void)state;
	assert_true(kit->start_ok);
	assert_true(kit_logged(kit, "INFO up"));
	kit_finish(kit);
}

static void test_start_that_raises_fails_with_a_traceback(void **state)
{
	struct kit *kit = started(SERVICE("start = function(d) error 'no luck' end"));

	(void)state;
	assert_false(kit->start_ok);
	assert_string_equal(kit->start_err.key, "start");
	assert_non_null(
	    strstr(kit->start_err.what, "/srv/kit/kit.lua:2: no luck\nstack traceback"));
	kit_destroy(kit);
}

static void test_start_that_raises_a_table_or_nil_says_so(void **state)
{
	struct kit *kit = started(SERVICE("start = function(d) error {} end"));

	(void)state;
	assert_non_null(strstr(kit->start_err.what, "(error object is a table value)\nstack"));
	kit_destroy(kit);
	kit = started(SERVICE("start = function(d) error() end"));
	assert_non_null(strstr(kit->start_err.what, "(error object is a nil value)\nstack"));
	kit_destroy(kit);
}

static void test_start_that_returns_nil_and_a_message_fails_with_it(void **state)
{
	static const char *const noes[] = {"nil", "false"};
	char text[256];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct kit *kit;

		snprintf(text, sizeof text,
			 SERVICE("start = function(d) return %s, 'no database' end"), noes[i]);
		kit = started(text);
		assert_text(&kit->start_err, "start: no database");
		kit_destroy(kit);
	}
}

static void test_start_that_waits_too_long_fails(void **state)
{
	struct kit *kit = kit_create(SERVICE("start = function(d) luvd.sleep '1h' end"));

	(void)state;
	kit->daemon.spec->timeout_start = 20;
	kit_start(kit);
	assert_text(&kit->start_err, "start: did not return within 20ms");
	kit_destroy(kit);
}

static void test_exit_before_ready_fails_the_start(void **state)
{
	static const struct {
		const char *call, *text;
	} cases[] = {
	    {SERVICE("start = function(d) pcall(os.exit, 7) luvd.log:info 'on' end"),
	     "start: the service called os.exit(7)"},
	    {SERVICE("start = function(d) os.exit(0) end"), "start: the service called os.exit(0)"},
	    {SERVICE("start = function(d) os.exit(true) end"),
	     "start: the service called os.exit(true)"},
	    {SERVICE("start = function(d) os.exit(false) end"),
	     "start: the service called os.exit(false)"},
	    {SERVICE("start = function(d) os.exit() end"), "start: the service called os.exit()"},
	    {SERVICE("start = function(d) luvd.stop(3) end"),
	     "start: the service called luvd.stop(3)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct kit *kit = started(cases[i].call);

		assert_false(kit->start_ok);
		assert_text(&kit->start_err, cases[i].text);
		assert_false(kit_logged(kit, "INFO on"));
		kit_destroy(kit);
	}
}

static void test_nothing_is_accepted_and_no_timer_fires_before_start_has_returned(void **state)
{
	struct kit *kit = kit_create(
	    SERVICE("start = function(d)\n"
		    "  net.serve(d.listeners.web, function() luvd.log:info 'accepted' end)\n"
		    "  luvd.every('1ms', function() luvd.log:info 'fired' end)\n"
		    "  luvd.sleep '30ms'\n"
		    "  luvd.log:info 'returned'\n"
		    "end"));
	int fd;

	(void)state;
	kit_listen(kit);
	fd = kit_connect(kit);
	kit_start(kit);
	assert_memory_equal(kit->log, "INFO returned\n", 14);
	kit_wait_log(kit, "accepted");
	kit_wait_log(kit, "fired");
	close(fd);
	kit_finish(kit);
}

static void test_stop_during_start_fails_the_start_and_stops(void **state)
{
	struct kit *kit = kit_create(
	    SERVICE("start = function(d) local c <close> = setmetatable({}, { __close = function() "
		    "luvd.log:info 'undone' end }) luvd.sleep '1h' end"));

	(void)state;
	assert_true(kit_load(kit));
	life_start(kit->life);
	uv_run(&kit->loop, UV_RUN_NOWAIT);
	life_stop(kit->life, "stop", kit->daemon.spec->timeout_stop, false);
	kit_wait(kit, &kit->stopped);
	assert_int_equal(kit->started, 1);
	assert_text(&kit->start_err, "start: stopped before the service was ready");
	assert_true(kit_logged(kit, "INFO undone"));
	kit_destroy(kit);
}

static void test_a_listener_that_nobody_serves_is_a_warning(void **state)
{
	struct kit *kit = started(SERVICE("start = function(d) end"));

	(void)state;
	assert_true(kit_logged(kit, "WARN listener 'web' is not served"));
	kit_finish(kit);
}

static void test_a_life_that_never_started_can_be_destroyed(void **state)
{
	struct kit *kit = kit_create(SERVICE("start = function(d) end"));

	(void)state;
	assert_true(kit_load(kit));
	kit_destroy(kit);
}

/* --- two evaluations --- */

static void test_only_functions_are_taken_from_the_second_evaluation(void **state)
{
	struct kit *kit = kit_create("return { config = { banner = 'second' }, service = {\n"
				     "  limit = 5,\n"
				     "  start = function(d) d.log:info(d.config.banner, { "
				     "flavour = d.host.env.FLAVOUR, name = d.name }) end } }\n");

	(void)state;
	kit_banner(kit->daemon.spec, "first");
	kit_start(kit);
	assert_true(kit_logged(kit, "INFO first flavour=vanilla name=kit"));
	kit_finish(kit);
}

static void test_the_daemon_file_sees_host_and_include_again(void **state)
{
	struct kit *kit = kit_create("local base = include 'base.lua'\n"
				     "assert(host.cpus == 2 and host.hostname == 'here')\n"
				     "assert(host.directory == '/srv/kit')\n"
				     "return { service = base }\n");

	(void)state;
	kit_module(kit, "include:base.lua", "/srv/kit/base.lua",
		   "return { start = function(d) d.log:info('from base') end }");
	kit_start(kit);
	assert_true(kit_logged(kit, "INFO from base"));
	kit_finish(kit);
}

static void test_a_service_without_start_is_refused(void **state)
{
	struct kit *kit = kit_create("return { service = { stop = function() end } }");

	(void)state;
	assert_false(kit_load(kit));
	assert_string_equal(kit->create_err.key, "service");
	assert_non_null(strstr(kit->create_err.what, "expected start to be a function, got nil"));
	kit_destroy(kit);
}

static void test_a_service_in_a_file_must_return_a_table(void **state)
{
	static char path[] = "/srv/kit/room.lua";
	struct kit *kit = kit_create("return { service = './room.lua' }");

	(void)state;
	kit->daemon.spec->service_kind = SERVICE_FILE;
	kit->daemon.spec->service = path;
	kit_module(kit, "./room.lua", path, "return 5");
	assert_false(kit_load(kit));
	assert_non_null(strstr(kit->create_err.what, "to return a table"));
	kit_destroy(kit);
}

static void test_a_service_in_a_file_starts(void **state)
{
	static char path[] = "/srv/kit/room.lua";
	struct kit *kit = kit_create("return { service = './room.lua' }");

	(void)state;
	kit->daemon.spec->service_kind = SERVICE_FILE;
	kit->daemon.spec->service = path;
	kit_module(kit, "./room.lua", path,
		   "return { start = function(d) d.log:info('room is open') end }");
	kit_start(kit);
	assert_true(kit_logged(kit, "room is open"));
	kit_finish(kit);
}

static void test_a_syntax_error_is_told_with_its_place(void **state)
{
	struct kit *kit = kit_create("return {\n  service = = 1\n}");

	(void)state;
	assert_false(kit_load(kit));
	assert_non_null(strstr(kit->create_err.what, "/srv/kit/kit.lua:2:"));
	kit_destroy(kit);
}

/* --- reload --- */

static const char *keys[] = {"config.banner", NULL};
static const struct change banner_changed = {.keys = (char **)keys, .count = 1};

static void reload(struct kit *kit, const char *banner)
{
	kit->reloaded = 0;
	life_reload(kit->life, kit_fresh(kit, banner), &banner_changed);
	kit_wait(kit, &kit->reloaded);
}

static void test_reload_sees_the_new_config_and_is_given_the_old_one(void **state)
{
	struct kit *kit = kit_create(
	    SERVICE("start = function() end,\n"
		    "reload = function(d, change)\n"
		    "  luvd.sleep '1ms'\n"
		    "  d.log:info('reload', { a = change.config.banner, b = d.config.banner,\n"
		    "    c = tostring(change.keys['config.banner']) })\n"
		    "end"));

	(void)state;
	kit_banner(kit->daemon.spec, "old");
	kit_start(kit);
	reload(kit, "new");
	assert_true(kit->reload_ok);
	assert_true(kit_logged(kit, "INFO reload a=old b=new c=true"));
	assert_string_equal(
	    value_get(value_get(&kit->daemon.spec->root, "config"), "banner")->as.string.bytes,
	    "new");
	kit_finish(kit);
}

static void test_a_refused_reload_puts_everything_back(void **state)
{
	static const char *const bodies[][2] = {
	    {"error('too short', 0)", "too short\nstack traceback"},
	    {"return nil, 'too short'", "too short"},
	    {"luvd.sleep '1h'", "did not return within 20ms"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		char text[512];
		struct kit *kit;
		struct spec *fresh;

		snprintf(text, sizeof text,
			 SERVICE("start = function(d) net.serve(d.listeners.web, function(c) "
				 "c:write(d.config.banner .. '\\n') end) end,\n"
				 "reload = function(d, change) %s end"),
			 bodies[i][0]);
		kit = kit_create(text);
		kit_listen(kit);
		kit_banner(kit->daemon.spec, "old");
		kit_start(kit);
		fresh = kit_fresh(kit, "new");
		fresh->timeout_reload = 20;
		fresh->listens[0].max_connections = 7;
		life_reload(kit->life, fresh, &banner_changed);
		kit_wait(kit, &kit->reloaded);
		assert_false(kit->reload_ok);
		assert_string_equal(kit->reload_err.key, "reload");
		assert_non_null(strstr(kit->reload_err.what, bodies[i][1]));
		assert_int_equal(kit->listeners[0].listen->max_connections, 0);
		{
			int fd = kit_connect(kit);

			assert_string_equal(kit_expect(kit, fd, NULL), "old\n");
			close(fd);
		}
		kit_finish(kit);
	}
}

static void test_a_reload_that_runs_out_of_memory_is_refused_and_the_next_one_works(void **state)
{
	struct kit *kit =
	    kit_create(SERVICE("start = function() end,\n"
			       "reload = function(d)\n"
			       "  local held = {}\n"
			       "  if d.config.banner == 'big' then\n"
			       "    for i = 1, 1e6 do held[i] = ('x'):rep(1000) .. i end\n"
			       "  end\n"
			       "  d.log:info(d.config.banner)\n"
			       "end"));

	(void)state;
	kit_banner(kit->daemon.spec, "old");
	kit->daemon.spec->lua_memory = 4 << 20;
	kit_start(kit);
	for (int i = 0; i < 3; i++) {
		reload(kit, "big");
		assert_false(kit->reload_ok);
		assert_non_null(strstr(kit->reload_err.what, "not enough memory"));
		assert_string_equal(
		    value_get(value_get(&kit->daemon.spec->root, "config"), "banner")
			->as.string.bytes,
		    "old");
	}
	reload(kit, "new");
	assert_true(kit->reload_ok);
	assert_true(kit_logged(kit, "INFO new"));
	kit_finish(kit);
}

static void test_a_reload_without_one_of_the_addresses_is_refused(void **state)
{
	struct change change = {0};
	struct spec *fresh;
	struct kit *kit = kit_create(SERVICE("start = function() end"));

	(void)state;
	kit_listen(kit);
	kit_listen_more(kit);
	kit_banner(kit->daemon.spec, "old");
	kit_start(kit);
	fresh = kit_fresh(kit, "new");
	fresh->listens[0].address_count = 1;
	life_reload(kit->life, fresh, &change);
	assert_int_equal(kit->reloaded, 1);
	assert_text(&kit->reload_err, "reload: the listeners differ");
	reload(kit, "new");
	assert_true(kit->reload_ok);
	assert_string_equal(kit->listeners[1].address->text, kit->addresses[1].text);
	kit_finish(kit);
}

static void test_without_a_reload_function_the_config_is_replaced(void **state)
{
	struct kit *kit = kit_create(SERVICE("start = function(d) luvd.every('1ms', function() "
					     "d.log:info(d.config.banner) end) end"));

	(void)state;
	kit_listen(kit);
	kit_banner(kit->daemon.spec, "old");
	kit_start(kit);
	kit_wait_log(kit, "INFO old");
	reload(kit, "new");
	assert_true(kit->reload_ok);
	kit_wait_log(kit, "INFO new");
	kit_finish(kit);
}

static void reload_level(struct kit *kit, enum log_level level, bool accepted)
{
	struct spec *fresh = kit_fresh(kit, "new");

	fresh->log.level = level;
	kit->reloaded = 0;
	life_reload(kit->life, fresh, &banner_changed);
	kit_wait(kit, &kit->reloaded);
	assert_int_equal(kit->reload_ok, accepted);
}

static void test_a_reload_sets_the_log_level_that_the_daemon_file_has_changed(void **state)
{
	struct kit *kit = kit_create(
	    SERVICE("start = function(d) d.log:level 'error' end,\n"
		    "reload = function(d) d.log:error('now ' .. d.log:level())\n"
		    "  if d.log:level() == 'warn' then d.log:level 'debug' error 'no' end end"));

	(void)state;
	kit->daemon.spec->log.level = LEVEL_INFO;
	kit_start(kit);
	assert_int_equal(kit->level, LEVEL_ERROR);
	reload_level(kit, LEVEL_INFO, true); /* as before: what the service has set stays */
	assert_true(kit_logged(kit, "ERROR now error\n"));
	assert_int_equal(kit->level, LEVEL_ERROR);
	reload_level(kit, LEVEL_WARN, false); /* the refused one takes its own back */
	assert_true(kit_logged(kit, "ERROR now warn\n"));
	assert_int_equal(kit->level, LEVEL_ERROR);
	reload_level(kit, LEVEL_DEBUG, true);
	assert_true(kit_logged(kit, "ERROR now debug\n"));
	assert_int_equal(kit->level, LEVEL_DEBUG);
	kit_finish(kit);
}

static void test_a_second_reload_is_refused_while_one_runs(void **state)
{
	struct kit *kit = kit_create(
	    SERVICE("start = function() end, reload = function() luvd.sleep '20ms' end"));

	(void)state;
	kit_start(kit);
	life_reload(kit->life, kit_fresh(kit, "one"), &banner_changed);
	life_reload(kit->life, kit_fresh(kit, "two"), &banner_changed);
	assert_int_equal(kit->reloaded, 1);
	assert_text(&kit->reload_err, "reload: a reload is running already");
	kit->reloaded = 0;
	kit_wait(kit, &kit->reloaded);
	assert_true(kit->reload_ok);
	kit_finish(kit);
}

static void test_stop_during_a_reload_ends_both(void **state)
{
	struct kit *kit =
	    kit_create(SERVICE("start = function() end, reload = function() luvd.sleep '1h' end"));

	(void)state;
	kit_start(kit);
	life_reload(kit->life, kit_fresh(kit, "one"), &banner_changed);
	uv_run(&kit->loop, UV_RUN_NOWAIT);
	kit_finish(kit);
}

/* --- stop --- */

static void test_stop_comes_first_then_handlers_end_then_the_rest_is_cancelled(void **state)
{
	struct kit *kit = started(SERVICE(
	    "start = function(d)\n"
	    "  net.serve(d.listeners.web, function(conn) conn:write 'hi\\n' conn:read_line() "
	    "luvd.log:info 'handler' end)\n"
	    "  d:spawn(function() local c <close> = setmetatable({}, { __close = function() "
	    "luvd.log:info 'rest' end }) luvd.sleep '1h' end)\n"
	    "  luvd.every('1ms', function() ticks = (ticks or 0) + 1 end)\n"
	    "end,\n"
	    "stop = function(d, reason) local before = ticks; luvd.sleep '20ms'; "
	    "luvd.log:info(reason, "
	    "{ ticked = before ~= ticks }) end"));
	int fd = kit_connect(kit);

	(void)state;
	kit_expect(kit, fd, "hi\n");
	life_stop(kit->life, "restart", kit->daemon.spec->timeout_stop, false);
	kit_wait_log(kit, "restart");
	kit_send(fd, "bye\n");
	kit_wait(kit, &kit->stopped);
	assert_string_equal(kit->log, "INFO restart ticked=false\nINFO handler\nINFO rest\n");
	assert_int_equal(kit->daemon.listeners[0].fd, -1);
	close(fd);
	kit_destroy(kit);
}

static void test_drain_waits_for_handlers_and_says_when_it_gave_up(void **state)
{
	struct kit *kit = started(SERVICE(
	    "start = function(d) net.serve(d.listeners.web, function(conn) conn:write 'hi\\n' "
	    "conn:read_line() end) end,\n"
	    "stop = function(d) luvd.log:info('drain', { code = select(3, d:drain '10ms') })\n"
	    "  luvd.log:info('drain', { ok = d:drain() }) end"));
	int fd = kit_connect(kit);

	(void)state;
	kit_expect(kit, fd, "hi\n");
	life_stop(kit->life, "stop", kit->daemon.spec->timeout_stop, false);
	kit_wait_log(kit, "drain code=ETIMEDOUT");
	close(fd);
	kit_wait(kit, &kit->stopped);
	assert_true(kit_logged(kit, "drain ok=true"));
	kit_destroy(kit);
}

static void test_stop_ends_at_its_timeout(void **state)
{
	struct kit *kit =
	    kit_create(SERVICE("start = function() end, stop = function() luvd.sleep '1h' end"));

	(void)state;
	kit->daemon.spec->timeout_stop = 20;
	kit_start(kit);
	kit_stop(kit, false);
	assert_true(kit_logged(kit, "WARN timeouts.stop is over and stop has not returned: "));
	kit_destroy(kit);
}

static void test_a_generation_that_was_followed_has_time_to_drain(void **state)
{
	struct kit *kit =
	    kit_create(SERVICE("start = function() end, stop = function(d, reason)\n"
			       "local ok, problem = d:drain() luvd.log:info(reason .. ' ' .. "
			       "tostring(ok)) luvd.sleep '1h' end"));

	(void)state;
	kit->daemon.spec->timeout_stop = 1;
	kit_start(kit);
	life_stop(kit->life, "reload", 30, false);
	kit_wait(kit, &kit->stopped);
	assert_true(kit_logged(kit, "INFO reload true"));
	assert_true(kit_logged(kit, "WARN timeouts.drain is over and stop has not returned: "));
	kit_destroy(kit);
}

static void test_a_worker_knows_its_number_and_generation(void **state)
{
	struct kit *kit = kit_create(SERVICE(
	    "start = function(d) luvd.log:info(d.worker .. ' of ' .. d.workers .. ' of generation '"
	    " .. d.generation) end, reload = function(d) luvd.log:info('still ' .. d.generation) "
	    "end,"
	    " probe = function(d) luvd.log:info('then ' .. d.generation) end"));
	struct change change = {.keys = (char *[]){(char *)"config.banner", NULL}, .count = 1};

	(void)state;
	kit->daemon.worker = 2;
	kit->daemon.generation = 5;
	kit->daemon.spec->workers = 3;
	kit_start(kit);
	assert_true(kit_logged(kit, "INFO 2 of 3 of generation 5"));
	life_reload(kit->life, kit_fresh(kit, "new"), &change);
	kit_wait(kit, &kit->reloaded);
	assert_true(kit_logged(kit, "INFO still 5"));
	life_signal(kit->life, "probe", 10);
	kit_wait_log(kit, "then");
	assert_true(kit_logged(kit, "INFO then 5"));
	kit_finish(kit);
}

static void test_stop_now_cancels_at_once(void **state)
{
	struct kit *kit =
	    started(SERVICE("start = function(d) net.serve(d.listeners.web, function(conn) "
			    "conn:write 'hi\\n' conn:read() end) end, stop = function() "
			    "luvd.log:info 'never' end"));
	int fd = kit_connect(kit);

	(void)state;
	kit_expect(kit, fd, "hi\n");
	kit_stop(kit, true);
	assert_null(kit->log);
	close(fd);
	kit_destroy(kit);
}

static void test_exit_after_ready_stops_gracefully_with_its_code(void **state)
{
	struct kit *kit = kit_create(SERVICE("start = function(d) d:spawn(function() luvd.sleep "
					     "'1ms' os.exit(5) luvd.log:info 'on' end) end,\n"
					     "stop = function() luvd.log:info 'stopping' end"));

	(void)state;
	kit_start(kit);
	kit_wait(kit, &kit->stopped);
	assert_int_equal(kit->stop_asked, 1);
	assert_int_equal(kit->asked_code, 5);
	assert_int_equal(kit->stop_code, 5);
	assert_string_equal(kit->log, "INFO stopping\n");
	kit_destroy(kit);
}

static void test_exit_inside_stop_is_told_and_the_end_goes_on(void **state)
{
	struct kit *kit =
	    kit_create(SERVICE("start = function() end, stop = function() os.exit(3) end"));

	(void)state;
	kit_start(kit);
	kit_stop(kit, false);
	assert_int_equal(kit->stop_asked, 0);
	assert_int_equal(kit->stop_code, 3);
	assert_string_equal(kit->log, "ERROR stop: the service called os.exit(3)\n");
	kit_destroy(kit);
}

/* --- the rest --- */

static void test_a_signal_for_a_function_that_is_not_there_is_told_at_start(void **state)
{
	static char there[] = "there", gone[] = "gone";
	struct signal_spec signals[] = {{.number = 28, .action = ACTION_SERVICE, .function = there},
					{.number = 12, .action = ACTION_SERVICE, .function = gone},
					{.number = 1, .action = ACTION_STOP}};
	struct kit *kit = kit_create(SERVICE("start = function() end, there = function() end"));

	(void)state;
	kit->daemon.spec->signals = signals;
	kit->daemon.spec->signal_count = 3;
	kit_start(kit);
	assert_string_equal(kit->log, "WARN signals: the service has no function 'gone'\n");
	kit_finish(kit);
}

static void test_a_signal_calls_the_function_it_names(void **state)
{
	struct kit *kit = kit_create(SERVICE("start = function() end, dump = function(d, number) "
					     "d.log:info('dump', { number = number }) end"));

	(void)state;
	kit_start(kit);
	life_signal(kit->life, "dump", 10);
	kit_wait_log(kit, "INFO dump number=10");
	life_signal(kit->life, "dumb", 12);
	kit_wait_log(kit, "signals: the service has no function 'dumb'");
	kit_finish(kit);
}

static void test_counts_tell_connections_tasks_failures_and_memory(void **state)
{
	struct kit *kit =
	    started(SERVICE("start = function(d) net.serve(d.listeners.web, function(conn) "
			    "conn:write 'hi\\n' conn:read() error 'x' end) end"));
	struct life_counts counts;
	struct life_totals totals;
	int fd = kit_connect(kit);

	(void)state;
	kit_expect(kit, fd, "hi\n");
	life_count(kit->life, &counts, &totals);
	assert_int_equal(counts.connections, 1);
	assert_int_equal(counts.accepted, 1);
	assert_int_equal(totals.tasks, 1);
	assert_int_equal(totals.failed, 0);
	assert_true(totals.lua_bytes > 10000);
	kit_send(fd, "x");
	kit_wait_log(kit, "ERROR");
	kit_expect(kit, fd, NULL);
	life_count(kit->life, &counts, &totals);
	assert_int_equal(counts.connections, 0);
	assert_int_equal(totals.failed, 1);
	close(fd);
	kit_finish(kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_start_may_wait_and_ready_comes_after_it),
	    cmocka_unit_test(test_start_that_raises_fails_with_a_traceback),
	    cmocka_unit_test(test_start_that_raises_a_table_or_nil_says_so),
	    cmocka_unit_test(test_start_that_returns_nil_and_a_message_fails_with_it),
	    cmocka_unit_test(test_start_that_waits_too_long_fails),
	    cmocka_unit_test(test_exit_before_ready_fails_the_start),
	    cmocka_unit_test(test_nothing_is_accepted_and_no_timer_fires_before_start_has_returned),
	    cmocka_unit_test(test_stop_during_start_fails_the_start_and_stops),
	    cmocka_unit_test(test_a_listener_that_nobody_serves_is_a_warning),
	    cmocka_unit_test(test_a_life_that_never_started_can_be_destroyed),
	    cmocka_unit_test(test_only_functions_are_taken_from_the_second_evaluation),
	    cmocka_unit_test(test_the_daemon_file_sees_host_and_include_again),
	    cmocka_unit_test(test_a_service_without_start_is_refused),
	    cmocka_unit_test(test_a_service_in_a_file_must_return_a_table),
	    cmocka_unit_test(test_a_service_in_a_file_starts),
	    cmocka_unit_test(test_a_syntax_error_is_told_with_its_place),
	    cmocka_unit_test(test_reload_sees_the_new_config_and_is_given_the_old_one),
	    cmocka_unit_test(test_a_refused_reload_puts_everything_back),
	    cmocka_unit_test(
		test_a_reload_that_runs_out_of_memory_is_refused_and_the_next_one_works),
	    cmocka_unit_test(test_a_reload_without_one_of_the_addresses_is_refused),
	    cmocka_unit_test(test_without_a_reload_function_the_config_is_replaced),
	    cmocka_unit_test(test_a_reload_sets_the_log_level_that_the_daemon_file_has_changed),
	    cmocka_unit_test(test_a_second_reload_is_refused_while_one_runs),
	    cmocka_unit_test(test_stop_during_a_reload_ends_both),
	    cmocka_unit_test(test_stop_comes_first_then_handlers_end_then_the_rest_is_cancelled),
	    cmocka_unit_test(test_drain_waits_for_handlers_and_says_when_it_gave_up),
	    cmocka_unit_test(test_stop_ends_at_its_timeout),
	    cmocka_unit_test(test_a_generation_that_was_followed_has_time_to_drain),
	    cmocka_unit_test(test_a_worker_knows_its_number_and_generation),
	    cmocka_unit_test(test_stop_now_cancels_at_once),
	    cmocka_unit_test(test_exit_after_ready_stops_gracefully_with_its_code),
	    cmocka_unit_test(test_exit_inside_stop_is_told_and_the_end_goes_on),
	    cmocka_unit_test(test_a_signal_for_a_function_that_is_not_there_is_told_at_start),
	    cmocka_unit_test(test_a_signal_calls_the_function_it_names),
	    cmocka_unit_test(test_counts_tell_connections_tasks_failures_and_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
