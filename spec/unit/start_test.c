#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plan/plan.h"
#include "plan/record.h"
#include "scratch.h"
#include "sys/sys.h"

/* The whole plan against the real kernel, in a child that ends with what it has found: 0, or a
 * sentence in the pipe. */

enum { ALL = LAUNCH | MONITOR | WORKER };

static struct sample sample;
static int report; /* of the child */
static const char *base;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void say(const char *format, ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (write(report, text, strlen(text)) < 0)
		_exit(2);
	_exit(1);
}

static void take_all(void)
{
	struct plan plan;
	struct err err;
	char text[ERR_TEXT_MAX];

	plan_make(&plan, &sample.daemon, ALL);
	/* The pipe of the test must survive; the rest of context is taken as it is. */
	sample.daemon.machine.notify_fd = report;
	if (plan_apply(&plan, &sample.daemon, &err) != 0)
		say("%s", err_text(&err, text, sizeof text));
}

/* Runs body in a child; fails the test with what it says. */
static void in_child(void (*body)(void))
{
	char text[2048] = "";
	size_t used = 0;
	int ends[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		report = ends[1];
		body();
		_exit(0);
	}
	close(ends[1]);
	while ((n = read(ends[0], text + used, sizeof text - 1 - used)) > 0)
		used += (size_t)n;
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("status %x: %s", (unsigned)status, text);
}

static int make_scratch(void **state)
{
	(void)state;
	base = scratch_make();
	return 0;
}

static int remove_scratch(void **state)
{
	(void)state;
	scratch_remove();
	return 0;
}

static void need_root(void)
{
	if (geteuid() != 0) {
		print_message("needs root\n");
		skip();
	}
}

/* --- hello --- */

static void make_hello(void)
{
	sample_hello(&sample, geteuid() == 0);
	snprintf(sample.home, sizeof sample.home, "%s", scratch_path("run/luvd/hello"));
	snprintf(sample.control, sizeof sample.control, "%s",
		 scratch_path("run/luvd/hello/control"));
	snprintf(sample.log, sizeof sample.log, "%s", scratch_path("var/log/hello.log"));
	sample.spec.listen_count = 0;
	free(sample.addresses[0].text);
	sample_listen(&sample, "web", "127.0.0.1", 0);
	scratch_probe(&sample);
}

static void hello_body(void)
{
	struct record record;
	struct err err = {0};

	make_hello();
	take_all();
	if (record_read(sample.home, &record, &err) < 0)
		say("%s", err.what);
	if (record.pid != getpid() || !record_is_alive(&record) ||
	    record_lock_held(sample.home) != 1)
		say("the record or the lock is wrong");
	if (strncmp(sample.daemon.listeners[0].actual, "tcp://127.0.0.1:", 16) != 0 ||
	    strcmp(sample.daemon.listeners[0].actual, "tcp://127.0.0.1:0") == 0)
		say("actual is %s", sample.daemon.listeners[0].actual);
	record_finish(&record);
	sample_finish(&sample);
}

static void hello_starts_as_whoever_we_are(void **state)
{
	(void)state;
	in_child(hello_body);
	assert_true(scratch_has("run/luvd/hello/record"));
}

static void loser_body(void)
{
	struct plan plan;
	struct err err;
	char text[ERR_TEXT_MAX], expected[64];

	sample.daemon.notify_fd = -1; /* the pipe of the test */
	sample_finish(&sample);       /* the copy of the first one's, which keeps its lock */
	make_hello();
	plan_make(&plan, &sample.daemon, ALL);
	sample.daemon.machine.notify_fd = report;
	if (plan_apply(&plan, &sample.daemon, &err) != -1 || err.exit != EXIT_RUNNING)
		say("a second one has started");
	snprintf(expected, sizeof expected, "hello: already running, pid %d", (int)getppid());
	if (strcmp(err_text(&err, text, sizeof text), expected) != 0)
		say("%s", text);
	plan_undo(&plan, &sample.daemon);
	sample_finish(&sample);
}

/* The first one forks the second: its parent is whom the message must name. */
static void two_body(void)
{
	int status;
	pid_t pid;

	make_hello();
	take_all();
	pid = fork();
	if (pid == 0) {
		loser_body();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (status != 0)
		_exit(3);
	if (record_lock_held(sample.home) != 1 || !scratch_has("run/luvd/hello/control"))
		say("the loser has touched something");
	sample_finish(&sample);
}

static void a_second_start_is_told_who_runs(void **state)
{
	(void)state;
	in_child(two_body);
}

static void clean_body(void)
{
	struct record record;
	struct err err = {0};

	if (record_read(scratch_path("run/luvd/hello"), &record, &err) < 0)
		say("%s", err.what);
	if (record_is_alive(&record) || record_lock_held(scratch_path("run/luvd/hello")) != 0)
		say("it is not dead");
	if (record_clean(scratch_path("run/luvd/hello"), &record, &err) < 0)
		say("%s", err.what);
	record_finish(&record);
}

static void what_a_dead_daemon_left_can_be_cleaned(void **state)
{
	(void)state;
	in_child(hello_body); /* ends without undoing anything */
	in_child(clean_body);
	assert_false(scratch_has("run/luvd/hello"));
}

/* --- many at once --- */

enum { STARTS = 40 };

static void one_of_many_body(void)
{
	struct plan plan;
	struct err err;
	char byte;
	int result;

	make_hello();
	sample.spec.listen_count = 0;
	plan_make(&plan, &sample.daemon, LAUNCH | MONITOR);
	sample.daemon.machine.notify_fd = report;
	result = plan_apply(&plan, &sample.daemon, &err);
	/* 'W' for the winner, who holds on until all have been seen; 'L' for a loser. */
	byte = result == 0 ? 'W' : err.exit == EXIT_RUNNING ? 'L' : 'E';
	if (write(report, &byte, 1) != 1)
		_exit(1);
	if (result != 0)
		plan_undo(&plan, &sample.daemon);
	else
		pause();
	sample_finish(&sample);
}

static void of_many_starts_at_once_one_wins(void **state)
{
	int ends[2], winners = 0, losers = 0;
	pid_t pids[STARTS];
	char byte;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	for (int i = 0; i < STARTS; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			close(ends[0]);
			report = ends[1];
			one_of_many_body();
			_exit(0);
		}
	}
	close(ends[1]);
	for (int i = 0; i < STARTS; i++) {
		assert_int_equal(read(ends[0], &byte, 1), 1);
		winners += byte == 'W';
		losers += byte == 'L';
	}
	close(ends[0]);
	for (int i = 0; i < STARTS; i++)
		kill(pids[i], SIGKILL);
	for (int i = 0; i < STARTS; i++)
		waitpid(pids[i], NULL, 0);
	assert_int_equal(winners, 1);
	assert_int_equal(losers, STARTS - 1);
}

/* --- jail --- */

static void make_jail(void)
{
	sample_jail(&sample, base);
	free(sample.addresses[0].text);
	free(sample.addresses[1].text);
	sample.spec.listen_count = 0;
	sample_listen(&sample, "web", "127.0.0.1", 0);
	sample_unix(&sample, "local", scratch_path("run/jail.sock"));
	sample.daemon.background = false;
	sample.spec.log.to = SINK_FILE;
	sample.limits[0] = (struct limit){(char *)"core", RLIMIT_CORE, 0}; /* valgrind: no nofile */
	scratch_probe(&sample);
}

static void hostile(void)
{
	const gid_t groups[] = {4, 24, 46};
	sigset_t set;

	if (setgroups(3, groups) < 0)
		say("cannot be hostile");
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGTERM, SIG_IGN);
	umask(0);
	if (dup2(open("/etc/shadow", O_RDONLY), 50) < 0)
		say("cannot be hostile");
}

static void jail_body(void)
{
	hostile();
	make_jail();
	take_all();
	if (getuid() != 65534 || getgid() != 65534 || setuid(0) == 0)
		say("still root");
	if (access("/etc/passwd", F_OK) == 0 || mkdir("/x", 0700) == 0)
		say("not in an empty root");
	if (fcntl(50, F_GETFD) >= 0)
		say("the launcher's descriptor is left");
	sample_finish(&sample);
}

static void a_jail_confines_a_hostile_launchers_daemon(void **state)
{
	struct stat stat;
	char text[32] = "";
	FILE *file;

	(void)state;
	need_root();
	in_child(jail_body);
	file = fopen(scratch_path("run/jail.pid"), "r");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof text, file));
	fclose(file);
	assert_true(atoi(text) > 1);
	assert_int_equal(lstat(scratch_path("run/jail.pid"), &stat), 0);
	assert_int_equal(stat.st_mode & 07777, 0644);
	assert_int_equal(stat.st_uid, 0);
	assert_int_equal(lstat(scratch_path("var/lib/jail"), &stat), 0);
	assert_int_equal(stat.st_mode & 07777, 0750);
	assert_int_equal(stat.st_uid, 65534);
	assert_int_equal(lstat(scratch_path("run/jail.sock"), &stat), 0);
	assert_int_equal(stat.st_mode & 07777, 0666);
	assert_int_equal(lstat(scratch_path("run/luvd/jail"), &stat), 0);
	assert_int_equal(stat.st_mode & 07777, 0711);
	assert_false(scratch_has("run/luvd/jail/root"));
	assert_false(scratch_has("run/~ail.sock"));
}

static void failing_body(void)
{
	struct plan plan;
	struct err err;
	char text[ERR_TEXT_MAX];

	make_jail();
	sample.spec.chroot_auto = false;
	sample.spec.chroot = (char *)"/no/such/root";
	plan_make(&plan, &sample.daemon, ALL);
	sample.daemon.machine.notify_fd = report;
	if (plan_apply(&plan, &sample.daemon, &err) != -1)
		say("it has started");
	if (strcmp(err_text(&err, text, sizeof text),
		   "jail.lua:1: chroot: cannot make '/no/such/root' the root: "
		   "no such file or directory") != 0)
		say("%s", text);
	plan_undo(&plan, &sample.daemon);
	sample_finish(&sample);
}

static void a_failed_start_leaves_nothing(void **state)
{
	(void)state;
	need_root();
	in_child(failing_body);
	assert_int_equal(rmdir(scratch_path("run")), 0);
	assert_int_equal(rmdir(scratch_path("var/log")), 0);
	assert_int_equal(rmdir(scratch_path("var/lib")), 0);
}

/* --- detaching --- */

static void detach_body(void)
{
	struct plan plan;
	struct err err;
	char byte;
	int result, status;

	make_hello();
	sample.daemon.background = true;
	plan_make(&plan, &sample.daemon, ALL);
	sample.daemon.machine.notify_fd = report;
	result = plan_apply(&plan, &sample.daemon, &err);
	if (result == STEP_LEAVE) {
		/* The launcher: the daemon is its child now, and tells it its pid by its end. */
		if (read(sample.daemon.channel_fd, &byte, 1) != 1 || byte != 'R')
			say("no word from the daemon");
		if (wait(&status) < 0 || status != 0)
			say("the daemon is not ours, or failed");
		sample_finish(&sample);
		_exit(0);
	}
	byte = result == 0 && getsid(0) != getpid() && getppid() != 1 ? 'R' : 'F';
	if (write(sample.daemon.channel_fd, &byte, 1) != 1)
		_exit(1);
	sample_finish(&sample);
	_exit(byte == 'R' ? 0 : 1);
}

static void the_launcher_can_wait_for_the_detached_daemon(void **state)
{
	(void)state;
	in_child(detach_body);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_scratch, remove_scratch)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(hello_starts_as_whoever_we_are),
	    TEST(a_second_start_is_told_who_runs),
	    TEST(what_a_dead_daemon_left_can_be_cleaned),
	    TEST(of_many_starts_at_once_one_wins),
	    TEST(a_jail_confines_a_hostile_launchers_daemon),
	    TEST(a_failed_start_leaves_nothing),
	    TEST(the_launcher_can_wait_for_the_detached_daemon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
