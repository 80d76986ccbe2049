#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "host/log.h"
#include "plan/sink.h"

/* A daemon with a folder of its own, and a log that writes to folder/log unless a test says
 * otherwise. */
struct world {
	char folder[64], path[96], moved[96];
	struct spec spec;
	struct daemon daemon;
	struct log *log;
};

/* Instead of plan/sink.c: a file, or what the test prepared. */
int sink_reopen(const struct daemon *daemon, struct sink *sink, struct err *err)
{
	sink->kind = SINK_FILE;
	sink->fd = open(daemon->spec->log.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (sink->fd < 0)
		return err_sys(err, "cannot open '%s'", daemon->spec->log.path);
	return 0;
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	struct err err;

	strcpy(world->folder, "/tmp/log-test-XXXXXX");
	if (!mkdtemp(world->folder))
		return -1;
	snprintf(world->path, sizeof world->path, "%s/log", world->folder);
	snprintf(world->moved, sizeof world->moved, "%s/log.1", world->folder);
	world->spec.name = strdup("echo");
	world->spec.log.level = LEVEL_INFO;
	world->spec.log.path = world->path;
	world->spec.log.facility = LOG_DAEMON;
	world->daemon.spec = &world->spec;
	world->daemon.pid = 4711;
	world->daemon.output_fd = -1;
	*state = world;
	return sink_reopen(&world->daemon, &world->daemon.sink, &err);
}

static int teardown(void **state)
{
	struct world *world = *state;

	log_destroy(world->log);
	close(world->daemon.sink.fd);
	unlink(world->path);
	unlink(world->moved);
	free(world->spec.name);
	if (rmdir(world->folder) < 0)
		return -1;
	free(world);
	return 0;
}

static void create(struct world *world)
{
	struct err err = {0};

	world->log = log_create(&world->daemon, &err);
	assert_non_null(world->log);
}

static void start(struct world *world)
{
	struct err err = {0};

	create(world);
	assert_int_equal(log_start(world->log, &err), 0);
}

static void finish(struct world *world)
{
	log_finish(world->log, 10000);
	log_destroy(world->log);
	world->log = NULL;
}

static void say(struct world *world, const char *text)
{
	log_write(world->log, LEVEL_INFO, text, strlen(text), NULL, 0);
}

/* The messages of a log file, without time and name; freed by the caller. */
static char *messages_of(const char *path)
{
	static const char head[] = "2026-11-22T13:40:05.123Z info  echo[4711]: ";
	char *text = NULL, *line = NULL;
	size_t length, size = 0;
	FILE *out = open_memstream(&text, &length);
	FILE *in = fopen(path, "r");

	while (in && getline(&line, &size, in) > 0)
		fputs(strncmp(line, "20", 2) == 0 ? line + strlen(head) : line, out);
	if (in)
		fclose(in);
	free(line);
	fclose(out);
	return text;
}

static void assert_file(const char *path, const char *expected)
{
	char *text = messages_of(path);

	assert_string_equal(text, expected);
	free(text);
}

/* --- files --- */

static void test_lines_are_written_at_once_before_the_thread_runs(void **state)
{
	struct world *world = *state;

	create(world);
	say(world, "one");
	assert_file(world->path, "one\n");
}

static void test_lines_keep_their_order_through_the_thread(void **state)
{
	struct world *world = *state;
	char expected[4096] = "", text[16];

	start(world);
	for (int i = 0; i < 300; i++) {
		snprintf(text, sizeof text, "line %d", i);
		say(world, text);
		strcat(strcat(expected, text), "\n");
	}
	finish(world);
	assert_file(world->path, expected);
}

static void test_lines_below_the_level_are_left_out(void **state)
{
	struct world *world = *state;

	create(world);
	log_printf(world->log, LEVEL_DEBUG, "hidden");
	log_set_level(world->log, LEVEL_DEBUG);
	log_printf(world->log, LEVEL_DEBUG, "shown %d", 1);
	assert_file(world->path, "shown 1\n");
}

static void test_an_error_is_logged_as_its_sentence(void **state)
{
	struct world *world = *state;
	struct err err = {.step = "chroot", .code = EPERM, .what = "cannot enter '/srv'"};

	create(world);
	log_err(world->log, LEVEL_ERROR, &err);
	assert_file(world->path, "chroot: cannot enter '/srv': operation not permitted\n");
}

static void test_a_line_whose_escapes_explode_stays_bounded(void **state)
{
	struct world *world = *state;
	static char bytes[200000];
	struct stat file;

	memset(bytes, 1, sizeof bytes);
	world->spec.log.json = true;
	create(world);
	log_write(world->log, LEVEL_INFO, bytes, sizeof bytes, NULL, 0);
	assert_int_equal(stat(world->path, &file), 0);
	assert_true(file.st_size > 8000 && file.st_size <= 32768);
}

static void test_reopen_follows_a_rotation(void **state)
{
	struct world *world = *state;
	struct err err = {0};

	start(world);
	say(world, "old");
	finish(world);
	create(world);
	assert_int_equal(rename(world->path, world->moved), 0);
	say(world, "still old");
	assert_int_equal(log_reopen(world->log, &err), 0);
	say(world, "new");
	assert_file(world->moved, "old\nstill old\n");
	assert_file(world->path, "new\n");
}

static void test_a_reopen_that_fails_keeps_the_old_file(void **state)
{
	struct world *world = *state;
	struct err err = {0};

	create(world);
	world->spec.log.path = world->folder; /* a folder cannot be written to */
	assert_int_equal(log_reopen(world->log, &err), -1);
	assert_int_equal(err.code, EISDIR);
	say(world, "old");
	assert_file(world->path, "old\n");
}

/* --- sinks that refuse --- */

static void test_a_full_device_loses_lines_and_a_later_reopen_says_how_many(void **state)
{
	struct world *world = *state;
	struct err err = {0};

	close(world->daemon.sink.fd);
	world->daemon.sink.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	create(world);
	for (int i = 0; i < 3; i++)
		say(world, "lost");
	assert_int_equal(log_reopen(world->log, &err), 0);
	say(world, "kept");
	assert_file(world->path, "3 lines were lost: no space left on device\nkept\n");
}

/* A limit on the size of files is a disk that is full in the middle of a line. */
static void test_a_torn_line_does_not_swallow_the_next(void **state)
{
	struct world *world = *state;
	struct rlimit before, small;

	create(world);
	say(world, "whole");
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = strlen("2026-11-22T13:40:05.123Z info  echo[4711]: whole\n") + 47;
	setrlimit(RLIMIT_FSIZE, &small);
	say(world, "torn line");
	say(world, "lost");
	setrlimit(RLIMIT_FSIZE, &before);
	say(world, "kept");
	signal(SIGXFSZ, SIG_DFL);
	assert_file(world->path, "whole\ntorn\n2 lines were lost: file too large\nkept\n");
}

static void test_a_reader_that_is_gone_does_not_kill(void **state)
{
	struct world *world = *state;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	close(world->daemon.sink.fd);
	world->daemon.sink.fd = ends[1];
	start(world);
	say(world, "lost");
	finish(world);
}

/* --- a reader that does not read --- */

struct count {
	uint64_t lines, lost;
	size_t have;
	char bytes[65536];
};

static void count_line(struct count *count, const char *line)
{
	unsigned long long lost;

	if (sscanf(line, "%*s %*s echo[4711]: %llu lines were lost", &lost) == 1)
		count->lost += lost;
	else
		count->lines++;
}

static void count_lines(struct count *count)
{
	char *start = count->bytes, *end;

	while ((end = memchr(start, '\n', (size_t)(count->bytes + count->have - start)))) {
		*end = 0;
		count_line(count, start);
		start = end + 1;
	}
	count->have -= (size_t)(start - count->bytes);
	memmove(count->bytes, start, count->have);
}

static void count_until(int fd, struct count *count, uint64_t total)
{
	while (count->lines + count->lost < total) {
		struct pollfd readable = {.fd = fd, .events = POLLIN};
		ssize_t n;

		assert_int_equal(poll(&readable, 1, 10000), 1);
		n = read(fd, count->bytes + count->have, sizeof count->bytes - count->have);
		assert_true(n > 0);
		count->have += (size_t)n;
		count_lines(count);
	}
}

enum { TEN_MIB_OF_LINES = 10240 };

static void write_ten_mib(struct world *world)
{
	char kib[1024];

	memset(kib, 'x', sizeof kib);
	for (int i = 0; i < TEN_MIB_OF_LINES; i++) {
		kib[snprintf(kib, sizeof kib, "x%d", i)] = 'x'; /* no line is the one before */
		log_write(world->log, LEVEL_INFO, kib, sizeof kib, NULL, 0);
	}
}

static void with_ends(struct world *world, int ends[2])
{
	static struct count count;

	count = (struct count){0};
	close(world->daemon.sink.fd);
	world->daemon.sink.fd = ends[1];
	start(world);
	write_ten_mib(world);
	count_until(ends[0], &count, TEN_MIB_OF_LINES);
	assert_int_equal(count.lines + count.lost, TEN_MIB_OF_LINES);
	assert_true(count.lines > 500); /* a queue of a MiB */
	assert_true(count.lost > 0);
	say(world, "again");
	count_until(ends[0], &count, TEN_MIB_OF_LINES + 1);
	finish(world);
	close(ends[0]);
}

static void test_a_pipe_that_nobody_reads_does_not_block(void **state)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	with_ends(*state, ends);
}

static void test_a_socket_that_nobody_reads_does_not_block(void **state)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	with_ends(*state, ends);
}

static void test_before_the_thread_runs_a_full_pipe_does_not_block_either(void **state)
{
	struct world *world = *state;
	static struct count count;
	int ends[2];

	count = (struct count){0};
	assert_int_equal(pipe(ends), 0);
	close(world->daemon.sink.fd);
	world->daemon.sink.fd = ends[1];
	create(world);
	write_ten_mib(world);
	log_start(world->log, NULL);
	count_until(ends[0], &count, TEN_MIB_OF_LINES);
	finish(world);
	close(ends[0]);
}

static void test_finish_does_not_wait_for_a_reader_that_does_not_read(void **state)
{
	struct world *world = *state;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	close(world->daemon.sink.fd);
	world->daemon.sink.fd = ends[1];
	start(world);
	write_ten_mib(world);
	log_finish(world->log, 50);
	close(ends[0]);
}

/* --- what the process itself writes --- */

static void test_what_the_process_writes_becomes_lines(void **state)
{
	struct world *world = *state;
	char line[6001], expected[8192];
	int ends[2];

	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 1] = 0;
	assert_int_equal(pipe(ends), 0);
	world->daemon.output_fd = ends[0];
	world->spec.log.level = LEVEL_ERROR; /* they are shown at any level */
	start(world);
	dprintf(ends[1], "one\n\ntwo\x1b\n%s\nno newline", line);
	finish(world);
	close(ends[0]);
	close(ends[1]);
	snprintf(expected, sizeof expected,
		 "one stream=output\ntwo\\x1b stream=output\n%.4096s stream=output\n"
		 "%.1904s stream=output\nno newline stream=output\n",
		 line, line);
	assert_file(world->path, expected);
}

/* --- lines that repeat --- */

static void test_a_line_that_repeats_is_written_once_and_counted(void **state)
{
	struct world *world = *state;
	struct log_field field = {"n", true, "1", 1};

	start(world);
	for (int i = 0; i < 1000; i++)
		say(world, "again");
	log_write(world->log, LEVEL_INFO, "again", 5, &field, 1);
	log_write(world->log, LEVEL_WARN, "again", 5, &field, 1);
	log_write(world->log, LEVEL_WARN, "again", 5, &field, 1);
	log_write(world->log, LEVEL_DEBUG, "hidden", 6, NULL, 0);
	log_write(world->log, LEVEL_WARN, "again", 5, &field, 1);
	say(world, "other");
	say(world, "other");
	finish(world);
	assert_file(world->path, "again\nlast message repeated count=999\nagain n=1\n"
				 "again n=1\nlast message repeated count=2\n"
				 "other\nlast message repeated count=1\n");
}

static void test_repeats_have_the_level_of_what_repeats(void **state)
{
	struct world *world = *state;
	uint64_t position = 0, lost;
	char bytes[1024];

	start(world);
	for (int i = 0; i < 3; i++)
		log_printf(world->log, LEVEL_ERROR, "bad");
	say(world, "end");
	bytes[log_read(world->log, &position, bytes, sizeof bytes - 1, &lost)] = 0;
	finish(world);
	assert_non_null(strstr(bytes, "error echo[4711]: bad\n"));
	assert_non_null(strstr(bytes, "error echo[4711]: last message repeated count=2\n"));
}

static void test_what_the_process_repeats_is_counted_too(void **state)
{
	struct world *world = *state;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	world->daemon.output_fd = ends[0];
	start(world);
	for (int i = 0; i < 5; i++)
		dprintf(ends[1], "warning\n");
	finish(world);
	close(ends[0]);
	close(ends[1]);
	assert_file(world->path, "warning stream=output\nlast message repeated count=4\n");
}

static void tell_reader(void *data)
{
	(void)!write(*(int *)data, "", 1);
}

/* The one test that takes the window's ten seconds: nothing but time ends it. */
static void test_the_count_comes_when_the_window_ends(void **state)
{
	struct world *world = *state;
	uint64_t position = 0, lost;
	char bytes[1024];
	struct pollfd readable = {.events = POLLIN};
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	start(world);
	say(world, "again");
	say(world, "again");
	log_on_line(world->log, tell_reader, &ends[1]);
	readable.fd = ends[0];
	assert_int_equal(poll(&readable, 1, 20000), 1);
	log_on_line(world->log, NULL, NULL);
	say(world, "again");
	bytes[log_read(world->log, &position, bytes, sizeof bytes - 1, &lost)] = 0;
	finish(world);
	close(ends[0]);
	close(ends[1]);
	assert_non_null(strstr(bytes, "last message repeated count=1\n"));
	assert_file(world->path, "again\nlast message repeated count=1\nagain\n");
}

/* --- datagrams --- */

static int bind_at(const char *path, struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(address->sun_path, sizeof address->sun_path, "%s", path);
	unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)address, sizeof *address), 0);
	return fd;
}

static void assert_datagram(int fd, const char *head, const char *tail)
{
	char bytes[512];
	ssize_t n = recv(fd, bytes, sizeof bytes - 1, MSG_DONTWAIT);

	assert_true(n > 0);
	bytes[n] = 0;
	assert_memory_equal(bytes, head, strlen(head));
	assert_true((size_t)n > strlen(tail));
	assert_string_equal(bytes + n - strlen(tail), tail);
}

static void to_datagrams(struct world *world, enum sink_kind kind, struct sockaddr_un *address)
{
	close(world->daemon.sink.fd);
	world->daemon.sink.kind = kind;
	world->daemon.sink.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    connect(world->daemon.sink.fd, (struct sockaddr *)address, sizeof *address), 0);
	create(world);
}

static void test_syslog_gets_a_datagram_a_line_and_may_be_started_anew(void **state)
{
	struct world *world = *state;
	struct sockaddr_un address;
	int fd = bind_at(world->path, &address);

	to_datagrams(world, SINK_SYSLOG, &address);
	say(world, "one\ntwo");
	assert_datagram(fd, "<30>", " echo[4711]: one");
	assert_datagram(fd, "<30>", " echo[4711]:     two");
	close(fd);
	say(world, "lost");
	fd = bind_at(world->path, &address);
	say(world, "back");
	assert_datagram(fd, "<28>", " echo[4711]: 1 line was lost: connection refused");
	assert_datagram(fd, "<30>", " echo[4711]: back");
	close(fd);
}

static void test_the_journal_gets_one_datagram_for_a_traceback(void **state)
{
	struct world *world = *state;
	struct sockaddr_un address;
	int fd = bind_at(world->path, &address);

	to_datagrams(world, SINK_JOURNAL, &address);
	say(world, "one\ntwo");
	assert_datagram(fd, "PRIORITY=6\nSYSLOG_IDENTIFIER=echo\n", "one\ntwo\n");
	close(fd);
}

/* --- luvd logs --- */

static void count_call(void *data)
{
	++*(int *)data;
}

static void test_the_last_lines_are_kept_and_followers_are_told(void **state)
{
	struct world *world = *state;
	uint64_t position = 0, lost;
	char bytes[1024];
	int told = 0;

	create(world);
	log_on_line(world->log, count_call, &told);
	say(world, "one");
	position = log_next(world->log);
	say(world, "two");
	log_on_line(world->log, NULL, NULL);
	say(world, "three");
	assert_int_equal(told, 2);
	bytes[log_read(world->log, &position, bytes, sizeof bytes - 1, &lost)] = 0;
	assert_int_equal(lost, 0);
	assert_non_null(strstr(bytes, "two\n"));
	assert_non_null(strstr(bytes, "three\n"));
	assert_null(strstr(bytes, "one\n"));
}

static void test_the_kept_lines_are_text_whatever_the_sink(void **state)
{
	struct world *world = *state;
	struct sockaddr_un address;
	uint64_t position = 0, lost;
	char bytes[1024];
	int fd = bind_at(world->path, &address);

	to_datagrams(world, SINK_JOURNAL, &address);
	say(world, "one");
	bytes[log_read(world->log, &position, bytes, sizeof bytes - 1, &lost)] = 0;
	assert_non_null(strstr(bytes, "info  echo[4711]: one\n"));
	close(fd);
}

/* --- crashes --- */

static void die(struct world *world, bool flood)
{
	struct rlimit none = {0, 0};
	int ends[2];

	setrlimit(RLIMIT_CORE, &none);
	signal(SIGABRT, SIG_DFL);
	if (pipe(ends) < 0)
		_exit(1);
	world->daemon.output_fd = ends[0];
	world->log = log_create(&world->daemon, NULL);
	if (!world->log || log_start(world->log, NULL) < 0)
		_exit(1);
	for (int i = 0; flood && i < 200; i++)
		log_printf(world->log, LEVEL_INFO, "line %d of the flood", i);
	dprintf(ends[1], "free(): invalid pointer\n");
	abort();
}

static void assert_dies(struct world *world, bool flood)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		die(world, flood);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void test_the_last_words_of_a_crash_are_not_lost(void **state)
{
	struct world *world = *state;

	assert_dies(world, false);
	assert_file(world->path, "free(): invalid pointer stream=output\ndied from signal 6\n");
}

static void test_a_crash_does_not_lose_the_count_of_repeats(void **state)
{
	struct world *world = *state;
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		struct rlimit none = {0, 0};

		setrlimit(RLIMIT_CORE, &none);
		signal(SIGABRT, SIG_DFL);
		world->log = log_create(&world->daemon, NULL);
		if (!world->log || log_start(world->log, NULL) < 0)
			_exit(1);
		for (int i = 0; i < 4; i++)
			say(world, "again");
		abort();
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_file(world->path, "again\nlast message repeated count=3\ndied from signal 6\n");
}

static void test_a_crash_does_not_lose_what_was_logged_before(void **state)
{
	struct world *world = *state;
	char *text;
	int floods = 0;

	assert_dies(world, true);
	text = messages_of(world->path);
	for (const char *p = text; (p = strstr(p, " of the flood\n")); p++)
		floods++;
	assert_int_equal(floods, 200);
	assert_non_null(strstr(text, "free(): invalid pointer"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	    TEST(lines_are_written_at_once_before_the_thread_runs),
	    TEST(lines_keep_their_order_through_the_thread),
	    TEST(lines_below_the_level_are_left_out),
	    TEST(an_error_is_logged_as_its_sentence),
	    TEST(a_line_whose_escapes_explode_stays_bounded),
	    TEST(reopen_follows_a_rotation),
	    TEST(a_reopen_that_fails_keeps_the_old_file),
	    TEST(a_full_device_loses_lines_and_a_later_reopen_says_how_many),
	    TEST(a_torn_line_does_not_swallow_the_next),
	    TEST(a_reader_that_is_gone_does_not_kill),
	    TEST(a_pipe_that_nobody_reads_does_not_block),
	    TEST(a_socket_that_nobody_reads_does_not_block),
	    TEST(before_the_thread_runs_a_full_pipe_does_not_block_either),
	    TEST(finish_does_not_wait_for_a_reader_that_does_not_read),
	    TEST(what_the_process_writes_becomes_lines),
	    TEST(a_line_that_repeats_is_written_once_and_counted),
	    TEST(repeats_have_the_level_of_what_repeats),
	    TEST(what_the_process_repeats_is_counted_too),
	    TEST(the_count_comes_when_the_window_ends),
	    TEST(syslog_gets_a_datagram_a_line_and_may_be_started_anew),
	    TEST(the_journal_gets_one_datagram_for_a_traceback),
	    TEST(the_last_lines_are_kept_and_followers_are_told),
	    TEST(the_kept_lines_are_text_whatever_the_sink),
	    TEST(the_last_words_of_a_crash_are_not_lost),
	    TEST(a_crash_does_not_lose_the_count_of_repeats),
	    TEST(a_crash_does_not_lose_what_was_logged_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
