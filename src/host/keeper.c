#include "host/keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/stamps.h"
#include "say.h"
#include "spec/trust.h"
#include "sys/sys.h"

enum {
	LOOK_MS = 100,   /* between two looks at the files */
	QUIET_MS = 50,   /* without another change: whoever saves several files is done */
	NEWS_MAX = 65536 /* bytes of paths that are heard of one attempt */
};

struct keeper {
	struct daemon *daemon;
	int signals; /* descriptor */
	struct stamps stamps;

	/* Of this attempt. */
	pid_t pid;
	int pidfd, news_fd;
	struct timespec begun;
	char
	    news[NEWS_MAX]; /* paths, each with its closing 0; an empty one: the last of its news */
	size_t used;
	char last;    /* byte of them; 0: none */
	bool left;    /* it is not to be started again */
	bool stopped; /* somebody wants it to end */
};

/* --- in the child --- */

/* A keeper that is gone is nobody's loss. */
static void tell(const struct daemon *daemon, const char *text)
{
	(void)!write(daemon->keeper_fd, text, strlen(text) + 1);
}

void keeper_files(struct daemon *daemon, char *const *paths)
{
	for (; daemon->keeper_fd >= 0 && paths && *paths; paths++)
		tell(daemon, *paths);
}

void keeper_leave(struct daemon *daemon)
{
	if (daemon->keeper_fd < 0)
		return;
	tell(daemon, "");
	sys_close(daemon->keeper_fd);
	daemon->keeper_fd = -1;
}

/* --- one attempt --- */

/* A string that is empty is the last, however much was said before. */
static void look_for_end(struct keeper *keeper, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		keeper->left |= !bytes[i] && !keeper->last;
		keeper->last = bytes[i];
	}
}

/* What is over NEWS_MAX is not kept. false: the child has closed it. */
static bool hear(struct keeper *keeper)
{
	char more[256];
	bool room = keeper->used < NEWS_MAX;
	char *to = room ? keeper->news + keeper->used : more;
	ssize_t n = read(keeper->news_fd, to, room ? NEWS_MAX - keeper->used : sizeof more);

	if (n > 0) {
		look_for_end(keeper, to, (size_t)n);
		keeper->used += room ? (size_t)n : 0;
	}
	return n > 0 || (n < 0 && errno == EINTR);
}

/* A terminal's signal has come to the child, too. */
static void pass_on(struct keeper *keeper)
{
	bool by_kernel = false;
	int number = sys_signal_pending_any(&by_kernel);

	if (!number)
		return;
	if (number != SIGUSR1 && number != SIGUSR2 && (number != SIGHUP || by_kernel))
		keeper->stopped = true;
	if (!by_kernel)
		sys_kill(keeper->pid, number);
}

/* Until the child has ended: its status. */
static int attend(struct keeper *keeper)
{
	int status = 0;

	for (;;) {
		struct pollfd fds[] = {{keeper->pidfd, POLLIN, 0},
				       {keeper->signals, POLLIN, 0},
				       {keeper->news_fd, POLLIN, 0}};

		if (poll(fds, 3, -1) < 0)
			continue; /* EINTR */
		if (fds[1].revents)
			pass_on(keeper);
		if (fds[2].revents && !hear(keeper)) {
			sys_close(keeper->news_fd);
			keeper->news_fd = -1;
		}
		if (fds[0].revents && sys_wait(keeper->pid, &status, WNOHANG) == keeper->pid)
			return status;
	}
}

enum { IN_CHILD = 1 };

/* -1: it cannot be tried. IN_CHILD or 0, in the keeper. */
static int try(struct keeper *keeper, struct err *err)
{
	struct daemon *daemon = keeper->daemon;
	pid_t parent = sys_pid();
	int ends[2];

	keeper->used = 0;
	keeper->last = 0;
	trust_clock(&keeper->begun);
	if (sys_pipe(ends) < 0)
		return err_sys(err, "cannot make a pipe to the daemon");
	fflush(NULL);
	keeper->pid = sys_fork();
	if (keeper->pid == 0) {
		sys_close(ends[0]);
		sys_close(keeper->signals);
		keeper->signals = -1;
		daemon->keeper_fd = ends[1];
		daemon->launcher = sys_pid();
		daemon->parent = parent;
		sys_parent_death_signal(SIGTERM);
		if (getppid() != parent)
			sys_kill(sys_pid(), SIGTERM);
		return IN_CHILD;
	}
	sys_close(ends[1]);
	keeper->news_fd = ends[0];
	keeper->pidfd = keeper->pid > 0 ? sys_pidfd_open(keeper->pid) : -1;
	if (keeper->pidfd < 0)
		return err_sys(err, "cannot start a process that can be watched");
	return 0;
}

static void forget(struct keeper *keeper)
{
	/* What it has said last. */
	while (keeper->news_fd >= 0 && hear(keeper))
		;
	sys_close(keeper->pidfd);
	sys_close(keeper->news_fd);
	keeper->pidfd = keeper->news_fd = -1;
}

/* --- between two --- */

static void take_news(struct keeper *keeper)
{
	char *own[] = {keeper->daemon->source.path, NULL};
	char **paths = calloc(STAMPS_MAX + 1, sizeof *paths);
	size_t count = 0;

	for (size_t i = 0; paths && i < keeper->used && count < STAMPS_MAX;) {
		const char *end = memchr(keeper->news + i, 0, keeper->used - i);

		if (!end)
			break; /* cut */
		paths[count++] = keeper->news + i;
		i = (size_t)(end - keeper->news) + 1;
	}
	/* Without memory it is the files of the attempt before. */
	(void)stamps_set(&keeper->stamps, own, paths, &keeper->begun);
	free(paths);
}

/* true: a signal has come, which ends the keeper. */
static bool pause_for(const struct keeper *keeper, int ms)
{
	struct pollfd fds[] = {{keeper->signals, POLLIN, 0}};
	bool by_kernel = false;
	int number = poll(fds, 1, ms) > 0 ? sys_signal_pending_any(&by_kernel) : 0;

	return number && number != SIGUSR1 && number != SIGUSR2;
}

/* true: a file has changed; false: a signal. */
static bool await_change(struct keeper *keeper)
{
	take_news(keeper);
	fprintf(stderr, "luvd: waiting for a change of %s, or a file that it uses; Ctrl-C ends\n",
		keeper->daemon->source.shown);
	while (!stamps_look(&keeper->stamps))
		if (pause_for(keeper, LOOK_MS))
			return false;
	do
		if (pause_for(keeper, QUIET_MS))
			return false;
	while (stamps_look(&keeper->stamps));
	return true;
}

/* --- all --- */

/* What a test has started (--scratch) ends with the test, and so does who starts it again: by a
 * signal that no daemon file gives another meaning, for the daemon is told of our end. */
static int tie(const struct daemon *daemon, struct err *err)
{
	if (!daemon->source.scratch)
		return 0;
	if (sys_parent_death_signal(SIGKILL) < 0)
		return err_sys(err, "cannot ask for a signal at the parent's end");
	return sys_parent() == daemon->parent ? 0 : err_set(err, "the parent process is gone");
}

static bool is_stop(int number)
{
	return number == SIGHUP || number == SIGINT || number == SIGQUIT || number == SIGTERM ||
	       number == SIGKILL;
}

static int code_of(int status)
{
	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	/* Whoever started us sees which signal it was; a crash has left its core already. */
	if (sys_pid() != 1 && is_stop(WTERMSIG(status))) {
		signal(WTERMSIG(status), SIG_DFL);
		sys_kill(sys_pid(), WTERMSIG(status));
		sys_signals_unblock();
	}
	return EXIT_FAILED;
}

static int fail(struct keeper *keeper, const struct err *err)
{
	if (keeper->pid > 0) {
		int status;

		sys_kill(keeper->pid, SIGKILL);
		sys_wait(keeper->pid, &status, 0);
	}
	say(STDERR_FILENO, keeper->daemon->source.environment, SAY_ERROR, err, NULL);
	return EXIT_FAILED;
}

static int keep(struct keeper *keeper, int (*begin)(void *data), void *data)
{
	struct err err = {.step = "watch"};
	int status, result;

	do {
		result = try(keeper, &err);
		if (result == IN_CHILD)
			return begin(data);
		if (result < 0) {
			result = fail(keeper, &err);
			forget(keeper);
			return result;
		}
		status = attend(keeper);
		forget(keeper);
		if (keeper->stopped || keeper->left || !WIFEXITED(status) ||
		    WEXITSTATUS(status) == EXIT_DONE || WEXITSTATUS(status) == EXIT_RUNNING)
			break;
	} while (await_change(keeper));
	return code_of(status);
}

int keeper_run(struct daemon *daemon, int (*begin)(void *data), void *data)
{
	struct keeper *keeper = calloc(1, sizeof *keeper);
	struct err err = {.step = "watch"};
	int code;

	if (!keeper) {
		err_set(&err, "out of memory");
		say(STDERR_FILENO, daemon->source.environment, SAY_ERROR, &err, NULL);
		return EXIT_FAILED;
	}
	keeper->daemon = daemon;
	keeper->pidfd = keeper->news_fd = -1;
	keeper->signals = sys_signal_fd_any();
	if (keeper->signals < 0)
		err_sys(&err, "cannot wait for signals");
	if (keeper->signals < 0 || tie(daemon, &err) < 0) {
		code = fail(keeper, &err);
	} else {
		code = keep(keeper, begin, data);
	}
	sys_close(keeper->signals);
	stamps_finish(&keeper->stamps);
	free(keeper);
	return code;
}
