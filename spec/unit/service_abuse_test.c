#include "service_kit.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What a service does at the wrong time, or in a finalizer, is an error for it and never the end
 * of the daemon. These mean most under a checker of memory. */

#define START(text)                                                                                \
	"local luvd, net, task = require 'luvd', require 'luvd.net', require 'luvd.task'\n"        \
	"local log = luvd.log\n"                                                                   \
	"return { service = { start = function(daemon)\n" text "\nend } }\n"

/* --- finalizers --- */

static void test_a_finalizer_may_close_a_connection_that_was_collected_before_it(void **state)
{
	(void)state;
	/* The order of finalizers is that of setmetatable, so that of the connection is first. */
	kit_assert_logs(
	    START("local l = assert(net.listen 'tcp://127.0.0.1:0')\n"
		  "local kept\n"
		  "local o = setmetatable({}, { __gc = function(o)\n"
		  "  kept = o.conn\n"
		  "  log:info('closed ' .. tostring(pcall(kept.close, kept)))\n"
		  "end })\n"
		  "o.conn = assert(net.connect(l.address))\n"
		  "o.conn:close()\n"
		  "luvd.sleep(0.01)\n"
		  "o = nil\n"
		  "collectgarbage() collectgarbage()\n"
		  "for _, name in ipairs { 'read', 'write', 'failure', 'reset' } do\n"
		  "  log:info(name .. ' ' .. tostring(pcall(kept[name], kept, 'x')))\n"
		  "end"),
	    "INFO closed false\n"
	    "INFO read false\nINFO write false\nINFO failure false\nINFO reset false\n");
}

static void test_a_finalizer_may_close_the_connection_that_is_read(void **state)
{
	struct kit *kit = kit_create("local luvd, net = require 'luvd', require 'luvd.net'\n"
				     "return { service = { start = function(daemon)\n"
				     "  net.serve(daemon.listeners.web, function(conn)\n"
				     "    collectgarbage 'generational'\n"
				     "    local closer = { __gc = function() conn:close() end }\n"
				     "    local text, lines = nil, 0\n"
				     "    setmetatable({}, closer)\n"
				     "    repeat\n"
				     "      text = conn:read { max = 64 }\n"
				     "      lines = lines + 1\n"
				     "    until not text\n"
				     "    collectgarbage 'incremental'\n"
				     "    luvd.log:info('the end', { some = lines > 0 })\n"
				     "  end)\n"
				     "end } }\n");
	static char bytes[60001];
	int fd;

	(void)state;
	kit_listen(kit);
	kit_start(kit);
	memset(bytes, 'x', sizeof bytes - 1);
	fd = kit_connect(kit);
	kit_send(fd, bytes);
	shutdown(fd, SHUT_WR);
	kit_wait_log(kit, "the end some=true");
	close(fd);
	kit_finish(kit);
}

static void test_a_group_that_was_collected_starts_nothing(void **state)
{
	(void)state;
	kit_assert_logs(START("local kept\n"
			      "task.spawn(function()\n"
			      "  local o = setmetatable({}, { __gc = function(o)\n"
			      "    kept = o.group\n"
			      "  end })\n"
			      "  o.group = task.group()\n"
			      "  o = nil\n"
			      "  collectgarbage() collectgarbage()\n"
			      "end):wait()\n"
			      "for i = 1, 300 do task.spawn(error, 'x') end\n"
			      "collectgarbage()\n"
			      "log:info(tostring(pcall(kept.spawn, kept, print)))"),
			"INFO false\n");
}

static void test_metatables_are_not_shown(void **state)
{
	(void)state;
	kit_assert_logs(
	    START("local l = assert(net.listen 'udp://127.0.0.1:0')\n"
		  "local shown = {}\n"
		  "for _, value in ipairs { l, task.group(), task.channel(), log,\n"
		  "    task.semaphore(1), task.spawn(print), luvd.every(1, print),\n"
		  "    assert(require 'luvd.fs'.temporary()), task.defer(print) } do\n"
		  "  if getmetatable(value) then shown[#shown + 1] = tostring(value) end\n"
		  "end\n"
		  "log:info('shown: ' .. table.concat(shown, ', ') .. '.')"),
	    "INFO shown: .\n");
}

/* --- <close> --- */

static void test_an_error_in_close_does_not_lose_the_connection_of_the_handler(void **state)
{
	struct kit *kit = kit_create(
	    "local luvd, net = require 'luvd', require 'luvd.net'\n"
	    "return { service = { start = function(daemon)\n"
	    "  local bad = setmetatable({}, { __tostring = function()\n"
	    "    collectgarbage() collectgarbage()\n"
	    "    return 'bad end'\n"
	    "  end })\n"
	    "  net.serve(daemon.listeners.web, function(conn)\n"
	    "    local _ <close> = setmetatable({}, { __close = function() error(bad) end })\n"
	    "    conn:write 'hello\\n'\n"
	    "    if conn:read_line() == 'raise' then error 'of its own' end\n"
	    "  end)\n"
	    "end } }\n");
	int raises, waits;

	(void)state;
	kit_listen(kit);
	kit_start(kit);
	raises = kit_connect(kit);
	kit_expect(kit, raises, "hello\n");
	kit_send(raises, "raise\n");
	assert_string_equal(kit_expect(kit, raises, NULL), "");
	kit_wait_log(kit, "bad end");
	waits = kit_connect(kit);
	kit_expect(kit, waits, "hello\n");
	kit_stop(kit, true);
	close(raises);
	close(waits);
	kit_destroy(kit);
}

static void test_tasks_that_cancel_each_other_in_close_are_no_matter_how_many(void **state)
{
	(void)state;
	kit_assert_logs(START("local handles, count, closed = {}, 30000, 0\n"
			      "for i = 1, count do\n"
			      "  handles[i] = task.spawn(function()\n"
			      "    local _ <close> = setmetatable({}, { __close = function()\n"
			      "      closed = closed + 1\n"
			      "      if handles[i + 1] then handles[i + 1]:cancel() end\n"
			      "    end })\n"
			      "    luvd.sleep(1000)\n"
			      "  end)\n"
			      "end\n"
			      "luvd.sleep(0)\n"
			      "handles[1]:cancel()\n"
			      "for i = 1, count do handles[i]:wait() end\n"
			      "log:info('closed ' .. closed)"),
			"INFO closed 30000\n");
}

static void test_a_stop_cancels_tasks_that_cancel_each_other(void **state)
{
	struct kit *kit =
	    kit_create(START("local handles, count, closed = {}, 20000, 0\n"
			     "for i = 1, count do\n"
			     "  handles[i] = task.spawn(function()\n"
			     "    local _ <close> = setmetatable({}, { __close = function()\n"
			     "      closed = closed + 1\n"
			     "      if closed == count then log:info 'all are closed' end\n"
			     "      if handles[i + 1] then handles[i + 1]:cancel() end\n"
			     "    end })\n"
			     "    luvd.sleep(1000)\n"
			     "  end)\n"
			     "end\n"
			     "luvd.sleep(0)"));

	(void)state;
	kit_start(kit);
	kit_stop(kit, true);
	assert_true(kit_logged(kit, "all are closed"));
	kit_destroy(kit);
}

/* --- listeners of the service's own --- */

static void test_a_start_that_fails_ends_what_it_serves_on_its_own_listener(void **state)
{
	(void)state;
	kit_assert_fails(START("local l = assert(net.listen 'tcp://127.0.0.1:0')\n"
			       "net.serve(l, print)\n"
			       "error 'no further'"),
			 "no further");
}

static void test_counts_leave_out_datagrams_of_its_own_listeners(void **state)
{
	struct kit *kit = kit_create(
	    START("local l = assert(net.listen { 'udp://127.0.0.1:0', 'udp://127.0.0.1:0' })\n"
		  "net.serve(l, function(socket) socket:receive() end)\n"
		  "net.serve(daemon.listeners.web, print)"));
	struct life_counts counts[2] = {{0}};
	struct life_totals totals;

	(void)state;
	kit_listen(kit);
	kit_start(kit);
	counts[1].accepted = 4711;
	life_count(kit->life, counts, &totals);
	assert_int_equal(counts[0].accepted, 0);
	assert_int_equal(counts[1].accepted, 4711);
	kit_finish(kit);
}

/* --- the log --- */

static void test_a_field_may_go_while_its_line_is_made(void **state)
{
	(void)state;
	kit_assert_logs(START("for count = 1, 20 do\n"
			      "  local fields = {}\n"
			      "  local thief = setmetatable({}, { __tostring = function()\n"
			      "    for i = 1, count do fields[('k'):rep(60) .. i] = nil end\n"
			      "    collectgarbage() collectgarbage()\n"
			      "    return 'thief'\n"
			      "  end })\n"
			      "  for i = 1, count do fields[('k'):rep(60) .. i] = i end\n"
			      "  fields.nested = { [thief] = true }\n"
			      "  log:info('line', fields)\n"
			      "end\n"
			      "log:info 'alive'"),
			"INFO alive\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_finalizer_may_close_a_connection_that_was_collected_before_it),
	    cmocka_unit_test(test_a_finalizer_may_close_the_connection_that_is_read),
	    cmocka_unit_test(test_a_group_that_was_collected_starts_nothing),
	    cmocka_unit_test(test_metatables_are_not_shown),
	    cmocka_unit_test(test_an_error_in_close_does_not_lose_the_connection_of_the_handler),
	    cmocka_unit_test(test_tasks_that_cancel_each_other_in_close_are_no_matter_how_many),
	    cmocka_unit_test(test_a_stop_cancels_tasks_that_cancel_each_other),
	    cmocka_unit_test(test_a_start_that_fails_ends_what_it_serves_on_its_own_listener),
	    cmocka_unit_test(test_counts_leave_out_datagrams_of_its_own_listeners),
	    cmocka_unit_test(test_a_field_may_go_while_its_line_is_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
