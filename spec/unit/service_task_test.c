#include "service_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service/life_state.h"
#include "service/vm.h"

/* A text that runs in a task of the service, after start, and ends with the line "INFO end". */
#define SERVICE(text)                                                                              \
	"local luvd, uv, task = require 'luvd', require 'uv', require 'luvd.task'\n"               \
	"local log = luvd.log\n"                                                                   \
	"local function say(...) log:info(table.concat({ ... }, ' ')) end\n"                       \
	"local function nap() luvd.sleep '1ms' end\n"                                              \
	"local function never() luvd.sleep '1h' end\n"                                             \
	"local function closer(name)\n"                                                            \
	"  return setmetatable({}, { __close = function() say('closed', name) end }) end\n"        \
	"return { service = { start = function(daemon) daemon:spawn(function()\n" text             \
	"\nlog:info 'end' end) end } }\n"

/* How often text stands in the log. */
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

/* The lines of the log, in this order and no others. */
static void assert_log(const struct kit *kit, const char *expected)
{
	assert_string_equal(kit->log ? kit->log : "", expected);
}

static void assert_says(const char *text, const char *expected)
{
	struct kit *kit = kit_create(text);

	kit_start(kit);
	assert_true(kit->start_ok);
	kit_wait_log(kit, "INFO end\n");
	kit_stop(kit, false);
	assert_int_equal(kit->life->vm->task_count, 0);
	assert_log(kit, expected);
	kit_destroy(kit);
}

/* --- a task and its children --- */

static void test_wait_gives_the_results_now_and_again(void **state)
{
	(void)state;
	assert_says(
	    SERVICE("local two = task.spawn(function(a, b) nap() return b, a end, 'a', 'b')\n"
		    "say(two:wait()) say(two:wait())\n"
		    "local one, none = task.spawn(function() return 'one' end),\n"
		    "  task.spawn(function() end)\n"
		    "nap() say(one:wait(), select('#', none:wait()))"),
	    "INFO b a\nINFO b a\nINFO one 0\nINFO end\n");
}

static void test_spawn_returns_before_the_task_begins(void **state)
{
	(void)state;
	assert_says(SERVICE("for i = 1, 3 do task.spawn(function() say(i) end) end\n"
			    "say 'spawned' nap()"),
		    "INFO spawned\nINFO 1\nINFO 2\nINFO 3\nINFO end\n");
}

static void test_wait_raises_the_error_object_with_the_childs_traceback(void **state)
{
	struct kit *kit =
	    kit_create(SERVICE("local function deep() error { code = 7 } end\n"
			       "local child = task.spawn(function() nap() deep() end)\n"
			       "local ok, err = pcall(child.wait, child)\n"
			       "say(tostring(ok), err.code)\n"
			       "ok, err = pcall(child.wait, child)\n"
			       "say(tostring(ok), err.code)\n"
			       "local other = task.spawn(function() nap() deep() end)\n"
			       "other:wait()"));

	(void)state;
	kit_start(kit);
	kit_wait_log(kit, "inside the coroutine:\nstack traceback");
	assert_int_equal(count_logged(kit, "INFO false 7\n"), 2);
	assert_true(kit_logged(kit, "ERROR (error object is a table value: { code = 7 })"));
	assert_true(kit_logged(kit, "in upvalue 'deep'"));
	kit_stop(kit, false);
	assert_int_equal(count_logged(kit, "ERROR"), 1);
	assert_int_equal(kit->life->vm->failed, 1);
	kit_destroy(kit);
}

static void test_a_failure_that_nobody_asks_for_is_logged_once(void **state)
{
	struct kit *kit =
	    kit_create(SERVICE("task.spawn(function() nap() error 'alone' end) nap()"));

	(void)state;
	kit_start(kit);
	kit_wait_log(kit, "alone\nstack traceback");
	kit_stop(kit, false);
	assert_int_equal(count_logged(kit, "alone"), 1);
	assert_int_equal(kit->life->vm->failed, 1);
	kit_destroy(kit);
}

static void test_a_failure_not_yet_asked_for_is_logged_at_the_stop(void **state)
{
	struct kit *kit = kit_create(SERVICE("task.spawn(function() error 'late' end) nap()"));

	(void)state;
	kit_start(kit);
	kit_wait_log(kit, "INFO end");
	kit_stop(kit, false);
	assert_int_equal(count_logged(kit, "late\nstack traceback"), 1);
	kit_destroy(kit);
}

static void test_a_failure_whose_waiter_is_cancelled_is_not_lost(void **state)
{
	struct kit *kit =
	    kit_create(SERVICE("local child = task.spawn(function() nap() error 'orphaned' end)\n"
			       "local waiter\n"
			       "waiter = task.spawn(function() child:wait() end)\n"
			       "local other <close> = task.defer(function() say 'left' end)\n"
			       "task.spawn(function() nap() waiter:cancel() end):wait()"));

	(void)state;
	kit_start(kit);
	kit_wait_log(kit, "INFO end");
	kit_stop(kit, false);
	assert_int_equal(count_logged(kit, "orphaned"), 1);
	kit_destroy(kit);
}

static void test_a_task_ends_when_its_children_have(void **state)
{
	(void)state;
	assert_says(SERVICE("local parent = task.spawn(function()\n"
			    "  task.spawn(function() nap() nap() say 'child' end)\n"
			    "  say 'parent' return 'result' end)\n"
			    "say(parent:wait())"),
		    "INFO parent\nINFO child\nINFO result\nINFO end\n");
}

static void test_cancelling_closes_children_first_and_the_last_of_them_first(void **state)
{
	(void)state;
	assert_says(
	    SERVICE("local parent = task.spawn(function()\n"
		    "  local own <close> = closer 'parent'\n"
		    "  for i = 1, 3 do task.spawn(function()\n"
		    "    local mine <close> = closer(i)\n"
		    "    pcall(never) say 'a pcall has seen it' end) end\n"
		    "  never() end)\n"
		    "nap() parent:cancel()\n"
		    "say(select(3, parent:wait()))"),
	    "INFO closed 3\nINFO closed 2\nINFO closed 1\nINFO closed parent\nINFO ECANCELED\n"
	    "INFO end\n");
}

static void test_raising_cancels_the_children_first(void **state)
{
	(void)state;
	assert_says(
	    SERVICE("local parent = task.spawn(function()\n"
		    "  local own <close> = closer 'parent'\n"
		    "  task.spawn(function() local mine <close> = closer 'child' never() end)\n"
		    "  nap() error('bad', 0) end)\n"
		    "say(select(2, pcall(parent.wait, parent)))"),
	    "INFO closed child\nINFO closed parent\nINFO bad\nINFO end\n");
}

static void test_a_parent_that_has_returned_can_still_be_cancelled(void **state)
{
	(void)state;
	assert_says(
	    SERVICE("local parent = task.spawn(function()\n"
		    "  task.spawn(function() local mine <close> = closer 'child' never() end)\n"
		    "end)\n"
		    "nap() parent:cancel() say(select(3, parent:wait()))"),
	    "INFO closed child\nINFO ECANCELED\nINFO end\n");
}

static void test_a_child_may_cancel_its_parent(void **state)
{
	(void)state;
	assert_says(
	    SERVICE("local parent\n"
		    "parent = task.spawn(function()\n"
		    "  local own <close> = closer 'parent'\n"
		    "  task.spawn(function()\n"
		    "    local mine <close> = closer 'child'\n"
		    "    parent:cancel() say 'runs on' nap() say 'not here' end)\n"
		    "  never() end)\n"
		    "say(select(3, parent:wait()))"),
	    "INFO closed parent\nINFO runs on\nINFO closed child\nINFO ECANCELED\nINFO end\n");
}

static void test_close_values_of_a_cancelled_task_may_neither_wait_nor_start(void **state)
{
	struct kit *kit =
	    kit_create(SERVICE("local child = task.spawn(function()\n"
			       "  local a <close> = task.defer(function() nap() end)\n"
			       "  local b <close> = task.defer(function() task.spawn(nap) end)\n"
			       "  never() end)\n"
			       "nap() child:cancel()"));

	(void)state;
	kit_start(kit);
	kit_wait_log(kit, "INFO end");
	/* The second error has taken the place of the first, as in any Lua. */
	assert_true(kit_logged(kit, "cannot wait while a task is being closed"));
	kit_finish(kit);
	assert_true(true);
}

static void test_waiting_for_oneself_or_an_ancestor_raises(void **state)
{
	(void)state;
	assert_says(
	    SERVICE(
		"local parent, child\n"
		"parent = task.spawn(function()\n"
		"  nap() say(select(2, pcall(parent.wait, parent)))\n"
		"  child = task.spawn(function() say(select(2, pcall(parent.wait, parent))) end)\n"
		"  child:wait() end)\n"
		"parent:wait()"),
	    "INFO a task cannot wait for itself\n"
	    "INFO a task cannot wait for one that it belongs to: that one ends after it\n"
	    "INFO end\n");
}

static void test_wait_has_a_timeout(void **state)
{
	(void)state;
	assert_says(SERVICE("local child = task.spawn(never)\n"
			    "say(select(3, child:wait { timeout = '1ms' })) child:cancel()"),
		    "INFO ETIMEDOUT\nINFO end\n");
}

static void test_tasks_are_nested_at_most_256_deep(void **state)
{
	(void)state;
	assert_says(
	    SERVICE("local depth = 0\n"
		    "local function deeper() depth = depth + 1 task.spawn(deeper):wait() end\n"
		    "local ok, message = pcall(deeper)\n"
		    "say(tostring(ok), depth, message:match 'nested %d+ deep')"),
	    "INFO false 257 nested 256 deep\nINFO end\n");
}

static void test_what_start_spawns_outlives_it_and_a_start_that_waits_is_not_ready(void **state)
{
	struct kit *kit = kit_create(
	    INSIDE("local task = require 'luvd.task'\n"
		   "task.spawn(function() luvd.sleep '1h' end)\n"
		   "log:info('sum', { of = task.all(function() luvd.sleep '1ms' return 3 end) })"));

	(void)state;
	kit_start(kit);
	assert_true(kit->start_ok);
	assert_true(kit_logged(kit, "INFO sum of=3"));
	assert_int_equal(kit->life->vm->task_count, 1);
	kit_finish(kit);
}

static void test_nothing_is_started_while_the_service_is_loaded(void **state)
{
	struct kit *kit = kit_create("require 'luvd.task'.spawn(function() end)\n"
				     "return { service = { start = function() end } }");

	(void)state;
	assert_false(kit_load(kit));
	assert_non_null(strstr(kit->create_err.what, "cannot start a task while the service is"));
	kit_destroy(kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_wait_gives_the_results_now_and_again),
	    cmocka_unit_test(test_spawn_returns_before_the_task_begins),
	    cmocka_unit_test(test_wait_raises_the_error_object_with_the_childs_traceback),
	    cmocka_unit_test(test_a_failure_that_nobody_asks_for_is_logged_once),
	    cmocka_unit_test(test_a_failure_not_yet_asked_for_is_logged_at_the_stop),
	    cmocka_unit_test(test_a_failure_whose_waiter_is_cancelled_is_not_lost),
	    cmocka_unit_test(test_a_task_ends_when_its_children_have),
	    cmocka_unit_test(test_cancelling_closes_children_first_and_the_last_of_them_first),
	    cmocka_unit_test(test_raising_cancels_the_children_first),
	    cmocka_unit_test(test_a_parent_that_has_returned_can_still_be_cancelled),
	    cmocka_unit_test(test_a_child_may_cancel_its_parent),
	    cmocka_unit_test(test_close_values_of_a_cancelled_task_may_neither_wait_nor_start),
	    cmocka_unit_test(test_waiting_for_oneself_or_an_ancestor_raises),
	    cmocka_unit_test(test_wait_has_a_timeout),
	    cmocka_unit_test(test_tasks_are_nested_at_most_256_deep),
	    cmocka_unit_test(
		test_what_start_spawns_outlives_it_and_a_start_that_waits_is_not_ready),
	    cmocka_unit_test(test_nothing_is_started_while_the_service_is_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
