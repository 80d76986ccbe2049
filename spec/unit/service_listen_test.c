#include "service_kit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* net.listen: listeners that the service opens itself. */

#define START(text)                                                                                \
	"local net, luvd = require 'luvd.net', require 'luvd'\n"                                   \
	"local log = luvd.log\n"                                                                   \
	"return { service = { start = function(daemon)\n" text "\nend } }\n"

static void test_it_serves_on_a_port_that_the_kernel_chose(void **state)
{
	struct kit *kit = kit_create(START(
	    "local l = assert(net.listen 'tcp://127.0.0.1:0')\n"
	    "log:info(l.address:gsub('%d+$', 'PORT') .. ' ' .. #l.addresses .. ' ' .. "
	    "tostring(l.name == l.address))\n"
	    "net.serve(l, function(conn) conn:write((conn.listener == l and 'mine ' or 'other ') "
	    ".. conn:read_line() .. '\\n') end)\n"
	    "log:info('at ' .. l.address)"));
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	kit_start(kit);
	assert_true(kit_logged(kit, "tcp://127.0.0.1:PORT 1 true"));
	at.sin_port = htons((in_port_t)atoi(strstr(kit->log, "at tcp://127.0.0.1:") +
					    strlen("at tcp://127.0.0.1:")));
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
	kit_send(fd, "hello\n");
	assert_string_equal(kit_expect(kit, fd, NULL), "mine hello\n");
	close(fd);
	kit_stop(kit, false);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(fd);
	kit_destroy(kit);
}

static struct sockaddr_un local(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	strcpy(at.sun_path, path);
	return at;
}

static void test_a_unix_socket_has_its_mode_and_goes_with_the_listener(void **state)
{
	char text[1024], path[64];
	struct sockaddr_un at;
	struct stat node;
	struct kit *kit;
	int one, two;

	(void)state;
	snprintf(path, sizeof path, "/tmp/luvd-listen-%d.sock", (int)getpid());
	at = local(path);
	snprintf(text, sizeof text,
		 START("local l = assert(net.listen('unix:%s', { mode = '0600' }))\n"
		       "net.serve(l, function(conn)\n"
		       "  conn:write(conn.local_address .. '\\n')\n"
		       "  if conn:read_line() == 'close' then l:close() l:close() end\n"
		       "  conn:write 'still open\\n' conn:read()\n"
		       "end)"),
		 path);
	kit = kit_create(text);
	kit_start(kit);
	assert_int_equal(stat(path, &node), 0);
	assert_int_equal(node.st_mode & 0777, 0600);
	one = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(one, (struct sockaddr *)&at, sizeof at), 0);
	snprintf(text, sizeof text, "unix:%s\n", path);
	assert_string_equal(kit_expect(kit, one, "\n"), text);
	kit_send(one, "close\n");
	kit_expect(kit, one, "still open\n");
	assert_int_equal(stat(path, &node), -1);
	two = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(two, (struct sockaddr *)&at, sizeof at), -1);
	close(one);
	close(two);
	kit_finish(kit);
}

static void test_what_is_collected_or_out_of_scope_is_closed(void **state)
{
	(void)state;
	kit_assert_logs(START("local address\n"
			      "do local l <close> = assert(net.listen 'tcp://127.0.0.1:0') address "
			      "= l.address end\n"
			      "for i = 1, 2 do\n"
			      "  assert(net.listen(address)) collectgarbage()\n"
			      "end\n"
			      "log:info 'bound three times'"),
			"bound three times");
}

static void test_the_options_are_those_of_the_daemon_file(void **state)
{
	static const char *const cases[][2] = {
	    {"'tcp://127.0.0.1:0', { backlok = 5 }", "backlok: no such key, got 5; did you mean "
						     "\\\"backlog\\\"?"},
	    {"'tcp://127.0.0.1:0', { backlog = 'x' }",
	     "backlog: expected a whole number from 1 to 65535, got"},
	    {"'tcp://127.0.0.1:0', { idle_timeout = print }", "expected options such as"},
	    {"'tcp://127.0.0.1:0', { owner = 'root' }", "owner: only in a daemon file"},
	    {"'tcp://127.0.0.1:0', { address = 'x' }", "the address is the first argument"},
	    {"'tcp://localhost:0'", "address: expected an IP address or"},
	    {"{}", "address: expected an address"},
	    {"{ 'udp://127.0.0.1:0', 'tcp://127.0.0.1:0' }", "udp and other addresses"},
	    {"5 > 4", "address expected, got boolean"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[1024];

		snprintf(text, sizeof text,
			 START("local ok, why = pcall(net.listen, %s)\n"
			       "log:info(tostring(ok) .. ' ' .. tostring(why))\n"
			       "log:info(tostring(why:find(\"%s\", 1, true) ~= nil) .. ' found')"),
			 cases[i][0], cases[i][1]);
		kit_assert_logs(text, "true found");
	}
}

static void test_what_fails_says_why_and_leaves_nothing_open(void **state)
{
	(void)state;
	kit_assert_logs(START("local l = assert(net.listen { 'tcp://127.0.0.1:0', "
			      "'tcp://[::1]:0' })\n"
			      "log:info(tostring(#l.addresses))\n"
			      "local first, message, code = net.listen { 'tcp://127.0.0.1:0', "
			      "l.address }\n"
			      "log:info(tostring(first) .. ' ' .. message:gsub('1:%d+:', "
			      "'1:PORT:') .. ' ' .. code)"),
			"nil cannot bind tcp://127.0.0.1:PORT: address already in use EADDRINUSE");
	kit_assert_logs(START("local first, message, code = net.listen 'unix:/nowhere/x.sock'\n"
			      "log:info(tostring(first) .. ' ' .. code)"),
			"nil ENOENT");
}

static void test_datagrams_are_served_until_the_listener_is_closed(void **state)
{
	(void)state;
	kit_assert_logs(
	    START("local l = assert(net.listen 'udp://127.0.0.1:0')\n"
		  "net.serve(l, function(socket)\n"
		  "  for bytes in socket:packets() do log:info('got ' .. bytes) end\n"
		  "end)\n"
		  "log:info(select(2, pcall(net.serve, l, print)):match 'served already')\n"
		  "l:close()\n"
		  "log:info(select(2, pcall(net.serve, l, print)):match 'is closed')"),
	    "is closed");
}

static void test_a_datagram_comes_through_a_listener_of_the_service(void **state)
{
	struct kit *kit =
	    kit_create(START("local l = assert(net.listen 'udp://127.0.0.1:0')\n"
			     "net.serve(l, function(socket)\n"
			     "  for bytes in socket:packets() do log:info('got ' .. bytes) "
			     "l:close() end\n"
			     "  log:info 'the end'\n"
			     "end)\n"
			     "log:info('at ' .. l.address)"));
	static const char before[] = "at udp://127.0.0.1:";
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	kit_start(kit);
	at.sin_port = htons((in_port_t)atoi(strstr(kit->log, before) + sizeof before - 1));
	assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&at, sizeof at), 1);
	kit_wait_log(kit, "got x");
	kit_wait_log(kit, "the end");
	close(fd);
	kit_finish(kit);
}

static void test_wrong_use_raises(void **state)
{
	struct kit *kit;

	(void)state;
	kit_assert_logs(
	    START("local l = assert(net.listen 'tcp://127.0.0.1:0')\n"
		  "net.serve(l, print)\n"
		  "log:info((select(2, pcall(net.serve, l, print)):gsub('%d+\"', 'PORT\"')))"),
	    "listener \"tcp://127.0.0.1:PORT\" is served already");
	kit_assert_logs(
	    START("local l = assert(net.listen 'tcp://127.0.0.1:0')\n"
		  "l:close()\n"
		  "log:info((select(2, pcall(net.serve, l, print)):gsub('%d+\"', 'PORT\"')))"),
	    "listener \"tcp://127.0.0.1:PORT\" is closed");
	kit = kit_create("require 'luvd.net'.listen 'tcp://127.0.0.1:0'\n"
			 "return { service = { start = print } }");
	assert_false(kit_load(kit));
	assert_non_null(strstr(kit->create_err.what, "nothing can be listened on while the service "
						     "is loaded: call it inside start"));
	kit_destroy(kit);
}

static void test_a_listener_of_the_daemon_file_cannot_be_closed(void **state)
{
	struct kit *kit = kit_create(
	    START("log:info(select(2, pcall(function() daemon.listeners.web:close() end)))"));

	(void)state;
	kit_listen(kit);
	kit_start(kit);
	assert_true(
	    kit_logged(kit, "listener \"web\" belongs to the daemon: it is closed by stop"));
	kit_finish(kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_it_serves_on_a_port_that_the_kernel_chose),
	    cmocka_unit_test(test_a_unix_socket_has_its_mode_and_goes_with_the_listener),
	    cmocka_unit_test(test_what_is_collected_or_out_of_scope_is_closed),
	    cmocka_unit_test(test_the_options_are_those_of_the_daemon_file),
	    cmocka_unit_test(test_what_fails_says_why_and_leaves_nothing_open),
	    cmocka_unit_test(test_datagrams_are_served_until_the_listener_is_closed),
	    cmocka_unit_test(test_a_datagram_comes_through_a_listener_of_the_service),
	    cmocka_unit_test(test_wrong_use_raises),
	    cmocka_unit_test(test_a_listener_of_the_daemon_file_cannot_be_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
