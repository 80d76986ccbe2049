#include "service_kit.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "service/life_state.h"
#include "service/vm.h"

/* told(): has a run been logged as too long? What blocks until then is logged while it blocks. */
static int l_told(lua_State *L)
{
	const struct kit *kit = vm_of(L)->calls->data;

	lua_pushboolean(L, kit_logged(kit, "(lua.slice)"));
	return 1;
}

/* block(milliseconds): is in C for so long. */
static int l_block(lua_State *L)
{
	lua_Integer left = luaL_checkinteger(L, 1) * 1000000;
	struct timespec wait = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &wait, &wait) != 0)
		; /* a tick came in between */
	return 0;
}

/* A service whose start runs the text; limits in milliseconds, 0: none. */
static struct kit *begin(const char *text, int64_t slice, int64_t abort_after)
{
	struct kit *kit = kit_create(text);

	kit->daemon.spec->lua_slice = slice;
	kit->daemon.spec->lua_abort = abort_after;
	assert_true(kit_load(kit));
	lua_register(kit->life->vm->L, "told", l_told);
	lua_register(kit->life->vm->L, "block", l_block);
	life_start(kit->life);
	kit_wait(kit, &kit->started);
	return kit;
}

static void end(struct kit *kit)
{
	kit_stop(kit, true);
	kit_destroy(kit);
}

static int count_logged(const struct kit *kit, const char *text)
{
	const char *at = kit->log;
	int count = 0;

	while (at && (at = strstr(at, text))) {
		count++;
		at += strlen(text);
	}
	return count;
}

/* --- lua.slice --- */

static void test_a_run_that_is_too_long_is_logged_once_while_it_blocks(void **state)
{
	struct kit *kit = begin("return { service = { start = function()\n"
				"local function spin() while not told() do end end\n"
				"spin()\n"
				"local until_then = os.clock() + 0.1\n"
				"repeat until os.clock() > until_then\n"
				"end } }",
				5, 0);

	(void)state;
	assert_true(kit->start_ok);
	assert_int_equal(count_logged(kit, "(lua.slice)"), 1);
	assert_true(kit_logged(kit, "WARN Lua has run for "));
	assert_true(kit_logged(kit, "ms without giving way"));
	assert_true(kit_logged(kit, "stack traceback:\n\t/srv/kit/kit.lua:2: in "));
	assert_true(kit_logged(kit, "\t/srv/kit/kit.lua:3: in function </srv/kit/kit.lua:1>"));
	assert_true(kit_logged(kit, " task=start\n"));
	end(kit);
}

static void test_the_next_run_that_is_too_long_is_logged_again(void **state)
{
	struct kit *kit =
	    begin("local luvd = require 'luvd'\n"
		  "return { service = { start = function(daemon)\n"
		  "for i = 1, 2 do block(40) for _ = 1, 10 do end luvd.sleep '1ms' end\n"
		  "end } }",
		  5, 0);

	(void)state;
	assert_true(kit->start_ok);
	assert_int_equal(count_logged(kit, "(lua.slice)"), 2);
	end(kit);
}

static void test_a_coroutine_is_logged_with_those_that_resumed_it(void **state)
{
	struct kit *kit = begin("return { service = { start = function()\n"
				"local inner = coroutine.create(function()\n"
				"  while not told() do end\n"
				"end)\n"
				"local outer = coroutine.wrap(function()\n"
				"  assert(coroutine.resume(inner))\n"
				"end)\n"
				"outer()\n"
				"end } }",
				5, 0);

	(void)state;
	assert_true(kit->start_ok);
	assert_true(kit_logged(
	    kit, "stack traceback:\n\t/srv/kit/kit.lua:3: in function </srv/kit/kit.lua:2>\n"
		 "resumed by:\n"
		 "\t[C]: in function 'coroutine.resume'\n\t/srv/kit/kit.lua:6:"));
	assert_true(
	    kit_logged(kit, "\n\t/srv/kit/kit.lua:8: in function </srv/kit/kit.lua:1> task=start"));
	end(kit);
}

static void test_coroutines_that_come_and_go_are_caught_too(void **state)
{
	struct kit *kit = begin("return { service = { start = function()\n"
				"while not told() do\n"
				"  coroutine.wrap(function() for _ = 1, 100 do end end)()\n"
				"end end } }",
				5, 0);

	(void)state;
	assert_true(kit->start_ok);
	assert_int_equal(count_logged(kit, "(lua.slice)"), 1);
	end(kit);
}

static void test_a_long_call_into_c_is_logged_as_soon_as_lua_runs_again(void **state)
{
	struct kit *kit = begin("return { service = { start = function()\n"
				"block(60)\n"
				"local after = true\n"
				"end } }",
				5, 0);

	(void)state;
	assert_true(kit_logged(kit, "without giving way, was in C (lua.slice)\n"
				    "stack traceback:\n\t/srv/kit/kit.lua:"));
	end(kit);
}

static void test_a_run_that_ends_in_c_is_logged_without_a_traceback(void **state)
{
	struct kit *kit = begin(
	    "return { service = { start = coroutine.wrap(function() end) and function(daemon)\n"
	    "daemon:spawn(block, 60) end } }",
	    5, 0);

	(void)state;
	kit_wait_log(kit, "without giving way, was in C (lua.slice) task=");
	end(kit);
}

static void test_many_short_runs_are_not_a_long_one(void **state)
{
	struct kit *kit = begin("local luvd = require 'luvd'\n"
				"return { service = { start = function()\n"
				"for _ = 1, 400 do block(1) luvd.sleep(0) end\n"
				"end } }",
				150, 300);

	(void)state;
	assert_true(kit->start_ok);
	assert_true(kit->life->vm->slice.ticks > 1);
	assert_int_equal(count_logged(kit, "(lua.slice)"), 0);
	end(kit);
}

static void test_a_hook_of_the_services_own_comes_back(void **state)
{
	struct kit *kit = begin("return { service = { start = function()\n"
				"local lines = 0\n"
				"local function count() lines = lines + 1 end\n"
				"debug.sethook(count, 'l')\n"
				"while not told() do end\n"
				"local hook, mask = debug.gethook()\n"
				"debug.sethook()\n"
				"assert(hook == count and mask == 'l', tostring(hook))\n"
				"end } }",
				5, 0);

	(void)state;
	assert_true(kit->start_ok);
	end(kit);
}

/* --- lua.abort --- */

static void test_a_run_that_lasts_too_long_gets_an_error(void **state)
{
	struct kit *kit =
	    begin("return { service = { start = function() while true do end end } }", 0, 20);

	(void)state;
	assert_false(kit->start_ok);
	assert_string_equal(kit->start_err.key, "start");
	assert_non_null(
	    strstr(kit->start_err.what,
		   "/srv/kit/kit.lua:1: aborted: Lua has run for 20ms without giving way "
		   "(lua.abort)\nstack traceback:"));
	kit_destroy(kit);
}

static void test_a_service_that_loads_for_ever_is_aborted(void **state)
{
	struct kit *kit = kit_create("while require do end return { service = {} }");

	(void)state;
	kit->daemon.spec->lua_abort = 20;
	assert_false(kit_load(kit));
	assert_non_null(strstr(kit->create_err.what, "(lua.abort)"));
	kit_destroy(kit);
}

static void test_the_daemon_goes_on_after_an_abort(void **state)
{
	struct kit *kit =
	    begin("local luvd = require 'luvd'\n"
		  "return { service = { start = function(daemon)\n"
		  "daemon:spawn(function() while true do end end)\n"
		  "daemon:spawn(function() luvd.sleep '1ms' luvd.log:info 'others' end)\n"
		  "end } }",
		  5, 40);

	(void)state;
	kit_wait_log(kit, "ERROR /srv/kit/kit.lua:3: aborted: Lua has run for 40ms");
	kit_wait_log(kit, "INFO others");
	assert_int_equal(count_logged(kit, "(lua.slice)"), 1);
	end(kit);
}

static void test_a_coroutine_is_aborted_and_so_is_who_resumed_it(void **state)
{
	struct kit *kit =
	    begin("return { service = { start = function()\n"
		  "while true do\n"
		  "  coroutine.resume(coroutine.create(function() while true do end end))\n"
		  "end end } }",
		  0, 20);

	(void)state;
	assert_false(kit->start_ok);
	assert_non_null(strstr(kit->start_err.what, "(lua.abort)"));
	kit_destroy(kit);
}

static void test_a_loop_around_pcall_ends_too(void **state)
{
	struct kit *kit =
	    begin("return { service = { start = function()\n"
		  "local function spin() while true do end end\n"
		  "while true do pcall(function() while true do pcall(spin) end end) end\n"
		  "end } }",
		  0, 20);

	(void)state;
	assert_false(kit->start_ok);
	assert_non_null(strstr(kit->start_err.what, "(lua.abort)"));
	kit_destroy(kit);
}

static void test_a_pcall_has_time_to_answer(void **state)
{
	struct kit *kit = begin("local luvd = require 'luvd'\n"
				"return { service = { start = function()\n"
				"local ok, message = pcall(function() while true do end end)\n"
				"luvd.log:info(tostring(ok), { message = message })\n"
				"end } }",
				0, 20);

	(void)state;
	assert_true(kit->start_ok);
	assert_true(kit_logged(kit, "INFO false message=/srv/kit/kit.lua:3: aborted:"));
	end(kit);
}

static void test_close_values_of_an_aborted_task_run(void **state)
{
	struct kit *kit = begin("local luvd = require 'luvd'\n"
				"return { service = { start = function(daemon)\n"
				"daemon:spawn(function()\n"
				"  local _ <close> = setmetatable({}, { __close = function()\n"
				"    for i = 1, 100000 do end luvd.log:info 'closed' end })\n"
				"  while true do end\n"
				"end) end } }",
				0, 20);

	(void)state;
	kit_wait_log(kit, "INFO closed");
	kit_wait_log(kit, "(lua.abort)");
	end(kit);
}

/* --- settings --- */

static void test_a_reload_takes_the_limits_over(void **state)
{
	static char no_keys[1];
	char *keys[] = {no_keys};
	struct change change = {.keys = keys, .count = 0};
	struct kit *kit = begin("return { service = { start = function() end,\n"
				"reload = function() while true do end end } }",
				0, 0);
	struct spec *fresh = kit_fresh(kit, "new");

	(void)state;
	fresh->lua_abort = 20;
	life_reload(kit->life, fresh, &change);
	kit_wait(kit, &kit->reloaded);
	assert_false(kit->reload_ok);
	assert_non_null(strstr(kit->reload_err.what, "run for 20ms without"));
	assert_int_equal(kit->life->vm->slice.abort, 0); /* refused: as before */
	end(kit);
}

static void on_wait_over(uv_timer_t *timer)
{
	*(int *)timer->data = 1;
	uv_stop(timer->loop);
}

/* Runs the loop for so long without Lua. */
static void rest(struct kit *kit, uint64_t milliseconds)
{
	uv_timer_t timer;
	int over = 0;

	uv_timer_init(&kit->loop, &timer);
	timer.data = &over;
	uv_timer_start(&timer, on_wait_over, milliseconds, 0);
	kit_wait(kit, &over);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&kit->loop, UV_RUN_NOWAIT);
}

static void test_nothing_ticks_while_the_service_is_idle(void **state)
{
	struct kit *kit = begin("return { service = { start = function() end } }", 10, 0);
	uint64_t ticks;

	(void)state;
	rest(kit, 40); /* what start began has ended */
	ticks = kit->life->vm->slice.ticks;
	rest(kit, 100);
	assert_int_equal(kit->life->vm->slice.ticks, ticks);
	end(kit);
}

static void test_without_limits_there_is_no_timer(void **state)
{
	struct kit *kit = begin("return { service = { start = function() block(30) end } }", 0, 0);

	(void)state;
	assert_false(kit->life->vm->slice.has_timer);
	assert_int_equal(kit->life->vm->slice.ticks, 0);
	end(kit);
}

/* --- the lag of the loop --- */

static void test_the_longest_turn_is_told_once_to_each_who_asks(void **state)
{
	struct kit *kit = begin("return { service = { start = function() block(50) end } }", 0, 0);
	struct life_counts counts[1];
	struct life_totals totals;

	(void)state;
	rest(kit, 1);
	life_count(kit->life, counts, &totals);
	assert_in_range(totals.longest_us, 40000, 5000000);
	assert_in_range(life_lag(kit->life), 40000, 5000000);
	rest(kit, 1);
	life_count(kit->life, counts, &totals);
	assert_true(totals.longest_us < 40000);
	assert_true(life_lag(kit->life) < 40000);
	end(kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_run_that_is_too_long_is_logged_once_while_it_blocks),
	    cmocka_unit_test(test_the_next_run_that_is_too_long_is_logged_again),
	    cmocka_unit_test(test_a_coroutine_is_logged_with_those_that_resumed_it),
	    cmocka_unit_test(test_coroutines_that_come_and_go_are_caught_too),
	    cmocka_unit_test(test_a_long_call_into_c_is_logged_as_soon_as_lua_runs_again),
	    cmocka_unit_test(test_a_run_that_ends_in_c_is_logged_without_a_traceback),
	    cmocka_unit_test(test_many_short_runs_are_not_a_long_one),
	    cmocka_unit_test(test_a_hook_of_the_services_own_comes_back),
	    cmocka_unit_test(test_a_run_that_lasts_too_long_gets_an_error),
	    cmocka_unit_test(test_a_service_that_loads_for_ever_is_aborted),
	    cmocka_unit_test(test_the_daemon_goes_on_after_an_abort),
	    cmocka_unit_test(test_a_coroutine_is_aborted_and_so_is_who_resumed_it),
	    cmocka_unit_test(test_a_loop_around_pcall_ends_too),
	    cmocka_unit_test(test_a_pcall_has_time_to_answer),
	    cmocka_unit_test(test_close_values_of_an_aborted_task_run),
	    cmocka_unit_test(test_a_reload_takes_the_limits_over),
	    cmocka_unit_test(test_nothing_ticks_while_the_service_is_idle),
	    cmocka_unit_test(test_without_limits_there_is_no_timer),
	    cmocka_unit_test(test_the_longest_turn_is_told_once_to_each_who_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
