#include "service_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service/life_state.h"
#include "service/vm.h"

/* A text that runs in a task of the service, after start, and ends with the line "INFO end". nap
 * sleeps twice: whatever was ready before has its turn in between, however slow the machine. */
#define SERVICE(text)                                                                              \
	"local luvd, uv, task = require 'luvd', require 'uv', require 'luvd.task'\n"               \
	"local log = luvd.log\n"                                                                   \
	"local function say(...) log:info(table.concat({ ... }, ' ')) end\n"                       \
	"local function nap() luvd.sleep '1ms' luvd.sleep '1ms' end\n"                             \
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
	assert_int_equal(kit->life->vm->failed, 1);
	kit_finish(kit);
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

/* --- together --- */

static void test_all_gives_the_first_value_of_each_in_order(void **state)
{
	(void)state;
	assert_says(SERVICE("say(task.all(function() nap() nap() return 'a', 'x' end,\n"
			    "  function() return 'b' end, function() nap() return 'c' end))\n"
			    "say(select('#', task.all(nap, nap)), select('#', task.all()))"),
		    "INFO a b c\nINFO 2 0\nINFO end\n");
}

static void test_the_first_failure_of_all_cancels_the_rest_and_is_raised(void **state)
{
	(void)state;
	assert_says(
	    SERVICE("local function stays() local mine <close> = closer 'rest' never() end\n"
		    "local function breaks() nap() error({ 'broken' }) end\n"
		    "local ok, err = pcall(task.all, stays, breaks, breaks, stays)\n"
		    "say(tostring(ok), err[1])"),
	    "INFO closed rest\nINFO closed rest\nINFO false broken\nINFO end\n");
}

static void test_first_gives_what_ends_first_and_cancels_the_rest(void **state)
{
	(void)state;
	assert_says(
	    SERVICE("say(task.first(function() local mine <close> = closer 'slow' never() end,\n"
		    "  function() nap() return 'a', 'b' end))\n"
		    "say(select(2, pcall(task.first, never, function() error('bad', 0) end)))\n"
		    "say(tostring(pcall(task.first)))"),
	    "INFO closed slow\nINFO a b\nINFO bad\nINFO false\nINFO end\n");
}

static void test_the_collector_may_run_while_tasks_end(void **state)
{
	struct kit *kit = kit_create(
	    "local luvd, net, task = require 'luvd', require 'luvd.net', require 'luvd.task'\n"
	    "local function sweep() collectgarbage() collectgarbage() end\n"
	    "local function stays() local mine <close> = task.defer(sweep) luvd.sleep '1h' end\n"
	    "return { service = { start = function(daemon)\n"
	    "  net.serve(daemon.listeners.web, function(conn)\n"
	    "    conn:read_line() sweep()\n"
	    "    for i = 1, 9 do conn:write(task.first(stays, function() sweep() return 'x' end)) "
	    "end\n"
	    "    task.spawn(stays) error 'over' end) end } }");
	int fd;

	(void)state;
	kit_listen(kit);
	kit_start(kit);
	fd = kit_connect(kit);
	kit_send(fd, "go\n");
	assert_string_equal(kit_expect(kit, fd, NULL), "xxxxxxxxx");
	assert_true(kit_logged(kit, "over\nstack traceback"));
	close(fd);
	kit_finish(kit);
}

static void test_timeout_cancels_what_is_late(void **state)
{
	(void)state;
	assert_says(
	    SERVICE("say(task.timeout('1h', function(...) nap() return ... end, 'in', 'time'))\n"
		    "say(select(3, task.timeout('1ms', function()\n"
		    "  local mine <close> = closer 'late' task.spawn(never) never() end)))\n"
		    "say(select(2, pcall(task.timeout, 1, function() error('bad', 0) end)))\n"
		    "say(select(3, task.timeout('1ms', function() task.spawn(never) end)))"),
	    "INFO in time\nINFO closed late\nINFO ETIMEDOUT\nINFO bad\nINFO ETIMEDOUT\nINFO end\n");
}

static void test_cancelling_who_waits_for_all_cancels_them(void **state)
{
	(void)state;
	assert_says(
	    SERVICE("local function stays(name)\n"
		    "  return function() local mine <close> = closer(name) never() end end\n"
		    "local waiter = task.spawn(function()\n"
		    "  task.all(stays 'a', function() task.first(stays 'b', stays 'c') end,\n"
		    "    function() task.timeout('1h', stays 'd') end) end)\n"
		    "nap() waiter:cancel()"),
	    "INFO closed d\nINFO closed c\nINFO closed b\nINFO closed a\nINFO end\n");
}

/* --- groups --- */

static void test_the_end_of_a_block_waits_for_its_group(void **state)
{
	(void)state;
	assert_says(
	    SERVICE("local function work()\n"
		    "  local group <close> = task.group()\n"
		    "  for i = 1, 2 do group:spawn(function(n) nap() say(n) end, i) end\n"
		    "  return 'returned' end\n"
		    "say(work())\n"
		    "for i = 1, 2 do\n"
		    "  local group <close> = task.group()\n"
		    "  group:spawn(function() nap() say 'looped' end)\n"
		    "  if i == 1 then break end end\n"
		    "say(tostring(pcall(function()\n"
		    "  local group <close> = task.group()\n"
		    "  group:spawn(function() group:spawn(function() nap() say 'inner' end) end)\n"
		    "  say(tostring(group:wait())) end)))"),
	    "INFO 1\nINFO 2\nINFO returned\nINFO looped\nINFO inner\nINFO true\nINFO true\n"
	    "INFO end\n");
}

static void test_an_error_that_leaves_the_block_cancels_its_group(void **state)
{
	(void)state;
	assert_says(
	    SERVICE("say(select(2, pcall(function()\n"
		    "  local group <close> = task.group()\n"
		    "  group:spawn(function() local mine <close> = closer 'member' never() end)\n"
		    "  nap() error('left', 0) end)))"),
	    "INFO closed member\nINFO left\nINFO end\n");
}

static void test_a_failure_in_a_group_ends_it_and_is_raised_once(void **state)
{
	(void)state;
	assert_says(
	    SERVICE("local function breaks() nap() error('broken', 0) end\n"
		    "local function stays() local mine <close> = closer 'sibling' never() end\n"
		    "say('wait', select(2, pcall(function()\n"
		    "  local group <close> = task.group()\n"
		    "  group:spawn(stays) group:spawn(breaks) group:spawn(breaks)\n"
		    "  group:wait() end)))\n"
		    "say('close', select(2, pcall(function()\n"
		    "  local group <close> = task.group()\n"
		    "  group:spawn(stays) group:spawn(breaks) end)))\n"
		    "do local group <close> = task.group()\n"
		    "  group:spawn(breaks)\n"
		    "  say('caught', select(2, pcall(group.wait, group)))\n"
		    "  say(select(2, pcall(group.spawn, group, nap))) end"),
	    "INFO closed sibling\nINFO wait broken\nINFO closed sibling\nINFO close broken\n"
	    "INFO caught broken\nINFO the group has ended: nothing can be started in it\nINFO "
	    "end\n");
}

static void test_a_failure_of_a_group_that_nobody_can_be_told_is_logged(void **state)
{
	struct kit *kit =
	    kit_create(SERVICE("say(select(2, pcall(function()\n"
			       "  local group <close> = task.group()\n"
			       "  group:spawn(function() error 'hidden' end)\n"
			       "  nap() error('another', 0) end)))\n"
			       "task.spawn(function()\n"
			       "  task.group():spawn(function() error 'dropped' end) end):wait()"));

	(void)state;
	kit_start(kit);
	kit_wait_log(kit, "INFO end");
	kit_stop(kit, false);
	assert_true(kit_logged(kit, "INFO another"));
	assert_int_equal(count_logged(kit, "hidden\nstack traceback"), 1);
	assert_int_equal(count_logged(kit, "dropped\nstack traceback"), 1);
	assert_int_equal(kit->life->vm->failed, 2);
	kit_destroy(kit);
}

static void test_a_group_belongs_to_the_task_that_made_it(void **state)
{
	(void)state;
	assert_says(
	    SERVICE("local group\n"
		    "local maker = task.spawn(function()\n"
		    "  group = task.group() group:spawn(function()\n"
		    "    say(select(2, pcall(group.wait, group))) end) end)\n"
		    "maker:wait()\n"
		    "say(select(2, pcall(group.spawn, group, nap)))\n"
		    "local own <close> = task.group()\n"
		    "own:spawn(function() local mine <close> = closer 'cancelled' never() end)\n"
		    "say(select(3, own:wait { timeout = '1ms' }))\n"
		    "own:cancel()"),
	    "INFO only the task that has made the group can wait for it\n"
	    "INFO the group has ended: nothing can be started in it\n"
	    "INFO ETIMEDOUT\nINFO closed cancelled\nINFO end\n");
}

/* --- channels --- */

static void test_a_channel_hands_values_on_in_order(void **state)
{
	(void)state;
	assert_says(
	    SERVICE("for _, capacity in ipairs { 0, 1, 3 } do\n"
		    "  local channel, got = task.channel(capacity), {}\n"
		    "  task.all(function()\n"
		    "    for i = 1, 7 do assert(channel:send(i)) if i == 4 then nap() end end\n"
		    "    channel:send(false) channel:close() end,\n"
		    "  function() for value in channel:values() do\n"
		    "    got[#got + 1] = tostring(value) if value == 2 then nap() end end end)\n"
		    "  say(table.concat(got, ' ')) end"),
	    "INFO 1 2 3 4 5 6 7 false\nINFO 1 2 3 4 5 6 7 false\nINFO 1 2 3 4 5 6 7 false\nINFO "
	    "end\n");
}

static void test_a_full_channel_makes_senders_wait_their_turn(void **state)
{
	(void)state;
	assert_says(
	    SERVICE("local channel = task.channel(1)\n"
		    "say(tostring(channel:try_send 'a'), select(3, channel:try_send 'b'))\n"
		    "say(select(3, channel:send('c', { timeout = '1ms' })))\n"
		    "for _, name in ipairs { 'd', 'e' } do\n"
		    "  task.spawn(function() channel:send(name) say('sent', name) end) end\n"
		    "nap() say(channel:receive()) say(channel:receive()) say(channel:receive())\n"
		    "say(select(3, channel:receive { timeout = '50ms' }))\n"
		    "say(select(2, pcall(channel.send, channel, nil)))"),
	    "INFO true EAGAIN\nINFO ETIMEDOUT\nINFO a\nINFO d\nINFO e\nINFO sent d\nINFO sent e\n"
	    "INFO ETIMEDOUT\nINFO nil cannot be sent: it is what receive returns at the end\n"
	    "INFO end\n");
}

static void test_receivers_are_served_in_the_order_in_which_they_came(void **state)
{
	(void)state;
	assert_says(
	    SERVICE("local channel = task.channel(9)\n"
		    "for i = 1, 3 do task.spawn(function() say(i, channel:receive()) end) end\n"
		    "nap() for _, name in ipairs { 'a', 'b', 'c', 'd' } do channel:send(name) end\n"
		    "say('late', channel:receive()) nap()"),
	    "INFO late d\nINFO 1 a\nINFO 2 b\nINFO 3 c\nINFO end\n");
}

static void test_a_value_for_a_cancelled_receiver_goes_to_the_next(void **state)
{
	(void)state;
	assert_says(SERVICE("local channel = task.channel()\n"
			    "local one = task.spawn(function() say('one', channel:receive()) end)\n"
			    "local two = task.spawn(function() say('two', channel:receive()) end)\n"
			    "nap() channel:send 'value' one:cancel() two:wait()\n"
			    "local three = task.spawn(function() channel:receive() end)\n"
			    "nap() channel:send 'kept' three:cancel() say(channel:receive())"),
		    "INFO two value\nINFO kept\nINFO end\n");
}

static void test_closing_a_channel_wakes_who_waits(void **state)
{
	(void)state;
	assert_says(
	    SERVICE("local channel = task.channel(1)\n"
		    "local receiver = task.spawn(function() return channel:receive() end)\n"
		    "nap() channel:close() say(tostring(receiver:wait()))\n"
		    "say(select(3, channel:send 'x'))\n"
		    "local full = task.channel(1) full:send 'kept'\n"
		    "local sender = task.spawn(function() return select(3, full:send 'lost') end)\n"
		    "nap() full:close() say(sender:wait(), full:receive())\n"
		    "say(tostring(full:receive()))"),
	    "INFO nil\nINFO ECLOSED\nINFO ECLOSED kept\nINFO nil\nINFO end\n");
}

/* --- semaphores, defer --- */

static void test_permits_go_round_in_order(void **state)
{
	(void)state;
	assert_says(
	    SERVICE("local semaphore = task.semaphore(2)\n"
		    "local function use(name) local permit <close> = semaphore:acquire()\n"
		    "  say('holds', name) nap() nap() end\n"
		    "task.spawn(use, 'a') task.spawn(use, 'b') task.spawn(use, 'c') nap()\n"
		    "say(select(3, semaphore:try_acquire()),\n"
		    "  select(3, semaphore:acquire { timeout = '0ms' }))\n"
		    "local last = semaphore:acquire() say 'mine' last:release() last:release()\n"
		    "local x, y = semaphore:acquire(), semaphore:acquire()\n"
		    "say(select(3, semaphore:try_acquire()))"),
	    "INFO holds a\nINFO holds b\nINFO EAGAIN ETIMEDOUT\nINFO holds c\nINFO mine\nINFO "
	    "EAGAIN\n"
	    "INFO end\n");
}

static void test_a_permit_for_a_cancelled_task_goes_to_the_next(void **state)
{
	(void)state;
	assert_says(SERVICE("local semaphore = task.semaphore(1)\n"
			    "local permit = semaphore:acquire()\n"
			    "local one = task.spawn(function() semaphore:acquire() say 'one' end)\n"
			    "local two = task.spawn(function() local p <close> = "
			    "semaphore:acquire() say 'two' end)\n"
			    "nap() permit:release() one:cancel() two:wait()\n"
			    "local holder = task.spawn(function() local p <close> = "
			    "semaphore:acquire() never() end)\n"
			    "nap() holder:cancel() say(type(semaphore:try_acquire()))"),
		    "INFO two\nINFO userdata\nINFO end\n");
}

static void test_defer_runs_at_the_end_of_the_block_whatever_ends_it(void **state)
{
	(void)state;
	assert_says(
	    SERVICE("do local d <close> = task.defer(function() nap() say 'left' end) end\n"
		    "pcall(function() local d <close> = task.defer(function(err) say(err) end)\n"
		    "  error('raised', 0) end)\n"
		    "say(tostring(pcall(task.defer, 1)))"),
	    "INFO left\nINFO raised\nINFO false\nINFO end\n");
}

/* --- the service's own coroutines --- */

static void test_children_and_channels_work_inside_generators(void **state)
{
	(void)state;
	assert_says(
	    SERVICE("local function numbers() return coroutine.wrap(function()\n"
		    "  local channel = task.channel()\n"
		    "  task.spawn(function() for i = 1, 3 do channel:send(i) nap() end "
		    "channel:close() end)\n"
		    "  for value in channel:values() do coroutine.yield(value) end end) end\n"
		    "local sum = 0 for n in numbers() do sum = sum + n end say(sum)"),
	    "INFO 6\nINFO end\n");
}

static void test_a_coroutine_that_resumes_itself_goes_on(void **state)
{
	(void)state;
	assert_says(
	    SERVICE(
		"local again again = coroutine.wrap(function()\n"
		"  say(tostring(pcall(again)))\n"
		"  local ok, why = coroutine.resume(coroutine.running()) say(tostring(ok), why)\n"
		"  coroutine.yield() say 'still here' end)\n"
		"again() again() say(tostring(pcall(again)))"),
	    "INFO false\n"
	    "INFO false cannot resume non-suspended coroutine\n"
	    "INFO still here\n"
	    "INFO false\nINFO end\n");
}

static void test_cancelling_closes_the_coroutines_that_wait_inside(void **state)
{
	(void)state;
	assert_says(
	    SERVICE("local child = task.spawn(function()\n"
		    "  local outer <close> = closer 'task'\n"
		    "  coroutine.wrap(function() local mine <close> = closer 'outer'\n"
		    "    coroutine.wrap(function() local mine <close> = closer 'inner'\n"
		    "      task.all(never) end)() end)() end)\n"
		    "nap() child:cancel()\n"
		    "local co = coroutine.create(function() local mine <close> = closer 'own'\n"
		    "  coroutine.yield() end)\n"
		    "coroutine.resume(co) say(tostring(coroutine.close(co)))"),
	    "INFO closed inner\nINFO closed outer\nINFO closed task\nINFO closed own\nINFO true\n"
	    "INFO end\n");
}

static void test_tracebacks_lead_through_tasks_and_coroutines(void **state)
{
	struct kit *kit = kit_create(
	    SERVICE("local function deep() nap() error 'deep down' end\n"
		    "local function generator() coroutine.wrap(function() deep() end)() end\n"
		    "daemon:spawn(function() task.all(function() generator() end) end)\n"
		    "nap() nap() nap()"));

	(void)state;
	kit_start(kit);
	kit_wait_log(kit, "in upvalue 'deep'");
	assert_true(kit_logged(kit, "in function 'luvd.task.all'") ||
		    kit_logged(kit, "in field 'all'"));
	assert_true(kit_logged(kit, "in upvalue 'generator'"));
	kit_stop(kit, false);
	assert_int_equal(count_logged(kit, "ERROR"), 1);
	kit_destroy(kit);
}

static void test_a_coroutine_that_the_service_knows_is_not_used_again(void **state)
{
	(void)state;
	assert_says(
	    SERVICE("local seen, again = {}, 0\n"
		    "for i = 1, 20 do task.spawn(function()\n"
		    "  local co = coroutine.running()\n"
		    "  if seen[co] then again = again + 1 end seen[co] = true end):wait() end\n"
		    "say(again)"),
	    "INFO 0\nINFO end\n");
}

/* --- connections --- */

static void test_a_connection_closes_when_the_children_of_its_handler_have_ended(void **state)
{
	struct kit *kit = kit_create(
	    "local luvd, net, task = require 'luvd', require 'luvd.net', require 'luvd.task'\n"
	    "return { service = { start = function(daemon)\n"
	    "  net.serve(daemon.listeners.web, function(conn)\n"
	    "    task.spawn(function() luvd.sleep '5ms' conn:write(conn:read_line() .. '!\\n') "
	    "end)\n"
	    "    conn:write 'handler\\n' end) end } }");
	int fd;

	(void)state;
	kit_listen(kit);
	kit_start(kit);
	fd = kit_connect(kit);
	kit_expect(kit, fd, "handler\n");
	kit_send(fd, "child\n");
	assert_string_equal(kit_expect(kit, fd, NULL), "child!\n");
	close(fd);
	kit_finish(kit);
}

static void test_a_handler_that_raises_cancels_its_children(void **state)
{
	struct kit *kit = kit_create(
	    "local luvd, net, task = require 'luvd', require 'luvd.net', require 'luvd.task'\n"
	    "return { service = { start = function(daemon)\n"
	    "  net.serve(daemon.listeners.web, function(conn)\n"
	    "    task.spawn(function()\n"
	    "      local d <close> = task.defer(function() luvd.log:info 'cancelled' end)\n"
	    "      luvd.sleep '1h' end)\n"
	    "    conn:read_line() error 'handler' end) end } }");
	int fd;

	(void)state;
	kit_listen(kit);
	kit_start(kit);
	fd = kit_connect(kit);
	kit_send(fd, "go\n");
	kit_expect(kit, fd, NULL);
	assert_true(kit_logged(kit, "INFO cancelled\nERROR"));
	assert_int_equal(count_logged(kit, "handler\nstack traceback"), 1);
	close(fd);
	kit_finish(kit);
}

/* --- nothing is left --- */

/* Threads and userdata in the registry that are not those of tasks and of spares. */
static int count_references(const struct vm *vm)
{
	lua_State *L = vm->L;
	int count = -(int)(vm->task_count + vm->spare_count);

	lua_pushnil(L);
	while (lua_next(L, LUA_REGISTRYINDEX)) {
		count += lua_isthread(L, -1) || lua_isuserdata(L, -1);
		lua_pop(L, 1);
	}
	return count;
}

static void test_what_has_ended_leaves_nothing_behind(void **state)
{
	struct kit *kit = kit_create(SERVICE(
	    "local function fails() nap() error('', 0) end\n"
	    "local function round()\n"
	    "  task.all(nap, nap) task.first(nap, never) task.timeout('1ms', never)\n"
	    "  pcall(task.all, fails, never)\n"
	    "  pcall(function() local g <close> = task.group() g:spawn(fails) g:spawn(never) end)\n"
	    "  local channel, semaphore = task.channel(2), task.semaphore(1)\n"
	    "  local a = task.spawn(function() channel:receive() end)\n"
	    "  local b = task.spawn(function() return 1, 2, 3 end)\n"
	    "  local c = task.spawn(fails)\n"
	    "  nap() a:cancel() b:wait() pcall(c.wait, c)\n"
	    "  local p = semaphore:acquire() semaphore:acquire { timeout = '1ms' }\n"
	    "end\n"
	    "for i = 1, 3 do round() end collectgarbage() say 'warm'\n"
	    "for i = 1, 30 do round() end collectgarbage()"));
	int before;

	(void)state;
	kit_start(kit);
	kit_wait_log(kit, "warm");
	before = count_references(kit->life->vm);
	kit_wait_log(kit, "INFO end");
	assert_int_equal(kit->life->vm->task_count, 0);
	assert_int_equal(kit->life->vm->failed, 0);
	assert_int_equal(count_references(kit->life->vm), before);
	assert_true(kit->life->vm->spare_count > 0);
	assert_true(kit->life->vm->spare_count <= 256);
	kit_finish(kit);
}

static void test_at_most_256_ended_tasks_are_kept(void **state)
{
	struct kit *kit = kit_create(SERVICE(
	    "for i = 1, 1000 do task.spawn(nap) end luvd.sleep '2ms'\n"
	    "local all = {} for i = 1, 1000 do all[i] = nap end task.all(table.unpack(all))"));

	(void)state;
	kit_start(kit);
	kit_wait_log(kit, "INFO end");
	while (kit->life->vm->task_count > 0)
		uv_run(&kit->loop, UV_RUN_ONCE);
	assert_int_equal(kit->life->vm->spare_count, 256);
	kit_stop(kit, false);
	assert_int_equal(kit->life->vm->spare_count, 0);
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
	    cmocka_unit_test(test_all_gives_the_first_value_of_each_in_order),
	    cmocka_unit_test(test_the_first_failure_of_all_cancels_the_rest_and_is_raised),
	    cmocka_unit_test(test_first_gives_what_ends_first_and_cancels_the_rest),
	    cmocka_unit_test(test_the_collector_may_run_while_tasks_end),
	    cmocka_unit_test(test_timeout_cancels_what_is_late),
	    cmocka_unit_test(test_cancelling_who_waits_for_all_cancels_them),
	    cmocka_unit_test(test_the_end_of_a_block_waits_for_its_group),
	    cmocka_unit_test(test_an_error_that_leaves_the_block_cancels_its_group),
	    cmocka_unit_test(test_a_failure_in_a_group_ends_it_and_is_raised_once),
	    cmocka_unit_test(test_a_failure_of_a_group_that_nobody_can_be_told_is_logged),
	    cmocka_unit_test(test_a_group_belongs_to_the_task_that_made_it),
	    cmocka_unit_test(test_a_channel_hands_values_on_in_order),
	    cmocka_unit_test(test_a_full_channel_makes_senders_wait_their_turn),
	    cmocka_unit_test(test_receivers_are_served_in_the_order_in_which_they_came),
	    cmocka_unit_test(test_a_value_for_a_cancelled_receiver_goes_to_the_next),
	    cmocka_unit_test(test_closing_a_channel_wakes_who_waits),
	    cmocka_unit_test(test_permits_go_round_in_order),
	    cmocka_unit_test(test_a_permit_for_a_cancelled_task_goes_to_the_next),
	    cmocka_unit_test(test_defer_runs_at_the_end_of_the_block_whatever_ends_it),
	    cmocka_unit_test(test_children_and_channels_work_inside_generators),
	    cmocka_unit_test(test_a_coroutine_that_resumes_itself_goes_on),
	    cmocka_unit_test(test_cancelling_closes_the_coroutines_that_wait_inside),
	    cmocka_unit_test(test_tracebacks_lead_through_tasks_and_coroutines),
	    cmocka_unit_test(test_a_coroutine_that_the_service_knows_is_not_used_again),
	    cmocka_unit_test(test_a_connection_closes_when_the_children_of_its_handler_have_ended),
	    cmocka_unit_test(test_a_handler_that_raises_cancels_its_children),
	    cmocka_unit_test(test_what_has_ended_leaves_nothing_behind),
	    cmocka_unit_test(test_at_most_256_ended_tasks_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
