#include "rig.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/control.h"
#include "sys/sys.h"

/* The worker as its monitor sees it: the real program, with a test in the monitor's place. */

static struct rig rig;
static char above_home[256];

/* What a daemon file with this service and these other keys says. */
#define FILE_OF(keys, service)                                                                     \
	"local luvd, net = require 'luvd', require 'luvd.net'\n"                                   \
	"return { name = 'rig', workers = 2, " keys " service = {\n" service "} }\n"
#define WEB "listen = { web = 'tcp://127.0.0.1:1' }, "
#define HELLO                                                                                      \
	"start = function(d) net.serve(d.listeners.web, function(c) c:write 'hello\\n' end) end,"

static int teardown(void **state)
{
	rig_finish(&rig);
	return fixture_teardown(state);
}

static void setup(void **state, const char *text)
{
	rig_setup(&rig, *state, text);
}

static void say(enum message_type type, int64_t a, int64_t b, const char *text)
{
	struct message message = {.type = type, .number = {a, b}};

	snprintf(message.text, sizeof message.text, "%s", text);
	rig_say(&rig, &message, NULL, 0);
}

static int dial(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)rig.port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
	return fd;
}

static void expect_hello(int fd)
{
	char text[16] = "";

	assert_int_equal(recv(fd, text, 6, MSG_WAITALL), 6);
	assert_string_equal(text, "hello\n");
}

static int stop_gracefully(void)
{
	say(MESSAGE_STOP, 5000, 0, "stop");
	return rig_wait(&rig);
}

/* --- the start --- */

static void it_tells_each_step_and_that_it_is_ready(void **state)
{
	struct message message;
	char steps[256] = "";

	setup(state, FILE_OF("", "start = function() end"));
	rig_spawn(&rig);
	while ((message = rig_hear(&rig)).type == MESSAGE_STEP) {
		strcat(steps, message.err.step);
		strcat(steps, " ");
	}
	assert_int_equal(message.type, MESSAGE_READY);
	assert_string_equal(steps,
			    "inherit process warmup witness identity confine audit loop ready ");
	assert_int_equal(stop_gracefully(), 0);
	assert_string_equal(rig.said, "");
}

static void it_serves_on_the_socket_that_it_was_given(void **state)
{
	int fd;

	setup(state, FILE_OF(WEB, HELLO));
	rig_listen(&rig);
	rig_start(&rig);
	fd = dial();
	expect_hello(fd);
	close(fd);
	assert_int_equal(stop_gracefully(), 0);
}

static void it_knows_who_it_is(void **state)
{
	char title[128] = "", path[64];
	int fd;

	setup(state,
	      FILE_OF("", "start = function(d) luvd.log:info(d.worker .. ' of ' .. d.workers .. "
			  "' of generation ' .. d.generation) end"));
	rig.number = "2";
	rig_start(&rig);
	rig_await_log(&rig, "info 2 of 2 of generation 3\n");
	snprintf(path, sizeof path, "/proc/%d/cmdline", (int)rig.pid);
	fd = open(path, O_RDONLY);
	assert_true(read(fd, title, sizeof title - 1) > 0);
	close(fd);
	assert_string_equal(title, "luvd: rig worker 2");
	assert_int_equal(getsid(rig.pid), rig.pid);
}

static void a_start_that_fails_is_told_in_full(void **state)
{
	struct message message;
	char text[ERR_TEXT_MAX];

	setup(state, FILE_OF("", "start = function() return nil, 'no database' end"));
	rig_spawn(&rig);
	message = rig_await(&rig, MESSAGE_FAILED);
	assert_string_equal(err_text(&message.err, text, sizeof text), "start: no database");
	assert_int_equal(rig_wait(&rig), 1);
}

static void it_is_stopped_before_it_is_ready(void **state)
{
	setup(state, FILE_OF("", "start = function() luvd.log:info 'begun' luvd.sleep '1h' end"));
	rig_spawn(&rig);
	rig_await_log(&rig, "begun");
	say(MESSAGE_STOP, 5000, 0, "stop");
	assert_string_equal(rig_await(&rig, MESSAGE_FAILED).err.what, "interrupted by the monitor");
	assert_int_equal(rig_wait(&rig), 1);
}

/* --- what a monitor gives, checked --- */

static void given(void **state, const char *keys)
{
	char text[512];

	snprintf(text, sizeof text,
		 "return { name = 'rig', %s service = { start = function() end } }", keys);
	if (rig.fixture)
		rig_finish(&rig);
	setup(state, text);
}

static void fails_with(const char *what)
{
	rig_spawn(&rig);
	assert_string_equal(rig_await(&rig, MESSAGE_FAILED).err.what, what);
	assert_int_equal(rig_wait(&rig), 1);
}

static void a_list_of_sockets_must_fit_the_bundle(void **state)
{
	static const char *const rosters[] = {"-",   "",     "0",     "0.",   "1.0",
					      "0.1", "0.0,", "0.0.0", " 0.0", "99999999999.0"};

	for (size_t i = 0; i < sizeof rosters / sizeof *rosters; i++) {
		given(state, "workers = 2, " WEB);
		rig_listen(&rig);
		rig.roster = rosters[i];
		fails_with("the monitor has given a list of sockets that does not fit the bundle");
	}
	given(state, "workers = 2,");
	rig.roster = "0.0";
	fails_with("the monitor has given a socket that nobody declared");
}

static void its_number_must_be_one_of_the_daemons(void **state)
{
	given(state, "workers = 2,");
	rig.number = "3";
	fails_with("the monitor has given a number above that of workers");
	for (const char **number = (const char *[]){"0", "01", "1x", "", "4294967297", NULL};
	     *number; number++) {
		given(state, "workers = 2,");
		rig.number = *number;
		fails_with("the monitor has given a number that is none");
	}
}

static void a_classic_daemon_has_no_workers(void **state)
{
	given(state, "workers = 0,");
	fails_with("the monitor has given the bundle of a daemon without workers");
}

static void what_is_no_bundle_is_refused(void **state)
{
	given(state, "workers = 2,");
	sys_close(rig.bundle);
	rig.bundle = sys_memfd_sealed("no bundle", "no bundle", 9);
	rig_spawn(&rig);
	assert_non_null(strstr(rig_await(&rig, MESSAGE_FAILED).err.what, "bundle"));
	assert_int_equal(rig_wait(&rig), 1);
}

static void a_socket_that_does_not_listen_is_refused(void **state)
{
	given(state, "workers = 2, " WEB);
	rig.sockets[rig.socket_count++] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	rig.roster = "0.0";
	fails_with("descriptor 6 is no listening socket for tcp://127.0.0.1:1");
}

static void another_parent_than_the_one_named_is_no_monitor(void **state)
{
	given(state, "workers = 2,");
	rig.monitor = 1;
	fails_with("the monitor is gone");
}

/* --- what a monitor says --- */

static void stop_has_a_reason_and_a_limit(void **state)
{
	int fd;

	setup(state,
	      FILE_OF(WEB, HELLO "stop = function(d, why) luvd.log:info(why) luvd.sleep '1h' end"));
	rig_listen(&rig);
	rig_start(&rig);
	fd = dial();
	expect_hello(fd);
	say(MESSAGE_STOP, 50, 0, "reload");
	rig_await_log(&rig, "warn timeouts.drain is over");
	assert_non_null(strstr(rig.log, "info reload\n"));
	assert_int_equal(rig_wait(&rig), 0);
	close(fd);
}

static void stop_now_waits_for_nobody(void **state)
{
	setup(state, FILE_OF("", "start = function() end, stop = function() luvd.sleep '1h' end"));
	rig_start(&rig);
	say(MESSAGE_STOP, 100000, 0, "stop");
	say(MESSAGE_STOP, 100000, 1, "stop");
	assert_int_equal(rig_wait(&rig), 0);
}

#define BANNERED(banner)                                                                           \
	FILE_OF("config = { banner = '" banner "' },",                                             \
		"start = function() end, reload = function(d, change)\n"                           \
		"if d.config.banner == 'bad' then return nil, 'too bad' end\n"                     \
		"luvd.log:info(change.config.banner .. ' to ' .. d.config.banner .. ' of ' .. "    \
		"d.generation) end")

/* The daemon file's text is no code of its own here: both are read from the same lines. */
static void give(const char *text)
{
	int fd = rig_bundle(&rig, text);

	rig_say(&rig, &(struct message){.type = MESSAGE_RELOAD}, &fd, 1);
	sys_close(fd);
}

static void a_reload_is_taken_over_or_refused_and_can_be_taken_back(void **state)
{
	struct message message;
	char text[ERR_TEXT_MAX];

	setup(state, BANNERED("one"));
	rig_start(&rig);
	give(BANNERED("two"));
	assert_string_equal(rig_await(&rig, MESSAGE_RELOADED).err.what, "");
	rig_await_log(&rig, "info one to two of 3\n");
	give(BANNERED("bad"));
	message = rig_await(&rig, MESSAGE_RELOADED);
	assert_string_equal(err_text(&message.err, text, sizeof text), "reload: too bad");
	give(BANNERED("one"));
	assert_string_equal(rig_await(&rig, MESSAGE_RELOADED).err.what, "");
	rig_await_log(&rig, "info two to one of 3\n");
	say(MESSAGE_RELOAD, 0, 0, "");
	assert_string_equal(rig_await(&rig, MESSAGE_RELOADED).err.what,
			    "the monitor has sent no bundle");
	assert_int_equal(stop_gracefully(), 0);
}

static void files_are_opened_anew_behind_the_same_descriptor(void **state)
{
	char path[192], keys[256], file[1024], text[32] = "";
	int fresh;

	rig.fixture = *state;
	snprintf(path, sizeof path, "%s/fresh", rig.fixture->folder);
	snprintf(keys, sizeof keys, "files = { out = { path = '%s/old', mode = 'a' } },",
		 rig.fixture->folder);
	snprintf(
	    file, sizeof file,
	    "local luvd = require 'luvd'\nreturn { name = 'rig', workers = 2, %s service = { start "
	    "= function() end,\nput = function(d) d.files.out:write 'line\\n' luvd.log:info 'put' "
	    "end } }",
	    keys);
	setup(state, file);
	rig.file = sys_open("/dev/null", O_WRONLY, 0);
	rig_start(&rig);
	fresh = sys_open(path, O_RDWR | O_CREAT, 0600);
	rig_say(&rig, &(struct message){.type = MESSAGE_REOPEN}, &fresh, 1);
	say(MESSAGE_SIGNAL, SIGUSR1, 0, "put");
	rig_await_log(&rig, "info put\n");
	assert_int_equal(pread(fresh, text, sizeof text - 1, 0), 5);
	assert_string_equal(text, "line\n");
	rig_say(&rig, &(struct message){.type = MESSAGE_REOPEN, .number = {1}}, &fresh, 1);
	rig_await_log(&rig, "error the monitor's message is refused: files that are not declared");
	sys_close(fresh);
	assert_int_equal(stop_gracefully(), 0);
}

static void status_counts_connections_and_memory(void **state)
{
	struct message message;
	int fd;

	setup(state, FILE_OF(WEB, HELLO));
	rig_listen(&rig);
	rig_start(&rig);
	fd = dial();
	expect_hello(fd);
	say(MESSAGE_STATUS, 17, 0, "");
	message = rig_await(&rig, MESSAGE_LISTENER);
	assert_int_equal(message.number[0], 17);
	assert_int_equal(message.number[1], 0);
	assert_int_equal(message.number[3], 1);
	message = rig_await(&rig, MESSAGE_TOTALS);
	assert_int_equal(message.number[0], 17);
	assert_in_range(message.number[1], 1000, 10 << 20);
	assert_in_range(message.number[4], 100000, 1 << 30);
	close(fd);
	assert_int_equal(stop_gracefully(), 0);
}

static void the_longest_wait_of_the_loop_is_its_lag(void **state)
{
	setup(state,
	      FILE_OF("", "start = function() end, block = function() local t = os.clock() while "
			  "os.clock() - t < 0.05 do end luvd.sleep(0.001) luvd.log:info 'done' "
			  "end"));
	rig_start(&rig);
	say(MESSAGE_SIGNAL, SIGUSR1, 0, "block");
	rig_await_log(&rig, "info done\n");
	say(MESSAGE_STATUS, 1, 0, "");
	assert_in_range(rig_await(&rig, MESSAGE_TOTALS).number[5], 40000, 10000000);
	assert_int_equal(stop_gracefully(), 0);
}

/* All lines of an audit, each of which must say that it holds. */
static const char *audit(void)
{
	static char lines[4096];
	struct message message;

	lines[0] = '\0';
	say(MESSAGE_AUDITS, 5, 0, "");
	do {
		message = rig_await(&rig, MESSAGE_AUDIT);
		assert_int_equal(message.number[0], 5);
		assert_int_equal(message.number[2], 0);
		strcat(strcat(lines, message.text), "\n");
	} while (message.number[1] == 0);
	return lines;
}

static void the_audit_is_read_anew(void **state)
{
	char ids[64];
	const char *lines;

	setup(state, FILE_OF("limits = { core = 0 },", "start = function() end"));
	rig_start(&rig);
	lines = audit();
	snprintf(ids, sizeof ids, "ids: uid %u, gid %u\n", (unsigned)getuid(), (unsigned)getgid());
	assert_non_null(strstr(lines, ids));
	assert_non_null(
	    strstr(lines, "\nno_new_privs: set; core dumps and tracing are forbidden\n"));
	assert_int_equal(stop_gracefully(), 0);
}

static void a_text_that_stops_halfway_is_forgotten(void **state)
{
	struct message message;

	setup(state, FILE_OF(WEB, HELLO));
	rig_listen(&rig);
	rig_start(&rig);
	for (int i = 1; i <= 2 * CONTROL_CLIENTS_MAX; i++)
		say(MESSAGE_EVAL, i, 0, "return 'half of ");
	say(MESSAGE_EVAL, 1000, 0, "return 40 ");
	say(MESSAGE_EVAL, 1000, 1, "+ 2");
	message = rig_await(&rig, MESSAGE_RESULT);
	assert_int_equal(message.number[0], 1000);
	assert_int_equal(message.number[2], 0);
	assert_string_equal(message.text, "42\n");
}

static void a_message_for_somebody_else_is_a_line_of_the_log(void **state)
{
	setup(state, FILE_OF("", "start = function() end"));
	rig_start(&rig);
	say(MESSAGE_READY, 0, 0, "");
	rig_await_log(&rig, "error the monitor's message is refused: it is none for a worker\n");
	assert_int_equal(write(rig.channel, "x", 1), 1);
	rig_await_log(&rig, "error the monitor has sent what is no message\n");
	assert_int_equal(stop_gracefully(), 0);
}

/* --- what it says by itself --- */

static void it_beats_as_often_as_its_watchdog_needs(void **state)
{
	setup(state, FILE_OF("timeouts = { watchdog = '20ms' },", "start = function() end"));
	rig_start(&rig);
	for (int i = 0; i < 3; i++)
		assert_true(rig_await(&rig, MESSAGE_BEAT).number[0] >= 0);
	assert_int_equal(stop_gracefully(), 0);
}

static void it_tells_its_status_and_its_wish_to_stop(void **state)
{
	setup(state, FILE_OF("", "start = function() luvd.status 'fine' end, "
				 "leave = function() luvd.stop(9) end"));
	rig_start(&rig);
	say(MESSAGE_SIGNAL, SIGUSR1, 0, "leave");
	assert_int_equal(rig_await(&rig, MESSAGE_WISH).number[0], 9);
	assert_int_equal(stop_gracefully(), 0);
}

/* More than the channel holds, while nobody reads it. */
#define TELLS_MUCH "for i = 1, 2000 do luvd.status('s' .. i) end "

static void what_it_tells_in_its_start_keeps_it_from_nothing(void **state)
{
	setup(state, FILE_OF("", "start = function() " TELLS_MUCH
				 "luvd.every('10ms', function() luvd.log:info 'it runs' end) end"));
	rig_spawn(&rig);
	rig_await_log(&rig, "it runs");
	rig_await(&rig, MESSAGE_READY);
	assert_int_equal(stop_gracefully(), 0);
}

static void why_it_failed_waits_for_room(void **state)
{
	struct pollfd end = {.events = POLLIN};

	setup(state, FILE_OF("", "start = function() " TELLS_MUCH
				 "luvd.log:info 'told' return nil, 'no database' end"));
	rig_spawn(&rig);
	end.fd = sys_pidfd_open(rig.pid);
	rig_await_log(&rig, "told");
	(void)poll(&end, 1, 200); /* one that does not wait ends */
	sys_close(end.fd);
	assert_string_equal(rig_await(&rig, MESSAGE_FAILED).err.what, "no database");
	assert_int_equal(rig_wait(&rig), 1);
}

/* --- signals, and the monitor's end --- */

static void only_sigterm_means_something_to_it(void **state)
{
	pid_t somebody;

	setup(state, FILE_OF("signals = { USR2 = 'service.no' },",
			     "start = function() end, no = error, stop = function() luvd.log:info "
			     "'stopped' end"));
	rig_start(&rig);
	for (const int *number = (int[]){SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, 0}; *number;
	     number++) {
		char line[64];

		assert_int_equal(kill(rig.pid, *number), 0);
		snprintf(line, sizeof line, "SIG%s from pid %d ", sigabbrev_np(*number),
			 (int)getpid());
		rig_await_log(&rig, line);
	}
	/* From somebody: in the monitor's own name it would mean its end. */
	somebody = fork();
	if (somebody == 0)
		_exit(kill(rig.pid, SIGTERM));
	assert_int_equal(sys_wait(somebody, &(int){0}, 0), somebody);
	rig_await_log(&rig, "info stopped\n");
	assert_int_equal(rig_wait(&rig), 0);
}

static void without_a_channel_it_leaves_at_once(void **state)
{
	int64_t begun;

	setup(state, FILE_OF(WEB, HELLO "stop = function() luvd.sleep '1h' end"));
	rig_listen(&rig);
	rig_start(&rig);
	begun = rig_now();
	sys_close(rig.channel);
	rig.channel = -1;
	assert_int_equal(rig_wait(&rig), -SIGKILL); /* its whole group, itself last */
	assert_in_range(rig_now() - begun, 0, 1500);
}

static void *idle(void *data)
{
	pause();
	return data;
}

/* A monitor of its own, which tells the worker something and is killed, with threads as a real
 * one: the kernel tells of the end of each. */
static void be_a_monitor_that_dies(int out, enum message_type type, const char *text)
{
	pthread_t thread;

	for (int i = 0; i < 3; i++)
		if (pthread_create(&thread, NULL, idle, NULL) != 0)
			_exit(1);
	rig.monitor = getpid();
	rig_start(&rig);
	say(type, 100000, 0, text);
	rig_await_log(&rig, "spins");
	if (write(out, &rig.pid, sizeof rig.pid) != sizeof rig.pid)
		_exit(2);
	kill(getpid(), SIGKILL);
}

#define SPINNER                                                                                    \
	"start = function() end, spin = function() luvd.log:info 'spins' while true do "           \
	"pcall(string.rep, 'x', 1000) end end"

static void lose_the_monitor(enum message_type type, const char *text)
{
	int ends[2], status;
	int64_t begun;
	pid_t monitor;

	assert_int_equal(sys_subreaper(), 0);
	assert_int_equal(sys_pipe(ends), 0);
	monitor = fork();
	if (monitor == 0)
		be_a_monitor_that_dies(ends[1], type, text);
	sys_close(ends[1]);
	assert_int_equal(sys_wait(monitor, &status, 0), monitor);
	begun = rig_now();
	assert_int_equal(status, SIGKILL);
	assert_int_equal(read(ends[0], &rig.pid, sizeof rig.pid), (ssize_t)sizeof rig.pid);
	sys_close(ends[0]);
	assert_int_equal(rig_wait(&rig), -SIGKILL);
	assert_in_range(rig_now() - begun, 400, 1500);
}

static void even_while_lua_spins_it_does_not_outlive_its_monitor(void **state)
{
	setup(state, FILE_OF("", SPINNER));
	lose_the_monitor(MESSAGE_SIGNAL, "spin");
}

/* Not by the signal alone, which would leave what the service has started. */
static void nor_while_it_stops(void **state)
{
	setup(state, FILE_OF("", "start = function() end, stop = function() luvd.log:info 'spins' "
				 "luvd.sleep '1h' end"));
	lose_the_monitor(MESSAGE_STOP, "stop");
}

/* --- with all that root can ask for --- */

/* The folder of the lock and the one it lies in, which the launcher would have made. */
static void make_home(void)
{
	const char *home = rig.fixture->spec->home_folder;

	snprintf(above_home, sizeof above_home, "%.*s", (int)(strrchr(home, '/') - home), home);
	mkdir(above_home, 0755);
	assert_int_equal(mkdir(home, 0711), 0);
}

static void remove_home(void)
{
	assert_int_equal(rmdir(rig.fixture->spec->home_folder), 0);
	rmdir(above_home); /* unless others have theirs there */
}

static void jail(void **state, const char *service)
{
	char text[1024];

	snprintf(
	    text, sizeof text,
	    "local luvd = require 'luvd'\nreturn { name = 'rig%d', workers = 2, user = 'nobody', "
	    "chroot = 'auto', service = { %s } }",
	    (int)getpid(), service);
	setup(state, text);
	make_home();
}

static bool is_root(void)
{
	if (geteuid() == 0)
		return true;
	print_message("needs root\n");
	return false;
}

static void in_a_jail_it_still_knows_what_it_has_become(void **state)
{
	const char *lines;

	if (!is_root())
		skip();
	jail(state, "start = function() end");
	rig_start(&rig);
	remove_home(); /* and with it the proof that no folder is left there */
	lines = audit();
	assert_non_null(strstr(lines, "ids: uid 65534, gid 65534\ngroups: none\n"
				      "capabilities: none; bounding set none\n"));
	assert_non_null(strstr(lines, "\nroot: its own, and no way leads up\n"));
	say(MESSAGE_STATUS, 1, 0, "");
	assert_in_range(rig_await(&rig, MESSAGE_TOTALS).number[4], 100000, 1 << 30);
	assert_int_equal(stop_gracefully(), 0);
}

static void nor_does_another_users_worker(void **state)
{
	if (!is_root())
		skip();
	jail(state, SPINNER);
	lose_the_monitor(MESSAGE_SIGNAL, "spin");
	remove_home();
}

#undef TEST
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(it_tells_each_step_and_that_it_is_ready),
	    TEST(it_serves_on_the_socket_that_it_was_given),
	    TEST(it_knows_who_it_is),
	    TEST(a_start_that_fails_is_told_in_full),
	    TEST(it_is_stopped_before_it_is_ready),
	    TEST(a_list_of_sockets_must_fit_the_bundle),
	    TEST(its_number_must_be_one_of_the_daemons),
	    TEST(a_classic_daemon_has_no_workers),
	    TEST(what_is_no_bundle_is_refused),
	    TEST(a_socket_that_does_not_listen_is_refused),
	    TEST(another_parent_than_the_one_named_is_no_monitor),
	    TEST(stop_has_a_reason_and_a_limit),
	    TEST(stop_now_waits_for_nobody),
	    TEST(a_reload_is_taken_over_or_refused_and_can_be_taken_back),
	    TEST(files_are_opened_anew_behind_the_same_descriptor),
	    TEST(status_counts_connections_and_memory),
	    TEST(the_longest_wait_of_the_loop_is_its_lag),
	    TEST(the_audit_is_read_anew),
	    TEST(a_text_that_stops_halfway_is_forgotten),
	    TEST(a_message_for_somebody_else_is_a_line_of_the_log),
	    TEST(it_beats_as_often_as_its_watchdog_needs),
	    TEST(it_tells_its_status_and_its_wish_to_stop),
	    TEST(what_it_tells_in_its_start_keeps_it_from_nothing),
	    TEST(why_it_failed_waits_for_room),
	    TEST(only_sigterm_means_something_to_it),
	    TEST(without_a_channel_it_leaves_at_once),
	    TEST(even_while_lua_spins_it_does_not_outlive_its_monitor),
	    TEST(in_a_jail_it_still_knows_what_it_has_become),
	    TEST(nor_while_it_stops),
	    TEST(nor_does_another_users_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
