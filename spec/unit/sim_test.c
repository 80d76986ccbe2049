#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "service/guise.h"
#include "service/sim.h"

/* A simulation from a daemon file in a folder of its own. */
struct world {
	char folder[64], path[96];
	struct sim *sim;
	struct errs errs;
	int changes;
	char answer[256];
	bool ok;
};

static const uint64_t MINUTE = 60000;

static void on_changed(void *data)
{
	((struct world *)data)->changes++;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void create(struct world *world, const char *start, const char *rest)
{
	static char *sets[] = {NULL}, *environment[] = {"HOME=/", NULL};
	const struct sim_calls calls = {.data = world, .changed = on_changed};
	struct source source = {.path = world->path,
				.shown = "it.lua",
				.sets = sets,
				.environment = environment,
				.hostname = "here",
				.cpus = 1,
				.scratch = world->folder,
				.uid = geteuid(),
				.owner = getuid()};
	char text[2048];

	snprintf(world->folder, sizeof world->folder, "/tmp/luvd_sim_XXXXXX");
	assert_non_null(mkdtemp(world->folder));
	snprintf(world->path, sizeof world->path, "%s/it.lua", world->folder);
	snprintf(
	    text, sizeof text,
	    "local luvd, net, fs = require 'luvd', require 'luvd.net', require 'luvd.fs'\n"
	    "return { name = 'it', listen = { it = 'tcp://0.0.0.0:7', dns = 'udp://0.0.0.0:53' },\n"
	    "config = { word = 'a' }, timeouts = { start = '30s' }, service = {\n"
	    "start = function(daemon) %s end, %s } }",
	    start, rest);
	write_file(world->path, text);
	world->sim = sim_create(&source, &calls, &world->errs);
	if (world->sim)
		sim_settle(world->sim);
}

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct world));
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	sim_destroy(world->sim);
	errs_finish(&world->errs);
	unlink(world->path);
	assert_int_equal(rmdir(world->folder), 0);
	free(world);
	return 0;
}

static const char *logged(const struct world *world)
{
	static char text[65536];
	size_t length;
	const char *log = sim_log(world->sim, &length);

	snprintf(text, sizeof text, "%.*s", (int)length, log);
	return text;
}

static void assert_logged(const struct world *world, const char *text)
{
	if (!strstr(logged(world), text))
		print_error("expected: %s\nlog:\n%s\n", text, logged(world));
	assert_non_null(strstr(logged(world), text));
}

static void advance(struct world *world, uint64_t by)
{
	uint64_t until = sim_now(world->sim) + by;

	while (sim_step(world->sim, until))
		sim_settle(world->sim);
	sim_settle(world->sim);
}

static void on_answer(void *data, bool ok, const char *text)
{
	struct world *world = data;

	world->ok = ok;
	snprintf(world->answer, sizeof world->answer, "%s", text);
}

static const char *eval(struct world *world, const char *text)
{
	world->answer[0] = '\0';
	assert_int_equal(sim_eval(world->sim, text, on_answer, world), 0);
	sim_settle(world->sim);
	return world->answer;
}

static int connect_to(struct world *world, const char *name, struct sim_address *address)
{
	struct err err = {0};
	int fd = sim_connect(world->sim, name, address, &err);

	if (fd < 0)
		print_error("%s\n", err.what);
	assert_true(fd >= 0);
	sim_settle(world->sim);
	return fd;
}

static const char *receive(int fd)
{
	static char bytes[1024];
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	ssize_t length;

	assert_int_equal(poll(&poll_fd, 1, 5000), 1);
	length = read(fd, bytes, sizeof bytes - 1);
	assert_true(length >= 0);
	bytes[length] = '\0';
	return bytes;
}

/* --- time --- */

static void the_clock_stands_until_it_is_moved(void **state)
{
	struct world *world = *state;
	uint64_t before;

	create(world, "luvd.every('10m', function() luvd.log:info 'tick' end)", "");
	assert_int_equal(sim_phase(world->sim), SIM_RUNNING);
	before = sim_now(world->sim);
	assert_false(sim_settle(world->sim));
	assert_int_equal(sim_now(world->sim), before);
	assert_null(strstr(logged(world), "tick"));
	assert_int_equal(sim_due(world->sim), before + 10 * MINUTE);
	advance(world, 10 * MINUTE);
	assert_logged(world, "tick");
	assert_int_equal(sim_now(world->sim), before + 10 * MINUTE);
}

static void each_alarm_is_over_before_the_next(void **state)
{
	struct world *world = *state;

	create(world,
	       "local function loud(text, pause) luvd.every('1m', function() luvd.log:info(text) "
	       "luvd.sleep(pause) fs.stat '/' luvd.log:info(text .. ' over') end) end "
	       "loud('one', '10s') loud('two', '20s')",
	       "");
	advance(world, MINUTE + 30000);
	assert_true(strstr(logged(world), ": one\n") < strstr(logged(world), ": two\n"));
	assert_true(strstr(logged(world), ": two\n") < strstr(logged(world), "one over"));
	assert_true(strstr(logged(world), "one over") < strstr(logged(world), "two over"));
}

static void the_wall_clock_goes_with_it(void **state)
{
	struct world *world = *state;
	int64_t before;

	create(world, "", "");
	before = sim_wall(world->sim);
	advance(world, MINUTE);
	assert_int_equal(sim_wall(world->sim), before + (int64_t)MINUTE);
	snprintf(world->answer, sizeof world->answer, "%lld\n",
		 (long long)(sim_wall(world->sim) / 1000));
	char *expected = strdup(world->answer);

	assert_string_equal(eval(world, "os.time()"), expected);
	free(expected);
}

/* --- its life --- */

static void a_start_that_hangs_ends_at_its_timeout(void **state)
{
	struct world *world = *state;

	create(world, "luvd.sleep '1h'", "");
	assert_int_equal(sim_phase(world->sim), SIM_STARTING);
	advance(world, 29999);
	assert_int_equal(sim_phase(world->sim), SIM_STARTING);
	advance(world, 1);
	assert_int_equal(sim_phase(world->sim), SIM_STOPPED);
	assert_non_null(strstr(sim_failure(world->sim)->what, "did not return within 30s"));
}

static void a_wrong_daemon_file_makes_none(void **state)
{
	struct world *world = *state;

	create(world, "", "}, umask = 5, x = {");
	assert_null(world->sim);
	assert_true(world->errs.count >= 2);
}

static void a_service_that_cannot_be_loaded_makes_none(void **state)
{
	struct world *world = *state;

	create(world, "", "stop = function() end }, workers = 1, y = error and {");
	assert_null(world->sim);
	assert_true(world->errs.count > 0);
}

static void a_stop_waits_for_nothing_but_its_clock(void **state)
{
	struct world *world = *state;

	create(world, "daemon:spawn(function() luvd.sleep '1h' end)",
	       "stop = function() luvd.sleep '10s' luvd.log:info 'left' end");
	sim_stop(world->sim);
	sim_settle(world->sim);
	assert_int_equal(sim_phase(world->sim), SIM_STOPPING);
	advance(world, 10000);
	assert_int_equal(sim_phase(world->sim), SIM_STOPPED);
	assert_logged(world, "left");
	assert_logged(world, "stopped");
	assert_int_equal(sim_code(world->sim), 0);
}

static void a_reload_tells_its_verdict(void **state)
{
	static char *sets[] = {"config.word=b", NULL}, *bad[] = {"config.word=bad", NULL};
	struct world *world = *state;

	create(world, "",
	       "reload = function(daemon) if daemon.config.word == 'bad' then error('no', 0) end "
	       "end");
	sim_reload(world->sim, sets);
	sim_settle(world->sim);
	assert_int_equal(sim_phase(world->sim), SIM_RUNNING);
	assert_null(sim_refusal(world->sim));
	assert_logged(world, "reloaded: config.word");
	sim_reload(world->sim, bad);
	sim_settle(world->sim);
	assert_non_null(strstr(sim_refusal(world->sim)->what, "no"));
	assert_string_equal(eval(world, "daemon.config.word"), "\"b\"\n");
}

static void what_is_destroyed_in_the_middle_leaves_nothing(void **state)
{
	struct world *world = *state;
	struct sim_address address;
	int fd;

	create(
	    world,
	    "net.serve(daemon.listeners.it, function(conn) conn:read() end)"
	    "net.serve(daemon.listeners.dns, function(socket) for _ in socket:packets() do end end)"
	    "luvd.every('1s', function() luvd.sleep '1m' end) fs.watch('/tmp', print)"
	    "daemon:spawn(function() fs.list '/' luvd.sleep '1h' end)",
	    "");
	fd = connect_to(world, "it", &address);
	advance(world, 5000);
	assert_int_equal(sim_eval(world->sim, "luvd.sleep '1h'", on_answer, world), 0);
	sim_destroy(world->sim);
	world->sim = NULL;
	assert_string_equal(receive(fd), "");
	close(fd);
}

/* --- connections --- */

static void a_connection_is_in_memory_and_has_addresses(void **state)
{
	struct world *world = *state;
	struct sim_address address;
	char expected[400];
	int fd;

	create(world,
	       "net.serve(daemon.listeners.it, function(conn) "
	       "conn:write(conn.peer .. ' ' .. conn.local_address) end)",
	       "");
	fd = connect_to(world, "it", &address);
	snprintf(expected, sizeof expected, "%s %s", address.self, address.text);
	assert_string_equal(receive(fd), expected);
	assert_string_equal(sim_address(world->sim, "it"), address.text);
	assert_int_equal(strncmp(address.text, "tcp://127.0.0.1:", 16), 0);
	close(fd);
}

static void a_datagram_is_answered(void **state)
{
	struct world *world = *state;
	struct sim_address address;
	struct sockaddr_un name;
	socklen_t length;
	int fd;

	create(world,
	       "net.serve(daemon.listeners.dns, function(socket) "
	       "for bytes, peer in socket:packets() do socket:send(bytes .. ' ' .. peer, peer) "
	       "socket:send('lost', 'udp://192.0.2.1:9') end end)",
	       "");
	fd = connect_to(world, "dns", &address);
	length = guise_name(address.world, address.text, &name);
	assert_int_equal(sendto(fd, "hi", 2, 0, (struct sockaddr *)&name, length), 2);
	sim_settle(world->sim);
	assert_string_equal(receive(fd) + 3, address.self);
	assert_null(strstr(logged(world), "error"));
	close(fd);
}

static void nobody_connects_to_one_that_has_stopped(void **state)
{
	struct world *world = *state;
	struct sim_address address;
	struct err err = {0};

	create(world, "net.serve(daemon.listeners.it, function() end)", "");
	sim_stop(world->sim);
	assert_int_equal(sim_connect(world->sim, "it", &address, &err), -1);
	assert_int_equal(err.code, ECONNREFUSED);
	sim_settle(world->sim);
	assert_int_equal(sim_connect(world->sim, "it", &address, &err), -1);
}

static void a_guise_is_read_from_its_name_only(void **state)
{
	struct sockaddr_storage name = {.ss_family = AF_UNIX};
	char text[GUISE_ADDRESS_MAX], longer[200];
	socklen_t length;

	(void)state;
	assert_null(guise_address(&name, sizeof(sa_family_t), text));
	length = guise_name("w", "tcp://127.0.0.1:5", (struct sockaddr_un *)&name);
	assert_string_equal(guise_address(&name, length, text), "tcp://127.0.0.1:5");
	assert_int_equal(guise_peer(text).family, AF_INET);
	((struct sockaddr_un *)&name)->sun_path[1] = 'x';
	assert_null(guise_address(&name, length, text));
	assert_int_equal(guise_peer("unix:#1").family, AF_UNIX);
	memset(longer, 'a', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	assert_int_equal(guise_name("w", longer, (struct sockaddr_un *)&name), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	    TEST(the_clock_stands_until_it_is_moved),
	    TEST(each_alarm_is_over_before_the_next),
	    TEST(the_wall_clock_goes_with_it),
	    TEST(a_start_that_hangs_ends_at_its_timeout),
	    TEST(a_wrong_daemon_file_makes_none),
	    TEST(a_service_that_cannot_be_loaded_makes_none),
	    TEST(a_stop_waits_for_nothing_but_its_clock),
	    TEST(a_reload_tells_its_verdict),
	    TEST(what_is_destroyed_in_the_middle_leaves_nothing),
	    TEST(a_connection_is_in_memory_and_has_addresses),
	    TEST(a_datagram_is_answered),
	    TEST(nobody_connects_to_one_that_has_stopped),
	    cmocka_unit_test(a_guise_is_read_from_its_name_only)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
