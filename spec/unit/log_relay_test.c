#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "host/log.h"
#include "host/queue.h"
#include "host/relay.h"
#include "plan/sink.h"

enum { WORKERS = 8 };

/* A worker: its log, and where the monitor reads. */
struct worker {
	struct daemon daemon;
	struct log *log;
	int relay[2], output[2];
	int source;
};

/* A monitor with a log in a file of its own, and its workers. */
struct world {
	char folder[64], path[96], moved[96];
	struct spec spec;
	struct daemon daemon;
	struct log *log;
	struct worker workers[WORKERS];
};

/* Instead of plan/sink.c. */
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

	signal(SIGPIPE, SIG_IGN);
	strcpy(world->folder, "/tmp/log-relay-test-XXXXXX");
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
	for (int i = 0; i < WORKERS; i++) {
		struct worker *worker = &world->workers[i];

		worker->source = -1;
		worker->relay[0] = worker->relay[1] = worker->output[0] = worker->output[1] = -1;
	}
	*state = world;
	return sink_reopen(&world->daemon, &world->daemon.sink, &err);
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int teardown(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < WORKERS; i++) {
		log_destroy(world->workers[i].log);
		shut(&world->workers[i].relay[1]);
		shut(&world->workers[i].output[1]);
	}
	log_finish(world->log, 10000);
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

static void start(struct world *world)
{
	struct err err = {0};

	world->log = log_create(&world->daemon, &err);
	assert_non_null(world->log);
	assert_int_equal(log_start(world->log, &err), 0);
}

/* Everything is in the file then. */
static void finish(struct world *world)
{
	log_finish(world->log, 10000);
	log_destroy(world->log);
	world->log = NULL;
}

/* Worker i has pid 100 + i. */
static struct worker *employ(struct world *world, int i)
{
	struct worker *worker = &world->workers[i];
	struct err err = {0};

	assert_int_equal(pipe2(worker->relay, O_CLOEXEC), 0);
	assert_int_equal(pipe2(worker->output, O_CLOEXEC), 0);
	worker->daemon.spec = &world->spec;
	worker->daemon.relay_fd = worker->relay[1];
	worker->daemon.output_fd = -1;
	worker->log = log_create_relay(&worker->daemon, &err);
	assert_non_null(worker->log);
	worker->source =
	    log_source_add(world->log, 100 + i, worker->relay[0], worker->output[0], &err);
	assert_true(worker->source >= 0);
	return worker;
}

static void leave(struct worker *worker)
{
	shut(&worker->relay[1]);
	shut(&worker->output[1]);
}

static void end(struct world *world, struct worker *worker, char *text, size_t size)
{
	leave(worker);
	log_source_end(world->log, worker->source, text, size);
	worker->source = -1;
}

static void say(struct log *log, const char *text)
{
	log_write(log, LEVEL_INFO, text, strlen(text), NULL, 0);
}

static char *slurp(const char *path)
{
	char *text = NULL, chunk[4096];
	size_t length, n;
	FILE *out = open_memstream(&text, &length);
	FILE *in = fopen(path, "r");

	while (in && (n = fread(chunk, 1, sizeof chunk, in)) > 0)
		fwrite(chunk, 1, n, out);
	if (in)
		fclose(in);
	fclose(out);
	return text;
}

static void assert_in(const char *text, const char *expected)
{
	if (!strstr(text, expected))
		fail_msg("no '%s' in:\n%s", expected, text);
}

/* The file's lines without their times. */
static void assert_file(const char *path, const char *expected)
{
	char *text = slurp(path), *seen = calloc(1, strlen(text) + 1);

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		strcat(strcat(seen, line + strlen("2026-11-22T13:40:05.123Z ")), "\n");
	assert_string_equal(seen, expected);
	free(text);
	free(seen);
}

/* --- lines --- */

static void test_lines_of_workers_have_their_pids(void **state)
{
	struct world *world = *state;
	struct worker *one, *two;
	struct log_field field = {"n", true, "17", 2};

	start(world);
	one = employ(world, 1);
	two = employ(world, 2);
	log_write(one->log, LEVEL_WARN, "first", 5, &field, 1);
	end(world, one, NULL, 0);
	say(two->log, "second");
	end(world, two, NULL, 0);
	say(world->log, "own");
	finish(world);
	assert_file(world->path, "warn  echo[101]: first n=17\ninfo  echo[102]: second\n"
				 "info  echo[4711]: own\n");
}

static void test_each_form_has_the_pid(void **state)
{
	struct world *world = *state;

	world->spec.log.json = true;
	start(world);
	say(employ(world, 1)->log, "first");
	end(world, &world->workers[1], NULL, 0);
	finish(world);
	{
		char *text = slurp(world->path);

		assert_in(text, "\"pid\":101,\"message\":\"first\"}\n");
		free(text);
	}
}

static void test_the_level_is_the_workers(void **state)
{
	struct world *world = *state;
	struct worker *worker;

	start(world);
	log_set_level(world->log, LEVEL_ERROR);
	worker = employ(world, 1);
	log_printf(worker->log, LEVEL_DEBUG, "hidden");
	log_set_level(worker->log, LEVEL_DEBUG);
	log_printf(worker->log, LEVEL_DEBUG, "shown %d", 1);
	end(world, worker, NULL, 0);
	finish(world);
	assert_file(world->path, "debug echo[101]: shown 1\n");
}

static void test_what_a_worker_writes_to_its_output_becomes_lines(void **state)
{
	struct world *world = *state;
	struct worker *worker;

	start(world);
	worker = employ(world, 1);
	dprintf(worker->output[1], "one\ntwo without newline");
	end(world, worker, NULL, 0);
	finish(world);
	assert_file(world->path, "info  echo[101]: one stream=output\n"
				 "info  echo[101]: two without newline stream=output\n");
}

static void test_repeats_are_counted_for_each_worker(void **state)
{
	struct world *world = *state;
	struct worker *one, *two;

	start(world);
	one = employ(world, 1);
	two = employ(world, 2);
	for (int i = 0; i < 100; i++) {
		say(one->log, "again");
		say(two->log, "again");
	}
	end(world, one, NULL, 0);
	end(world, two, NULL, 0);
	finish(world);
	{
		char *text = slurp(world->path);

		assert_in(text, "echo[101]: again\n");
		assert_in(text, "echo[102]: again\n");
		assert_in(text, "echo[101]: last message repeated count=99\n");
		assert_in(text, "echo[102]: last message repeated count=99\n");
		free(text);
	}
}

static void count_call(void *data)
{
	(void)!write(*(int *)data, "", 1);
}

static void test_the_thread_reads_as_soon_as_a_worker_says_something(void **state)
{
	struct world *world = *state;
	struct worker *worker;
	struct pollfd told = {.events = POLLIN};
	uint64_t position = 0, lost;
	char bytes[1024];
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	told.fd = ends[0];
	start(world);
	worker = employ(world, 1);
	log_on_line(world->log, count_call, &ends[1]);
	say(worker->log, "at once");
	assert_int_equal(poll(&told, 1, 10000), 1);
	bytes[log_read(world->log, &position, bytes, sizeof bytes - 1, &lost)] = 0;
	assert_in(bytes, "echo[101]: at once\n");
	log_on_line(world->log, NULL, NULL);
	close(ends[0]);
	close(ends[1]);
}

/* --- the end of a worker --- */

static void test_the_last_lines_are_told(void **state)
{
	struct world *world = *state;
	struct worker *worker;
	char text[64];

	start(world);
	worker = employ(world, 1);
	for (int i = 0; i < 100; i++)
		log_printf(worker->log, LEVEL_INFO, "line %d", i);
	dprintf(worker->output[1], "free(): invalid pointer\n");
	end(world, worker, text, sizeof text);
	assert_string_equal(text,
			    "line 95\nline 96\nline 97\nline 98\nline 99\nfree(): invalid pointer");
	end(world, employ(world, 2), text, sizeof text);
	assert_string_equal(text, "");
	finish(world);
}

static void test_everything_of_a_worker_comes_before_the_end_returns(void **state)
{
	struct world *world = *state;
	struct worker *worker;
	char expected[8192] = "";

	start(world);
	worker = employ(world, 1);
	for (int i = 0; i < 100; i++) {
		log_printf(worker->log, LEVEL_INFO, "line %d", i);
		snprintf(expected + strlen(expected), sizeof expected - strlen(expected),
			 "info  echo[101]: line %d\n", i);
	}
	end(world, worker, NULL, 0);
	say(world->log, "it died");
	finish(world);
	strcat(expected, "info  echo[4711]: it died\n");
	assert_file(world->path, expected);
}

static void test_a_child_that_keeps_the_output_does_not_delay_the_end(void **state)
{
	struct world *world = *state;
	struct worker *worker;
	int kept;

	start(world);
	worker = employ(world, 1);
	kept = dup(worker->output[1]);
	dprintf(kept, "of the child\n");
	end(world, worker, NULL, 0);
	while (write(kept, "late", 4) == 4) /* until the thread looks at other descriptors */
		poll(NULL, 0, 1);
	assert_int_equal(errno, EPIPE);
	close(kept);
	finish(world);
	assert_file(world->path, "info  echo[101]: of the child stream=output\n");
}

/* Tells a pipe how many lines have been given to the log. */
static _Noreturn void log_until_killed(struct worker *worker, int told, int count)
{
	for (int i = 0; i < count; i++) {
		log_printf(worker->log, LEVEL_INFO, "line %d", i);
		if (write(told, &i, sizeof i) != sizeof i)
			_exit(1);
	}
	kill(getpid(), SIGKILL);
	_exit(1);
}

/* Less than a pipe has room for, so that nothing has to wait in the worker. */
static void test_nothing_that_was_logged_is_lost_with_a_killed_process(void **state)
{
	enum { LINES = 800 };
	struct world *world = *state;
	struct worker *worker;
	int told[2], last = -1, status;
	char expected[64], text[64], *log;
	pid_t child;

	assert_int_equal(pipe(told), 0);
	start(world);
	worker = employ(world, 1);
	child = fork();
	if (child == 0)
		log_until_killed(worker, told[1], LINES);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(told[1]);
	while (read(told[0], &last, sizeof last) == sizeof last)
		;
	close(told[0]);
	assert_int_equal(last, LINES - 1);
	end(world, worker, text, sizeof text);
	assert_non_null(strstr(text, "line 799"));
	finish(world);
	log = slurp(world->path);
	for (int i = 0; i < LINES; i++) {
		snprintf(expected, sizeof expected, "echo[101]: line %d\n", i);
		assert_in(log, expected);
	}
	free(log);
}

/* --- a worker that lies --- */

static void test_what_is_no_record_breaks_its_source_alone(void **state)
{
	struct world *world = *state;
	struct worker *bad, *good;

	start(world);
	bad = employ(world, 1);
	good = employ(world, 2);
	assert_false(log_source_is_broken(world->log, bad->source));
	assert_true(write(bad->relay[1], "this is no record, whatever it is", 33) == 33);
	dprintf(bad->output[1], "still heard\n");
	while (!log_source_is_broken(world->log, bad->source))
		poll(NULL, 0, 1);
	say(good->log, "fine");
	end(world, bad, NULL, 0);
	assert_false(log_source_is_broken(world->log, good->source));
	end(world, good, NULL, 0);
	finish(world);
	{
		char *text = slurp(world->path);

		assert_in(text, "echo[101]: still heard stream=output\n");
		assert_in(text, "echo[102]: fine\n");
		free(text);
	}
}

static void test_a_number_that_names_no_source_does_no_harm(void **state)
{
	struct world *world = *state;
	char text[8] = "x", rest[LOG_REST_MAX];
	int relay_fd = 0, output_fd = 0;

	start(world);
	log_source_end(world->log, 3, text, sizeof text);
	assert_string_equal(text, "");
	log_source_end(world->log, -1, text, sizeof text);
	assert_false(log_source_is_broken(world->log, 3));
	assert_int_equal(log_source_take(world->log, 3, &relay_fd, &output_fd, rest), 0);
	assert_int_equal(relay_fd, -1);
	assert_int_equal(output_fd, -1);
}

/* --- sinks --- */

static void test_workers_follow_a_reopen(void **state)
{
	struct world *world = *state;
	struct worker *worker;
	struct err err = {0};
	char text[64];

	start(world);
	worker = employ(world, 1);
	say(worker->log, "old");
	end(world, worker, text, sizeof text);
	finish(world);
	start(world);
	worker = employ(world, 2);
	assert_int_equal(rename(world->path, world->moved), 0);
	assert_int_equal(log_reopen(world->log, &err), 0);
	say(worker->log, "new");
	end(world, worker, text, sizeof text);
	finish(world);
	assert_file(world->moved, "info  echo[101]: old\n");
	assert_file(world->path, "info  echo[102]: new\n");
}

static int bind_at(const char *path, struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(address->sun_path, sizeof address->sun_path, "%s", path);
	unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)address, sizeof *address), 0);
	return fd;
}

/* The next datagram has this text. */
static void assert_datagram(int fd, const char *expected)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	char bytes[512];
	ssize_t n;

	assert_int_equal(poll(&readable, 1, 10000), 1);
	n = recv(fd, bytes, sizeof bytes - 1, 0);
	assert_true(n > 0);
	bytes[n] = 0;
	assert_in(bytes, expected);
}

static void test_workers_find_a_syslog_that_was_started_anew(void **state)
{
	struct world *world = *state;
	struct sockaddr_un address;
	struct worker *worker;
	int fd = bind_at(world->path, &address);

	close(world->daemon.sink.fd);
	world->daemon.sink.kind = SINK_SYSLOG;
	world->daemon.sink.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    connect(world->daemon.sink.fd, (struct sockaddr *)&address, sizeof address), 0);
	start(world);
	worker = employ(world, 1);
	say(worker->log, "before");
	assert_datagram(fd, " echo[101]: before");
	close(fd);
	fd = bind_at(world->path, &address);
	say(worker->log, "after");
	assert_datagram(fd, " echo[101]: after");
	close(fd);
}

/* --- a sink that takes nothing --- */

static int block_sink(struct world *world)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(world->daemon.sink.fd);
	world->daemon.sink.fd = ends[1];
	return ends[0];
}

enum { FLOOD = 20000 };

static void flood(struct worker *worker, int from, int to)
{
	for (int i = from; i < to; i++)
		log_printf(worker->log, LEVEL_INFO, "line %d %*s", i, 100, "");
	while (!log_flush_relay(worker->log))
		poll(NULL, 0, 1); /* the thread reads whatever the sink does */
}

struct seen {
	int next[WORKERS]; /* line of each worker */
	uint64_t lost[WORKERS];
	uint64_t lost_by_queue;
	bool end;
};

static void see(struct seen *seen, const char *line)
{
	unsigned long long lost;
	int pid, number;

	if (sscanf(line, "%*s %*s echo[%d]: line %d ", &pid, &number) == 2) {
		pid = pid == 4711 ? 100 : pid;
		assert_true(pid >= 100 && pid < 100 + WORKERS);
		assert_true(number >= seen->next[pid - 100]); /* in order */
		seen->next[pid - 100] = number + 1;
		return;
	}
	if (sscanf(line, "%*s %*s echo[%d]: %llu line%*[^0-9] lost", &pid, &lost) >= 2) {
		if (pid == 4711)
			seen->lost_by_queue += lost;
		else
			seen->lost[pid - 100] += lost;
	}
	seen->end |= strstr(line, "the end") != NULL;
}

struct drain {
	int fd;
	struct seen seen;
	uint64_t lines;
	uint64_t
	    total; /* lines and losses, after which nothing comes; 0: the line "the end" does */
};

static void see_lines(struct drain *drained, char *bytes, size_t *have)
{
	char *start = bytes, *newline;

	while ((newline = memchr(start, '\n', (size_t)(bytes + *have - start)))) {
		*newline = 0;
		drained->lines += strstr(start, ": line ") != NULL;
		see(&drained->seen, start);
		start = newline + 1;
	}
	*have -= (size_t)(start - bytes);
	memmove(bytes, start, *have);
}

static bool has_all(const struct drain *drained)
{
	uint64_t count = drained->lines + drained->seen.lost_by_queue;

	for (int i = 0; i < WORKERS; i++)
		count += drained->seen.lost[i];
	return drained->total > 0 && count >= drained->total;
}

/* Reads the sink until the last line. */
static void *drain(void *data)
{
	struct drain *drained = data;
	struct pollfd readable = {.fd = drained->fd, .events = POLLIN};
	char bytes[65536];
	size_t have = 0;

	while (!drained->seen.end && !has_all(drained) && poll(&readable, 1, 5000) == 1) {
		ssize_t n = read(drained->fd, bytes + have, sizeof bytes - have);

		if (n <= 0)
			break;
		have += (size_t)n;
		see_lines(drained, bytes, &have);
	}
	close(drained->fd);
	return NULL;
}

static void test_a_blocked_sink_blocks_nobody_and_every_loss_is_counted(void **state)
{
	struct world *world = *state;
	struct worker *worker;
	struct drain drained = {.fd = block_sink(world)};

	start(world);
	worker = employ(world, 1);
	flood(worker, 0, FLOOD);
	end(world, worker, NULL, 0);
	say(world->log, "the end");
	(void)drain(&drained);
	assert_true(drained.seen.end);
	finish(world);
	assert_int_equal(drained.lines + drained.seen.lost[1] + drained.seen.lost_by_queue, FLOOD);
}

static void test_a_flooding_worker_does_not_cost_others_lines(void **state)
{
	struct world *world = *state;
	struct worker *loud, *calm;
	struct drain drained = {.fd = block_sink(world)};

	start(world);
	loud = employ(world, 1);
	calm = employ(world, 2);
	flood(loud, 0, FLOOD);
	flood(calm, 0, 100);
	end(world, calm, NULL, 0);
	end(world, loud, NULL, 0);
	say(world->log, "the end");
	(void)drain(&drained);
	assert_true(drained.seen.end);
	finish(world);
	assert_int_equal(drained.seen.next[2], 100);
	assert_int_equal(drained.seen.lost[2], 0);
	assert_int_equal(drained.seen.lost_by_queue, 0);
	assert_true(drained.lines > 1000 && drained.lines < FLOOD);
}

/* The line that tells what a worker has lost finds no room either. */
static void test_losses_that_cannot_be_told_are_counted_with_the_others(void **state)
{
	struct world *world = *state;
	struct worker *worker;
	struct drain drained = {.fd = block_sink(world), .total = 2 * FLOOD};

	start(world);
	worker = employ(world, 1);
	flood(worker, 0, FLOOD);
	for (int i = 0; i < FLOOD; i++)
		log_printf(world->log, LEVEL_INFO, "line %d %*s", i, 100, "");
	end(world, worker, NULL, 0);
	(void)drain(&drained);
	finish(world);
	assert_true(has_all(&drained));
	assert_true(drained.seen.lost_by_queue > FLOOD / 2); /* the own ones at least */
	assert_int_equal(drained.lines + drained.seen.lost[1] + drained.seen.lost_by_queue,
			 2 * FLOOD);
}

static void test_order_is_kept_for_each_worker(void **state)
{
	struct world *world = *state;
	struct drain drained = {.fd = block_sink(world)};
	pthread_t reader;

	start(world);
	pthread_create(&reader, NULL, drain, &drained);
	for (int i = 1; i < WORKERS; i++)
		employ(world, i);
	for (int k = 0; k < 50; k++)
		for (int i = 1; i < WORKERS; i++)
			flood(&world->workers[i], k * 10, (k + 1) * 10);
	for (int i = 1; i < WORKERS; i++)
		end(world, &world->workers[i], NULL, 0);
	say(world->log, "the end");
	pthread_join(reader, NULL);
	assert_true(drained.seen.end);
	finish(world);
	for (int i = 1; i < WORKERS; i++) {
		assert_int_equal(drained.seen.next[i], 500);
		assert_int_equal(drained.seen.lost[i], 0);
	}
}

/* --- many --- */

static void test_sources_come_and_go_while_the_thread_reads(void **state)
{
	enum { MANY = 200 };
	struct world *world = *state;
	struct err err = {0};
	int numbers[MANY], outputs[MANY][2];
	char text[64], expected[64];

	start(world);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < MANY; i++) {
			assert_int_equal(pipe2(outputs[i], O_CLOEXEC), 0);
			numbers[i] = log_source_add(world->log, 1000 + i, -1, outputs[i][0], &err);
			assert_true(numbers[i] >= 0 && numbers[i] < 2 * MANY);
			dprintf(outputs[i][1], "worker %d", i);
		}
		for (int i = 0; i < MANY; i++) {
			close(outputs[i][1]);
			log_source_end(world->log, numbers[i], text, sizeof text);
			snprintf(expected, sizeof expected, "worker %d", i);
			assert_string_equal(text, expected);
		}
	}
}

/* --- an upgrade --- */

static void test_a_source_goes_over_to_another_log_in_the_middle_of_a_record(void **state)
{
	struct world *world = *state;
	struct worker *worker;
	static char rest[LOG_REST_MAX];
	static unsigned char record[4096];
	struct err err = {0};
	int relay_fd, output_fd;
	size_t length;
	ssize_t n;

	start(world);
	worker = employ(world, 2);
	(void)log_source_take(world->log, worker->source, &relay_fd, &output_fd, rest);
	say(worker->log, "whole"); /* its bytes will come in two pieces */
	n = read(relay_fd, record, sizeof record);
	assert_true(n > 0);
	worker->source = log_source_add(world->log, 102, relay_fd, output_fd, &err);
	assert_int_equal(write(worker->relay[1], record, (size_t)n - 3), n - 3);
	dprintf(worker->output[1], "first\nsecond, ");
	while (log_next(world->log) < 2)
		poll(NULL, 0, 1);
	length = log_source_take(world->log, worker->source, &relay_fd, &output_fd, rest);
	assert_true(relay_fd >= 0 && output_fd >= 0 && length > 0);
	assert_int_equal(
	    log_source_resume(world->log, 102, relay_fd, output_fd, rest, length - 1, &err), -1);
	worker->source =
	    log_source_resume(world->log, 102, relay_fd, output_fd, rest, length, &err);
	assert_true(worker->source >= 0);
	assert_int_equal(write(worker->relay[1], record + n - 3, 3), 3);
	dprintf(worker->output[1], "and its end\n");
	end(world, worker, NULL, 0);
	finish(world);
	{
		char *text = slurp(world->path);

		assert_in(text, "echo[102]: whole\n");
		assert_in(text, "echo[102]: first stream=output\n");
		assert_in(text, "echo[102]: second, and its end stream=output\n");
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	    TEST(lines_of_workers_have_their_pids),
	    TEST(each_form_has_the_pid),
	    TEST(the_level_is_the_workers),
	    TEST(what_a_worker_writes_to_its_output_becomes_lines),
	    TEST(repeats_are_counted_for_each_worker),
	    TEST(the_thread_reads_as_soon_as_a_worker_says_something),
	    TEST(the_last_lines_are_told),
	    TEST(everything_of_a_worker_comes_before_the_end_returns),
	    TEST(a_child_that_keeps_the_output_does_not_delay_the_end),
	    TEST(nothing_that_was_logged_is_lost_with_a_killed_process),
	    TEST(what_is_no_record_breaks_its_source_alone),
	    TEST(a_number_that_names_no_source_does_no_harm),
	    TEST(workers_follow_a_reopen),
	    TEST(workers_find_a_syslog_that_was_started_anew),
	    TEST(a_blocked_sink_blocks_nobody_and_every_loss_is_counted),
	    TEST(a_flooding_worker_does_not_cost_others_lines),
	    TEST(losses_that_cannot_be_told_are_counted_with_the_others),
	    TEST(order_is_kept_for_each_worker),
	    TEST(sources_come_and_go_while_the_thread_reads),
	    TEST(a_source_goes_over_to_another_log_in_the_middle_of_a_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
