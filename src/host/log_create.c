#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "colour.h"
#include "host/crash.h"
#include "host/log_parts.h"

enum { STACK = 128 * 1024 };

/* --- create, start, finish --- */

/* Text for a person who looks; a program that reads gets the same as ever. */
static bool is_watched(const struct daemon *daemon)
{
	enum sink_kind kind = daemon->sink.kind;

	return (kind == SINK_STDERR || kind == SINK_STDOUT) && !daemon->sink.journal &&
	       !daemon->spec->log.json && colour_terminal(daemon->sink.fd);
}

static void choose_forms(struct log *log)
{
	const struct daemon *daemon = log->daemon;
	const struct log_spec *spec = &daemon->spec->log;
	struct format *format = &log->store.sink_format;

	*format = (struct format){.form = spec->json ? FORM_JSON : FORM_TEXT,
				  .json = spec->json,
				  .name = log->name,
				  .pid = daemon->pid ? daemon->pid : getpid(),
				  .facility = spec->facility};
	log->store.text_format = *format;
	if (daemon->sink.kind == SINK_SYSLOG)
		format->form = FORM_SYSLOG;
	else if (daemon->sink.kind == SINK_JOURNAL)
		format->form = FORM_JOURNAL;
	else if (daemon->sink.journal)
		format->form = FORM_STREAM;
	else if (is_watched(daemon))
		format->form = FORM_TERMINAL;
	format->coloured = format->form == FORM_TERMINAL &&
			   colour_wanted(daemon->sink.fd, daemon->source.environment);
}

static int open_events(struct log *log, struct err *err)
{
	if (log->wake_fd >= 0)
		return 0; /* of a thread before */
	log->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	log->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (log->wake_fd < 0 || log->done_fd < 0)
		return err_sys(err, "cannot make the log's events");
	return 0;
}

struct log *log_create(struct daemon *daemon, struct err *err)
{
	struct log *log = calloc(1, sizeof *log);

	if (log)
		log->name = strdup(daemon->spec->name);
	if (!log || !log->name || sources_init(&log->sources) < 0 || store_init(&log->store) < 0) {
		err_sys(err, "cannot make the log");
		if (log) {
			sources_finish(&log->sources);
			free(log->name);
		}
		free(log);
		return NULL;
	}
	pthread_mutex_init(&log->repeat_lock, NULL);
	log->daemon = daemon;
	log->wake_fd = log->done_fd = -1;
	log->output_fd = daemon->output_fd;
	atomic_store(&log->level, daemon->spec->log.level);
	choose_forms(log);
	log->outlet.store = &log->store;
	writer_init(&log->outlet.writer, &daemon->sink);
	return log;
}

struct log *log_create_relay(struct daemon *daemon, struct err *err)
{
	struct log *log = calloc(1, sizeof *log);

	if (!log) {
		err_sys(err, "cannot make the log");
		return NULL;
	}
	log->daemon = daemon;
	atomic_store(&log->level, daemon->spec->log.level);
	log->relay = relay_create(daemon->relay_fd, err);
	if (log->relay)
		return log;
	free(log);
	return NULL;
}

/* Signals are the loop's; only those that a fault of this very thread raises stay. */
static int block_signals(sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGFPE);
	sigdelset(&all, SIGILL);
	sigdelset(&all, SIGABRT);
	return pthread_sigmask(SIG_SETMASK, &all, before);
}

static int create_thread(struct log *log, struct err *err)
{
	pthread_attr_t attributes;
	sigset_t before;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	errno = block_signals(&before);
	if (errno == 0) {
		errno = pthread_create(&log->thread, &attributes, log_run, log);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	pthread_attr_destroy(&attributes);
	if (errno)
		return err_sys(err, "cannot start the log's thread");
	return 0;
}

static void await_answer(struct log *log, int timeout_ms)
{
	struct pollfd done = {.fd = log->done_fd, .events = POLLIN};
	uint64_t count;

	while (poll(&done, 1, timeout_ms) < 0 && errno == EINTR)
		;
	(void)!read(log->done_fd, &count, sizeof count);
}

static void catch_crashes(struct log *log)
{
	const struct format *format = &log->store.sink_format;
	struct crash crash = {.wake_fd = log->wake_fd,
			      .done_fd = log->done_fd,
			      .thread = atomic_load(&log->thread_id),
			      .output_fd = log->daemon->output_fd,
			      .sink_fd = log->daemon->sink.fd,
			      .datagram = log->outlet.writer.datagram,
			      .json = format->form == FORM_JSON,
			      .pid = format->pid};

	snprintf(crash.name, sizeof crash.name, "%s", format->name);
	if (format->form == FORM_SYSLOG)
		snprintf(crash.head, sizeof crash.head,
			 "<%d>%s[%ld]: ", format->facility | format_priority(LEVEL_ERROR),
			 crash.name, (long)format->pid);
	if (format->form == FORM_JOURNAL)
		snprintf(crash.head, sizeof crash.head,
			 "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nMESSAGE=",
			 format_priority(LEVEL_ERROR), crash.name);
	if (crash_install(&crash) < 0)
		log_printf(log, LEVEL_WARN, "a crash may not be logged: %s", err_reason(errno));
}

int log_start(struct log *log, struct err *err)
{
	if (log->running)
		return 0;
	if (log->abandoned)
		return err_set(err, "the log's thread hangs");
	atomic_store(&log->ending, false);
	choose_forms(log); /* with the pid of the last fork */
	log->output_fd = log->daemon->output_fd;
	if (open_events(log, err) < 0 || create_thread(log, err) < 0)
		return -1;
	log->running = true;
	await_answer(log, -1); /* its id is known */
	catch_crashes(log);
	return 0;
}

/* What Lua's print has left in stdio's buffer; a pipe that can be written to has room for it. */
static void flush_stdio(const struct log *log)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

	if ((log->relay || log->daemon->output_fd >= 0) && poll(&out, 1, 0) == 1 &&
	    out.revents == POLLOUT)
		fflush(stdout);
}

void log_finish(struct log *log, int timeout_ms)
{
	struct pollfd done = {.fd = -1, .events = POLLIN};

	if (log && log->relay) {
		flush_stdio(log);
		relay_finish(log->relay, timeout_ms);
	}
	if (!log || !log->running)
		return;
	flush_stdio(log);
	crash_remove();
	done.fd = log->done_fd;
	atomic_store(&log->deadline, log_now_ms() + timeout_ms);
	atomic_store(&log->ending, true);
	log_wake(log);
	/* A little more than the thread gives itself: only a write that hangs outlasts it. */
	while (poll(&done, 1, timeout_ms + 500) < 0 && errno == EINTR)
		;
	log->running = false;
	if (done.revents) {
		pthread_join(log->thread, NULL);
		return;
	}
	log->abandoned = true;
	pthread_detach(log->thread);
}

void log_destroy(struct log *log)
{
	if (!log || log->running || log->abandoned)
		return;
	if (log->relay) {
		relay_destroy(log->relay);
		free(log);
		return;
	}
	sources_finish(&log->sources);
	store_finish(&log->store);
	repeat_finish(&log->repeat);
	pthread_mutex_destroy(&log->repeat_lock);
	outlet_finish(&log->outlet);
	if (log->wake_fd >= 0)
		close(log->wake_fd);
	if (log->done_fd >= 0)
		close(log->done_fd);
	free(log->name);
	free(log);
}

bool log_flush_relay(struct log *log)
{
	return relay_flush(log->relay);
}
