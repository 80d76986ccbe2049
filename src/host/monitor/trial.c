#include "host/monitor/trial.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/sys.h"

enum {
	TRIAL_MS = 5000,
	TRIAL_CPU = 5, /* seconds */
	ANSWER_MAX = 1024,
	TRIAL_FDS_MAX = 64 /* state and bundles of all generations, and the first three */
};

struct trial {
	pid_t pid;
	int pidfd, answer_fd;
	uv_poll_t process; /* readable pidfd: it has ended */
	uv_poll_t answer;
	uv_timer_t timer;
	int handles;
	bool late, closing;
	char text[ANSWER_MAX];
	size_t used;
	void (*tell)(void *data, const char *version, const struct err *err);
	void *data;
};

/* --- the end --- */

static void forget(struct trial *trial)
{
	sys_close(trial->pidfd);
	sys_close(trial->answer_fd);
	free(trial);
}

static void on_closed(uv_handle_t *handle)
{
	struct trial *trial = handle->data;

	if (--trial->handles == 0)
		forget(trial);
}

static void end_child(struct trial *trial)
{
	int status;

	if (trial->pid <= 0)
		return;
	sys_kill(trial->pid, SIGKILL);
	sys_wait(trial->pid, &status, 0);
	trial->pid = 0;
}

static void close_handles(struct trial *trial)
{
	if (trial->closing)
		return;
	trial->closing = true;
	uv_close((uv_handle_t *)&trial->process, on_closed);
	uv_close((uv_handle_t *)&trial->answer, on_closed);
	uv_close((uv_handle_t *)&trial->timer, on_closed);
}

void trial_close(struct trial *trial)
{
	if (!trial || trial->closing)
		return;
	end_child(trial);
	close_handles(trial);
}

pid_t trial_pid(const struct trial *trial)
{
	return trial ? trial->pid : 0;
}

/* What is over ANSWER_MAX is read and forgotten, so that the child does not hang in it. */
static void read_answer(struct trial *trial)
{
	char more[256];
	ssize_t n;

	for (int i = 0; i < 64; i++) {
		bool room = trial->used < sizeof trial->text - 1;

		n = room ? read(trial->answer_fd, trial->text + trial->used,
				sizeof trial->text - 1 - trial->used)
			 : read(trial->answer_fd, more, sizeof more);
		if (n == 0)
			uv_poll_stop(&trial->answer);
		if (n <= 0)
			return;
		if (room)
			trial->used += (size_t)n;
	}
}

/* "ready 0.2.0\n" and nothing else. */
static const char *version_of(char *text)
{
	static const char word[] = "ready ";
	char *end = strchr(text, '\n');

	if (strncmp(text, word, sizeof word - 1) != 0 || !end || end[1])
		return NULL;
	*end = '\0';
	return text[sizeof word - 1] ? text + sizeof word - 1 : NULL;
}

/* Its own words on one line, without what every message of luvd begins with. */
static const char *words_of(char *text)
{
	static const char name[] = "luvd: ";

	for (char *p = text; *p; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
	for (size_t end = strlen(text); end > 0 && text[end - 1] == ' '; end--)
		text[end - 1] = '\0';
	return strncmp(text, name, sizeof name - 1) == 0 ? text + sizeof name - 1 : text;
}

static void why(struct trial *trial, int status, struct err *err)
{
	const char *words = words_of(trial->text);

	if (trial->late)
		err_set(err, "the new binary has not answered within %d s", TRIAL_MS / 1000);
	else if (WIFSIGNALED(status))
		err_set(err, "the new binary died from signal %d%s%s", WTERMSIG(status),
			*words ? ": " : "", words);
	else if (WEXITSTATUS(status) == 127 && !*words)
		err_set(err, "the new binary cannot be executed");
	else if (*words)
		err_set(err, "the new binary refuses: %s", words);
	else
		err_set(err, "the new binary has exited with %d and no answer",
			WEXITSTATUS(status));
}

static void on_process(uv_poll_t *poll, int status, int events)
{
	struct trial *trial = poll->data;
	const char *version = NULL;
	struct err err = {0};

	(void)status;
	(void)events;
	if (sys_wait(trial->pid, &status, WNOHANG) != trial->pid)
		return;
	trial->pid = 0;
	read_answer(trial);
	trial->text[trial->used] = '\0';
	if (status == 0 && !trial->late)
		version = version_of(trial->text);
	if (!version)
		why(trial, status, &err);
	trial->tell(trial->data, version, version ? NULL : &err);
	close_handles(trial);
}

static void on_answer(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	read_answer(poll->data);
}

static void on_late(uv_timer_t *timer)
{
	struct trial *trial = timer->data;

	trial->late = true;
	sys_kill(trial->pid, SIGKILL);
}

/* --- the beginning --- */

/* 0: nothing to read; 1 and 2: its answer; 3: the state; then a bundle for each generation. */
static int spawn(struct trial *trial, int program_fd, int null_fd, int answer_fd, int state_fd,
		 const struct handover *handover, struct err *err)
{
	char program[] = "luvd", command[] = "monitor", word[] = "check";
	char *const arguments[] = {program, command, word, NULL};
	int fds[TRIAL_FDS_MAX] = {null_fd, answer_fd, answer_fd, state_fd};
	size_t count = 4;

	for (size_t i = 0; i < handover->generation_count; i++) {
		if (count == TRIAL_FDS_MAX)
			return err_set(err, "too many generations live");
		fds[count++] = handover->generations[i].bundle_fd;
	}
	trial->pid = sys_spawn_worker(program_fd, arguments, fds, count, -1);
	if (trial->pid < 0)
		return err_sys(err, "cannot start the new binary");
	/* What it is refused, it lives without. */
	(void)sys_limit_child(trial->pid, RLIMIT_CPU, TRIAL_CPU);
	(void)sys_limit_child(trial->pid, RLIMIT_CORE, 0);
	(void)sys_limit_child(trial->pid, RLIMIT_FSIZE, 0);
	trial->pidfd = sys_pidfd_open(trial->pid);
	return trial->pidfd < 0 ? err_sys(err, "cannot watch the new binary") : 0;
}

static int start(struct trial *trial, int program_fd, int null_fd, const struct handover *handover,
		 struct err *err)
{
	unsigned char *bytes;
	size_t length;
	int ends[2] = {-1, -1}, state_fd, result = -1;

	if (handover_encode(handover, &bytes, &length, err) < 0)
		return -1;
	state_fd = sys_memfd_sealed("luvd-state", bytes, length);
	free(bytes);
	if (state_fd < 0)
		err_sys(err, "cannot keep the state in memory");
	else if (sys_pipe(ends) < 0)
		err_sys(err, "cannot make a pipe to the new binary");
	else
		result = spawn(trial, program_fd, null_fd, ends[1], state_fd, handover, err);
	sys_close(state_fd);
	sys_close(ends[1]);
	trial->answer_fd = ends[0];
	return result;
}

static int watch(struct trial *trial, uv_loop_t *loop, struct err *err)
{
	int code = uv_poll_init(loop, &trial->process, trial->pidfd);

	trial->process.data = trial->answer.data = trial->timer.data = trial;
	if (code < 0)
		return err_set(err, "cannot watch the new binary: %s", uv_strerror(code));
	trial->handles = 1;
	code = uv_poll_init(loop, &trial->answer, trial->answer_fd);
	if (code < 0)
		return err_set(err, "cannot watch the new binary: %s", uv_strerror(code));
	uv_timer_init(loop, &trial->timer);
	trial->handles = 3;
	uv_poll_start(&trial->process, UV_READABLE, on_process);
	uv_poll_start(&trial->answer, UV_READABLE, on_answer);
	uv_timer_start(&trial->timer, on_late, TRIAL_MS, 0);
	return 0;
}

struct trial *trial_start(uv_loop_t *loop, int program_fd, int null_fd,
			  const struct handover *handover,
			  void (*tell)(void *data, const char *version, const struct err *err),
			  void *data, struct err *err)
{
	struct trial *trial = calloc(1, sizeof *trial);

	if (!trial) {
		err_set(err, "out of memory");
		return NULL;
	}
	trial->tell = tell;
	trial->data = data;
	trial->pidfd = trial->answer_fd = -1;
	if (start(trial, program_fd, null_fd, handover, err) == 0 && watch(trial, loop, err) == 0)
		return trial;
	end_child(trial);
	if (trial->handles > 0)
		uv_close((uv_handle_t *)&trial->process, on_closed);
	else
		forget(trial);
	return NULL;
}
