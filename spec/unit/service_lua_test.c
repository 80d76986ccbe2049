#include "service_kit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- uv --- */

static void test_uv_and_luv_are_one_table_without_the_traps(void **state)
{
	(void)state;
	kit_assert_logs(
	    INSIDE(
		"assert(uv == require 'luv')\n"
		"for _, name in ipairs { 'run', 'stop', 'loop_close', 'setuid', 'setgid' } do\n"
		"  local ok, message = pcall(uv[name])\n"
		"  assert(not ok and message:find('uv.' .. name .. ' is not available', 1, true))\n"
		"end log:info 'fine'"),
	    "INFO fine");
}

static void test_walk_meets_only_the_handles_of_the_service(void **state)
{
	(void)state;
	kit_assert_logs(INSIDE("local timer, pipe = uv.new_timer(), uv.new_pipe()\n"
			       "local found = 0\n"
			       "uv.walk(function(handle) found = found + 1\n"
			       "  assert(handle == timer or handle == pipe) end)\n"
			       "log:info('found', { found = found })"),
			"INFO found found=2");
}

static void test_an_error_in_a_callback_of_uv_is_logged_whatever_it_is(void **state)
{
	struct kit *kit =
	    kit_create(INSIDE("for _, bad in ipairs { 'text', {}, false } do\n"
			      "  local timer = uv.new_timer()\n"
			      "  timer:start(1, 0, function() error(bad or nil) end) end"));

	(void)state;
	kit_start(kit);
	kit_wait_log(kit, "kit.lua:6: text\nstack traceback");
	kit_wait_log(kit, "(error object is a table value)\nstack traceback");
	kit_wait_log(kit, "(error object is a nil value)\nstack traceback");
	kit_finish(kit);
}

static void test_a_callback_of_uv_is_a_task_and_may_wait(void **state)
{
	struct kit *kit = kit_create(INSIDE(
	    "local task, calls = require 'luvd.task', 0\n"
	    "local timer = uv.new_timer()\n"
	    "timer:start(1, 0, function()\n"
	    "  local child = task.spawn(function(a, b) luvd.sleep '1ms' return a .. b end, 1, 2)\n"
	    "  log:info(child:wait())\n"
	    "  uv.fs_stat('/', function(problem, stat)\n"
	    "    luvd.sleep '1ms' log:info(stat.type) error 'after a wait' end) end)"));

	(void)state;
	kit_start(kit);
	kit_wait_log(kit, "INFO 12");
	kit_wait_log(kit, "INFO directory");
	kit_wait_log(kit, "after a wait\nstack traceback");
	kit_finish(kit);
}

static void test_handles_and_requests_that_are_left_are_closed_at_the_end(void **state)
{
	struct kit *kit = kit_create(
	    INSIDE("uv.new_timer():start(9999, 0, function() end)\n"
		   "uv.new_tcp():bind('127.0.0.1', 0)\n"
		   "uv.fs_stat('/', function() end)\n"
		   "for i = 1, 9 do uv.getaddrinfo('127.0.0.1', nil, nil, function() end) end"));

	(void)state;
	kit_start(kit);
	kit_destroy(kit);
}

static void test_an_error_in_a_thread_of_uv_is_only_an_error(void **state)
{
	struct kit *kit = kit_create(
	    INSIDE("uv.new_thread(function() error 'in thread' end):join() log:info 'on'"));
	char bytes[512] = "";
	int ends[2], before = dup(2);

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	dup2(ends[1], 2);
	kit_start(kit);
	dup2(before, 2);
	close(before);
	assert_true(read(ends[0], bytes, sizeof bytes - 1) > 0);
	close(ends[0]);
	close(ends[1]);
	assert_non_null(strstr(bytes, "error in a thread of uv: in thread\nstack traceback"));
	assert_true(kit_logged(kit, "INFO on"));
	kit_finish(kit);
}

/* --- tasks --- */

static void test_waits_pass_through_pcall_metamethods_and_iterators(void **state)
{
	(void)state;
	kit_assert_logs(
	    INSIDE(
		"local t = setmetatable({}, { __index = function(_, k) luvd.sleep '1ms' return k "
		"end })\n"
		"local ok, value = pcall(function() luvd.sleep '1ms' return t.key end)\n"
		"local function three(_, i) luvd.sleep '1ms' if i < 3 then return i + 1 end end\n"
		"local sum = 0 for i in three, nil, 0 do sum = sum + i end\n"
		"log:info(value .. sum)"),
	    "INFO key6");
}

static void test_waits_pass_through_the_services_own_coroutines(void **state)
{
	(void)state;
	kit_assert_logs(
	    INSIDE(
		"local function numbers() for i = 1, 3 do luvd.sleep '1ms' coroutine.yield(i) end "
		"return 'end' end\n"
		"local list = {}\n"
		"for value in coroutine.wrap(numbers) do list[#list + 1] = value if value == 'end' "
		"then break end end\n"
		"local outer = coroutine.create(function(a)\n"
		"  local inner = coroutine.wrap(function(b) luvd.sleep '1ms' local c = "
		"coroutine.yield(b + 1)\n"
		"    luvd.sleep '1ms' return c * 2 end)\n"
		"  local x = inner(a) luvd.sleep '1ms' return x, inner(21) end)\n"
		"list[#list + 1] = table.concat({ select(2, coroutine.resume(outer, 4)) }, ',')\n"
		"log:info(table.concat(list, ' ') .. ' ' .. coroutine.status(outer))"),
	    "INFO 1 2 3 end 5,42 dead");
}

static void test_an_error_inside_a_coroutine_keeps_its_traceback(void **state)
{
	(void)state;
	kit_assert_fails(INSIDE("local function deep() luvd.sleep '1ms' error 'oops' end\n"
				"coroutine.wrap(function() deep() end)()"),
			 "inside the coroutine:\nstack traceback:\n\t[C]: in function 'error'\n\t"
			 "/srv/kit/kit.lua:4: in upvalue 'deep'");
}

/* Two sleeps: the spawned task has begun before the second one ends, however slow the machine. */
static void test_a_coroutine_that_waits_cannot_be_resumed_by_another_task(void **state)
{
	(void)state;
	kit_assert_logs(INSIDE("local co = coroutine.create(function() luvd.sleep '1h' end)\n"
			       "daemon:spawn(function() coroutine.resume(co) end)\n"
			       "luvd.sleep '1ms' luvd.sleep '1ms'\n"
			       "log:info(select(2, coroutine.resume(co)))\n"
			       "log:info(select(2, pcall(coroutine.close, co)))"),
			"INFO cannot resume a coroutine that waits in another task\n"
			"INFO cannot close a coroutine that waits in another task");
}

static void test_where_lua_cannot_suspend_the_error_says_so(void **state)
{
	(void)state;
	kit_assert_fails(
	    INSIDE("table.sort({ 2, 1 }, function(a, b) luvd.sleep(1) return a < b end)"),
	    "cannot wait inside a function that Lua cannot suspend");
	kit_assert_fails(
	    INSIDE("table.sort({ 2, 1 }, function(a, b) coroutine.wrap(luvd.sleep)(1) end)"),
	    "cannot wait inside a function that Lua cannot suspend");
}

static void test_loading_may_not_wait(void **state)
{
	struct kit *kit = kit_create("require 'luvd'.sleep(1) return { service = {} }");

	(void)state;
	assert_false(kit_load(kit));
	assert_non_null(strstr(kit->create_err.what, "wait inside start"));
	kit_destroy(kit);
}

static void test_a_yield_of_a_task_itself_is_an_error(void **state)
{
	(void)state;
	kit_assert_fails(INSIDE("coroutine.yield(1)"), "coroutine.yield outside of a coroutine");
}

static void test_cancelling_runs_close_values_and_no_pcall_sees_it(void **state)
{
	struct kit *kit = kit_create(INSIDE(
	    "local function closer(name) return setmetatable({}, { __close = function(_, e)\n"
	    "  log:info(name, { error = tostring(e), waits = select(2, pcall(luvd.sleep, 1)) }) "
	    "end }) end\n"
	    "daemon:spawn(function()\n"
	    "  local outer <close> = closer 'outer'\n"
	    "  pcall(coroutine.wrap(function() local inner <close> = closer 'inner' luvd.sleep "
	    "'1h' end))\n"
	    "  log:info 'seen' end)"));

	(void)state;
	kit_start(kit);
	kit_stop(kit, false);
	assert_false(kit_logged(kit, "seen"));
	assert_non_null(
	    strstr(strstr(kit->log, "INFO inner error=nil waits="), "INFO outer error=nil"));
	assert_true(kit_logged(kit, "cannot wait while a task is being closed"));
	kit_destroy(kit);
}

static void test_a_close_value_that_raises_is_logged(void **state)
{
	struct kit *kit = kit_create(INSIDE(
	    "daemon:spawn(function() local c <close> = setmetatable({}, { __close = function() "
	    "error 'in close' end }) luvd.sleep '1h' end)"));

	(void)state;
	kit_start(kit);
	kit_stop(kit, true);
	assert_true(kit_logged(kit, ": in close task=spawn\n"));
	kit_destroy(kit);
}

static void test_errors_that_are_no_texts_say_what_they_hold(void **state)
{
	static const char *const errors[][2] = {
	    {"{ code = 3, why = 'x', deep = {} }",
	     "(error object is a table value: { code = 3, deep = a table, why = \"x\" })\n"},
	    {"{}", "(error object is a table value)\nstack traceback"},
	    {"nil", "(error object is a nil value)\nstack traceback"},
	    {"print", "(error object is a function value)\nstack traceback"},
	    {"setmetatable({ a = 1.5 }, { __tostring = function() error 'no' end })",
	     "(error object is a table value whose __tostring fails: { a = 1.5 })\n"},
	    {"setmetatable({}, { __tostring = function() return {} end })",
	     "(error object is a table value whose __tostring fails)\nstack traceback"},
	    {"setmetatable({}, { __tostring = function() return 'own' end })",
	     "own\nstack traceback"},
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
		snprintf(text, sizeof text, INSIDE("error(%s)"), errors[i][0]);
		kit_assert_fails(text, errors[i][1]);
	}
}

static void test_an_error_in_a_close_value_of_a_failing_task_is_logged_too(void **state)
{
	struct kit *kit = kit_create(INSIDE(
	    "daemon:spawn(function()\n"
	    "  local c <close> = setmetatable({}, { __close = function() error 'second' end })\n"
	    "  error 'first'\n"
	    "end)\n"
	    "daemon:spawn(function()\n"
	    "  local c <close> = setmetatable({}, { __close = function() end })\n"
	    "  error 'once'\n"
	    "end)"));
	struct life_counts counts;
	struct life_totals totals;

	(void)state;
	kit_start(kit);
	kit_wait_log(kit, ": once\n");
	assert_true(kit_logged(kit, ": first\n"));
	assert_true(kit_logged(kit, ": second task=spawn\n"));
	life_count(kit->life, &counts, &totals);
	assert_int_equal(totals.failed, 3);
	kit_finish(kit);
}

static void test_warnings_are_logged(void **state)
{
	(void)state;
	kit_assert_logs(INSIDE("warn('in ', 'pieces')\n"
			       "setmetatable({}, { __gc = function() error 'in gc' end })\n"
			       "collectgarbage()\n"
			       "warn '@off' warn 'unheard' warn '@on' warn '@what' warn 'heard'"),
			"WARN in pieces\nWARN error in __gc (/srv/kit/kit.lua:5: in gc)\n"
			"WARN heard\n");
}

static void test_a_task_that_fails_is_logged_and_the_rest_goes_on(void **state)
{
	struct kit *kit =
	    kit_create(INSIDE("daemon:spawn(function() error 'first' end)\n"
			      "daemon:spawn(function() luvd.sleep '1ms' log:info 'second' end)"));

	(void)state;
	kit_start(kit);
	kit_wait_log(kit, "INFO second");
	assert_true(kit_logged(kit, "kit.lua:4: first\nstack traceback"));
	assert_true(kit_logged(kit, "task=spawn"));
	kit_finish(kit);
}

static void test_tasks_that_spawn_without_end_do_not_stop_the_loop(void **state)
{
	struct kit *kit =
	    kit_create(INSIDE("local function again() daemon:spawn(again) end again()\n"
			      "luvd.sleep '5ms' log:info 'alive'"));

	(void)state;
	kit_start(kit);
	assert_true(kit_logged(kit, "alive"));
	kit_finish(kit);
}

/* --- luvd --- */

static void test_durations_and_sizes_have_units(void **state)
{
	(void)state;
	kit_assert_logs(
	    INSIDE(
		"log:info(table.concat({ luvd.duration '7d', luvd.duration '250ms', luvd.duration "
		"'1.5m',\n"
		"  luvd.duration(3), luvd.size '64KiB', luvd.size(7), luvd.size '1GiB' }, ' '))\n"
		"for _, bad in ipairs { '5 s', '', '-1s', '1e3s', 's', '1.2.3s', {}, '12' } do\n"
		"  assert(not pcall(luvd.duration, bad)) end\n"
		"for _, bad in ipairs { '64kb', 1.5, '0.3B', -1 } do assert(not pcall(luvd.size, "
		"bad)) end\n"
		"log:info(select(2, pcall(luvd.duration, 'soon')))"),
	    "INFO 604800 0.25 90 3 65536 7 1073741824\n"
	    "INFO bad argument #1 to 'luvd.duration' (expected a duration such as 5 (seconds), "
	    "\"250ms\", \"10s\" or \"7d\", got \"soon\")");
}

static void test_every_calls_never_overlap_and_survive_errors(void **state)
{
	struct kit *kit = kit_create(
	    INSIDE("local running, count = 0, 0\n"
		   "local timer timer = luvd.every('1ms', function()\n"
		   "  running, count = running + 1, count + 1 assert(running == 1, 'overlap')\n"
		   "  luvd.sleep '3ms' running = 0\n"
		   "  if count == 2 then error 'second' end\n"
		   "  if count == 3 then timer:set '2ms' end\n"
		   "  if count == 4 then timer:close() log:info 'closed' end end)"));

	(void)state;
	kit_start(kit);
	kit_wait_log(kit, "INFO closed");
	assert_true(kit_logged(kit, "second\nstack traceback"));
	assert_true(kit_logged(kit, "task=timer"));
	assert_false(kit_logged(kit, "overlap"));
	kit_finish(kit);
}

/* 2026-11-22 10:01:00 UTC, and a little before it: a clock that stands there is looked at again and
 * again. */
static const int64_t A_MINUTE = INT64_C(1795341660000), BEFORE = INT64_C(1795341659990);

static void test_cron_calls_at_its_time_by_the_clock(void **state)
{
	struct kit *kit =
	    kit_create(INSIDE("luvd.cron('1 10 * * *', function() log:info 'ten' end,"
			      " { utc = true })\n"
			      "luvd.cron('2 10 * * *', function() log:info 'late' end,"
			      " { utc = true })\n"
			      "luvd.every('50ms', function() log:info '5 looks' end)"));

	(void)state;
	kit->wall = BEFORE;
	kit_start(kit);
	kit_wait_log(kit, "INFO 5 looks\n");
	assert_false(kit_logged(kit, "ten"));
	kit->wall = A_MINUTE;
	kit_wait_log(kit, "INFO ten\n");
	assert_false(kit_logged(kit, "late"));
	kit_finish(kit);
}

static void test_cron_survives_errors_and_can_be_set_anew(void **state)
{
	struct kit *kit = kit_create(
	    INSIDE("local timer timer = luvd.cron('* * * * *', function()\n"
		   "  timer:close() error 'first' end)\n"
		   "local other other = luvd.cron('0 0 1 1 *', function()\n"
		   "  other:close() log:info(tostring(pcall(other.set, other, '@daily'))) end)\n"
		   "log:info(select(2, pcall(other.set, other, '0 25 * * *')))\n"
		   "other:set '1 * * * *'"));

	(void)state;
	kit->wall = BEFORE;
	kit_start(kit);
	kit->wall = A_MINUTE;
	kit_wait_log(kit, "first\nstack traceback");
	kit_wait_log(kit, "INFO false\n");
	assert_true(kit_logged(kit, "task=cron"));
	assert_true(kit_logged(kit, "cron: hour \"25\": expected 0 to 23"));
	kit_finish(kit);
}

static void test_cron_refuses_what_it_does_not_know(void **state)
{
	(void)state;
	kit_assert_logs(
	    INSIDE("local function no() end\n"
		   "for _, bad in ipairs { { '61 * * * *', no }, { '@daily\\0', no }, { 5, no },\n"
		   "    { '@daily' }, { '@daily', no, { zone = 'x' } }, { '@daily', no, { utc = 1 "
		   "} },\n"
		   "    { '0 0 30 2 *', no } } do\n"
		   "  log:info(select(2, pcall(luvd.cron, table.unpack(bad)))) end"),
	    "INFO cron: minute \"61\": expected 0 to 59\n"
	    "INFO bad argument #1 to 'luvd.cron' (an expression without zero bytes)\n"
	    "INFO cron: \"5\": expected 5 fields, got 1\n"
	    "INFO bad argument #2 to 'luvd.cron' (function expected, got no value)\n"
	    "INFO unknown option \"zone\": there is utc\n"
	    "INFO option utc must be true or false, got 1\n"
	    "INFO cron: \"0 0 30 2 *\": this day never comes\n");
}

static void test_a_timer_is_closed_by_its_own_call_and_at_the_end_of_a_block(void **state)
{
	struct kit *kit = kit_create(
	    INSIDE("do local gone <close> = luvd.every('1ms', function() error 'gone' end) end\n"
		   "local count, timer = 0\n"
		   "timer = luvd.every('1ms', function() count = count + 1 timer:close()\n"
		   "  luvd.sleep '5ms' log:info('called ' .. count) end)"));

	(void)state;
	kit_start(kit);
	kit_wait_log(kit, "INFO called 1\n");
	assert_false(kit_logged(kit, "gone"));
	kit_finish(kit);
}

static void test_stop_disarms_timers(void **state)
{
	struct kit *kit =
	    kit_create("local luvd = require 'luvd'\n"
		       "return { service = { start = function()\n"
		       "  luvd.every('1ms', function() luvd.log:info 'tick' end)\n"
		       "  luvd.cron('* * * * *', function() luvd.log:info 'minute' end) end,\n"
		       "stop = function() luvd.log:info 'stopping' luvd.sleep '30ms' end } }");

	(void)state;
	kit->wall = BEFORE;
	kit_start(kit);
	kit_wait_log(kit, "INFO tick\n");
	kit->wall = A_MINUTE; /* the next look, in ten milliseconds, would call */
	kit_stop(kit, false);
	assert_null(strstr(strstr(kit->log, "stopping"), "tick"));
	assert_null(strstr(strstr(kit->log, "stopping"), "minute"));
	kit_destroy(kit);
}

static void test_the_level_is_read_and_set_live(void **state)
{
	struct kit *kit = kit_create(INSIDE(
	    "local asked = setmetatable({}, { __tostring = function() error 'made text' end })\n"
	    "local child = log:child { a = 1 }\n"
	    "log:info(log:level())\n"
	    "log:info(child:level 'warn')\n"
	    "log:debug(asked, { b = asked }) log:info 'hidden'\n"
	    "log:warn(child:level())\n"
	    "log:warn(log:level 'debug')\n"
	    "child:debug 'shown'\n"
	    "log:info(select(2, pcall(log.level, log, 'loud')))\n"
	    "log:level 'error'"));

	(void)state;
	kit_start(kit);
	assert_string_equal(kit->log, "INFO debug\nWARN warn\nWARN warn\nDEBUG shown a=1\n"
				      "INFO unknown level \"loud\": there are debug, error, info, "
				      "warn\n");
	assert_int_equal(kit->level, LEVEL_ERROR);
	kit_finish(kit);
}

static void test_status_and_version_reach_the_host(void **state)
{
	struct kit *kit = kit_create(INSIDE("luvd.status('version ' .. luvd.version)"));

	(void)state;
	kit_start(kit);
	assert_string_equal(kit->status, "version " LUVD_VERSION);
	kit_finish(kit);
}

static void test_stop_asks_the_host_once_and_the_caller_goes_on(void **state)
{
	struct kit *kit = kit_create(INSIDE("daemon:spawn(function() luvd.sleep '1ms' luvd.stop(4) "
					    "luvd.stop(5) log:info 'on' end)"));

	(void)state;
	kit_start(kit);
	kit_wait(kit, &kit->stopped);
	assert_int_equal(kit->stop_asked, 1);
	assert_int_equal(kit->stop_code, 4);
	assert_true(kit_logged(kit, "INFO on"));
	kit_destroy(kit);
}

static void test_log_fields_are_sorted_nested_and_inherited(void **state)
{
	(void)state;
	kit_assert_logs(INSIDE("local mine = log:child { b = 1, a = 'x' }\n"
			       "mine:child({ c = true }):warn('hi', { b = 2, list = { 1, 'two', "
			       "{ k = 1.5 } }, empty = {} })\n"
			       "assert(log == require 'luvd.log' and log == daemon.log)"),
			"WARN hi a=x b=2 c=true empty={} list=[1,\"two\",{\"k\":1.5}]");
}

static void test_a_cycle_in_a_log_field_ends(void **state)
{
	(void)state;
	kit_assert_logs(INSIDE("local t = {} t.t = t log:info('round', { t = t }) log:info 'fine'"),
			"INFO fine");
}

static void test_endless_ways_through_a_log_field_end(void **state)
{
	struct kit *kit = kit_create(
	    INSIDE("local all = {}\n"
		   "for i = 1, 20 do all[i] = {} end\n"
		   "for _, one in ipairs(all) do\n"
		   "  for i, other in ipairs(all) do one['n' .. i] = other end\n"
		   "end\n"
		   "log:info('graph', { all = all })\n"
		   "log:info('list', { all = table.pack(('x'):rep(5000):byte(1, -1)) })"));

	(void)state;
	kit_start(kit);
	assert_true(kit_logged(kit, "INFO graph all=["));
	assert_true(kit_logged(kit, "INFO list all=["));
	assert_true(kit->log_length < 65536);
	kit_finish(kit);
}

static void test_below_the_level_nothing_is_logged(void **state)
{
	struct kit *kit = kit_create(INSIDE("log:info 'quiet' log:warn(nil)"));

	(void)state;
	kit->daemon.spec->log.level = LEVEL_WARN;
	kit_start(kit);
	assert_string_equal(kit->log, "WARN nil\n");
	kit_finish(kit);
}

/* --- the daemon object --- */

static void test_a_file_is_written_whole_and_errors_are_returned(void **state)
{
	static char name[] = "series";
	struct kit *kit = kit_create(
	    INSIDE("local series = daemon.files.series\n"
		   "assert(series:write { 'a', 1, '\\n' } and series:write 'b\\n')\n"
		   "log:info(select(2, pcall(function() return daemon.files.serie end)))"));
	char bytes[16] = "";
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	kit->daemon.spec->files = calloc(1, sizeof(struct file));
	kit->daemon.spec->files[0] = (struct file){.name = name, .mode = 'a'};
	kit->daemon.spec->file_count = 1;
	kit->file_fd = ends[1];
	kit->daemon.file_fds = &kit->file_fd;
	kit_start(kit);
	assert_true(kit_logged(kit, "no file \"serie\": there are series"));
	assert_int_equal(read(ends[0], bytes, sizeof bytes - 1), 5);
	assert_string_equal(bytes, "a1\nb\n");
	close(ends[0]);
	kit_finish(kit);
}

static void test_integers_of_the_config_stay_exact(void **state)
{
	struct kit *kit =
	    kit_create(INSIDE("log:info(daemon.config.banner .. math.type(daemon.config.big))\n"
			      "log:info(daemon.config.big)"));
	struct pair *pairs;
	struct value *config;

	(void)state;
	kit_banner(kit->daemon.spec, "x");
	config = &kit->daemon.spec->root.as.table.pairs[0].value;
	pairs = realloc(config->as.table.pairs, 2 * sizeof *pairs);
	pairs[1].key = (struct value){.type = VALUE_STRING};
	pairs[1].key.as.string.bytes = strdup("big");
	pairs[1].key.as.string.length = 3;
	pairs[1].value = (struct value){.type = VALUE_INTEGER};
	pairs[1].value.as.integer = INT64_C(1234567890123456789);
	config->as.table.pairs = pairs;
	config->as.table.count = 2;
	kit_start(kit);
	assert_true(kit_logged(kit, "INFO xinteger\nINFO 1234567890123456789"));
	kit_finish(kit);
}

static void test_a_small_heap_is_collected_rarely_a_large_one_as_lua_does(void **state)
{
	(void)state;
	kit_assert_logs(INSIDE("local kept, pause = {}, collectgarbage('setpause', 800)\n"
			       "for i = 1, 50 do kept[i] = ('x'):rep(100000) .. i end\n"
			       "luvd.sleep(0)\n"
			       "log:info(pause .. ' ' .. collectgarbage('setpause', 200))"),
			"INFO 800 200\n");
	kit_assert_logs(INSIDE("local kept = {}\n"
			       "collectgarbage('setpause', 320)\n"
			       "for i = 1, 50 do kept[i] = ('x'):rep(100000) .. i end\n"
			       "luvd.sleep(0)\n"
			       "log:info(collectgarbage('setpause', 200))"),
			"INFO 320\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_uv_and_luv_are_one_table_without_the_traps),
	    cmocka_unit_test(test_walk_meets_only_the_handles_of_the_service),
	    cmocka_unit_test(test_an_error_in_a_callback_of_uv_is_logged_whatever_it_is),
	    cmocka_unit_test(test_a_callback_of_uv_is_a_task_and_may_wait),
	    cmocka_unit_test(test_handles_and_requests_that_are_left_are_closed_at_the_end),
	    cmocka_unit_test(test_an_error_in_a_thread_of_uv_is_only_an_error),
	    cmocka_unit_test(test_waits_pass_through_pcall_metamethods_and_iterators),
	    cmocka_unit_test(test_waits_pass_through_the_services_own_coroutines),
	    cmocka_unit_test(test_an_error_inside_a_coroutine_keeps_its_traceback),
	    cmocka_unit_test(test_a_coroutine_that_waits_cannot_be_resumed_by_another_task),
	    cmocka_unit_test(test_where_lua_cannot_suspend_the_error_says_so),
	    cmocka_unit_test(test_loading_may_not_wait),
	    cmocka_unit_test(test_a_yield_of_a_task_itself_is_an_error),
	    cmocka_unit_test(test_cancelling_runs_close_values_and_no_pcall_sees_it),
	    cmocka_unit_test(test_a_close_value_that_raises_is_logged),
	    cmocka_unit_test(test_errors_that_are_no_texts_say_what_they_hold),
	    cmocka_unit_test(test_an_error_in_a_close_value_of_a_failing_task_is_logged_too),
	    cmocka_unit_test(test_warnings_are_logged),
	    cmocka_unit_test(test_a_task_that_fails_is_logged_and_the_rest_goes_on),
	    cmocka_unit_test(test_tasks_that_spawn_without_end_do_not_stop_the_loop),
	    cmocka_unit_test(test_durations_and_sizes_have_units),
	    cmocka_unit_test(test_every_calls_never_overlap_and_survive_errors),
	    cmocka_unit_test(test_cron_calls_at_its_time_by_the_clock),
	    cmocka_unit_test(test_cron_survives_errors_and_can_be_set_anew),
	    cmocka_unit_test(test_cron_refuses_what_it_does_not_know),
	    cmocka_unit_test(test_a_timer_is_closed_by_its_own_call_and_at_the_end_of_a_block),
	    cmocka_unit_test(test_stop_disarms_timers),
	    cmocka_unit_test(test_the_level_is_read_and_set_live),
	    cmocka_unit_test(test_status_and_version_reach_the_host),
	    cmocka_unit_test(test_stop_asks_the_host_once_and_the_caller_goes_on),
	    cmocka_unit_test(test_log_fields_are_sorted_nested_and_inherited),
	    cmocka_unit_test(test_a_cycle_in_a_log_field_ends),
	    cmocka_unit_test(test_endless_ways_through_a_log_field_end),
	    cmocka_unit_test(test_below_the_level_nothing_is_logged),
	    cmocka_unit_test(test_a_file_is_written_whole_and_errors_are_returned),
	    cmocka_unit_test(test_integers_of_the_config_stay_exact),
	    cmocka_unit_test(test_a_small_heap_is_collected_rarely_a_large_one_as_lua_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
