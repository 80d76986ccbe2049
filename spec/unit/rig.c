#include "rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sys/sys.h"

enum { PATIENCE_MS = 10000 };

int64_t rig_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- what it is given --- */

int rig_bundle(struct rig *rig, const char *text)
{
	struct errs errs = {0};
	struct err err = {0};
	unsigned char *bytes;
	char told[ERR_TEXT_MAX];
	size_t length;
	int fd;

	rig->fixture->source.uid = rig->fixture->source.owner = getuid();
	fixture_right(rig->fixture, text);
	if (spec_resolve(rig->fixture->spec, true, &errs) < 0)
		fail_msg("%s", err_text(&errs.list[0], told, sizeof told));
	errs_finish(&errs);
	if (bundle_encode(rig->fixture->spec, &bytes, &length, &err) < 0)
		fail_msg("%s", err_text(&err, told, sizeof told));
	fd = sys_memfd_sealed("bundle", bytes, length);
	free(bytes);
	assert_true(fd >= 0);
	return fd;
}

void rig_setup(struct rig *rig, struct fixture *fixture, const char *text)
{
	memset(rig, 0, sizeof *rig);
	rig->fixture = fixture;
	rig->channel = rig->relay = rig->output = rig->file = -1;
	rig->monitor = getpid();
	rig->roster = "-";
	rig->number = "1";
	rig->bundle = rig_bundle(rig, text);
}

void rig_listen(struct rig *rig)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &length), 0);
	rig->port = ntohs(at.sin_port);
	rig->sockets[rig->socket_count++] = fd;
	rig->roster = "0.0";
}

void rig_spawn(struct rig *rig)
{
	char monitor[16], padding[101];
	char *arguments[] = {
	    "luvd",  "worker", "3", (char *)rig->number, monitor, (char *)rig->roster,
	    padding, NULL};
	int channel[2], relay[2], output[2], fds[16], self;
	int null = sys_open("/dev/null", O_RDWR, 0);
	size_t count = 0;

	snprintf(monitor, sizeof monitor, "%d", (int)rig->monitor);
	snprintf(padding, sizeof padding, "%100s", "");
	self = sys_open(LUVD_BINARY, O_PATH, 0);
	assert_true(self >= 0 && null >= 0);
	assert_int_equal(sys_channel(channel), 0);
	assert_int_equal(sys_pipe(relay), 0);
	assert_int_equal(sys_pipe(output), 0);
	fds[count++] = null;
	fds[count++] = output[1];
	fds[count++] = output[1];
	fds[count++] = channel[1];
	fds[count++] = rig->bundle;
	fds[count++] = relay[1];
	for (size_t i = 0; i < rig->socket_count; i++)
		fds[count++] = rig->sockets[i];
	if (rig->file >= 0)
		fds[count++] = rig->file;
	rig->pid = sys_spawn_worker(self, arguments, fds, count, -1);
	assert_true(rig->pid > 0);
	for (int *fd = (int[]){null, self, output[1], channel[1], relay[1], -1}; *fd >= 0; fd++)
		sys_close(*fd);
	rig->channel = channel[0];
	rig->relay = relay[0];
	rig->output = output[0];
}

/* --- what it says --- */

static void take_line(void *data, const struct entry *entry)
{
	struct rig *rig = data;
	size_t used = strlen(rig->log);

	snprintf(rig->log + used, sizeof rig->log - used, "%s %.*s\n", format_level(entry->level),
		 (int)entry->length, entry->message);
}

static void wait_for(struct rig *rig, int fd, const char *what)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	if (poll(&poll_fd, 1, PATIENCE_MS) <= 0)
		fail_msg("nothing came while waiting for %s; log:\n%s", what, rig->log);
}

void rig_await_log(struct rig *rig, const char *text)
{
	while (!strstr(rig->log, text)) {
		wait_for(rig, rig->relay, text);
		if (relay_read(&rig->reader, rig->relay, take_line, rig) < 0)
			fail_msg("the log ended without '%s':\n%s", text, rig->log);
	}
}

static void read_said(struct rig *rig)
{
	ssize_t n = read(rig->output, rig->said, sizeof rig->said - 1);

	rig->said[n > 0 ? n : 0] = '\0';
}

struct message rig_hear(struct rig *rig)
{
	struct message message;
	int got;

	wait_for(rig, rig->channel, "a message");
	got = channel_receive(rig->channel, &message);
	if (got == 0) {
		read_said(rig);
		fail_msg("it has gone: %s", rig->said);
	}
	assert_int_equal(got, 1);
	return message;
}

struct message rig_await(struct rig *rig, enum message_type type)
{
	struct message message;
	char text[ERR_TEXT_MAX];

	do {
		message = rig_hear(rig);
		if (message.type == MESSAGE_FAILED && type != MESSAGE_FAILED)
			fail_msg("%s", err_text(&message.err, text, sizeof text));
	} while (message.type != type);
	return message;
}

void rig_start(struct rig *rig)
{
	rig_spawn(rig);
	rig_await(rig, MESSAGE_READY);
}

void rig_say(struct rig *rig, const struct message *message, const int *fds, size_t count)
{
	assert_int_equal(channel_send_fds(rig->channel, message, fds, count), 0);
}

/* --- its end --- */

int rig_wait(struct rig *rig)
{
	int status = 0;

	assert_int_equal(sys_wait(rig->pid, &status, 0), rig->pid);
	rig->pid = 0;
	read_said(rig);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void rig_finish(struct rig *rig)
{
	if (!rig->fixture)
		return;
	if (rig->pid > 0) {
		kill(rig->pid, SIGKILL);
		sys_wait(rig->pid, &(int){0}, 0);
	}
	relay_reader_finish(&rig->reader);
	for (size_t i = 0; i < rig->socket_count; i++)
		sys_close(rig->sockets[i]);
	for (int *fd = (int[]){rig->channel, rig->bundle, rig->relay, rig->output, rig->file, -2};
	     *fd != -2; fd++)
		if (*fd >= 0)
			sys_close(*fd);
	memset(rig, 0, sizeof *rig);
}
