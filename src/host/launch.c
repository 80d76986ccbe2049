#include "host/launch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/channel.h"
#include "host/classic.h"
#include "host/log.h"
#include "host/monitor/monitor.h"
#include "host/notify.h"
#include "host/orphans.h"
#include "host/signals.h"
#include "say.h"
#include "spec/quote.h"
#include "sys/sys.h"

enum {
	GRACE_MS = 1000, /* the daemon times service.start itself; this is over everything */
	REAP_MS = 1000   /* how long a daemon that closed its channel may take to be gone */
};

/* What the launcher knows of its daemon while it waits. */
struct wait {
	struct daemon *daemon;
	struct plan *plan; /* all roles: what is to be undone */
	struct orphans *orphans;
	pid_t pid;     /* 0: not told yet; -1: reaped */
	char step[16]; /* the last that has begun */
	char text[1024];
	int64_t deadline; /* of now_ms; 0: none */
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* In `run` whose log is elsewhere, fd 2 leads to that log from step output on. */
static void print(const struct daemon *daemon, enum say_kind kind, const struct err *err)
{
	int fd = daemon->terminal_fd >= 0 ? daemon->terminal_fd : STDERR_FILENO;
	const struct spec *spec = daemon->spec;
	char *quote = quote_make(&spec->source, spec->modules, spec->module_count, err);

	say(fd, daemon->source.environment, kind, err, quote);
	free(quote);
}

/* With --if-stopped a daemon that runs already is what was asked for. */
static int verdict(const struct daemon *daemon, const struct err *err)
{
	char text[ERR_TEXT_MAX];

	if (daemon->if_stopped && err->exit == EXIT_RUNNING) {
		puts(err_text(err, text, sizeof text));
		return EXIT_DONE;
	}
	print(daemon, SAY_ERROR, err);
	return err->exit ? err->exit : EXIT_FAILED;
}

/* --- in the daemon --- */

static int announce(struct daemon *daemon, const struct step *step, struct err *err)
{
	struct message message = {.type = MESSAGE_PID, .pid = getpid()};

	if (daemon->channel_fd < 0)
		return 0;
	if (!daemon->announced && channel_send(daemon->channel_fd, &message) < 0)
		return err_sys(err, "the launcher is gone");
	daemon->announced = true;
	message.type = MESSAGE_STEP;
	snprintf(message.err.step, sizeof message.err.step, "%s", step->name);
	if (channel_send(daemon->channel_fd, &message) < 0)
		return err_sys(err, "the launcher is gone");
	return 0;
}

/* Shown by whoever has a terminal, and kept for the log when it is not that terminal. */
static void warn(struct daemon *daemon, const struct err *err)
{
	struct message message = {.type = MESSAGE_WARNING, .err = *err};

	if (daemon->log)
		log_err(daemon->log, LEVEL_WARN, err);
	else
		*errs_add(&daemon->warnings) = *err;
	if (getpid() == daemon->launcher && !daemon->log)
		print(daemon, SAY_WARNING, err);
	else if (daemon->channel_fd >= 0)
		channel_send(daemon->channel_fd, &message);
}

int launch_failed(struct daemon *daemon, struct plan *plan, const struct err *err)
{
	struct message message = {.type = MESSAGE_FAILED, .err = *err};

	/* Also what is between the two forks tells: the launcher alone undoes. */
	if (getpid() != daemon->launcher && channel_send(daemon->channel_fd, &message) == 0)
		return err->exit ? err->exit : EXIT_FAILED;
	plan_undo(plan, daemon);
	return verdict(daemon, err);
}

/* --- in the launcher --- */

enum reaped { REAP_NONE = -1, REAP_NOT_YET, REAP_DONE };

/* Takes the daemon's end. The process between the forks has been waited for; before the daemon has
 * told its pid it is the only other child that can end in a way worth telling. */
static enum reaped reap(struct wait *wait, int *status, int options)
{
	pid_t pid;

	do
		pid = sys_wait(-1, status, options);
	while (pid > 0 && pid != wait->pid && wait->pid != 0);
	if (pid > 0)
		return REAP_DONE;
	return pid == 0 ? REAP_NOT_YET : REAP_NONE;
}

/* A process that closed its end of the channel is nearly gone; how it went is worth a moment. */
static bool reap_soon(struct wait *wait, int *status)
{
	int64_t until = now_ms() + REAP_MS;
	enum reaped reaped;

	while ((reaped = reap(wait, status, WNOHANG)) == REAP_NOT_YET && now_ms() < until)
		sys_sleep(2);
	return reaped == REAP_DONE;
}

/* Ends whatever is left of the daemon, then takes back what it did. */
static int give_up(struct wait *wait, const struct err *err)
{
	int status;

	if (wait->pid > 0) {
		sys_kill(wait->pid, SIGKILL);
		reap(wait, &status, 0);
	}
	/* Closing first lets a daemon that has not told its pid end at its first announcement. */
	sys_close(wait->daemon->channel_fd);
	wait->daemon->channel_fd = -1;
	if (wait->pid == 0)
		reap_soon(wait, &status);
	/* Workers of a monitor that was killed: they see its end, and are ours now. */
	orphans_end(wait->orphans, REAP_MS);
	plan_undo(wait->plan, wait->daemon);
	return verdict(wait->daemon, err);
}

static int died(struct wait *wait)
{
	struct err err = {0};
	int status = wait->daemon->middle_status;
	bool reaped = reap_soon(wait, &status);

	snprintf(err.step, sizeof err.step, "%s", wait->step);
	if (!reaped && wait->pid > 0)
		err_set(&err, "the daemon has left without a word, but does not end");
	else if (WIFSIGNALED(status))
		err_set(&err, "the daemon died from signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		err_set(&err, "the daemon exited with code %d without a word", WEXITSTATUS(status));
	if (reaped)
		wait->pid = -1;
	return give_up(wait, &err);
}

static int late(struct wait *wait)
{
	struct err err = {.step = "start"};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out) {
		text_duration(out, wait->daemon->spec->timeout_start);
		fclose(out);
	}
	err_set(&err, "not ready within %s (step %s)", text ? text : "its time", wait->step);
	free(text);
	return give_up(wait, &err);
}

static int interrupted(struct wait *wait, int number, pid_t sender)
{
	struct err err = {.step = "start"};
	char name[SIGNAL_NAME_MAX];

	err_set(&err, "interrupted by %s from pid %ld", signal_name(number, name), (long)sender);
	return give_up(wait, &err);
}

/* The service manager's main process is the daemon; it must hear so before this process ends. */
static void tell_manager(struct wait *wait)
{
	struct daemon *daemon = wait->daemon;
	struct err err = {0};

	if (daemon->notify_socket < 0 && step_notify.wanted(daemon))
		step_notify.apply(daemon, &err); /* a manager that is gone is nobody's error */
	notify_ready(daemon, wait->pid);
}

static int ready(struct wait *wait)
{
	tell_manager(wait);
	printf("%s: started, pid %ld%s%s\n", wait->daemon->spec->name, (long)wait->pid,
	       *wait->text ? ", " : "", wait->text);
	return EXIT_DONE;
}

enum { WAITING = -1 };

static int take_message(struct wait *wait, const struct message *message)
{
	switch (message->type) {
	case MESSAGE_PID:
		wait->pid = message->pid;
		return WAITING;
	case MESSAGE_STEP:
		snprintf(wait->step, sizeof wait->step, "%s", message->err.step);
		plan_begun(wait->plan, wait->step);
		return WAITING;
	case MESSAGE_WARNING:
		print(wait->daemon, SAY_WARNING, &message->err);
		return WAITING;
	case MESSAGE_FAILED:
		return give_up(wait, &message->err);
	case MESSAGE_READY:
		snprintf(wait->text, sizeof wait->text, "%s", message->text);
		return ready(wait);
	default: /* what only workers and monitors say */
		break;
	}
	return WAITING;
}

/* All messages that are there: WAITING or the exit code. */
static int take_messages(struct wait *wait)
{
	struct message message;
	int result;

	for (;;) {
		int got = channel_receive(wait->daemon->channel_fd, &message);

		if (got == 0)
			return died(wait);
		if (got < 0 && errno == EBADMSG)
			continue;
		if (got < 0)
			return WAITING;
		result = take_message(wait, &message);
		if (result != WAITING)
			return result;
	}
}

static int time_left(const struct wait *wait)
{
	int64_t left = wait->deadline ? wait->deadline - now_ms() : 3600000;

	if (left < 0)
		return 0;
	return left > 3600000 ? 3600000 : (int)left;
}

static int wait_for(struct wait *wait, int signal_fd)
{
	struct pollfd fds[] = {{wait->daemon->channel_fd, POLLIN, 0}, {signal_fd, POLLIN, 0}};
	int result = WAITING;

	while (result == WAITING) {
		int number;
		pid_t sender;

		if (poll(fds, 2, time_left(wait)) < 0 && errno != EINTR) {
			struct err err = {.step = "start"};

			err_sys(&err, "cannot wait for the daemon");
			return give_up(wait, &err);
		}
		if (fds[0].revents)
			result = take_messages(wait);
		else if ((number = sys_signal_pending(&sender)) > 0)
			result = interrupted(wait, number, sender);
		else if (wait->deadline && now_ms() >= wait->deadline)
			result = late(wait);
	}
	return result;
}

static int launcher_wait(struct daemon *daemon, struct plan *plan, struct orphans *orphans)
{
	struct wait wait = {.daemon = daemon, .plan = plan, .orphans = orphans, .step = "detach"};
	int64_t limit = daemon->spec->timeout_start;
	int signal_fd = sys_signal_fd();
	int code;

	plan_begun(plan, wait.step);
	wait.deadline = limit > 0 ? now_ms() + limit + GRACE_MS : 0;
	if (signal_fd < 0) {
		struct err err = {.step = "start"};

		err_sys(&err, "cannot wait for signals");
		return give_up(&wait, &err);
	}
	code = wait_for(&wait, signal_fd);
	sys_close(signal_fd);
	return code;
}

void launch_describe(const struct daemon *daemon, FILE *out)
{
	const char *between = "";

	for (size_t i = 0; i < daemon->listener_count; i++) {
		fprintf(out, "%s%s", between, daemon->listeners[i].actual);
		between = ", ";
	}
	if (daemon->sink.kind == SINK_FILE)
		fprintf(out, "%slog %s", between, daemon->spec->log.path);
	else if (daemon->sink.kind == SINK_SYSLOG)
		fprintf(out, "%slog syslog", between);
	else if (daemon->sink.kind == SINK_JOURNAL || daemon->sink.journal)
		fprintf(out, "%slog journal", between);
}

/* The rows that are taken in this process: a worker takes its own. */
static unsigned roles_of(const struct spec *spec)
{
	return spec->workers ? LAUNCH | MONITOR : LAUNCH | MONITOR | WORKER;
}

/* What stands in a stream's buffer at a fork would be written twice. */
int launch(struct daemon *daemon, struct plan *plan)
{
	struct orphans orphans = {0};
	struct err err = {0};
	struct plan own;
	int result;

	daemon->launcher = getpid();
	daemon->announce = announce;
	daemon->warn = warn;
	fflush(NULL);
	orphans_note(&orphans);
	if (!daemon->background)
		daemon->terminal_fd = sys_dup(STDERR_FILENO);
	plan_make(&own, daemon, roles_of(daemon->spec));
	result = plan_apply(&own, daemon, &err);
	if (result == STEP_LEAVE)
		return launcher_wait(daemon, plan, &orphans);
	if (result < 0)
		return launch_failed(daemon, &own, &err);
	plan->next = plan->count;
	return daemon->spec->workers ? monitor_run(daemon, plan) : classic_run(daemon, plan);
}
