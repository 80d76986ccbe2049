#include "service_kit.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "service/lookup.h"

/* net.connect, and the names that it looks up. */

/* A service whose task connects to the address that its config names. */
#define CONNECTS(text)                                                                             \
	"local net, luvd = require 'luvd.net', require 'luvd'\n"                                   \
	"local function tell(conn, message, code)\n"                                               \
	"  luvd.log:info(conn and 'connected to ' .. conn.peer or message .. ' ' .. code)\n"       \
	"  return conn\n"                                                                          \
	"end\n"                                                                                    \
	"return { service = { start = function(daemon)\n"                                          \
	"  local address = daemon.config.banner\n"                                                 \
	"  daemon:spawn(function()\n" text "\n  end)\n"                                            \
	"end } }\n"

#define TELLS CONNECTS("tell(net.connect(address, { timeout = '5s' }))")

static struct kit *make(const char *text, const char *address)
{
	struct kit *kit = kit_create(text);

	kit_banner(kit->daemon.spec, address);
	return kit;
}

static void assert_tells(struct kit *kit, const char *expected)
{
	kit_start(kit);
	assert_true(kit->start_ok);
	kit_wait_log(kit, expected);
	kit_finish(kit);
}

/* --- peers --- */

static int listen_at(const char *host, int *port, int backlog)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port)};
	socklen_t length = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	assert_int_equal(inet_pton(AF_INET, host, &at.sin_addr), 1);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &length), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

/* A listener whose queue is full: the kernel answers nobody. */
struct silent {
	int fd, clients[2];
};

static struct silent silent_at(const char *host, int *port)
{
	struct silent silent = {.fd = listen_at(host, port, 0)};
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port)};

	inet_pton(AF_INET, host, &at.sin_addr);
	for (size_t i = 0; i < 2; i++) {
		silent.clients[i] =
		    socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (i ? SOCK_NONBLOCK : 0), 0);
		assert_int_equal(
		    connect(silent.clients[i], (struct sockaddr *)&at, sizeof at) < 0 ? errno : 0,
		    i ? EINPROGRESS : 0);
	}
	return silent;
}

static void silent_close(const struct silent *silent)
{
	for (size_t i = 0; i < 2; i++)
		close(silent->clients[i]);
	close(silent->fd);
}

/* --- what is open --- */

static size_t count_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t count = 0;

	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

/* --- addresses --- */

static void test_a_service_talks_to_a_tcp_listener(void **state)
{
	struct kit *kit = kit_create(
	    "local net, luvd = require 'luvd.net', require 'luvd'\n"
	    "return { service = { start = function(daemon)\n"
	    "  net.serve(daemon.listeners.web, function(conn)\n"
	    "    for line in conn:lines() do conn:write(line:upper() .. '\\n') end end)\n"
	    "  daemon:spawn(function()\n"
	    "    local conn <close> = net.connect(daemon.listeners.web.address)\n"
	    "    conn:write 'hello\\n'\n"
	    "    luvd.log:info(conn:read_line(), { peer = conn.peer, same = conn.peer == "
	    "daemon.listeners.web.address,\n"
	    "      from = conn.local_address, listener = tostring(conn.listener) })\n"
	    "  end)\n"
	    "end } }\n");

	(void)state;
	kit_listen(kit);
	kit_start(kit);
	kit_wait_log(kit, "INFO HELLO");
	assert_true(kit_logged(kit, "same=true"));
	assert_true(kit_logged(kit, "from=tcp://127.0.0.1:"));
	assert_true(kit_logged(kit, "listener=nil"));
	kit_finish(kit);
}

static void assert_unix(const char *name)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	bool abstract = name[0] == '@';
	socklen_t length;
	char address[128];
	struct kit *kit;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), peer;

	length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + !abstract);
	strcpy(at.sun_path, name);
	if (abstract)
		at.sun_path[0] = '\0';
	else
		unlink(name);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, length), 0);
	assert_int_equal(listen(fd, 1), 0);
	snprintf(address, sizeof address, "unix:%s", name);
	kit = make(CONNECTS("local conn <close> = tell(net.connect(address)) conn:write 'hello'"),
		   address);
	kit_start(kit);
	kit_wait_log(kit, "INFO connected to unix:");
	peer = accept(fd, NULL, NULL);
	assert_string_equal(kit_expect(kit, peer, NULL), "hello");
	close(peer);
	close(fd);
	kit_finish(kit);
	unlink(name);
}

static void test_unix_sockets_are_reached_by_path_and_by_abstract_name(void **state)
{
	char path[64], name[64];

	(void)state;
	snprintf(path, sizeof path, "/tmp/luvd_connect_%d", (int)getpid());
	snprintf(name, sizeof name, "@luvd_connect_%d", (int)getpid());
	assert_unix(path);
	assert_unix(name);
}

static void test_a_full_unix_listener_is_asked_again_until_there_is_room(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char address[128];
	socklen_t length;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), first, peer;
	struct kit *kit;

	(void)state;
	length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			     (size_t)snprintf(at.sun_path + 1, sizeof at.sun_path - 1,
					      "luvd_full_%d", (int)getpid()));
	snprintf(address, sizeof address, "unix:@%s", at.sun_path + 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, length), 0);
	assert_int_equal(listen(fd, 0), 0);
	first = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(first, (struct sockaddr *)&at, length), 0);
	kit = make(CONNECTS("tell(net.connect(address, { timeout = '50ms' }))\n"
			    "tell(net.connect(address))"),
		   address);
	kit_start(kit);
	kit_wait_log(kit, "no answer in time ETIMEDOUT");
	peer = accept(fd, NULL, NULL);
	close(peer);
	kit_wait_log(kit, "INFO connected to unix:");
	close(first);
	close(fd);
	kit_finish(kit);
}

static void test_wrong_addresses_raise_and_say_what_was_expected(void **state)
{
	static const char *const wrong[][2] = {
	    {"", "expected an address such as \"tcp://example.org:80\""},
	    {"example.org:80", "expected an address such as"},
	    {"http://example.org:80", "expected an address such as"},
	    {"tcp://example.org", "expected an address such as"},
	    {"tcp://:80", "expected an address such as"},
	    {"tcp://::1:80", "expected an address such as"},
	    {"tcp://a:80\\0", "expected an address such as"},
	    {"tcp://example.org:0", "expected a port from 1 to 65535"},
	    {"tcp://example.org:65536", "expected a port from 1 to 65535"},
	    {"tcp://example.org:http", "expected a port from 1 to 65535"},
	    {"tcp://[::g]:80", "expected an IPv6 address in brackets"},
	    {"tcp://*:80", "expected a host's name or address"},
	    {"tcp://two words:80", "expected a host's name or address"},
	    {"udp://127.0.0.1:53", "expected a tcp or unix address"},
	    {"unix:", "expected a whole path or @name"},
	    {"unix:@", "expected a whole path or @name"},
	    {"unix:relative", "expected a whole path or @name"}};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char text[512];

		snprintf(text, sizeof text,
			 INSIDE("log:info(select(2, pcall(require 'luvd.net'.connect, \"%s\")))"),
			 wrong[i][0]);
		kit_assert_logs(text, wrong[i][1]);
	}
	kit_assert_logs(INSIDE("log:info(select(2, pcall(require 'luvd.net'.connect, "
			       "'unix:/' .. ('x'):rep(107))))"),
			"expected a socket's path of at most 107 bytes");
	kit_assert_logs(INSIDE("log:info(select(2, pcall(require 'luvd.net'.connect, "
			       "'tcp://' .. ('x'):rep(254) .. ':1')))"),
			"expected an address such as");
}

static void test_wrong_options_and_places_raise(void **state)
{
	struct kit *kit;

	(void)state;
	kit_assert_logs(INSIDE("log:info(select(2, pcall(require 'luvd.net'.connect, "
			       "'tcp://127.0.0.1:1', { time = 1 })))"),
			"timeout");
	kit = kit_create("require 'luvd.net'.connect 'tcp://127.0.0.1:1'\n"
			 "return { service = {} }");
	assert_false(kit_load(kit));
	assert_non_null(
	    strstr(kit->create_err.what, "cannot wait while the service is being loaded"));
	kit_destroy(kit);
}

/* --- failures --- */

static void test_a_port_that_nobody_listens_on_refuses(void **state)
{
	int port = 0;
	char address[64], expected[128];

	(void)state;
	close(listen_at("127.0.0.1", &port, 1));
	snprintf(address, sizeof address, "tcp://127.0.0.1:%d", port);
	snprintf(expected, sizeof expected, "INFO %s: connection refused ECONNREFUSED\n", address);
	assert_tells(make(TELLS, address), expected);
	snprintf(address, sizeof address, "unix:/tmp/luvd_nobody_%d", (int)getpid());
	assert_tells(make(TELLS, address), ": no such file or directory ENOENT\n");
}

static void test_no_answer_in_time_is_a_timeout(void **state)
{
	int port = 0;
	struct silent silent = silent_at("127.0.0.1", &port);
	char address[64], expected[128];

	(void)state;
	snprintf(address, sizeof address, "tcp://127.0.0.1:%d", port);
	snprintf(expected, sizeof expected, "INFO %s: no answer in time ETIMEDOUT\n", address);
	assert_tells(make(CONNECTS("tell(net.connect(address, { timeout = '30ms' }))"), address),
		     expected);
	assert_tells(make(CONNECTS("tell(net.connect(address, { timeout = 0 }))"), address),
		     expected);
	silent_close(&silent);
}

static void test_a_refusal_that_comes_later_is_told_as_such(void **state)
{
	int port = 0;
	struct silent silent = silent_at("127.0.0.1", &port);
	char address[64];
	struct kit *kit;

	(void)state;
	snprintf(address, sizeof address, "tcp://127.0.0.1:%d", port);
	kit = make(CONNECTS("luvd.log:info 'begun' tell(net.connect(address))"), address);
	kit_start(kit);
	kit_wait_log(kit, "begun");
	silent_close(&silent); /* the kernel asks again after a second */
	kit_wait_log(kit, ": connection refused ECONNREFUSED\n");
	kit_finish(kit);
}

/* --- names --- */

static void test_the_addresses_of_a_name_are_tried_in_turn(void **state)
{
	int port = 0, fd = listen_at("127.0.0.1", &port, 1);
	char address[64], expected[64];
	struct kit *kit;

	(void)state;
	snprintf(address, sizeof address, "tcp://many:%d", port);
	snprintf(expected, sizeof expected, "INFO connected to tcp://127.0.0.1:%d\n", port);
	kit = make(TELLS, address);
	kit->daemon.hosts = "127.0.0.2 many\n127.0.0.3 many\n127.0.0.1 many\n";
	assert_tells(kit, expected);
	close(fd);
}

static void test_an_address_that_is_silent_has_its_share_of_the_time(void **state)
{
	int port = 0, fd = listen_at("127.0.0.1", &port, 1);
	struct silent silent = silent_at("127.0.0.2", &port);
	char address[64], expected[64];
	struct kit *kit;

	(void)state;
	snprintf(address, sizeof address, "tcp://many:%d", port);
	snprintf(expected, sizeof expected, "INFO connected to tcp://127.0.0.1:%d\n", port);
	kit = make(CONNECTS("tell(net.connect(address, { timeout = '1s' }))"), address);
	kit->daemon.hosts = "127.0.0.2 many\n127.0.0.1 many\n";
	assert_tells(kit, expected);
	silent_close(&silent);
	close(fd);
}

/* A name server on the test's loop. */
struct server {
	uv_poll_t poll;
	int fd, port;
	const char *address; /* of every name; NULL: there is no such name; "": never answers */
	char asked[1024];    /* "name. name. " */
	int questions;
	char settings[128]; /* resolv.conf */
};

/* "\3www\7example\0" as "www.example". */
static size_t append_name(struct server *server, const unsigned char *bytes)
{
	size_t used = strlen(server->asked), at = 0;

	while (bytes[at]) {
		used += (size_t)snprintf(server->asked + used, sizeof server->asked - used, "%.*s.",
					 bytes[at], (const char *)bytes + at + 1);
		at += bytes[at] + 1U;
	}
	snprintf(server->asked + used, sizeof server->asked - used, " ");
	return at + 1;
}

static void on_question(uv_poll_t *poll, int status, int events)
{
	static const unsigned char record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4};
	struct server *server = poll->data;
	unsigned char bytes[600];
	struct sockaddr_in from;
	socklen_t length = sizeof from;
	ssize_t count = recvfrom(server->fd, bytes, 512, 0, (struct sockaddr *)&from, &length);
	size_t end = 12;

	(void)status;
	(void)events;
	assert_true(count > 12);
	server->questions++;
	end += append_name(server, bytes + 12) + 4;
	if (server->address && !*server->address)
		return;
	bytes[2] = 0x84; /* an answer, with authority */
	bytes[3] = server->address ? 0 : 3;
	memset(bytes + 6, 0, 6);
	if (server->address && bytes[end - 3] == 1) { /* A, not AAAA */
		bytes[7] = 1;
		memcpy(bytes + end, record, sizeof record);
		inet_pton(AF_INET, server->address, bytes + end + sizeof record);
		end += sizeof record + 4;
	}
	sendto(server->fd, bytes, end, 0, (struct sockaddr *)&from, length);
}

static void server_open(struct server *server, struct kit *kit, const char *more)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof at;

	server->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(getsockname(server->fd, (struct sockaddr *)&at, &length), 0);
	server->port = ntohs(at.sin_port);
	snprintf(server->settings, sizeof server->settings, "nameserver [127.0.0.1]:%d\n%s",
		 server->port, more);
	kit->daemon.resolver = server->settings;
	assert_int_equal(uv_poll_init(&kit->loop, &server->poll, server->fd), 0);
	server->poll.data = server;
	uv_poll_start(&server->poll, UV_READABLE, on_question);
}

static void on_server_closed(uv_handle_t *handle)
{
	handle->data = NULL;
}

static void server_close(struct server *server, struct kit *kit)
{
	uv_close((uv_handle_t *)&server->poll, on_server_closed);
	while (server->poll.data)
		uv_run(&kit->loop, UV_RUN_NOWAIT);
	close(server->fd);
}

static void assert_looked_up(struct server *server, const char *text, const char *address,
			     const char *more, const char *expected)
{
	struct kit *kit = make(text, address);

	server_open(server, kit, more);
	kit_start(kit);
	kit_wait_log(kit, expected);
	kit_stop(kit, true);
	server_close(server, kit);
	kit_destroy(kit);
}

static void test_a_name_server_is_asked_for_what_hosts_does_not_have(void **state)
{
	struct server server = {.address = "127.0.0.1"};
	int port = 0, fd = listen_at("127.0.0.1", &port, 1);
	char address[64], expected[64];

	(void)state;
	snprintf(address, sizeof address, "tcp://db.example.org:%d", port);
	snprintf(expected, sizeof expected, "INFO connected to tcp://127.0.0.1:%d\n", port);
	assert_looked_up(&server, TELLS, address, "", expected);
	assert_non_null(strstr(server.asked, "db.example.org. "));
	assert_int_equal(server.questions, 2); /* IPv4 and IPv6 */
	close(fd);
}

static void test_a_short_name_is_looked_for_in_the_search_list(void **state)
{
	struct server server = {.address = "127.0.0.1"};
	int port = 0, fd = listen_at("127.0.0.1", &port, 1);
	char address[64];

	(void)state;
	snprintf(address, sizeof address, "tcp://db:%d", port);
	assert_looked_up(&server, TELLS, address, "search example.net\n", "INFO connected to ");
	assert_non_null(strstr(server.asked, "db.example.net. "));
	close(fd);
}

static void test_hosts_goes_before_the_name_server(void **state)
{
	struct server server = {.address = "192.0.2.1"};
	int port = 0, fd = listen_at("127.0.0.1", &port, 1);
	char address[64];

	(void)state;
	snprintf(address, sizeof address, "tcp://LocalHost:%d", port);
	assert_looked_up(&server, TELLS, address, "", "INFO connected to tcp://127.0.0.1:");
	assert_int_equal(server.questions, 0);
	close(fd);
}

static void test_a_name_that_is_not_there_is_a_failure(void **state)
{
	struct server server = {.address = NULL};

	(void)state;
	assert_looked_up(&server, TELLS, "tcp://nobody.example:80", "",
			 "INFO tcp://nobody.example:80: unknown node or service EAI_NONAME\n");
	assert_true(server.questions > 0);
	assert_looked_up(&server, TELLS, "tcp://a..b:80", "", "EAI_NONAME\n");
}

static void test_a_name_server_that_is_silent_is_waited_for_no_longer_than_asked(void **state)
{
	struct server server = {.address = ""};

	(void)state;
	assert_looked_up(
	    &server, CONNECTS("tell(net.connect(address, { timeout = '40ms' }))"),
	    "tcp://db.example:80", "",
	    "INFO tcp://db.example:80: no answer from a name server in time ETIMEDOUT\n");
	assert_looked_up(&server, TELLS, "tcp://db.example:80", "options timeout:1 attempts:1\n",
			 ": temporary failure EAI_AGAIN\n");
}

static void test_a_name_server_that_is_not_there_is_a_failure(void **state)
{
	int port = 0;
	char settings[128];
	struct kit *kit = make(TELLS, "tcp://db.example:80");

	(void)state;
	close(listen_at("127.0.0.1", &port, 1));
	snprintf(settings, sizeof settings, "nameserver [127.0.0.1]:%d\n", port);
	kit->daemon.resolver = settings;
	assert_tells(kit, "INFO tcp://db.example:80: temporary failure EAI_AGAIN\n");
}

static void test_questions_on_their_way_are_bounded(void **state)
{
	struct server server = {.address = ""};

	(void)state;
	assert_int_equal(LOOKUPS_AT_ONCE, 1000);
	assert_looked_up(&server,
			 CONNECTS("for i = 1, 1001 do\n"
				  "  daemon:spawn(function()\n"
				  "    tell(net.connect(address, { timeout = '1h' })) end)\n"
				  "end"),
			 "tcp://db.example:80", "options timeout:30\n",
			 "INFO tcp://db.example:80: temporary failure EAI_AGAIN\n");
}

/* --- the end --- */

static void assert_nothing_left(struct kit *kit, const char *begun)
{
	size_t before = count_descriptors(), after;

	kit_start(kit);
	kit_wait_log(kit, begun);
	/* The connection's socket, or the name server's. */
	assert_true(count_descriptors() > before);
	kit_stop(kit, true);
	after = count_descriptors();
	assert_int_equal(after, before);
}

static void test_a_stop_while_a_connection_is_opened_leaves_nothing(void **state)
{
	int port = 0;
	struct silent silent = silent_at("127.0.0.1", &port);
	char address[64];
	struct kit *kit;

	(void)state;
	/* After a refusal too: 127.0.0.2 has no listener. */
	snprintf(address, sizeof address, "tcp://many:%d", port);
	kit = make(CONNECTS("daemon:spawn(function() luvd.sleep '1ms' luvd.log:info 'begun' end)\n"
			    "net.connect(address)"),
		   address);
	kit->daemon.hosts = "127.0.0.2 many\n127.0.0.1 many\n";
	assert_nothing_left(kit, "begun");
	kit_destroy(kit);
	silent_close(&silent);
}

static void test_a_stop_while_a_name_is_looked_up_leaves_nothing(void **state)
{
	struct server server = {.address = ""};
	struct kit *kit =
	    make(CONNECTS("daemon:spawn(function() luvd.sleep '1ms' luvd.log:info 'begun' end)\n"
			  "net.connect(address)"),
		 "tcp://db.example:80");

	(void)state;
	server_open(&server, kit, "");
	assert_nothing_left(kit, "begun");
	server_close(&server, kit);
	kit_destroy(kit);
}

static void test_an_answer_that_comes_after_the_timeout_is_thrown_away(void **state)
{
	struct server server = {.address = ""};
	struct kit *kit = make(CONNECTS("tell(net.connect(address, { timeout = '20ms' }))\n"
					"luvd.log:info 'on'\n"
					"tell(net.connect(address, { timeout = '5s' }))"),
			       "tcp://db.example:80");

	(void)state;
	server_open(&server, kit, "options timeout:1\n");
	kit_start(kit);
	kit_wait_log(kit, "INFO on");
	server.address = NULL; /* both questions are asked again after a second */
	kit_wait_log(kit, "EAI_NONAME");
	assert_null(strstr(strstr(kit->log, "EAI_NONAME") + 1, "EAI_NONAME"));
	kit_stop(kit, false);
	server_close(&server, kit);
	kit_destroy(kit);
}

static int accept_one(struct kit *kit, int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	while (poll(&ready, 1, 0) == 0)
		uv_run(&kit->loop, UV_RUN_NOWAIT);
	return accept(fd, NULL, NULL);
}

/* The peer's side of a connection that the text opened; says what it got until the end. */
static void assert_peer_hears(const char *text, const char *expected)
{
	int port = 0, fd = listen_at("127.0.0.1", &port, 1), peer;
	char address[64];
	struct kit *kit;

	snprintf(address, sizeof address, "tcp://127.0.0.1:%d", port);
	kit = make(text, address);
	kit_start(kit);
	peer = accept_one(kit, fd);
	assert_string_equal(kit_expect(kit, peer, NULL), expected);
	close(peer);
	close(fd);
	kit_finish(kit);
}

static void test_a_connection_closes_with_its_variable(void **state)
{
	(void)state;
	assert_peer_hears(CONNECTS("do local conn <close> = net.connect(address)\n"
				   "  conn:write 'bye' end\n"
				   "luvd.sleep '1h'"),
			  "bye");
}

static void test_a_connection_that_is_forgotten_is_closed_by_the_collector(void **state)
{
	(void)state;
	assert_peer_hears(CONNECTS("do local conn = net.connect(address) conn:write 'bye' end\n"
				   "luvd.sleep '1ms' collectgarbage() luvd.sleep '1h'"),
			  "bye");
}

static void test_a_connection_that_was_given_up_is_closed(void **state)
{
	(void)state;
	assert_peer_hears(CONNECTS("local conn = net.connect(address) conn:write 'bye'\n"
				   "conn:close() luvd.log:info(select(2, conn:read()))\n"
				   "luvd.sleep '1h'"),
			  "bye");
}

static void test_drain_does_not_wait_for_connections_of_our_own_and_stop_ends_them(void **state)
{
	int port = 0, fd = listen_at("127.0.0.1", &port, 1), peer;
	char address[64];
	struct kit *kit;

	(void)state;
	snprintf(address, sizeof address, "tcp://127.0.0.1:%d", port);
	kit = make("local net, luvd = require 'luvd.net', require 'luvd'\n"
		   "local conn\n"
		   "return { service = { start = function(daemon)\n"
		   "    conn = assert(net.connect(daemon.config.banner))\n"
		   "    daemon:spawn(function() conn:read() luvd.log:info 'ended' end)\n"
		   "  end,\n"
		   "  stop = function(daemon)\n"
		   "    luvd.log:info('drained', { ok = daemon:drain() })\n"
		   "    conn:write 'bye'\n"
		   "  end } }\n",
		   address);
	kit_start(kit);
	assert_true(kit->start_ok);
	peer = accept_one(kit, fd);
	kit_stop(kit, false);
	assert_true(kit_logged(kit, "INFO drained ok=true"));
	assert_false(kit_logged(kit, "ended")); /* its task was cancelled */
	assert_string_equal(kit_expect(kit, peer, NULL), "bye");
	close(peer);
	close(fd);
	kit_destroy(kit);
}

struct reader {
	uv_poll_t poll;
	int fd, ended;
	long count;
};

static void on_bytes(uv_poll_t *poll, int status, int events)
{
	static char bytes[65536];
	struct reader *reader = poll->data;
	ssize_t count = read(reader->fd, bytes, sizeof bytes);

	(void)status;
	(void)events;
	reader->count += count > 0 ? count : 0;
	if (count > 0)
		return;
	reader->ended = 1;
	uv_close((uv_handle_t *)poll, on_server_closed);
}

static void test_what_a_closed_connection_has_queued_is_sent_before_the_end(void **state)
{
	int port = 0, fd = listen_at("127.0.0.1", &port, 1), peer;
	char address[64];
	const char *count;
	struct reader reader = {.fd = -1};
	struct kit *kit;

	(void)state;
	snprintf(address, sizeof address, "tcp://127.0.0.1:%d", port);
	kit = make("local net, luvd = require 'luvd.net', require 'luvd'\n"
		   "local conn\n"
		   "return { service = { start = function(daemon)\n"
		   "    conn = assert(net.connect(daemon.config.banner)) end,\n"
		   "  stop = function()\n"
		   "    local count = 0\n"
		   "    while conn:try_write(('x'):rep(1000)) do count = count + 1000 end\n"
		   "    conn:close() luvd.log:info('closed', { count = count })\n"
		   "  end } }\n",
		   address);
	kit_start(kit);
	peer = accept_one(kit, fd);
	reader.fd = peer;
	life_stop(kit->life, "stop", kit->daemon.spec->timeout_stop, false);
	kit_wait_log(kit, "closed");
	count = strstr(kit->log, "count=") + 6;
	uv_poll_init(&kit->loop, &reader.poll, peer);
	reader.poll.data = &reader;
	uv_poll_start(&reader.poll, UV_READABLE, on_bytes);
	kit_wait(kit, &reader.ended);
	assert_true(reader.count > 262144);
	assert_int_equal(reader.count, strtol(count, NULL, 10));
	kit_wait(kit, &kit->stopped);
	while (reader.poll.data)
		uv_run(&kit->loop, UV_RUN_NOWAIT);
	close(peer);
	close(fd);
	kit_destroy(kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_service_talks_to_a_tcp_listener),
	    cmocka_unit_test(test_unix_sockets_are_reached_by_path_and_by_abstract_name),
	    cmocka_unit_test(test_a_full_unix_listener_is_asked_again_until_there_is_room),
	    cmocka_unit_test(test_wrong_addresses_raise_and_say_what_was_expected),
	    cmocka_unit_test(test_wrong_options_and_places_raise),
	    cmocka_unit_test(test_a_port_that_nobody_listens_on_refuses),
	    cmocka_unit_test(test_no_answer_in_time_is_a_timeout),
	    cmocka_unit_test(test_a_refusal_that_comes_later_is_told_as_such),
	    cmocka_unit_test(test_the_addresses_of_a_name_are_tried_in_turn),
	    cmocka_unit_test(test_an_address_that_is_silent_has_its_share_of_the_time),
	    cmocka_unit_test(test_a_name_server_is_asked_for_what_hosts_does_not_have),
	    cmocka_unit_test(test_a_short_name_is_looked_for_in_the_search_list),
	    cmocka_unit_test(test_hosts_goes_before_the_name_server),
	    cmocka_unit_test(test_a_name_that_is_not_there_is_a_failure),
	    cmocka_unit_test(test_a_name_server_that_is_silent_is_waited_for_no_longer_than_asked),
	    cmocka_unit_test(test_a_name_server_that_is_not_there_is_a_failure),
	    cmocka_unit_test(test_questions_on_their_way_are_bounded),
	    cmocka_unit_test(test_a_stop_while_a_connection_is_opened_leaves_nothing),
	    cmocka_unit_test(test_a_stop_while_a_name_is_looked_up_leaves_nothing),
	    cmocka_unit_test(test_an_answer_that_comes_after_the_timeout_is_thrown_away),
	    cmocka_unit_test(test_a_connection_closes_with_its_variable),
	    cmocka_unit_test(test_a_connection_that_is_forgotten_is_closed_by_the_collector),
	    cmocka_unit_test(test_a_connection_that_was_given_up_is_closed),
	    cmocka_unit_test(
		test_drain_does_not_wait_for_connections_of_our_own_and_stop_ends_them),
	    cmocka_unit_test(test_what_a_closed_connection_has_queued_is_sent_before_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
