#include "service_kit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* net.serve of a listener whose addresses are udp. */

#define SERVICE(handler, more)                                                                     \
	"local net, luvd = require 'luvd.net', require 'luvd'\n"                                   \
	"local calls = 0\n"                                                                        \
	"return { service = { start = function(daemon)\n"                                          \
	"  net.serve(daemon.listeners.dns, function(socket)\n"                                     \
	"  calls = calls + 1\n" handler "\n  end)\n"                                               \
	"end" more " } }\n"
#define HANDLER(text) SERVICE(text, "")
#define ANSWERS HANDLER("for bytes, peer in socket:packets() do socket:send(bytes, peer) end")

/* A service's stop that drains. */
#define DRAINS                                                                                     \
	", stop = function(daemon)\n"                                                              \
	"  local ok, message = daemon:drain()\n"                                                   \
	"  luvd.log:info('drained', { ok = ok, message = message })\n"                             \
	"end"

static int open_port(int type, struct sockaddr_in *at)
{
	socklen_t length = sizeof *at;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | (type == SOCK_DGRAM ? SOCK_NONBLOCK : 0), 0);

	*at =
	    (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(bind(fd, (struct sockaddr *)at, sizeof *at), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &length), 0);
	return fd;
}

static void add_listener(struct kit *kit, struct listen *listen, enum address_kind kind)
{
	static char text[] = "udp://127.0.0.1:0";
	size_t index = kit->daemon.listener_count++;
	struct listener *listener = &kit->listeners[index];
	struct address *address = &kit->addresses[index];
	bool udp = kind == ADDRESS_UDP;
	struct sockaddr_in at;

	*listener = (struct listener){.listen = listen,
				      .address = address,
				      .fd = open_port(udp ? SOCK_DGRAM : SOCK_STREAM, &at)};
	*address = (struct address){.text = text, .kind = kind};
	memcpy(&address->socket, &at, sizeof at);
	snprintf(listener->actual, sizeof listener->actual, "%s://127.0.0.1:%d",
		 udp ? "udp" : "tcp", ntohs(at.sin_port));
	listen->address_count++;
	kit->daemon.listeners = kit->listeners;
}

static struct kit *make(const char *text)
{
	static char dns[] = "dns", web[] = "web";
	struct kit *kit = kit_create(text);
	struct spec *spec = kit->daemon.spec;

	spec->listens = calloc(2, sizeof *spec->listens);
	spec->listen_count = 1;
	spec->listens[0] = (struct listen){.name = dns, .addresses = &kit->addresses[0]};
	spec->listens[1] = (struct listen){
	    .name = web, .addresses = &kit->addresses[1], .backlog = 64, .write_buffer = 65536};
	add_listener(kit, &spec->listens[0], ADDRESS_UDP);
	return kit;
}

/* A tcp listener besides. */
static void add_web(struct kit *kit)
{
	kit->daemon.spec->listen_count = 2;
	add_listener(kit, &kit->daemon.spec->listens[1], ADDRESS_TCP);
	assert_int_equal(listen(kit->listeners[1].fd, 64), 0);
}

static struct kit *serve(const char *text)
{
	struct kit *kit = make(text);

	kit_start(kit);
	if (!kit->start_ok)
		print_error("%s\n", kit->start_err.what);
	assert_true(kit->start_ok);
	return kit;
}

static int client_of(struct kit *kit, size_t listener)
{
	struct sockaddr_in at;
	int fd = open_port(SOCK_DGRAM, &at);

	assert_int_equal(connect(fd, (struct sockaddr *)&kit->addresses[listener].socket,
				 sizeof(struct sockaddr_in)),
			 0);
	return fd;
}

/* What the handler logs once these were sent to it. */
static void assert_hears(const char *text, const char *const *datagrams, const char *expected)
{
	struct kit *kit = serve(text);
	int fd = client_of(kit, 0);

	for (; *datagrams; datagrams++)
		kit_send(fd, *datagrams);
	kit_wait_log(kit, expected);
	close(fd);
	kit_finish(kit);
}

static const char *const one[] = {"one", NULL}, *const two[] = {"one", "two", NULL};

/* --- taking and sending --- */

static void test_each_datagram_is_answered(void **state)
{
	struct kit *kit = serve(ANSWERS);
	int a = client_of(kit, 0), b = client_of(kit, 0);

	(void)state;
	kit_send(a, "from a");
	kit_send(b, "from b");
	assert_string_equal(kit_expect(kit, b, "from b"), "from b");
	assert_string_equal(kit_expect(kit, a, "from a"), "from a");
	close(a);
	close(b);
	kit_stop(kit, false);
	assert_null(kit->log);
	kit_destroy(kit);
}

static void test_no_datagram_is_taken_before_ready_is_told(void **state)
{
	struct kit *kit =
	    make(HANDLER("for bytes in socket:packets() do luvd.log:info('heard ' .. bytes) end"));
	int fd = client_of(kit, 0);

	(void)state;
	kit_send(fd, "early");
	kit_start(kit);
	assert_int_equal(kit->log_at_start, 0);
	kit_wait_log(kit, "heard early");
	close(fd);
	kit_finish(kit);
}

static void test_a_handler_knows_its_socket_and_the_peer(void **state)
{
	struct kit *kit =
	    serve(HANDLER("local _, peer = socket:receive()\n"
			  "luvd.log:info(peer)\n"
			  "luvd.log:info(tostring(socket))\n"
			  "luvd.log:info(socket.local_address,\n"
			  "  { same = socket.local_address == daemon.listeners.dns.address })\n"
			  "luvd.log:info('listener', { own = socket.listener == "
			  "daemon.listeners.dns })\n"
			  "luvd.log:info(select(2, pcall(function() return socket.nothing end)))"));
	int fd = client_of(kit, 0);
	struct sockaddr_in at;
	socklen_t length = sizeof at;
	char expected[64];

	(void)state;
	getsockname(fd, (struct sockaddr *)&at, &length);
	snprintf(expected, sizeof expected, "INFO udp://127.0.0.1:%d\n", ntohs(at.sin_port));
	kit_send(fd, "x");
	kit_wait_log(kit, "a socket has no field \"nothing\"");
	assert_true(kit_logged(kit, expected));
	assert_true(kit_logged(kit, "INFO luvd.socket (udp://127.0.0.1:"));
	assert_true(kit_logged(kit, "same=true"));
	assert_true(kit_logged(kit, "own=true"));
	close(fd);
	kit_finish(kit);
}

static void test_many_datagrams_are_taken_in_their_order(void **state)
{
	struct kit *kit = make(HANDLER("local all = {}\n"
				       "for bytes in socket:packets() do\n"
				       "  all[#all + 1] = bytes\n"
				       "  if bytes == '' then break end\n"
				       "end\n"
				       "for i = 1, 150 do assert(all[i] == tostring(i)) end\n"
				       "luvd.log:info('all', { count = #all })\n"
				       "for _ in socket:packets() do end"));
	struct life_counts counts[1];
	struct life_totals totals;
	int fd = client_of(kit, 0);

	(void)state;
	for (int i = 1; i <= 150; i++) { /* more than are taken at once */
		char text[8];

		snprintf(text, sizeof text, "%d", i);
		kit_send(fd, text);
	}
	kit_send(fd, "");
	kit_start(kit);
	kit_wait_log(kit, "INFO all count=151\n");
	life_count(kit->life, counts, &totals);
	assert_int_equal(counts[0].accepted, 151);
	close(fd);
	kit_finish(kit);
}

static void test_receive_waits_no_longer_than_asked(void **state)
{
	struct kit *kit =
	    serve(HANDLER("local _, message, code = socket:receive { timeout = '10ms' }\n"
			  "luvd.log:info(message .. ' ' .. code)\n"
			  "for _ in socket:packets { timeout = '10ms' } do end\n"
			  "luvd.log:info 'none'\n"
			  "luvd.log:info((socket:receive { timeout = '5s' }))\n"
			  "socket:receive()"));
	int fd = client_of(kit, 0);

	(void)state;
	kit_wait_log(kit, "INFO no datagram came in time ETIMEDOUT\n");
	kit_wait_log(kit, "INFO none\n");
	kit_send(fd, "late");
	kit_wait_log(kit, "INFO late\n");
	close(fd);
	kit_finish(kit);
}

static void test_a_list_is_one_datagram_and_an_empty_one_is_sent(void **state)
{
	struct kit *kit = serve(HANDLER("local _, peer = socket:receive()\n"
					"assert(socket:send('', peer))\n"
					"assert(socket:send({ 'a', 1, 'b' }, peer))\n"
					"socket:receive()"));
	int fd = client_of(kit, 0), ready = 0;
	char bytes[8];

	(void)state;
	kit_send(fd, "x");
	while (!ready) {
		ready = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) == 0;
		uv_run(&kit->loop, UV_RUN_NOWAIT);
	}
	assert_string_equal(kit_expect(kit, fd, "b"), "a1b");
	close(fd);
	kit_finish(kit);
}

static void test_a_peer_that_is_none_raises(void **state)
{
	(void)state;
	assert_hears(
	    HANDLER("socket:receive()\n"
		    "for _, peer in ipairs { '', 'tcp://127.0.0.1:53', 'udp://localhost:53',\n"
		    "  'udp://127.0.0.1:0', 'udp://[127.0.0.1]:53', 'udp://127.0.0.1' } do\n"
		    "  local ok, message = pcall(socket.send, socket, 'x', peer)\n"
		    "  assert(not ok and message:find('expected a peer such as \"udp://192.0.2"
		    ".1:53\", got \"' .. peer .. '\"', 1, true), message)\n"
		    "end\n"
		    "assert(not pcall(socket.send, socket, 'x'))\n"
		    "assert(not pcall(socket.send, socket, {}, {}))\n"
		    "assert(not pcall(socket.receive, socket, { max = 3 }))\n"
		    "luvd.log:info 'all raised' socket:receive()"),
	    one, "INFO all raised");
}

static void test_what_cannot_be_sent_is_a_failure(void **state)
{
	(void)state;
	assert_hears(HANDLER("local _, peer = socket:receive()\n"
			     "local _, message, code = socket:send(('x'):rep(65508), peer)\n"
			     "assert(code == 'EMSGSIZE', message)\n"
			     "assert(socket:send(('x'):rep(65507), peer))\n"
			     "_, message, code = socket:send('x', 'udp://[::1]:53')\n"
			     "assert(_ == nil and message and code)\n"
			     "luvd.log:info('told', { code = code }) socket:receive()"),
		     one, "INFO told code=EAFNOSUPPORT");
}

static void test_a_peer_that_is_gone_does_not_disturb_the_others(void **state)
{
	struct kit *kit = serve(ANSWERS);
	int gone = client_of(kit, 0), fd = client_of(kit, 0);

	(void)state;
	kit_send(gone, "x");
	close(gone); /* the kernel is told that nobody is there */
	kit_send(fd, "y");
	assert_string_equal(kit_expect(kit, fd, "y"), "y");
	kit_send(fd, "z");
	assert_string_equal(kit_expect(kit, fd, "z"), "z");
	close(fd);
	kit_finish(kit);
}

static void test_two_readers_at_once_are_wrong_use(void **state)
{
	(void)state;
	assert_hears(HANDLER("daemon:spawn(function() socket:receive() end)\n"
			     "luvd.sleep '1ms' socket:receive()"),
		     one + 1, "another task is already reading from this socket");
}

/* --- the handler --- */

static void test_a_handler_that_raises_is_called_again(void **state)
{
	(void)state;
	assert_hears(HANDLER("for bytes in socket:packets() do\n"
			     "  if bytes == 'one' then error 'boom' end\n"
			     "  luvd.log:info(bytes, { calls = calls })\n"
			     "end"),
		     two, "INFO two calls=2");
}

static void test_a_handler_that_raises_before_it_takes_is_not_called_at_once(void **state)
{
	(void)state;
	assert_hears(HANDLER("if calls == 1 then first = luvd.now() error 'boom' end\n"
			     "luvd.log:info('again', { early = luvd.now() - first < 0.9 })\n"
			     "socket:receive() socket:receive()"),
		     one, "INFO again early=false");
}

static void test_an_old_socket_is_closed_when_the_handler_is_called_again(void **state)
{
	(void)state;
	assert_hears(HANDLER("if calls == 1 then\n"
			     "  old = socket\n"
			     "  daemon:spawn(function()\n"
			     "    luvd.log:info('other ' .. select(3, old:receive())) end)\n"
			     "  luvd.sleep '5ms' error 'boom'\n"
			     "end\n"
			     "luvd.log:info('again ' .. socket:receive(), { calls = calls })\n"
			     "socket:receive()"),
		     one + 1, "INFO other ECLOSED");
}

static void test_a_closed_socket_says_so(void **state)
{
	(void)state;
	assert_hears(HANDLER("local _, peer = socket:receive()\n"
			     "socket:close() socket:close()\n"
			     "assert(select(3, socket:receive()) == 'ECLOSED')\n"
			     "assert(select(3, socket:send('x', peer)) == 'ECLOSED')\n"
			     "for _ in socket:packets() do error 'never' end\n"
			     "luvd.log:info 'closed'\n"
			     "kept = socket\n"
			     "daemon:spawn(function() luvd.sleep '1ms'\n"
			     "  assert(select(3, kept:receive()) == 'ECLOSED')\n"
			     "  luvd.log:info('and stays ' .. kept.local_address) end)"),
		     one, "INFO and stays closed");
}

static void test_a_handler_that_returns_is_a_warning(void **state)
{
	(void)state;
	assert_hears(
	    HANDLER("socket:receive()"), one,
	    "WARN the handler of 'dns' has returned: its datagrams are not taken any more");
}

static void test_each_socket_of_a_listener_has_a_handler(void **state)
{
	struct kit *kit = make(ANSWERS);
	int a, b;

	(void)state;
	add_listener(kit, &kit->daemon.spec->listens[0], ADDRESS_UDP);
	kit_start(kit);
	a = client_of(kit, 0);
	b = client_of(kit, 1);
	kit_send(b, "b");
	assert_string_equal(kit_expect(kit, b, "b"), "b");
	kit_send(a, "a");
	assert_string_equal(kit_expect(kit, a, "a"), "a");
	close(a);
	close(b);
	kit_finish(kit);
}

static void assert_start_fails(const char *text, const char *expected)
{
	struct kit *kit = make(text);

	kit_start(kit);
	assert_false(kit->start_ok);
	if (!strstr(kit->start_err.what, expected))
		print_error("expected: %s\ngot: %s\n", expected, kit->start_err.what);
	assert_non_null(strstr(kit->start_err.what, expected));
	kit_destroy(kit);
}

static void test_wrong_use_of_serve_raises(void **state)
{
	(void)state;
	assert_start_fails(INSIDE("local net = require 'luvd.net'\n"
				  "net.serve(daemon.listeners.dns, print)\n"
				  "net.serve(daemon.listeners.dns, print)"),
			   "listener \"dns\" is served already");
	assert_start_fails(INSIDE("require 'luvd.net'.serve(daemon.listeners.dns)"),
			   "function expected");
	assert_start_fails(INSIDE("require 'luvd.net'.serve('dns', print)"), "listener");
	assert_hears(HANDLER("socket:receive() daemon:drain()"), one,
		     "a listener's handler that drains would wait for itself");
}

static void test_a_listener_may_be_served_later(void **state)
{
	struct kit *kit = make("local net, luvd = require 'luvd.net', require 'luvd'\n"
			       "return { service = { start = function(daemon)\n"
			       "  daemon:spawn(function() luvd.sleep '1ms'\n"
			       "    net.serve(daemon.listeners.dns, function(socket)\n"
			       "      luvd.log:info((socket:receive())) socket:receive() end)\n"
			       "  end) end } }\n");
	int fd = client_of(kit, 0);

	(void)state;
	kit_send(fd, "early");
	kit_start(kit);
	kit_wait_log(kit, "INFO early");
	close(fd);
	kit_finish(kit);
}

/* --- the loop and the end --- */

static void test_others_are_served_while_datagrams_never_cease(void **state)
{
	/* Each datagram brings the next one. */
	struct kit *kit = make("local net, luvd = require 'luvd.net', require 'luvd'\n"
			       "return { service = { start = function(daemon)\n"
			       "  net.serve(daemon.listeners.dns, function(socket)\n"
			       "    for bytes in socket:packets() do\n"
			       "      socket:send(bytes, socket.local_address) end end)\n"
			       "  net.serve(daemon.listeners.web, function(conn)\n"
			       "    conn:write(conn:read_line() .. '!') end)\n"
			       "end" DRAINS "} }\n");
	int fd = client_of(kit, 0), tcp;

	(void)state;
	add_web(kit);
	kit_send(fd, "for ever");
	kit_start(kit);
	tcp = kit_connect_to(kit, 1);
	kit_send(tcp, "hello\n");
	assert_string_equal(kit_expect(kit, tcp, "!"), "hello!");
	close(tcp);
	kit_stop(kit, false);
	assert_true(kit_logged(kit, "INFO drained ok=true"));
	close(fd);
	kit_destroy(kit);
}

static void test_what_comes_a_moment_before_the_end_begins_the_handler(void **state)
{
	struct kit *kit = serve(SERVICE("for bytes in socket:packets() do\n"
					"  luvd.log:info(bytes)\n"
					"end",
					DRAINS));
	int fd = client_of(kit, 0);

	(void)state;
	kit_send(fd, "one");
	kit_send(fd, "two");
	kit_stop(kit, false); /* the loop has not looked since */
	assert_true(kit_logged(kit, "INFO one\nINFO two\nINFO drained ok=true\n"));
	close(fd);
	kit_destroy(kit);
}

static void test_what_the_kernel_holds_is_taken_before_the_end(void **state)
{
	struct kit *kit =
	    serve(SERVICE("local count = 0\n"
			  "for bytes in socket:packets() do\n"
			  "  count = count + 1\n"
			  "  if count == 1 then luvd.log:info 'first' luvd.sleep '20ms' end\n"
			  "end\n"
			  "luvd.log:info('taken', { count = count })",
			  DRAINS));
	int fd = client_of(kit, 0);

	(void)state;
	for (int i = 0; i < 150; i++)
		kit_send(fd, "x");
	kit_wait_log(kit, "first");
	kit_stop(kit, false);
	assert_true(kit_logged(kit, "INFO taken count=150\nINFO drained ok=true\n"));
	close(fd);
	kit_destroy(kit);
}

static void test_a_handler_that_waits_is_told_the_end(void **state)
{
	struct kit *kit = serve(SERVICE("luvd.log:info 'waits'\n"
					"luvd.log:info('end', { values = select('#', "
					"socket:receive()) })",
					DRAINS));

	(void)state;
	kit_wait_log(kit, "waits");
	kit_stop(kit, false);
	assert_true(kit_logged(kit, "INFO end values=1\nINFO drained ok=true\n"));
	kit_destroy(kit);
}

static void test_a_handler_that_does_not_see_the_end_is_cut_off(void **state)
{
	struct kit *kit = make(SERVICE("luvd.log:info 'waits'\n"
				       "while true do socket:receive { timeout = '1h' } end",
				       DRAINS));

	(void)state;
	kit->daemon.spec->timeout_stop = 50;
	kit_start(kit);
	kit_wait_log(kit, "waits");
	kit_stop(kit, false);
	assert_true(kit_logged(kit, "timeouts.stop is over"));
	kit_destroy(kit);
}

static void test_a_stop_without_patience_leaves_nothing(void **state)
{
	struct kit *kit = serve(HANDLER("luvd.log:info 'waits' socket:receive()"));

	(void)state;
	kit_wait_log(kit, "waits");
	kit_stop(kit, true);
	kit_destroy(kit); /* looks for handles that are left */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_datagram_is_answered),
	    cmocka_unit_test(test_no_datagram_is_taken_before_ready_is_told),
	    cmocka_unit_test(test_a_handler_knows_its_socket_and_the_peer),
	    cmocka_unit_test(test_many_datagrams_are_taken_in_their_order),
	    cmocka_unit_test(test_receive_waits_no_longer_than_asked),
	    cmocka_unit_test(test_a_list_is_one_datagram_and_an_empty_one_is_sent),
	    cmocka_unit_test(test_a_peer_that_is_none_raises),
	    cmocka_unit_test(test_what_cannot_be_sent_is_a_failure),
	    cmocka_unit_test(test_a_peer_that_is_gone_does_not_disturb_the_others),
	    cmocka_unit_test(test_two_readers_at_once_are_wrong_use),
	    cmocka_unit_test(test_a_handler_that_raises_is_called_again),
	    cmocka_unit_test(test_a_handler_that_raises_before_it_takes_is_not_called_at_once),
	    cmocka_unit_test(test_an_old_socket_is_closed_when_the_handler_is_called_again),
	    cmocka_unit_test(test_a_closed_socket_says_so),
	    cmocka_unit_test(test_a_handler_that_returns_is_a_warning),
	    cmocka_unit_test(test_each_socket_of_a_listener_has_a_handler),
	    cmocka_unit_test(test_wrong_use_of_serve_raises),
	    cmocka_unit_test(test_a_listener_may_be_served_later),
	    cmocka_unit_test(test_others_are_served_while_datagrams_never_cease),
	    cmocka_unit_test(test_what_comes_a_moment_before_the_end_begins_the_handler),
	    cmocka_unit_test(test_what_the_kernel_holds_is_taken_before_the_end),
	    cmocka_unit_test(test_a_handler_that_waits_is_told_the_end),
	    cmocka_unit_test(test_a_handler_that_does_not_see_the_end_is_cut_off),
	    cmocka_unit_test(test_a_stop_without_patience_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
