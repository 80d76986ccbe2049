#include "host/client.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "host/frame.h"
#include "sys/sys.h"

enum { HOMES_MAX = 4096, BASES = 4, WITHIN_MAX = 86400000, CONNECT_SECONDS = 5 };

/* --- where daemons are recorded --- */

struct bases {
	char paths[BASES][PATH_MAX];
	size_t count;
};

/* A folder below which somebody else could forge a record is none of ours. */
static bool trusted(const char *path, uid_t uid)
{
	struct stat folder;

	return lstat(path, &folder) == 0 && S_ISDIR(folder.st_mode) && folder.st_uid == uid &&
	       (folder.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static void bases_add(struct bases *bases, uid_t uid, const char *path)
{
	for (size_t i = 0; i < bases->count; i++)
		if (strcmp(bases->paths[i], path) == 0)
			return;
	if (strlen(path) < PATH_MAX && trusted(path, uid))
		snprintf(bases->paths[bases->count++], PATH_MAX, "%s", path);
}

/* A user's own first: of two daemons of one name it is the one meant. The third is for callers
 * without XDG_RUNTIME_DIR, as cron has them. */
static void bases_find(struct bases *bases, const struct source *source)
{
	uid_t uid = geteuid();
	const char *runtime = source_getenv(source, "XDG_RUNTIME_DIR");
	char path[PATH_MAX];

	bases->count = 0;
	if (uid != 0 && runtime && runtime[0] == '/' &&
	    snprintf(path, sizeof path, "%s/luvd", runtime) < (int)sizeof path)
		bases_add(bases, uid, path);
	if (uid != 0) {
		snprintf(path, sizeof path, "/run/user/%lu/luvd", (unsigned long)uid);
		bases_add(bases, uid, path);
		snprintf(path, sizeof path, "/tmp/luvd-%lu", (unsigned long)uid);
		bases_add(bases, uid, path);
	}
	bases_add(bases, 0, "/run/luvd");
}

/* As spec/fields has it; what it forbids ("/", "..") must not become a path. */
static bool valid_name(const char *name)
{
	if (!isalnum((unsigned char)name[0]) || strlen(name) > 200)
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("_.-", *name))
			return false;
	return true;
}

bool client_is_name(const char *file)
{
	size_t length = strlen(file);

	return !strchr(file, '/') && !(length >= 4 && strcmp(file + length - 4, ".lua") == 0);
}

/* --- one daemon --- */

void target_finish(struct target *target)
{
	if (target->recorded)
		record_finish(&target->record);
	target->recorded = false;
}

/* State of /proc/PID/stat: a zombie keeps its pid, its start time and nothing else. */
static bool is_zombie(pid_t pid)
{
	char path[64], text[512];
	const char *state;
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	state = strrchr(text, ')');
	return state && state[1] == ' ' && (state[2] == 'Z' || state[2] == 'X');
}

static enum running look(const struct target *target)
{
	int held = record_lock_held(target->home);

	if (held == 1)
		return DAEMON_RUNNING;
	if (held == 0)
		return target->recorded ? DAEMON_DEAD : DAEMON_ABSENT;
	/* Another user's lock: the record, which everybody may read, has pid and start time. */
	if (!target->recorded)
		return access(target->home, F_OK) == 0 ? DAEMON_UNKNOWN : DAEMON_ABSENT;
	return record_is_alive(&target->record) && !is_zombie(target->record.pid) ? DAEMON_RUNNING
										  : DAEMON_DEAD;
}

static void target_init(struct target *target, const char *base, const char *name)
{
	*target = (struct target){0};
	snprintf(target->name, sizeof target->name, "%s", name);
	snprintf(target->home, sizeof target->home, "%.3800s/%.200s", base, name);
	target->recorded = record_read(target->home, &target->record, NULL) == 0;
	target->running = look(target);
}

void client_find_name(struct target *target, const struct source *source, const char *name)
{
	struct bases bases;

	bases_find(&bases, source);
	for (size_t i = 0; valid_name(name) && i < bases.count; i++) {
		target_init(target, bases.paths[i], name);
		if (target->running != DAEMON_ABSENT)
			return;
		target_finish(target);
	}
	*target = (struct target){.running = DAEMON_ABSENT};
	snprintf(target->name, sizeof target->name, "%s", name);
}

/* --- the daemon of a file --- */

/* The real name of the folder and the last part as it is: the file itself may be gone, or be a
 * link. The path itself when its folder is gone too. */
static char *real_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : NULL;
	char *real = folder ? realpath(folder, NULL) : NULL;
	char *result = NULL;

	if (!real)
		result = strdup(path);
	else if (asprintf(&result, "%s%s", strcmp(real, "/") == 0 ? "" : real, slash) < 0)
		result = NULL;
	free(folder);
	free(real);
	return result;
}

bool client_same_path(const char *one, const char *other)
{
	char *real_one, *real_other;
	bool same;

	if (strcmp(one, other) == 0)
		return true;
	real_one = real_path(one);
	real_other = real_path(other);
	same = real_one && real_other && strcmp(real_one, real_other) == 0;
	free(real_one);
	free(real_other);
	return same;
}

/* Takes the place of what was found before if that one is only a leftover. -1: both live. */
static int prefer(struct target *found, struct target *candidate, struct err *err)
{
	if (found->recorded && found->running != DAEMON_DEAD && candidate->running != DAEMON_DEAD) {
		err_set(err, "'%s' and '%s' both run from this file: tell which by its name",
			found->name, candidate->name);
		err->exit = EXIT_USAGE;
		target_finish(candidate);
		return -1;
	}
	if (found->recorded && candidate->running == DAEMON_DEAD) {
		target_finish(candidate);
		return 0;
	}
	target_finish(found);
	*found = *candidate;
	return 0;
}

static int consider(struct target *found, const char *base, const char *name, const char *path,
		    struct err *err)
{
	struct target candidate;

	if (!valid_name(name))
		return 0;
	target_init(&candidate, base, name);
	if (!candidate.recorded || !client_same_path(candidate.record.path, path)) {
		target_finish(&candidate);
		return 0;
	}
	return prefer(found, &candidate, err);
}

static int search(struct target *found, const char *base, const char *path, struct err *err)
{
	DIR *folder = opendir(base);
	const struct dirent *entry;
	int result = 0;

	if (!folder)
		return 0;
	for (int i = 0; result == 0 && i < HOMES_MAX && (entry = readdir(folder)); i++)
		result = consider(found, base, entry->d_name, path, err);
	closedir(folder);
	return result;
}

int client_find_path(struct target *target, const struct source *source, struct err *err)
{
	struct bases bases;

	*target = (struct target){0};
	bases_find(&bases, source);
	for (size_t i = 0; i < bases.count; i++) {
		if (search(target, bases.paths[i], source->path, err) < 0) {
			target_finish(target);
			return -1;
		}
	}
	return target->recorded;
}

/* --- its process --- */

int client_process(const struct target *target, struct err *err)
{
	int pidfd;

	if (!target->recorded || !record_is_alive(&target->record))
		return err_set(err, "%s: is just being started: its process is not yet known",
			       target->name);
	pidfd = sys_pidfd_open(target->record.pid);
	if (pidfd < 0)
		return err_sys(err, "%s: cannot watch process %ld", target->name,
			       (long)target->record.pid);
	/* Looked at again: before the descriptor was there the number could change hands. */
	if (record_is_alive(&target->record))
		return pidfd;
	close(pidfd);
	return err_set(err, "%s: process %ld has ended", target->name, (long)target->record.pid);
}

bool client_is_gone(int pidfd, int timeout_ms)
{
	struct pollfd process = {.fd = pidfd, .events = POLLIN};

	while (poll(&process, 1, timeout_ms) < 0)
		if (errno != EINTR)
			return false;
	return process.revents != 0;
}

/* --- its control socket --- */

static int64_t now_ms(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whoever sits at the place of the socket must be the daemon, its starter, root or we. */
static bool is_daemon(int fd, const struct record *record)
{
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t length = sizeof peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid() || peer.uid == record->user ||
		peer.uid == record->starter);
}

/* Strangers may fill the queue of the socket: only who waits in it has a turn. */
static int connect_in_turn(int fd, const struct sockaddr_un *address)
{
	const struct timeval most = {.tv_sec = CONNECT_SECONDS};
	int result;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most) < 0)
		return -1;
	do
		result = connect(fd, (const struct sockaddr *)address, sizeof *address);
	while (result < 0 && errno == EINTR);
	return result < 0 ? -1 : fcntl(fd, F_SETFL, O_NONBLOCK);
}

int client_connect(const struct target *target, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = target->recorded ? target->record.control : "";
	int fd;

	if (!*path)
		return err_set(err, "%s: has no control socket", target->name);
	if (strlen(path) >= sizeof address.sun_path)
		return err_set(err, "'%s' is too long for a socket", path);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, "cannot make a socket");
	if (connect_in_turn(fd, &address) < 0) {
		err_sys(err, "cannot connect to '%s'", path);
		close(fd);
		return -1;
	}
	if (is_daemon(fd, &target->record))
		return fd;
	close(fd);
	return err_set(err, "'%s' is somebody else's", path);
}

int client_send(int fd, const char *request, struct err *err)
{
	size_t length = strlen(request);

	if (length > 256)
		return err_set(err, "the request is too long");
	return client_say(fd, FRAME_REQUEST, request, length, err);
}

int client_say(int fd, enum frame_type type, const char *text, size_t length, struct err *err)
{
	unsigned char head[FRAME_HEAD];
	struct iovec parts[2] = {{head, sizeof head}, {(void *)(uintptr_t)text, length}};
	struct msghdr frame = {.msg_iov = parts, .msg_iovlen = 2};

	frame_head(head, type, length);
	/* The buffer of a socket whose other side has read all that was said holds it whole. */
	if (sendmsg(fd, &frame, MSG_NOSIGNAL) != (ssize_t)(sizeof head + length))
		return err_sys(err, "cannot ask the daemon");
	return 0;
}

/* What has come of the daemon's frames. */
struct inbox {
	unsigned char bytes[FRAME_HEAD + FRAME_PAYLOAD_MAX];
	size_t have;
	int64_t deadline; /* -1: none */
};

/* 1: bytes have come; 0: the end; -1. */
static int inbox_fill(struct inbox *inbox, int fd, struct err *err)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	int64_t left = inbox->deadline < 0 ? -1 : inbox->deadline - now_ms();
	int ready = poll(&readable, 1, left > 0 ? (int)left : inbox->deadline < 0 ? -1 : 0);
	ssize_t n;

	if (ready == 0) {
		errno = ETIMEDOUT;
		return err_sys(err, "the daemon does not answer");
	}
	n = ready < 0 ? -1
		      : recv(fd, inbox->bytes + inbox->have, sizeof inbox->bytes - inbox->have, 0);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 1;
	/* Its process may end before it has read all that we sent. */
	if (n < 0 && errno != ECONNRESET)
		return err_sys(err, "cannot read the daemon's answer");
	inbox->have += n > 0 ? (size_t)n : 0;
	return n > 0;
}

/* 1: a frame; 0: the end; -1. */
static int inbox_next(struct inbox *inbox, int fd, struct frame *frame, ssize_t *length,
		      struct err *err)
{
	for (;;) {
		int more;

		*length = frame_parse(frame, inbox->bytes, inbox->have, CONTROL_FRAME_MAX);
		if (*length > 0)
			return 1;
		if (*length < 0)
			return err_set(err, "the daemon's answer is no answer of luvd");
		more = inbox_fill(inbox, fd, err);
		if (more <= 0)
			return more;
	}
}

static void inbox_drop(struct inbox *inbox, ssize_t length)
{
	inbox->have -= (size_t)length;
	memmove(inbox->bytes, inbox->bytes + length, inbox->have);
}

static void take_end(struct answer *answer, const struct frame *frame)
{
	size_t length = frame->length > 0 ? frame->length - 1 : 0;

	if (length >= sizeof answer->text)
		length = sizeof answer->text - 1;
	answer->ended = true;
	answer->code = frame->length > 0 ? frame->payload[0] : EXIT_FAILED;
	memcpy(answer->text, frame->payload + 1, length);
	answer->text[length] = 0;
}

static void take_result(struct answer *answer, const struct frame *frame)
{
	answer->result = true;
	answer->code = frame->length == 1 && frame->payload[0] == 0 ? EXIT_DONE : EXIT_FAILED;
}

/* At most a day: a wrong number must not become none. */
static int within(const struct frame *frame)
{
	int64_t ms = 0;

	for (size_t i = 0; i < frame->length && isdigit(frame->payload[i]) && ms < WITHIN_MAX; i++)
		ms = ms * 10 + (frame->payload[i] - '0');
	return ms < WITHIN_MAX ? (int)ms : WITHIN_MAX;
}

static int receive(struct inbox *inbox, int fd, void (*output)(void *, const char *, size_t),
		   void *data, int timeout_ms, struct answer *answer, struct err *err)
{
	*answer = (struct answer){.code = EXIT_DONE};
	while (!answer->ended && !answer->result) {
		struct frame frame;
		ssize_t length;
		int more;

		inbox->deadline = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
		more = inbox_next(inbox, fd, &frame, &length, err);
		if (more <= 0)
			return more;
		answer->begun = true;
		if (frame.type == FRAME_END)
			take_end(answer, &frame);
		else if (frame.type == FRAME_RESULT)
			take_result(answer, &frame);
		else if (frame.type == FRAME_WITHIN)
			timeout_ms = within(&frame);
		else if (frame.type == FRAME_OUTPUT)
			output(data, (const char *)frame.payload, frame.length);
		inbox_drop(inbox, length);
	}
	return 0;
}

int client_receive(int fd, void (*output)(void *data, const char *bytes, size_t length), void *data,
		   int timeout_ms, struct answer *answer, struct err *err)
{
	struct inbox *inbox = calloc(1, sizeof *inbox);
	int result;

	if (!inbox)
		return err_sys(err, "cannot read the daemon's answer");
	result = receive(inbox, fd, output, data, timeout_ms, answer, err);
	free(inbox);
	return result;
}
