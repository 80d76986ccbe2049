#include "service_kit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Lua texts that run inside start; each logs what it has found. */
#define INSIDE(text)                                                                               \
	"local luvd, uv = require 'luvd', require 'uv'\n"                                          \
	"local log = luvd.log\n"                                                                   \
	"return { service = { start = function(daemon)\n" text "\nend } }\n"

static void finish(struct kit *kit)
{
	kit_stop(kit, false);
	kit_destroy(kit);
}

static void assert_start_logs(const char *text, const char *expected)
{
	struct kit *kit = kit_create(text);

	kit_start(kit);
	if (!kit->start_ok)
		print_error("%s\n", kit->start_err.what);
	assert_true(kit->start_ok);
	if (!kit_logged(kit, expected))
		print_error("expected: %s\nlog: %s\n", expected, kit->log ? kit->log : "");
	assert_true(kit_logged(kit, expected));
	finish(kit);
}

static void assert_start_fails(const char *text, const char *expected)
{
	struct kit *kit = kit_create(text);

	kit_start(kit);
	assert_false(kit->start_ok);
	if (!strstr(kit->start_err.what, expected))
		print_error("expected: %s\ngot: %s\n", expected, kit->start_err.what);
	assert_non_null(strstr(kit->start_err.what, expected));
	kit_destroy(kit);
}

/* --- loading --- */

static void test_a_module_outside_the_bundle_is_refused_with_the_remedy(void **state)
{
	(void)state;
	assert_start_fails(INSIDE("require 'socket.http'"),
			   "module \"socket.http\" is not in the bundle: name it in lua.preload");
}

static void test_modules_of_the_bundle_are_loaded_once_and_may_wait(void **state)
{
	struct kit *kit = kit_create(
	    INSIDE("local a, b = require 'slow', require 'slow'\n"
		   "log:info(a.name, { same = a == b, path = select(2, require 'fast') })"));

	(void)state;
	kit_module(kit, "slow", "/srv/kit/slow.lua",
		   "require 'luvd'.sleep '2ms' return { name = ... }");
	kit_module(kit, "fast", "/srv/kit/fast.lua", "return 5");
	kit_start(kit);
	assert_true(kit_logged(kit, "INFO slow path=/srv/kit/fast.lua same=true"));
	finish(kit);
}

static void test_a_module_that_requires_itself_is_named(void **state)
{
	struct kit *kit = kit_create(INSIDE("log:info(select(2, pcall(require, 'a')))\n"
					    "log:info(select(2, pcall(require, 'a')))"));

	(void)state;
	kit_module(kit, "a", "/srv/kit/a.lua", "return require 'b'");
	kit_module(kit, "b", "/srv/kit/b.lua", "return require 'a'");
	kit_start(kit);
	assert_non_null(
	    strstr(strstr(kit->log, "\"a\" requires itself") + 1, "\"a\" requires itself"));
	finish(kit);
}

/* --- C modules --- */

static struct kit *with_tally(const char *text)
{
	struct kit *kit = kit_create(text);

	kit_c_module(kit, "tally", TALLY);
	kit_c_module(kit, "tally.deep", TALLY);
	kit_c_module(kit, "v2-tally", TALLY);
	kit_c_module(kit, "tally.none", TALLY);
	kit_c_module(kit, "gone", "/nowhere/gone.so");
	return kit;
}

static void assert_tally_logs(const char *text, const char *expected)
{
	struct kit *kit = with_tally(text);

	kit_start(kit);
	if (!kit->start_ok || !kit_logged(kit, expected))
		print_error("expected: %s\ngot: %s%s\n", expected, kit->start_err.what,
			    kit->log ? kit->log : "");
	assert_true(kit->start_ok && kit_logged(kit, expected));
	finish(kit);
}

static void test_a_c_module_is_opened_once_by_its_name(void **state)
{
	(void)state;
	assert_tally_logs(
	    INSIDE("local tally, path = require 'tally'\n"
		   "log:info(tostring(tally == require 'tally' and path == tally.path))\n"
		   "local sum = 0\n"
		   "tally.each(4, function(i) sum = sum + i end)\n"
		   "log:info(sum .. require 'tally.deep')\n"
		   "log:info(tostring(require('v2-tally').path == path))"),
	    "INFO true\nINFO 10deep\nINFO true\n");
}

static void test_a_c_module_that_cannot_be_opened_says_why(void **state)
{
	(void)state;
	assert_tally_logs(INSIDE("log:info(select(2, pcall(require, 'tally.none')))"),
			  "INFO cannot load module 'tally.none': " TALLY
			  " has no luaopen_tally_none\n");
	assert_tally_logs(INSIDE("log:info(select(2, pcall(require, 'gone')))\n"
				 "log:info(select(2, pcall(require, 'gone')))"),
			  "INFO cannot load module 'gone': /nowhere/gone.so: cannot open shared");
}

static void test_nothing_waits_below_a_c_module(void **state)
{
	(void)state;
	assert_tally_logs(INSIDE("log:info(select(2, pcall(require 'tally'.each, 1, function()\n"
				 "  luvd.sleep '1ms' end)))\n"
				 "luvd.sleep '1ms'\n"
				 "log:info 'after'"),
			  "cannot wait inside a function that Lua cannot suspend");
}

static void test_the_search_paths_are_gone(void **state)
{
	(void)state;
	assert_start_logs(INSIDE("log:info(package.path .. '|' .. package.cpath .. '|' .. "
				 "tostring(package.loadlib) .. tostring(package.searchers))"),
			  "INFO ||nilnil");
}

static void test_bytecode_is_refused_everywhere(void **state)
{
	char path[] = "/tmp/luvd-test-XXXXXX";
	char text[1024];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "\x1bLua\x54", 5), 5);
	close(fd);
	snprintf(
	    text, sizeof text,
	    INSIDE("log:info(tostring(load(string.dump(function() end), 'x', 'b')))\n"
		   "log:info(tostring(loadfile('%s', 'bt')) .. tostring(pcall(dofile, '%s')))\n"
		   "log:info(load 'return 1 + ...' (1))"),
	    path, path);
	assert_start_logs(text, "INFO nil\nINFO nilfalse\nINFO 2\n");
	unlink(path);
}

static void test_the_memory_cap_is_an_error_that_can_be_caught(void **state)
{
	struct kit *kit =
	    kit_create(INSIDE("log:info(select(2, pcall(string.rep, 'x', 1 << 25)))"));

	(void)state;
	kit->daemon.spec->lua_memory = 4 << 20;
	kit_start(kit);
	assert_true(kit->start_ok);
	assert_true(kit_logged(kit, "INFO not enough memory"));
	finish(kit);
}

static void test_memory_that_an_error_gives_back_can_be_used_again(void **state)
{
	struct kit *kit =
	    kit_create(INSIDE("local function fill()\n"
			      "  local held = {}\n"
			      "  for i = 1, 1e6 do held[i] = ('x'):rep(1000) .. i end\n"
			      "end\n"
			      "for i = 1, 3 do\n"
			      "  local ok, message = pcall(fill)\n"
			      "  log:info(tostring(message), { some = #('y'):rep(1 << 20) })\n"
			      "end\n"
			      "luvd.every('1ms', fill)"));

	(void)state;
	kit->daemon.spec->lua_memory = 16 << 20;
	kit_start(kit);
	assert_true(kit->start_ok);
	assert_true(kit_logged(kit, "INFO not enough memory some=1048576\n"
				    "INFO not enough memory some=1048576\n"
				    "INFO not enough memory some=1048576\n"));
	kit_wait_log(kit, "ERROR not enough memory");
	finish(kit);
}

/* Live data fill half of it, so that garbage, not data, meets the cap. */
static void test_garbage_alone_never_runs_into_the_memory_cap(void **state)
{
	struct kit *kit =
	    kit_create(INSIDE("local held, rows = {}, {}\n"
			      "for i = 1, 2000 do held[i] = ('x'):rep(1000) .. i end\n"
			      "for i = 1, 5000 do\n"
			      "  for k = 1, 20 do rows[k] = 'row ' .. k .. ' of ' .. i end\n"
			      "  assert(#table.concat(rows, (','):rep(1000)) > 10000)\n"
			      "end"));

	(void)state;
	kit->daemon.spec->lua_memory = 4 << 20;
	kit_start(kit);
	assert_true(kit->start_ok);
	finish(kit);
}

/* --- uv --- */

static void test_uv_and_luv_are_one_table_without_the_traps(void **state)
{
	(void)state;
	assert_start_logs(
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
	assert_start_logs(INSIDE("local timer, pipe = uv.new_timer(), uv.new_pipe()\n"
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
	finish(kit);
}

static void test_a_callback_of_uv_may_not_wait_but_may_spawn(void **state)
{
	struct kit *kit = kit_create(
	    INSIDE("local timer = uv.new_timer()\n"
		   "timer:start(1, 0, function()\n"
		   "  daemon:spawn(function(a, b) luvd.sleep '1ms' log:info(a .. b) end, 1, 2)\n"
		   "  luvd.sleep(1) end)"));

	(void)state;
	kit_start(kit);
	kit_wait_log(kit, "cannot wait outside of a task: use daemon:spawn");
	kit_wait_log(kit, "INFO 12");
	finish(kit);
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
	finish(kit);
}

/* --- tasks --- */

static void test_waits_pass_through_pcall_metamethods_and_iterators(void **state)
{
	(void)state;
	assert_start_logs(
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
	assert_start_logs(
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
	assert_start_fails(INSIDE("local function deep() luvd.sleep '1ms' error 'oops' end\n"
				  "coroutine.wrap(function() deep() end)()"),
			   "inside the coroutine:\nstack traceback:\n\t[C]: in function 'error'\n\t"
			   "/srv/kit/kit.lua:4: in upvalue 'deep'");
}

static void test_a_coroutine_that_waits_cannot_be_resumed_by_another_task(void **state)
{
	(void)state;
	assert_start_logs(
	    INSIDE("local co = coroutine.create(function() luvd.sleep '5ms' end)\n"
		   "daemon:spawn(function() coroutine.resume(co) end) luvd.sleep '1ms'\n"
		   "log:info(select(2, coroutine.resume(co)))\n"
		   "log:info(select(2, pcall(coroutine.close, co)))"),
	    "INFO cannot resume a coroutine that waits in another task\n"
	    "INFO cannot close a coroutine that waits in another task");
}

static void test_where_lua_cannot_suspend_the_error_says_so(void **state)
{
	(void)state;
	assert_start_fails(
	    INSIDE("table.sort({ 2, 1 }, function(a, b) luvd.sleep(1) return a < b end)"),
	    "cannot wait inside a function that Lua cannot suspend");
	assert_start_fails(
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
	assert_start_fails(INSIDE("coroutine.yield(1)"), "coroutine.yield outside of a coroutine");
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
		assert_start_fails(text, errors[i][1]);
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
	finish(kit);
}

static void test_warnings_are_logged(void **state)
{
	(void)state;
	assert_start_logs(INSIDE("warn('in ', 'pieces')\n"
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
	finish(kit);
}

static void test_tasks_that_spawn_without_end_do_not_stop_the_loop(void **state)
{
	struct kit *kit =
	    kit_create(INSIDE("local function again() daemon:spawn(again) end again()\n"
			      "luvd.sleep '5ms' log:info 'alive'"));

	(void)state;
	kit_start(kit);
	assert_true(kit_logged(kit, "alive"));
	finish(kit);
}

/* --- luvd --- */

static void test_durations_and_sizes_have_units(void **state)
{
	(void)state;
	assert_start_logs(
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
	finish(kit);
}

static void test_status_and_version_reach_the_host(void **state)
{
	struct kit *kit = kit_create(INSIDE("luvd.status('version ' .. luvd.version)"));

	(void)state;
	kit_start(kit);
	assert_string_equal(kit->status, "version " LUVD_VERSION);
	finish(kit);
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
	assert_start_logs(INSIDE("local mine = log:child { b = 1, a = 'x' }\n"
				 "mine:child({ c = true }):warn('hi', { b = 2, list = { 1, 'two', "
				 "{ k = 1.5 } }, empty = {} })\n"
				 "assert(log == require 'luvd.log' and log == daemon.log)"),
			  "WARN hi a=x b=2 c=true empty={} list=[1,\"two\",{\"k\":1.5}]");
}

static void test_a_cycle_in_a_log_field_ends(void **state)
{
	(void)state;
	assert_start_logs(
	    INSIDE("local t = {} t.t = t log:info('round', { t = t }) log:info 'fine'"),
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
	finish(kit);
}

static void test_below_the_level_nothing_is_logged(void **state)
{
	struct kit *kit = kit_create(INSIDE("log:info 'quiet' log:warn(nil)"));

	(void)state;
	kit->daemon.spec->log.level = LEVEL_WARN;
	kit_start(kit);
	assert_string_equal(kit->log, "WARN nil\n");
	finish(kit);
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
	finish(kit);
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
	finish(kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_module_outside_the_bundle_is_refused_with_the_remedy),
	    cmocka_unit_test(test_modules_of_the_bundle_are_loaded_once_and_may_wait),
	    cmocka_unit_test(test_a_module_that_requires_itself_is_named),
	    cmocka_unit_test(test_a_c_module_is_opened_once_by_its_name),
	    cmocka_unit_test(test_a_c_module_that_cannot_be_opened_says_why),
	    cmocka_unit_test(test_nothing_waits_below_a_c_module),
	    cmocka_unit_test(test_the_search_paths_are_gone),
	    cmocka_unit_test(test_bytecode_is_refused_everywhere),
	    cmocka_unit_test(test_the_memory_cap_is_an_error_that_can_be_caught),
	    cmocka_unit_test(test_memory_that_an_error_gives_back_can_be_used_again),
	    cmocka_unit_test(test_garbage_alone_never_runs_into_the_memory_cap),
	    cmocka_unit_test(test_uv_and_luv_are_one_table_without_the_traps),
	    cmocka_unit_test(test_walk_meets_only_the_handles_of_the_service),
	    cmocka_unit_test(test_an_error_in_a_callback_of_uv_is_logged_whatever_it_is),
	    cmocka_unit_test(test_a_callback_of_uv_may_not_wait_but_may_spawn),
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
	    cmocka_unit_test(test_status_and_version_reach_the_host),
	    cmocka_unit_test(test_stop_asks_the_host_once_and_the_caller_goes_on),
	    cmocka_unit_test(test_log_fields_are_sorted_nested_and_inherited),
	    cmocka_unit_test(test_a_cycle_in_a_log_field_ends),
	    cmocka_unit_test(test_endless_ways_through_a_log_field_end),
	    cmocka_unit_test(test_below_the_level_nothing_is_logged),
	    cmocka_unit_test(test_a_file_is_written_whole_and_errors_are_returned),
	    cmocka_unit_test(test_integers_of_the_config_stay_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
