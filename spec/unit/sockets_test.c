#include "host/monitor/sockets.h"

#include "spec_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "plan/step.h"

/* Real sockets on the loopback, unix sockets in the fixture's folder. The port is always one that
 * the kernel has chosen. */

enum { GENERATIONS = 6 };

struct world {
	struct fixture *fixture;
	struct daemon daemon;
	struct sockets *sockets;
	struct spec *specs[GENERATIONS]; /* of generation 1, 2 ... */
	int given;                       /* plays a service manager's; -1: none */
};

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	void *fixture;

	*state = world;
	if (!world || fixture_setup(&fixture) < 0)
		return -1;
	world->fixture = fixture;
	world->given = -1;
	daemon_init(&world->daemon);
	world->daemon.machine.euid = geteuid();
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;
	void *fixture = world->fixture;
	int result;

	sockets_destroy(world->sockets);
	daemon_finish(&world->daemon); /* frees spec 1 */
	for (int i = 1; i < GENERATIONS; i++)
		spec_destroy(world->specs[i]);
	result = fixture_teardown(&fixture);
	free(world);
	return result;
}

#undef TEST
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static struct spec *spec_of(struct world *world, int generation, const char *listen)
{
	char text[1024];
	struct spec *spec;

	snprintf(text, sizeof text, "return { service = { start = function() end },\n%s%s }",
		 strstr(listen, "workers") ? "" : "workers = 2, ", listen);
	spec = fixture_right(world->fixture, text);
	world->fixture->spec = NULL;
	spec_destroy(world->specs[generation - 1]);
	return world->specs[generation - 1] = spec;
}

static void start(struct world *world, const char *listen)
{
	char told[ERR_TEXT_MAX];
	struct err err = {0};

	world->daemon.spec = spec_of(world, 1, listen);
	if (step_listen.apply(&world->daemon, &err) < 0)
		fail_msg("%s", err_text(&err, told, sizeof told));
	world->sockets = sockets_create(&world->daemon, &err);
	assert_non_null(world->sockets);
}

static void renew(struct world *world, int generation, const char *listen)
{
	char told[ERR_TEXT_MAX];
	struct err err = {0};
	const struct spec *fresh = spec_of(world, generation, listen);

	if (sockets_prepare(world->sockets, fresh, generation, &err) < 0)
		fail_msg("%s", err_text(&err, told, sizeof told));
}

static void refuses(struct world *world, const char *listen, const char *expected)
{
	const struct spec *fresh = spec_of(world, GENERATIONS, listen);
	char told[ERR_TEXT_MAX];
	struct err err = {0};
	size_t count;

	assert_int_equal(sockets_prepare(world->sockets, fresh, GENERATIONS, &err), -1);
	assert_string_equal(err_text(&err, told, sizeof told), expected);
	assert_null(sockets_list(world->sockets, GENERATIONS, &count));
}

/* The roster of a worker; its descriptors in fds, which has room for 8. */
static const char *roster(struct world *world, int generation, int slot, int *fds)
{
	static char text[SOCKETS_ROSTER_MAX];
	size_t listed,
	    count = sockets_of(world->sockets, generation, slot, fds, 8, text, sizeof text);

	sockets_list(world->sockets, generation, &listed);
	assert_int_equal(count, listed);
	return text;
}

static int fd_of(struct world *world, int generation, int slot)
{
	int fds[8] = {-1, -1, -1, -1, -1, -1, -1, -1};

	roster(world, generation, slot, fds);
	return fds[0];
}

static int port_of(int fd)
{
	struct sockaddr_in address = {0};
	socklen_t length = sizeof address;

	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	return ntohs(address.sin_port);
}

/* A socket of somebody else, with a port of the kernel's choice. */
static int somebody(bool reuseport)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = reuseport;
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

/* 0, or the errno of connect(2). */
static int knock(int port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), result;
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((in_port_t)port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	result = connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ? errno : 0;
	close(fd);
	return result;
}

static int knock_unix(struct world *world, const char *name)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), result;
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", world->fixture->folder, name);
	result = connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ? errno : 0;
	close(fd);
	return result;
}

/* --- by address --- */

static void a_known_address_keeps_its_socket_whatever_its_entry_is_called(void **state)
{
	struct world *world = *state;
	int before[8], after[8];

	start(world, "listen = { a = 'unix:room', b = { address = { 'tcp://127.0.0.1:0',\n"
		     "'tcp://127.0.0.1:0' } } }");
	assert_string_equal(roster(world, 1, 1, before), "0.0,1.0,1.1");
	renew(world, 2,
	      "listen = { b = { address = { 'tcp://127.0.0.1:0', 'tcp://127.0.0.1:0' },\n"
	      "max_connections = 3 }, c = 'unix:room' }");
	assert_string_equal(roster(world, 2, 1, after), "0.0,0.1,1.0");
	assert_int_equal(after[0], before[1]);
	assert_int_equal(after[1], before[2]);
	assert_int_equal(after[2], before[0]);
	assert_string_equal(roster(world, 2, 2, before), "0.0,0.1,1.0");
	assert_memory_equal(before, after, 3 * sizeof *after);
}

static void status_sees_the_generations_own_names(void **state)
{
	struct world *world = *state;
	const struct listener *list;
	char address[64];
	size_t count;

	start(world, "listen = { a = 'unix:room' }");
	renew(world, 2, "listen = { lounge = 'unix:room', web = 'tcp://127.0.0.1:0' }");
	list = sockets_list(world->sockets, 2, &count);
	assert_int_equal(count, 2);
	assert_string_equal(list[0].listen->name, "lounge");
	assert_string_equal(list[1].listen->name, "web");
	snprintf(address, sizeof address, "tcp://127.0.0.1:%d", port_of(list[1].fd));
	assert_string_equal(list[1].actual, address);
	list = sockets_list(world->sockets, 1, &count);
	assert_string_equal(list[0].listen->name, "a");
}

static void no_listener_is_no_roster(void **state)
{
	struct world *world = *state;
	int fds[8];

	start(world, "listen = {}");
	assert_string_equal(roster(world, 1, 1, fds), "-");
	renew(world, 2, "listen = { a = 'unix:room' }");
	assert_string_equal(roster(world, 2, 1, fds), "0.0");
	assert_int_equal(knock_unix(world, "room"), 0);
}

static void what_no_entry_has_closes_when_the_generation_serves(void **state)
{
	struct world *world = *state;
	int port;

	start(world, "listen = { a = 'tcp://127.0.0.1:0', b = 'unix:room', c = 'unix:bar' }");
	port = port_of(fd_of(world, 1, 1));
	renew(world, 2, "listen = { c = 'unix:bar' }");
	assert_int_equal(knock(port), 0);
	assert_int_equal(knock_unix(world, "room"), 0);
	sockets_serve(world->sockets, 2);
	assert_int_equal(knock(port), ECONNREFUSED);
	assert_int_equal(knock_unix(world, "room"), ENOENT);
	assert_int_equal(knock_unix(world, "bar"), 0);
	sockets_release(world->sockets, 1);
	assert_int_equal(knock_unix(world, "bar"), 0);
	sockets_release(world->sockets, 2);
	assert_int_equal(knock_unix(world, "bar"), ENOENT);
}

static void what_a_failed_generation_bound_goes_with_it(void **state)
{
	struct world *world = *state;

	start(world, "listen = { a = 'unix:room' }");
	renew(world, 2, "listen = { a = 'unix:room', b = 'unix:bar' }");
	assert_int_equal(knock_unix(world, "bar"), 0);
	sockets_release(world->sockets, 2);
	assert_int_equal(knock_unix(world, "bar"), ENOENT);
	assert_int_equal(knock_unix(world, "room"), 0);
}

static void an_address_may_come_back_while_who_had_it_drains(void **state)
{
	struct world *world = *state;
	int first;

	start(world, "listen = { a = 'unix:room' }");
	first = fd_of(world, 1, 1);
	renew(world, 2, "listen = {}");
	sockets_serve(world->sockets, 2);
	assert_int_equal(knock_unix(world, "room"), ENOENT);
	renew(world, 3, "listen = { a = 'unix:room' }");
	sockets_serve(world->sockets, 3);
	sockets_release(world->sockets, 1);
	assert_int_equal(knock_unix(world, "room"), 0);
	assert_true(first >= 0);
}

static void a_file_that_is_somebody_elses_by_now_is_left(void **state)
{
	struct world *world = *state;
	char path[128];
	struct stat stat;

	start(world, "listen = { a = 'unix:room' }");
	snprintf(path, sizeof path, "%s/room", world->fixture->folder);
	assert_int_equal(unlink(path), 0);
	fixture_write(world->fixture, "room", "mine");
	sockets_release(world->sockets, 1);
	assert_int_equal(lstat(path, &stat), 0);
	assert_true(S_ISREG(stat.st_mode));
}

/* --- refused --- */

static void an_overlap_needs_a_restart(void **state)
{
	struct world *world = *state;
	char fresh[128], expected[256];
	int port;

	start(world, "listen = { a = 'tcp://127.0.0.1:0' }");
	port = port_of(fd_of(world, 1, 1));
	snprintf(fresh, sizeof fresh, "\nlisten = { a = 'tcp://0.0.0.0:%d' }", port);
	snprintf(expected, sizeof expected,
		 "main.lua:3: listen.a: needs restart: tcp://0.0.0.0:%d overlaps with "
		 "tcp://127.0.0.1:%d, which the daemon listens at",
		 port, port);
	refuses(world, fresh, expected);
	assert_int_equal(knock(port), 0);
	/* Another kind, another family: no overlap. */
	snprintf(fresh, sizeof fresh,
		 "listen = { a = 'tcp://127.0.0.1:0', b = 'udp://0.0.0.0:%d' }", port);
	renew(world, 2, fresh);
}

static void a_taken_port_changes_nothing(void **state)
{
	struct world *world = *state;
	char fresh[128], expected[256];
	int other = somebody(false), port = port_of(other);

	start(world, "listen = { a = 'unix:room' }");
	snprintf(fresh, sizeof fresh,
		 "listen = { a = 'unix:room', b = 'unix:bar',\nc = 'tcp://127.0.0.1:%d' }", port);
	snprintf(expected, sizeof expected,
		 "main.lua:3: listen.c: cannot bind tcp://127.0.0.1:%d: address already in use",
		 port);
	refuses(world, fresh, expected);
	assert_int_equal(knock_unix(world, "bar"), ENOENT);
	assert_int_equal(knock_unix(world, "room"), 0);
	close(other);
}

static void a_bound_socket_cannot_change_its_file_or_kind(void **state)
{
	struct world *world = *state;
	char expected[256];

	start(world, "listen = { a = 'unix:room', b = 'tcp://127.0.0.1:0' }");
	snprintf(expected, sizeof expected,
		 "main.lua:2: listen.a.mode: needs restart: unix:%s/room is bound already",
		 world->fixture->folder);
	refuses(world, "listen = { a = { address = 'unix:room', mode = '0600' } }", expected);
	refuses(
	    world, "listen = { b = { address = 'tcp://127.0.0.1:0', reuseport = true } }",
	    "main.lua:2: listen.b.reuseport: needs restart: tcp://127.0.0.1:0 is bound already");
}

/* --- reuseport --- */

static void reuseport_is_a_socket_for_each_worker_at_one_port(void **state)
{
	struct world *world = *state;
	int first, third;

	start(world, "workers = 3,\n"
		     "listen = { a = { address = 'tcp://127.0.0.1:0', reuseport = true } }");
	first = fd_of(world, 1, 1);
	third = fd_of(world, 1, 3);
	assert_int_not_equal(first, third);
	assert_int_not_equal(first, fd_of(world, 1, 2));
	assert_int_not_equal(third, fd_of(world, 1, 2));
	assert_int_equal(port_of(first), port_of(third));
	assert_int_equal(port_of(first), port_of(fd_of(world, 1, 2)));
	renew(world, 2,
	      "workers = 3, listen = { a = { reuseport = true, backlog = 7,\n"
	      "address = 'tcp://127.0.0.1:0' } }");
	assert_int_equal(fd_of(world, 2, 1), first);
	assert_int_equal(fd_of(world, 2, 3), third);
	refuses(world,
		"workers = 4,\n"
		"listen = { a = { address = 'tcp://127.0.0.1:0', reuseport = true } }",
		"main.lua:3: listen.a.reuseport: needs restart: tcp://127.0.0.1:0 is bound "
		"already");
}

static void reuseport_shares_with_nobody_else(void **state)
{
	struct world *world = *state;
	char fresh[160], expected[160];
	int other = somebody(true), port = port_of(other);

	start(world, "listen = {}");
	snprintf(fresh, sizeof fresh,
		 "listen = { a = { address = 'tcp://127.0.0.1:%d', reuseport = true } }", port);
	snprintf(expected, sizeof expected,
		 "main.lua:2: listen.a: cannot bind tcp://127.0.0.1:%d: address already in use",
		 port);
	refuses(world, fresh, expected);
	close(other);
	renew(world, 2, fresh);
	assert_int_equal(port_of(fd_of(world, 2, 2)), port);
}

/* --- what may change --- */

static unsigned backlog_of(int fd)
{
	struct tcp_info info;
	socklen_t length = sizeof info;

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length), 0);
	return info.tcpi_sacked; /* of a socket that listens: its backlog */
}

static void the_backlog_changes_when_the_generation_serves(void **state)
{
	struct world *world = *state;
	int fd;

	start(world, "listen = { a = { address = 'tcp://127.0.0.1:0', backlog = 5 } }");
	fd = fd_of(world, 1, 1);
	renew(world, 2, "listen = { a = { address = 'tcp://127.0.0.1:0', backlog = 9 } }");
	assert_int_equal(backlog_of(fd), 5);
	sockets_serve(world->sockets, 2);
	assert_int_equal(backlog_of(fd), 9);
	assert_int_equal(fd_of(world, 2, 1), fd);
}

/* --- from a service manager --- */

static void inherit(struct world *world, const char *name)
{
	struct machine *machine = &world->daemon.machine;

	world->given = somebody(false);
	machine->inherited_count = 1;
	machine->inherited[0].fd = world->given;
	snprintf(machine->inherited[0].name, sizeof machine->inherited[0].name, "%s", name);
	snprintf(machine->inherited[0].address, sizeof machine->inherited[0].address,
		 "tcp://127.0.0.1:%d", port_of(world->given));
}

static void a_socket_given_by_name_stays_with_its_entry(void **state)
{
	struct world *world = *state;
	int fds[8];

	inherit(world, "web");
	start(world, "listen = { web = 'tcp://127.0.0.1:80' }");
	assert_int_equal(fd_of(world, 1, 1), world->given);
	renew(world, 2, "listen = { a = 'unix:room', web = 'tcp://127.0.0.1:81' }");
	assert_string_equal(roster(world, 2, 2, fds), "0.0,1.0");
	assert_int_equal(fds[1], world->given);
}

static void a_given_socket_that_no_entry_has_is_kept_for_the_next(void **state)
{
	struct world *world = *state;
	int port;

	inherit(world, "web");
	port = port_of(world->given);
	start(world, "listen = { web = 'tcp://127.0.0.1:80' }");
	renew(world, 2, "listen = {}");
	sockets_serve(world->sockets, 2);
	sockets_release(world->sockets, 1);
	assert_int_equal(knock(port), 0);
	renew(world, 3, "listen = { web = 'tcp://127.0.0.1:80' }");
	assert_int_equal(fd_of(world, 3, 1), world->given);
}

static void a_socket_given_by_address_is_matched_by_it(void **state)
{
	struct world *world = *state;
	char text[96];

	inherit(world, "unknown");
	snprintf(text, sizeof text, "listen = { web = 'tcp://127.0.0.1:%d' }",
		 port_of(world->given));
	start(world, text);
	snprintf(text, sizeof text, "listen = { room = 'tcp://127.0.0.1:%d' }",
		 port_of(world->given));
	renew(world, 2, text);
	assert_int_equal(fd_of(world, 2, 1), world->given);
}

/* --- for another image --- */

static const struct spec *told_spec(void *data, int generation)
{
	struct world *world = data;

	return generation <= GENERATIONS ? world->specs[generation - 1] : NULL;
}

static unsigned char *encode(struct world *world, size_t *length)
{
	struct err err = {0};
	unsigned char *bytes;

	assert_int_equal(sockets_encode(world->sockets, &bytes, length, &err), 0);
	return bytes;
}

/* The world goes on with what another image would have read. */
static void cross(struct world *world)
{
	struct err err = {0};
	struct sockets *back;
	size_t length;
	unsigned char *bytes = encode(world, &length);

	back = sockets_decode(bytes, length, told_spec, world, &err);
	free(bytes);
	if (!back)
		fail_msg("%s", err.what);
	sockets_forget(world->sockets);
	world->sockets = back;
}

static const char two_kinds[] = "listen = { door = 'unix:door', "
				"web = { address = 'tcp://127.0.0.1:0', reuseport = true } }";
enum { DOOR, WEB, LISTENERS };

static void what_another_image_reads_is_the_same(void **state)
{
	struct world *world = *state;
	int before[2][8] = {{0}}, after[2][8] = {{0}};
	char text[SOCKETS_ROSTER_MAX];
	const struct listener *list;
	size_t count;

	start(world, two_kinds);
	renew(world, 2, two_kinds);
	roster(world, 1, 1, before[0]);
	snprintf(text, sizeof text, "%s", roster(world, 2, 2, before[1]));
	cross(world);
	roster(world, 1, 1, after[0]);
	assert_string_equal(roster(world, 2, 2, after[1]), text);
	assert_memory_equal(before, after, sizeof before);
	assert_int_not_equal(after[0][WEB], after[1][WEB]);
	list = sockets_list(world->sockets, 2, &count);
	assert_int_equal(count, LISTENERS);
	assert_string_equal(list[DOOR].listen->name, "door");
	assert_true(list[DOOR].inode != 0);
	assert_int_equal(knock(port_of(after[0][WEB])), 0);
	sockets_release(world->sockets, 1);
	assert_int_equal(knock_unix(world, "door"), 0);
	sockets_release(world->sockets, 2);
	assert_int_equal(knock_unix(world, "door"), ENOENT);
}

static void all_descriptors_are_named(void **state)
{
	struct world *world = *state;
	int list[8], first[8], second[8];

	start(world, two_kinds);
	roster(world, 1, 1, first);
	roster(world, 1, 2, second);
	assert_int_equal(sockets_descriptors(world->sockets, list, 8), 3);
	assert_int_equal(list[0], first[DOOR]);
	assert_int_equal(list[1], first[WEB]);
	assert_int_equal(list[2], second[WEB]);
	assert_int_equal(sockets_descriptors(world->sockets, list, 1), 3);
}

/* Of exactly that size, so that ASan sees a read behind it. */
static bool reads(struct world *world, const unsigned char *bytes, size_t length)
{
	unsigned char *copy = malloc(length ? length : 1);
	struct err err = {0};
	struct sockets *back;

	memcpy(copy, bytes, length);
	back = sockets_decode(copy, length, told_spec, world, &err);
	free(copy);
	sockets_forget(back);
	if (!back)
		assert_string_equal(err.what, "sockets: not of this version, cut or damaged");
	return back != NULL;
}

static void cut_or_damaged_bytes_are_no_sockets(void **state)
{
	struct world *world = *state;
	size_t length;
	unsigned char *bytes;
	int fds[8];

	start(world, two_kinds);
	bytes = encode(world, &length);
	assert_true(reads(world, bytes, length));
	for (size_t cut = 0; cut < length; cut++)
		assert_false(reads(world, bytes, cut));
	for (size_t i = 0; i < length; i++)
		for (int bit = 0; bit < 8; bit += 3) {
			bytes[i] ^= (unsigned char)(1 << bit);
			(void)reads(world, bytes, length);
			bytes[i] ^= (unsigned char)(1 << bit);
		}
	roster(world, 1, 1, fds);
	assert_int_equal(knock(port_of(fds[WEB])), 0); /* nothing was closed */
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_known_address_keeps_its_socket_whatever_its_entry_is_called),
	    TEST(status_sees_the_generations_own_names),
	    TEST(no_listener_is_no_roster),
	    TEST(what_no_entry_has_closes_when_the_generation_serves),
	    TEST(what_a_failed_generation_bound_goes_with_it),
	    TEST(an_address_may_come_back_while_who_had_it_drains),
	    TEST(a_file_that_is_somebody_elses_by_now_is_left),
	    TEST(an_overlap_needs_a_restart),
	    TEST(a_taken_port_changes_nothing),
	    TEST(a_bound_socket_cannot_change_its_file_or_kind),
	    TEST(reuseport_is_a_socket_for_each_worker_at_one_port),
	    TEST(reuseport_shares_with_nobody_else),
	    TEST(the_backlog_changes_when_the_generation_serves),
	    TEST(a_socket_given_by_name_stays_with_its_entry),
	    TEST(a_given_socket_that_no_entry_has_is_kept_for_the_next),
	    TEST(a_socket_given_by_address_is_matched_by_it),
	    TEST(what_another_image_reads_is_the_same),
	    TEST(all_descriptors_are_named),
	    TEST(cut_or_damaged_bytes_are_no_sockets),
	};

	return cmocka_run_group_tests_name("the sockets of a monitor", tests, NULL, NULL);
}
