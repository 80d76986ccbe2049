#include "service_kit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- loading --- */

static void test_a_module_outside_the_bundle_is_refused_with_the_remedy(void **state)
{
	(void)state;
	kit_assert_fails(INSIDE("require 'socket.http'"),
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
	kit_finish(kit);
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
	kit_finish(kit);
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
	kit_finish(kit);
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
	kit_assert_logs(INSIDE("log:info(package.path .. '|' .. package.cpath .. '|' .. "
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
	kit_assert_logs(text, "INFO nil\nINFO nilfalse\nINFO 2\n");
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
	kit_finish(kit);
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
	kit_finish(kit);
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
	kit_finish(kit);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
