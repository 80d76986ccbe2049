#include "service_kit.h"

#include <errno.h>
#include <poll.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A service whose handler is the given text. */
#define HANDLER(text)                                                                              \
	"local net, luvd = require 'luvd.net', require 'luvd'\n"                                   \
	"return { service = { start = function(daemon)\n"                                          \
	"  net.serve(daemon.listeners.web, function(conn)\n" text "\n  end)\n"                     \
	"end } }\n"

static struct kit *serve(const char *text)
{
	struct kit *kit = kit_create(text);

	kit_listen(kit);
	kit_start(kit);
	assert_true(kit->start_ok);
	return kit;
}

static void test_an_echo_server_answers_line_by_line(void **state)
{
	struct kit *kit =
	    serve(HANDLER("for line in conn:lines() do conn:write(line .. '\\n') end"));
	int fd = kit_connect(kit);

	(void)state;
	kit_send(fd, "one\r\ntw");
	assert_string_equal(kit_expect(kit, fd, "\n"), "one\n");
	kit_send(fd, "o\nthree\n");
	assert_string_equal(kit_expect(kit, fd, "three\n"), "two\nthree\n");
	shutdown(fd, SHUT_WR);
	assert_string_equal(kit_expect(kit, fd, NULL), "");
	close(fd);
	kit_stop(kit, false);
	assert_null(kit->log);
	kit_destroy(kit);
}

/* The handler's words to a client that sends these and closes its writing side. */
static void assert_dialogue(const char *text, const char *sent, const char *answer)
{
	struct kit *kit = serve(text);
	int fd = kit_connect(kit);

	kit_send(fd, sent);
	shutdown(fd, SHUT_WR);
	assert_string_equal(kit_expect(kit, fd, NULL), answer);
	close(fd);
	if (kit->log)
		print_error("%s", kit->log);
	assert_null(kit->log);
	kit_finish(kit);
}

static void test_read_gives_what_is_there_and_nil_at_the_end(void **state)
{
	(void)state;
	assert_dialogue(HANDLER("conn:write(conn:read { max = 3 }); conn:write('|')\n"
				"conn:write(conn:read()); conn:write(tostring(conn:read()))\n"
				"conn:write(select('#', conn:read()) .. tostring(conn:failure()))"),
			"abcdef", "abc|defnil1nil");
}

static void test_a_line_that_ends_too_early_is_a_failure_with_its_bytes(void **state)
{
	(void)state;
	assert_dialogue(
	    HANDLER("conn:write(conn:read_line() .. '|')\n"
		    "local line, message, code, partial = conn:read_line()\n"
		    "conn:write { tostring(line), ' ', message, ' ', code, ' ', partial, ' ' }\n"
		    "conn:write(tostring(conn:read_line()))"),
	    "one\r\ntwo", "one|nil the peer ended the stream too early EOF two nil");
}

static void test_lines_end_at_a_failure_that_failure_tells(void **state)
{
	(void)state;
	assert_dialogue(HANDLER("for line in conn:lines() do conn:write('<' .. line .. '>') end\n"
				"conn:write(select(2, conn:failure()))"),
			"a\n\nb\r\nrest", "<a><><b>EOF");
}

static void test_a_line_over_max_is_refused_and_stays_readable(void **state)
{
	(void)state;
	assert_dialogue(
	    HANDLER("local line, message, code = conn:read_line { max = 4 }\n"
		    "conn:write(code .. ' ')\n"
		    "conn:write(conn:read_line { max = 6 } .. ' ' .. conn:read_line { max = 4 })"),
	    "123456\nfour\r\n", "EMSGSIZE 123456 four");
}

static void test_exact_counts_and_delimiters_are_read(void **state)
{
	(void)state;
	assert_dialogue(
	    HANDLER("conn:write(conn:read_exactly(3) .. '|' .. conn:read_until('--') .. '|')\n"
		    "conn:write(tostring(select(3, conn:read_exactly(9))))"),
	    "abcdef-g--tail", "abc|def-g|EOF");
}

static void test_a_delimiter_split_between_packets_is_found(void **state)
{
	struct kit *kit =
	    serve(HANDLER("conn:write('hi\\n') conn:write(conn:read_until('\\r\\n\\r\\n'))"));
	int fd = kit_connect(kit);

	(void)state;
	kit_expect(kit, fd, "hi\n");
	for (const char *part = "head\r\n\rx\r\n\r\n"; *part; part++) {
		char one[2] = {*part, '\0'};

		kit_send(fd, one);
		uv_run(&kit->loop, UV_RUN_NOWAIT);
	}
	assert_string_equal(kit_expect(kit, fd, NULL), "head\r\n\rx");
	close(fd);
	kit_finish(kit);
}

static void test_after_a_read_timeout_the_connection_is_usable(void **state)
{
	struct kit *kit =
	    serve(HANDLER("local line, message, code = conn:read_line { timeout = '10ms' }\n"
			  "conn:write(code .. '\\n')\n"
			  "conn:write(conn:read_line { timeout = '5s' } .. '\\n')"));
	int fd = kit_connect(kit);

	(void)state;
	kit_send(fd, "par");
	assert_string_equal(kit_expect(kit, fd, "\n"), "ETIMEDOUT\n");
	kit_send(fd, "tial\n");
	assert_string_equal(kit_expect(kit, fd, NULL), "partial\n");
	close(fd);
	kit_finish(kit);
}

static void send_one(uv_timer_t *timer)
{
	kit_send(*(int *)timer->data, "x");
}

static void on_closed(uv_handle_t *handle)
{
	handle->data = NULL;
}

static void test_the_timeout_is_of_the_whole_call_not_of_each_byte(void **state)
{
	struct kit *kit = serve(HANDLER("local before = luvd.now()\n"
					"local _, _, code = conn:read_line { timeout = '40ms' }\n"
					"luvd.log:info(code, { late = luvd.now() - before > 5 })\n"
					"conn:read_line()"));
	int fd = kit_connect(kit);
	uv_timer_t drip;

	(void)state;
	uv_timer_init(&kit->loop, &drip);
	drip.data = &fd;
	uv_timer_start(&drip, send_one, 1, 5);
	kit_wait_log(kit, "INFO ETIMEDOUT late=false");
	uv_close((uv_handle_t *)&drip, on_closed);
	while (drip.data)
		uv_run(&kit->loop, UV_RUN_NOWAIT);
	close(fd);
	kit_finish(kit);
}

static void test_two_readers_at_once_are_wrong_use(void **state)
{
	struct kit *kit = serve(HANDLER("daemon:spawn(function() conn:read() end)\n"
					"luvd.sleep '1ms' conn:read()"));
	int fd = kit_connect(kit);

	(void)state;
	kit_wait_log(kit, "another task is already reading from this connection\nstack traceback");
	close(fd);
	kit_finish(kit);
}

static void test_unread_bytes_are_bounded(void **state)
{
	struct kit *kit =
	    serve(HANDLER("conn:read { max = 1 } conn:write('hi\\n') luvd.sleep '1h'"));
	static char block[65536];
	int fd = kit_connect(kit), idle = 0;
	size_t sent = 0;

	(void)state;
	kit_send(fd, "x");
	kit_expect(kit, fd, "hi\n");
	while (idle < 50) {
		ssize_t count = write(fd, block, sizeof block);

		sent += count > 0 ? (size_t)count : 0;
		idle = count > 0 ? 0 : idle + 1;
		uv_run(&kit->loop, UV_RUN_NOWAIT);
	}
	/* What the kernel holds in its two buffers, and no more than the bound beyond. */
	assert_true(sent < 16 * 1024 * 1024);
	close(fd);
	kit_stop(kit, true);
	kit_destroy(kit);
}

#define MANY "local part = ('x'):rep(65536)\n"

static void test_a_writer_waits_while_the_peer_does_not_read(void **state)
{
	struct kit *kit = serve(
	    HANDLER(MANY "for i = 1, 400 do\n"
			 "  local ok, message, code = conn:write(part, { timeout = '30ms' })\n"
			 "  if not ok then luvd.log:info(code, { early = i < 200 })\n"
			 "    luvd.log:info(select(3, conn:write 'more')) return end end"));
	int fd = kit_connect(kit);

	(void)state;
	kit_wait_log(kit, "INFO ETIMEDOUT early=true\nINFO ETIMEDOUT");
	kit_wait_log(kit, "INFO connection lost listener=web peer=tcp://127.0.0.1:");
	close(fd);
	kit_finish(kit);
}

static void test_what_is_queued_arrives_whole_and_in_order(void **state)
{
	struct kit *kit =
	    serve(HANDLER("local part = ('x'):rep(99999)\n"
			  "for i = 1, 9 do conn:write { i, part, '\\n' } end conn:write 'end'"));
	int fd = kit_connect(kit);
	const char *bytes;

	(void)state;
	bytes = kit_expect(kit, fd, NULL);
	assert_int_equal(strlen(bytes), 9 * 100001 + 3);
	for (int i = 0; i < 9; i++)
		assert_int_equal(bytes[(size_t)i * 100001], '1' + i);
	assert_string_equal(bytes + 9 * 100001, "end");
	close(fd);
	kit_finish(kit);
}

static void test_the_bytes_of_two_writers_are_not_mixed(void **state)
{
	struct kit *kit = serve(HANDLER(
	    "local function send(c) for i = 1, 6 do conn:write { c:rep(70000), '\\n' } end end\n"
	    "local left = 2\n"
	    "for _, c in ipairs { 'a', 'b' } do\n"
	    "  daemon:spawn(function() send(c) left = left - 1 end) end\n"
	    "while left > 0 do luvd.sleep '1ms' end"));
	int fd = kit_connect(kit);
	const char *at;
	int lines = 0;

	(void)state;
	for (at = kit_expect(kit, fd, NULL); *at; at += 70001, lines++) {
		assert_int_equal(strspn(at, at[0] == 'a' ? "a" : "b"), 70000);
		assert_int_equal(at[70000], '\n');
	}
	assert_int_equal(lines, 12);
	close(fd);
	kit_finish(kit);
}

static void test_try_write_never_waits_and_queues_nothing_when_full(void **state)
{
	struct kit *kit = serve(HANDLER(
	    MANY
	    "for i = 1, 400 do\n"
	    "  local ok, message, code = conn:try_write(part)\n"
	    "  if not ok then luvd.log:info(code, { message = message }) return conn:reset() end\n"
	    "end"));
	int fd = kit_connect(kit);

	(void)state;
	kit_wait_log(kit, "INFO EAGAIN message=the peer reads too slowly");
	close(fd);
	kit_finish(kit);
}

static void test_a_half_close_is_passed_both_ways(void **state)
{
	struct kit *kit =
	    serve(HANDLER("conn:write 'bye' conn:shutdown()\n"
			  "luvd.log:info(select(3, conn:write 'x'), { read = conn:read() })"));
	int fd = kit_connect(kit);

	(void)state;
	assert_string_equal(kit_expect(kit, fd, NULL), "bye");
	kit_send(fd, "last");
	kit_wait_log(kit, "INFO EPIPE read=last");
	close(fd);
	kit_finish(kit);
}

static void test_after_close_every_call_fails_at_once(void **state)
{
	struct kit *kit =
	    serve(HANDLER("conn:write 'x' conn:close()\n"
			  "luvd.log:info(select(3, conn:read()) .. select(3, conn:write 'y') .. "
			  "select(3, conn:try_write 'z') .. select(2, conn:failure()))"));
	int fd = kit_connect(kit);

	(void)state;
	assert_string_equal(kit_expect(kit, fd, NULL), "x");
	assert_true(kit_logged(kit, "ECLOSEDECLOSEDECLOSEDECLOSED"));
	close(fd);
	kit_finish(kit);
}

static void test_closing_with_unread_bytes_does_not_cost_the_answer(void **state)
{
	struct kit *kit =
	    serve(HANDLER("conn:read { max = 1 } luvd.sleep '5ms' conn:write(('y'):rep(30000))"));
	static char block[60000];
	int fd = kit_connect(kit);

	(void)state;
	memset(block, 'x', sizeof block - 1);
	kit_send(fd, "x");
	for (int i = 0; i < 20; i++)
		uv_run(&kit->loop, UV_RUN_NOWAIT);
	kit_send(fd, block);
	assert_int_equal(strlen(kit_expect(kit, fd, NULL)), 30000);
	close(fd);
	kit_finish(kit);
}

static void test_a_handler_that_raises_loses_only_its_own_connection(void **state)
{
	struct kit *kit = serve(HANDLER("local line = conn:read_line()\n"
					"if line == 'bad' then error 'oops' end conn:write(line)"));
	int bad = kit_connect(kit), good = kit_connect(kit);

	(void)state;
	kit_send(bad, "bad\n");
	assert_string_equal(kit_expect(kit, bad, NULL), "");
	assert_true(kit_logged(kit, "ERROR /srv/kit/kit.lua:5: oops\nstack traceback"));
	assert_true(kit_logged(kit, "listener=web peer=tcp://127.0.0.1:"));
	kit_send(good, "fine\n");
	assert_string_equal(kit_expect(kit, good, NULL), "fine");
	close(bad);
	close(good);
	kit_finish(kit);
}

static void test_a_connection_outlives_what_is_run_when_its_handler_is_closed(void **state)
{
	struct kit *kit = serve(
	    HANDLER("local noisy <close> = setmetatable({}, { __close = function()\n"
		    "  error(setmetatable({}, { __tostring = function()\n"
		    "    for i = 1, 3 do collectgarbage() end return 'noisy' end }), 0) end })\n"
		    "error 'first'"));
	int fd = kit_connect(kit);

	(void)state;
	assert_string_equal(kit_expect(kit, fd, NULL), "");
	kit_wait_log(kit, "noisy");
	kit_wait_log(kit, "first\nstack");
	close(fd);
	kit_finish(kit);
}

static void test_a_peer_that_breaks_the_connection_is_one_info_line(void **state)
{
	struct linger hard = {.l_onoff = 1};
	struct kit *kit =
	    serve(HANDLER("conn:write 'hi\\n' conn:write(conn:read_line() .. ' back')"));
	int fd = kit_connect(kit);

	(void)state;
	kit_expect(kit, fd, "hi\n");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	close(fd);
	kit_wait_log(kit, "INFO connection lost");
	assert_true(kit_logged(kit, "reason=connection reset by peer"));
	assert_false(kit_logged(kit, "traceback"));
	assert_false(kit_logged(kit, "ERROR"));
	kit_finish(kit);
}

static void test_an_idle_connection_is_given_up(void **state)
{
	struct kit *kit =
	    kit_create(HANDLER("conn:write 'hi\\n' luvd.log:info(select(3, conn:read()))"));
	int fd;

	(void)state;
	kit_listen(kit);
	kit->daemon.spec->listens[0].idle_timeout = 20;
	kit_start(kit);
	fd = kit_connect(kit);
	assert_string_equal(kit_expect(kit, fd, NULL), "hi\n");
	assert_true(kit_logged(kit, "INFO ETIMEDOUT"));
	assert_true(kit_logged(kit, "closed: idle for idle_timeout listener=web peer=tcp://127"));
	close(fd);
	kit_finish(kit);
}

static void test_over_max_connections_clients_wait(void **state)
{
	struct kit *kit = kit_create(HANDLER("conn:write 'hi\\n' conn:read()"));
	int one, two;

	(void)state;
	kit_listen(kit);
	kit->daemon.spec->listens[0].max_connections = 1;
	kit_start(kit);
	one = kit_connect(kit);
	two = kit_connect(kit);
	kit_expect(kit, one, "hi\n");
	for (int i = 0; i < 50; i++)
		uv_run(&kit->loop, UV_RUN_NOWAIT);
	{
		struct life_counts counts;
		struct life_totals totals;

		life_count(kit->life, &counts, &totals);
		assert_int_equal(counts.connections, 1);
	}
	assert_true(kit_logged(kit, "WARN max_connections are open: further clients wait "
				    "listener=web"));
	close(one);
	assert_string_equal(kit_expect(kit, two, "hi\n"), "hi\n");
	close(two);
	kit_finish(kit);
}

static bool is_reset(struct kit *kit, int fd)
{
	struct pollfd poll_fd = {.fd = fd};
	char byte;

	/* POLLHUP or POLLERR, asked for or not. */
	while (poll(&poll_fd, 1, 0) == 0)
		uv_run(&kit->loop, UV_RUN_NOWAIT);
	return read(fd, &byte, 1) < 0 && errno == ECONNRESET;
}

static void test_over_max_per_peer_clients_are_reset_and_logged_once(void **state)
{
	struct kit *kit = kit_create(HANDLER("conn:write 'hi\\n' conn:read()"));
	struct life_counts counts;
	struct life_totals totals;
	int one, more[3];

	(void)state;
	kit_listen(kit);
	kit->daemon.spec->listens[0].max_per_peer = 1;
	kit_start(kit);
	one = kit_connect(kit);
	kit_expect(kit, one, "hi\n");
	for (size_t i = 0; i < 3; i++) {
		more[i] = kit_connect(kit);
		assert_true(is_reset(kit, more[i]));
		close(more[i]);
	}
	assert_true(kit_logged(kit, "WARN refused: max_per_peer are open listener=web "
				    "peer=tcp://127.0.0.1:"));
	assert_null(strstr(strstr(kit->log, "refused") + 1, "refused"));
	life_count(kit->life, &counts, &totals);
	assert_int_equal(counts.connections, 1);
	close(one);
	while (counts.connections > 0) {
		uv_run(&kit->loop, UV_RUN_ONCE);
		life_count(kit->life, &counts, &totals);
	}
	one = kit_connect(kit);
	assert_string_equal(kit_expect(kit, one, "hi\n"), "hi\n");
	close(one);
	kit_finish(kit);
}

static void test_without_descriptors_clients_wait_until_one_is_free(void **state)
{
	const char *preload = getenv("LD_PRELOAD");
	struct rlimit before, tight;
	struct kit *kit;
	int one, two;

	(void)state;
	if (preload && strstr(preload, "vgpreload"))
		skip(); /* valgrind accepts first and then closes: the client is lost */
	kit = serve(HANDLER("conn:write 'hi\\n' conn:read()"));
	one = kit_connect(kit);
	two = kit_connect(kit);
	kit_expect(kit, one, "hi\n");
	kit_expect(kit, two, "hi\n");
	{
		int three = kit_connect(kit);
		int next = dup(0);

		close(next);
		assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
		tight = before;
		tight.rlim_cur = (rlim_t)next;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
		kit_wait_log(kit, "cannot accept: waiting for a connection to close "
				  "listener=web reason=too many open files");
		close(one);
		one = -1;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		assert_string_equal(kit_expect(kit, three, "hi\n"), "hi\n");
		close(three);
	}
	close(two);
	kit_finish(kit);
}

static void test_a_connection_tells_its_addresses_and_its_listener(void **state)
{
	struct kit *kit = serve(HANDLER(
	    "luvd.log:info(conn.peer:match '^tcp://127.0.0.1:%d+$' and 'ok' or conn.peer,\n"
	    "  { same = conn.local_address == conn.listener.address, name = conn.listener.name,\n"
	    "    field = select(2, pcall(function() return conn.pear end)) })"));
	int fd = kit_connect(kit);

	(void)state;
	kit_wait_log(kit, "name=web same=true");
	assert_true(kit_logged(kit, "INFO ok"));
	assert_true(kit_logged(kit, "a connection has no field \"pear\""));
	close(fd);
	kit_finish(kit);
}

static void test_unknown_options_and_wrong_values_raise(void **state)
{
	static const char *const cases[][2] = {
	    {"conn:read { time = 5 }", "unknown option \"time\": there are timeout and max"},
	    {"conn:read { timeout = 'soon' }", "got \"soon\""},
	    {"conn:read { timeout = -1 }", "got -1"},
	    {"conn:write({ {} })", "expected a list of strings, item 1 is a table"},
	    {"conn:write()", "string expected, got no value"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[1024];
		struct kit *kit;
		int fd;

		snprintf(text, sizeof text, HANDLER("%s"), cases[i][0]);
		kit = serve(text);
		fd = kit_connect(kit);
		kit_wait_log(kit, cases[i][1]);
		close(fd);
		kit_finish(kit);
	}
}

static void test_serve_refuses_a_listener_twice_and_names_those_that_exist(void **state)
{
	struct kit *kit =
	    kit_create("local net = require 'luvd.net'\n"
		       "return { service = { start = function(d)\n"
		       "  net.serve(d.listeners.web, print)\n"
		       "  d.log:info(select(2, pcall(net.serve, d.listeners.web, print)))\n"
		       "  d.log:info(select(2, pcall(function() return d.listeners.wbe end)))\n"
		       "  d.log:info(select(2, pcall(function() return d.listen end)))\n"
		       "end } }");

	(void)state;
	kit_listen(kit);
	kit_start(kit);
	assert_true(kit_logged(kit, "listener \"web\" is served already"));
	assert_true(kit_logged(kit, "no listener \"wbe\": there are web"));
	assert_true(kit_logged(
	    kit, "no field of the daemon \"listen\": there are config, directories, "
		 "drain, files, generation, host, listeners, log, name, spawn, worker, workers"));
	kit_finish(kit);
}

static void test_a_unix_socket_is_served_too(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct kit *kit =
	    kit_create(HANDLER("conn:write { conn.peer, ' ', conn.local_address, ' ', "
			       "conn:read_line() }"));
	socklen_t length;
	int fd, listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			     (size_t)snprintf(at.sun_path + 1, 64, "luvd-test-%d", getpid()));
	kit_listen(kit);
	close(kit->listeners[0].fd);
	kit->listeners[0].fd = listening;
	kit->addresses[0].kind = ADDRESS_ABSTRACT;
	snprintf(kit->listeners[0].actual, sizeof kit->listeners[0].actual, "unix:/run/renamed");
	assert_int_equal(bind(listening, (struct sockaddr *)&at, length), 0);
	assert_int_equal(listen(listening, 4), 0);
	kit_start(kit);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, length), 0);
	kit_send(fd, "hello\n");
	/* The host's name of it: the kernel keeps the one before rename. */
	assert_string_equal(kit_expect(kit, fd, NULL), "unix: unix:/run/renamed hello");
	close(fd);
	kit_finish(kit);
}

static void test_without_lua_memory_connections_are_lost_but_not_the_daemon(void **state)
{
	struct kit *kit = kit_create(HANDLER(
	    "held = held or {} for i = 1, 1e6 do held[#held + 1] = ('x'):rep(1000) .. i end"));
	int fds[8];

	(void)state;
	kit->daemon.spec->lua_memory = 4 << 20;
	kit_listen(kit);
	kit_start(kit);
	for (int i = 0; i < 8; i++) {
		fds[i] = kit_connect(kit);
		assert_string_equal(kit_expect(kit, fds[i], NULL), "");
		close(fds[i]);
	}
	assert_true(kit_logged(kit, "not enough memory\nstack traceback:"));
	kit_finish(kit);
}

/* --- several addresses of one entry --- */

static void test_one_handler_serves_all_addresses_of_an_entry(void **state)
{
	struct kit *kit =
	    kit_create(HANDLER("local own = conn.listener.addresses\n"
			       "conn:write(#own .. ' ' .. conn.listener.name)\n"
			       "for i, address in ipairs(own) do\n"
			       "  if address == conn.local_address then conn:write(' ' .. i) end\n"
			       "end"));
	struct life_counts counts[2];
	struct life_totals totals;

	(void)state;
	kit_listen(kit);
	kit_listen_more(kit);
	kit_start(kit);
	for (size_t i = 0; i < 2; i++) {
		int fd = kit_connect_to(kit, i);

		assert_string_equal(kit_expect(kit, fd, NULL), i == 0 ? "2 web 1" : "2 web 2");
		close(fd);
	}
	life_count(kit->life, counts, &totals);
	assert_int_equal(counts[0].accepted, 1);
	assert_int_equal(counts[1].accepted, 1);
	kit_finish(kit);
}

static void test_max_connections_counts_all_addresses_of_an_entry(void **state)
{
	struct kit *kit = kit_create(HANDLER("conn:write 'hi\\n' conn:read()"));
	struct life_counts counts[2];
	struct life_totals totals;
	int one, two;

	(void)state;
	kit_listen(kit);
	kit_listen_more(kit);
	kit->daemon.spec->listens[0].max_connections = 1;
	kit_start(kit);
	one = kit_connect_to(kit, 0);
	kit_expect(kit, one, "hi\n");
	two = kit_connect_to(kit, 1);
	for (int i = 0; i < 50; i++)
		uv_run(&kit->loop, UV_RUN_NOWAIT);
	life_count(kit->life, counts, &totals);
	assert_int_equal(counts[0].connections, 1);
	assert_int_equal(counts[1].accepted, 0);
	close(one);
	assert_string_equal(kit_expect(kit, two, "hi\n"), "hi\n");
	close(two);
	kit_finish(kit);
}

static void test_after_stop_no_address_of_an_entry_is_open(void **state)
{
	struct kit *kit = kit_create(HANDLER("conn:write 'hi'"));

	(void)state;
	kit_listen(kit);
	kit_listen_more(kit);
	kit_start(kit);
	kit_stop(kit, false);
	assert_int_equal(kit->listeners[0].fd, -1);
	assert_int_equal(kit->listeners[1].fd, -1);
	kit_destroy(kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_an_echo_server_answers_line_by_line),
	    cmocka_unit_test(test_read_gives_what_is_there_and_nil_at_the_end),
	    cmocka_unit_test(test_a_line_that_ends_too_early_is_a_failure_with_its_bytes),
	    cmocka_unit_test(test_lines_end_at_a_failure_that_failure_tells),
	    cmocka_unit_test(test_a_line_over_max_is_refused_and_stays_readable),
	    cmocka_unit_test(test_exact_counts_and_delimiters_are_read),
	    cmocka_unit_test(test_a_delimiter_split_between_packets_is_found),
	    cmocka_unit_test(test_after_a_read_timeout_the_connection_is_usable),
	    cmocka_unit_test(test_the_timeout_is_of_the_whole_call_not_of_each_byte),
	    cmocka_unit_test(test_two_readers_at_once_are_wrong_use),
	    cmocka_unit_test(test_unread_bytes_are_bounded),
	    cmocka_unit_test(test_a_writer_waits_while_the_peer_does_not_read),
	    cmocka_unit_test(test_what_is_queued_arrives_whole_and_in_order),
	    cmocka_unit_test(test_the_bytes_of_two_writers_are_not_mixed),
	    cmocka_unit_test(test_try_write_never_waits_and_queues_nothing_when_full),
	    cmocka_unit_test(test_a_half_close_is_passed_both_ways),
	    cmocka_unit_test(test_after_close_every_call_fails_at_once),
	    cmocka_unit_test(test_closing_with_unread_bytes_does_not_cost_the_answer),
	    cmocka_unit_test(test_a_handler_that_raises_loses_only_its_own_connection),
	    cmocka_unit_test(test_a_connection_outlives_what_is_run_when_its_handler_is_closed),
	    cmocka_unit_test(test_a_peer_that_breaks_the_connection_is_one_info_line),
	    cmocka_unit_test(test_an_idle_connection_is_given_up),
	    cmocka_unit_test(test_over_max_connections_clients_wait),
	    cmocka_unit_test(test_over_max_per_peer_clients_are_reset_and_logged_once),
	    cmocka_unit_test(test_without_descriptors_clients_wait_until_one_is_free),
	    cmocka_unit_test(test_a_connection_tells_its_addresses_and_its_listener),
	    cmocka_unit_test(test_unknown_options_and_wrong_values_raise),
	    cmocka_unit_test(test_a_unix_socket_is_served_too),
	    cmocka_unit_test(test_without_lua_memory_connections_are_lost_but_not_the_daemon),
	    cmocka_unit_test(test_one_handler_serves_all_addresses_of_an_entry),
	    cmocka_unit_test(test_max_connections_counts_all_addresses_of_an_entry),
	    cmocka_unit_test(test_after_stop_no_address_of_an_entry_is_open),
	    cmocka_unit_test(test_serve_refuses_a_listener_twice_and_names_those_that_exist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
