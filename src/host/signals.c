#include "host/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/log.h"
#include "host/remains.h"
#include "plan/step.h"
#include "sys/sys.h"

struct signals {
	uv_poll_t poll;
	int pipe[2];
	timer_t timer;
	bool has_timer;
	struct daemon *daemon;
	void (*tell)(void *data, const struct signal_event *event);
	void *data;
};

enum { SIGNALS = 65, SAME_REQUEST_MS = 20, SAME_BEGUN_MS = 1, PASSED_ON_MS = 1000 };

/* The one global: what a handler must reach. Filled before the first handler stands, changed
 * afterwards only through the atomics. */
static struct {
	int pipe;
	int log_fd;
	pid_t process;
	bool waits; /* a monitor: its loop never spins, and answers the second request itself */
	bool stops[SIGNALS];
	bool kernel_hup_stops;
	pid_t monitor; /* of a worker, else 0 */
	pid_t keeper;  /* run --watch: who passes on what it gets; else 0 */
	timer_t timer;
	atomic_llong due; /* when timer ends the process, of clock_ms; 0: it is not set */
	atomic_bool orphaned;
	atomic_int asked;  /* requests to stop so far */
	atomic_bool begun; /* the loop has seen the first */
	atomic_int asked_by;
	atomic_llong asked_at;
	struct remains remains;
	char late[128]; /* the last word when stopping took too long */
	size_t late_length;
} self = {.pipe = -1, .log_fd = -1};

const char *signal_name(int number, char text[SIGNAL_NAME_MAX])
{
	const char *name = sigabbrev_np(number);

	if (name)
		snprintf(text, SIGNAL_NAME_MAX, "SIG%s", name);
	else
		snprintf(text, SIGNAL_NAME_MAX, "signal %d", number);
	return text;
}

const char *signal_origin(const struct signal_event *event, char text[SIGNAL_ORIGIN_MAX])
{
	char name[SIGNAL_NAME_MAX];

	signal_name(event->number, name);
	if (event->by_kernel)
		snprintf(text, SIGNAL_ORIGIN_MAX, "%s from the kernel", name);
	else if (event->pid)
		snprintf(text, SIGNAL_ORIGIN_MAX, "%s from pid %ld (uid %ld)", name,
			 (long)event->pid, (long)event->uid);
	else
		snprintf(text, SIGNAL_ORIGIN_MAX, "%s from outside the container (uid %ld)", name,
			 (long)event->uid);
	return text;
}

/* --- the handlers --- */

static bool is_stop(const struct daemon *daemon, int number)
{
	enum action action = signal_action(daemon, number, false).action;

	return action == ACTION_STOP || action == ACTION_STOP_NOW;
}

/* --- in the handler: async-signal-safe calls only, signal-safety(7) --- */

static long long clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A tool that stops a group and its leader (timeout(1)) sends one request twice, at once. What
 * comes after stopping has begun is nearly always a second one. */
static bool same_request(const siginfo_t *info)
{
	long long within = atomic_load(&self.begun) ? SAME_BEGUN_MS : SAME_REQUEST_MS;
	pid_t first = atomic_load(&self.asked_by);

	/* A group's signal comes from whoever has sent it, and once more through the keeper. */
	if (self.keeper && (first == self.keeper) != (info->si_pid == self.keeper))
		within = PASSED_ON_MS;
	else if (first != info->si_pid)
		return false;
	return clock_ms() - atomic_load(&self.asked_at) < within;
}

/* Nobody but an orphaned worker would end what its service has started. */
static void end_group(void)
{
	if (atomic_load(&self.orphaned) && getpgrp() == self.process)
		kill(0, SIGKILL);
}

static void end_at_once(int number)
{
	remains_remove(&self.remains);
	end_group();
	signal(number, SIG_DFL);
	kill(self.process, number);
}

/* The earliest end counts. A handler may come between any two lines of the loop's call. */
static void end_by(long long at)
{
	long long due = atomic_load(&self.due);

	while (!due || at < due)
		if (atomic_compare_exchange_weak(&self.due, &due, at))
			break;
	do {
		struct itimerspec when = {0};

		due = atomic_load(&self.due);
		when.it_value.tv_sec = due / 1000;
		when.it_value.tv_nsec = due % 1000 * 1000000;
		timer_settime(self.timer, TIMER_ABSTIME, &when, NULL);
	} while (atomic_load(&self.due) != due);
}

/* The kernel tells a worker of its monitor's end by SIGTERM, in the name of the monitor, which
 * sends none itself; and once more for each of its threads, so that it may still be the parent.
 * From here on Lua may spin. */
static bool is_orphaned(int number, const siginfo_t *info)
{
	if (!self.monitor)
		return false;
	if (((number == SIGTERM && info->si_pid == self.monitor) || getppid() != self.monitor) &&
	    !atomic_exchange(&self.orphaned, true))
		end_by(clock_ms() + SIGNALS_ORPHAN_MS);
	return atomic_load(&self.orphaned);
}

static void on_signal(int number, siginfo_t *info, void *context)
{
	bool by_kernel = info->si_code == SI_KERNEL;
	struct signal_event event = {.number = number,
				     .by_kernel = by_kernel,
				     .pid = by_kernel ? 0 : info->si_pid,
				     .uid = info->si_uid};
	int code = errno;

	(void)context;
	if (is_orphaned(number, info)) {
		/* It ends anyway, and soon: one that repeats itself is not impatient. */
	} else if (self.stops[number] || (number == SIGHUP && by_kernel && self.kernel_hup_stops)) {
		/* Told from the first request on: one that repeats itself is impatient. */
		if (atomic_load(&self.asked) == 0) {
			atomic_store(&self.asked_by, info->si_pid);
			atomic_store(&self.asked_at, clock_ms());
		}
		event.again = atomic_fetch_add(&self.asked, 1) > 0 && !same_request(info);
		if (event.again && !self.waits)
			end_at_once(number);
	}
	/* A full pipe means that the loop has signals to read: bursts collapse. */
	if (write(self.pipe, &event, sizeof event) < 0)
		errno = code;
	errno = code;
}

static void on_late(int number, siginfo_t *info, void *context)
{
	struct pollfd sink = {self.log_fd, POLLOUT, 0};

	(void)number;
	(void)info;
	(void)context;
	if (self.log_fd >= 0 && poll(&sink, 1, 0) == 1 && (sink.revents & POLLOUT) &&
	    write(self.log_fd, self.late, self.late_length) < 0)
		errno = 0; /* nobody is left to be told */
	remains_remove(&self.remains);
	end_group();
	_exit(EXIT_FAILED);
}

/* --- in the loop --- */

void signals_drain(struct signals *signals)
{
	struct signal_event event;

	while (read(signals->pipe[0], &event, sizeof event) == sizeof event)
		signals->tell(signals->data, &event);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	signals_drain(poll->data);
}

static int open_pipe(struct signals *signals, struct err *err)
{
	if (sys_pipe(signals->pipe) < 0)
		return err_sys(err, "cannot make the pipe for signals");
	for (int i = 0; i < 2; i++)
		if (fcntl(signals->pipe[i], F_SETFL, O_NONBLOCK) < 0)
			return err_sys(err, "cannot set up the pipe for signals");
	return 0;
}

static int handle(const struct daemon *daemon, int number, struct err *err)
{
	char name[SIGNAL_NAME_MAX];

	self.stops[number] = is_stop(daemon, number);
	if (sys_signal_handle(number, on_signal) < 0)
		return err_sys(err, "cannot handle %s", signal_name(number, name));
	return 0;
}

static int ignore(int number, struct err *err)
{
	char name[SIGNAL_NAME_MAX];

	if (sys_signal_handle(number, NULL) < 0)
		return err_sys(err, "cannot ignore %s", signal_name(number, name));
	return 0;
}

static int install(struct daemon *daemon, struct err *err)
{
	const struct spec *spec = daemon->spec;

	for (size_t i = 0; signal_default(i); i++)
		if (handle(daemon, signal_default(i), err) < 0)
			return -1;
	for (size_t i = 0; i < spec->signal_count; i++)
		if (handle(daemon, spec->signals[i].number, err) < 0)
			return -1;
	if (ignore(SIGPIPE, err) < 0 || ignore(SIGXFSZ, err) < 0)
		return -1;
	if (sys_signal_handle(SIGRTMIN, on_late) < 0)
		return err_sys(err, "cannot handle the timer of stop");
	if (sys_signals_unblock() < 0)
		return err_sys(err, "cannot unblock signals");
	return 0;
}

static int watch(struct signals *signals, uv_loop_t *loop, struct err *err)
{
	int code = uv_poll_init(loop, &signals->poll, signals->pipe[0]);

	if (code < 0)
		return err_set(err, "cannot watch the pipe for signals: %s", uv_strerror(code));
	signals->poll.data = signals;
	uv_poll_start(&signals->poll, UV_READABLE, on_readable);
	return 0;
}

static void prepare_last_word(const struct daemon *daemon)
{
	bool stream = daemon->sink.kind != SINK_SYSLOG && daemon->sink.kind != SINK_JOURNAL;
	int n;

	n = snprintf(self.late, sizeof self.late,
		     "%s%.64s[%ld]: stop took longer than timeouts.stop: ended\n",
		     daemon->sink.journal ? "<3>" : "", daemon->spec->name, (long)getpid());
	self.late_length = n > 0 && (size_t)n < sizeof self.late ? (size_t)n : 0;
	self.log_fd = stream ? daemon->sink.fd : -1;
	/* What a worker writes there its monitor reads. */
	if (daemon->monitor)
		self.log_fd = STDERR_FILENO;
}

/* From here on end_by may be called. */
static int make_timer(struct signals *signals, struct err *err)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL};

	if (signals->has_timer)
		return 0;
	event.sigev_signo = SIGRTMIN;
	prepare_last_word(signals->daemon);
	if (timer_create(CLOCK_MONOTONIC, &event, &signals->timer) < 0)
		return err_sys(err, "cannot make the timer of stop");
	self.timer = signals->timer;
	atomic_store(&self.due, 0);
	signals->has_timer = true;
	return 0;
}

struct signals *signals_create(uv_loop_t *loop, struct daemon *daemon,
			       void (*tell)(void *data, const struct signal_event *event),
			       void *data, struct err *err)
{
	struct signals *signals = calloc(1, sizeof *signals);

	if (!signals) {
		err_set(err, "out of memory");
		return NULL;
	}
	*signals = (struct signals){.pipe = {-1, -1}, .daemon = daemon, .tell = tell, .data = data};
	if (open_pipe(signals, err) < 0 || (daemon->monitor && make_timer(signals, err) < 0) ||
	    watch(signals, loop, err) < 0)
		goto destroy;
	self.pipe = signals->pipe[1];
	self.process = getpid();
	self.waits = daemon->role == MONITOR;
	self.kernel_hup_stops = !daemon->background && !daemon->monitor;
	self.monitor = daemon->monitor;
	self.keeper = daemon->watch && !daemon->monitor ? getppid() : 0;
	/* What a worker has outside the process is its monitor's. */
	if (!daemon->monitor)
		remains_note(&self.remains, daemon);
	/* From here on the loop knows the handle: the caller closes it whatever happens. */
	if (install(daemon, err) < 0) {
		signals_close(signals);
		uv_run(loop, UV_RUN_NOWAIT);
		goto destroy;
	}
	return signals;
destroy:
	signals_destroy(signals);
	return NULL;
}

/* A handler may read what is written here: a bool, or files of which the worst is one that is
 * left. */
void signals_renew(struct signals *signals)
{
	const struct spec *spec = signals->daemon->spec;
	struct err err = {0};

	for (int number = 1; number < SIGNALS; number++)
		self.stops[number] = is_stop(signals->daemon, number);
	for (size_t i = 0; i < spec->signal_count; i++)
		if (handle(signals->daemon, spec->signals[i].number, &err) < 0)
			log_err(signals->daemon->log, LEVEL_WARN, &err);
	if (!signals->daemon->monitor)
		remains_note(&self.remains, signals->daemon);
}

void signals_stopping(struct signals *signals, int64_t limit_ms)
{
	struct err err = {0};

	atomic_store(&self.begun, true);
	if (atomic_load(&self.asked) == 0)
		atomic_store(&self.asked, 1);
	/* Without a timer life_stop still has its own limit: this one is for Lua that never yields.
	 */
	if (limit_ms > 0 && make_timer(signals, &err) == 0)
		end_by(clock_ms() + limit_ms);
}

void signals_orphaned(struct signals *signals)
{
	(void)signals;
	if (!atomic_exchange(&self.orphaned, true))
		end_by(clock_ms() + SIGNALS_ORPHAN_MS);
}

static void on_closed(uv_handle_t *handle)
{
	handle->data = NULL;
}

void signals_close(struct signals *signals)
{
	uv_close((uv_handle_t *)&signals->poll, on_closed);
}

/* The handlers stay: a late signal finds a closed pipe and does nothing, a second request to stop
 * still ends the process. */
void signals_destroy(struct signals *signals)
{
	if (!signals)
		return;
	self.pipe = -1;
	self.monitor = 0; /* nobody may set the timer any more */
	for (int i = 0; i < 2; i++)
		if (signals->pipe[i] >= 0)
			sys_close(signals->pipe[i]);
	if (signals->has_timer)
		timer_delete(signals->timer);
	free(signals);
}
