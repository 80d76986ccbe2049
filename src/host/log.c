#include "host/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "host/crash.h"
#include "host/format.h"
#include "host/outlet.h"
#include "host/output.h"
#include "host/repeat.h"
#include "host/store.h"
#include "plan/sink.h"

enum {
	STACK = 128 * 1024,
	RETRY_MS = 2000 /* between attempts to say what was lost */
};

struct log {
	struct daemon *daemon;
	char *name; /* a reload replaces the spec, name and all */
	atomic_int level;
	struct store store;
	struct repeat repeat;
	pthread_mutex_t repeat_lock; /* of repeat, and of the order of lines beside it */

	int wake_fd, done_fd; /* eventfds to and from the thread */
	pthread_t thread;
	atomic_bool running;   /* the thread exists */
	atomic_bool abandoned; /* it hangs in a write; nothing it uses may be freed */
	atomic_bool fresh;     /* the sink was opened anew */
	atomic_bool ending;    /* finish, until deadline */
	atomic_llong deadline;
	atomic_int thread_id; /* 0 until it runs */

	/* The thread's own; the only thread's before it starts and after it ended. */
	struct outlet outlet;
	struct output output;
	int output_fd; /* -1 after its end */
};

static int64_t now_ms(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void flush(struct log *log)
{
	if (atomic_exchange(&log->fresh, false))
		writer_init(&log->outlet.writer, &log->daemon->sink);
	outlet_flush(&log->outlet);
}

/* --- lines that repeat --- */

/* Under the lock. */
static void tell_repeats(struct log *log)
{
	struct log_field field = {.key = "count", .raw = true};
	static const char message[] = "last message repeated";
	struct entry entry;
	enum log_level level;
	char digits[24];
	uint64_t count = repeat_end(&log->repeat, &level);

	if (count == 0)
		return;
	field.bytes = digits;
	field.length = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
	entry_init(&entry, level, message, sizeof message - 1);
	entry.fields = &field;
	entry.count = 1;
	store_add(&log->store, &entry, !log->abandoned);
}

static void end_repeats(struct log *log, int64_t now)
{
	int64_t until;

	pthread_mutex_lock(&log->repeat_lock);
	until = repeat_until(&log->repeat);
	if (until >= 0 && now >= until)
		tell_repeats(log);
	pthread_mutex_unlock(&log->repeat_lock);
}

/* false: nobody needs to look at the queue. */
static bool add_line(struct log *log, const struct entry *entry)
{
	int64_t now = now_ms();
	bool wakes;

	pthread_mutex_lock(&log->repeat_lock);
	if (log->running && repeat_is(&log->repeat, entry, now)) {
		wakes = log->repeat.count == 1; /* to wait no longer than until its end */
	} else {
		tell_repeats(log);
		store_add(&log->store, entry, !log->abandoned);
		repeat_begin(&log->repeat, entry, now);
		wakes = true;
	}
	pthread_mutex_unlock(&log->repeat_lock);
	return wakes;
}

/* --- the thread --- */

static void tell_output(void *data, const char *line, size_t length)
{
	static const struct log_field field = {"stream", false, "output", 6};
	struct log *log = data;
	struct entry entry;

	/* Whatever the level: an assertion's last words come this way. */
	entry_init(&entry, LEVEL_INFO, line, length);
	entry.fields = &field;
	entry.count = 1;
	add_line(log, &entry);
}

/* A bounded number of reads, so that a process that never stops writing does not keep the thread
 * from its sink. */
static void read_output(struct log *log)
{
	int more = 1;

	for (int i = 0; i < 64 && more > 0 && log->output_fd >= 0; i++)
		more = output_read(&log->output, log->output_fd, tell_output, log);
	if (more < 0)
		log->output_fd = -1;
}

static int milliseconds_until(int64_t moment)
{
	int64_t left = moment - now_ms();

	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static int patience(struct log *log)
{
	int64_t until;

	if (atomic_load(&log->ending))
		return milliseconds_until(atomic_load(&log->deadline));
	pthread_mutex_lock(&log->repeat_lock);
	until = repeat_until(&log->repeat);
	pthread_mutex_unlock(&log->repeat_lock);
	if (log->outlet.failed && (until < 0 || until > now_ms() + RETRY_MS))
		return RETRY_MS;
	return until < 0 ? -1 : milliseconds_until(until);
}

static void await(struct log *log)
{
	struct pollfd fds[] = {
	    {.fd = log->wake_fd, .events = POLLIN},
	    {.fd = log->output_fd, .events = POLLIN},
	    {.fd = log->outlet.blocked ? log->outlet.writer.fd : -1, .events = POLLOUT},
	};
	uint64_t count;

	if (poll(fds, 3, patience(log)) > 0 && fds[0].revents)
		(void)!read(log->wake_fd, &count, sizeof count);
}

static void answer(struct log *log)
{
	uint64_t one = 1;

	(void)!write(log->done_fd, &one, sizeof one);
}

/* true: everything is written, or the time is over. */
static bool ended(struct log *log)
{
	return (!log->outlet.blocked && !log->outlet.current) ||
	       now_ms() >= atomic_load(&log->deadline);
}

static void *run(void *data)
{
	struct log *log = data;

	bool crash, ending;

	atomic_store(&log->thread_id, (int)gettid());
	answer(log);
	do {
		await(log);
		/* Asked before reading: what was written before the crash is in the pipe by now. */
		crash = crash_waits();
		ending = atomic_load(&log->ending);
		read_output(log);
		if (ending)
			output_flush(&log->output, tell_output, log);
		end_repeats(log, crash || ending ? INT64_MAX : now_ms());
		flush(log);
		if (crash)
			answer(log);
		/* Once more when the end was asked for after that look: its last words come. */
	} while (!ending || !ended(log));
	outlet_give_up(&log->outlet);
	answer(log);
	return NULL;
}

static void wake(struct log *log)
{
	uint64_t one = 1;

	(void)!write(log->wake_fd, &one, sizeof one);
}

/* --- create, start, finish --- */

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
}

static int open_events(struct log *log, struct err *err)
{
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
	if (!log || !log->name || store_init(&log->store) < 0) {
		err_sys(err, "cannot make the log");
		if (log)
			free(log->name);
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
		errno = pthread_create(&log->thread, &attributes, run, log);
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

	if (log->daemon->output_fd >= 0 && poll(&out, 1, 0) == 1 && out.revents == POLLOUT)
		fflush(stdout);
}

void log_finish(struct log *log, int timeout_ms)
{
	struct pollfd done = {.fd = -1, .events = POLLIN};

	if (!log || !log->running)
		return;
	flush_stdio(log);
	crash_remove();
	done.fd = log->done_fd;
	atomic_store(&log->deadline, now_ms() + timeout_ms);
	atomic_store(&log->ending, true);
	wake(log);
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

/* --- for everybody --- */

void log_write(struct log *log, enum log_level level, const char *message, size_t length,
	       const struct log_field *fields, size_t count)
{
	struct entry entry;

	if ((int)level < atomic_load(&log->level))
		return;
	entry_init(&entry, level, message, length);
	entry.fields = fields;
	entry.count = count;
	if (!add_line(log, &entry))
		return;
	if (log->running)
		wake(log);
	else if (!log->abandoned)
		flush(log);
}

void log_printf(struct log *log, enum log_level level, const char *format, ...)
{
	char text[2048];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (length >= (int)sizeof text)
		length = sizeof text - 1;
	if (length >= 0)
		log_write(log, level, text, (size_t)length, NULL, 0);
}

void log_err(struct log *log, enum log_level level, const struct err *err)
{
	char text[ERR_TEXT_MAX];

	err_text(err, text, sizeof text);
	log_write(log, level, text, strlen(text), NULL, 0);
}

int log_reopen(struct log *log, struct err *err)
{
	struct sink *sink = &log->daemon->sink;
	struct sink fresh = {.fd = -1};

	/* They were given to us and have no name. */
	if (sink->kind == SINK_STDERR || sink->kind == SINK_STDOUT)
		return 0;
	if (sink_reopen(log->daemon, &fresh, err) < 0)
		return -1;
	/* One step for the kernel: the thread writes to the old one or to the new one. */
	if (dup3(fresh.fd, sink->fd, O_CLOEXEC) < 0) {
		err_sys(err, "cannot put the new log in the place of the old one");
		close(fresh.fd);
		return -1;
	}
	close(fresh.fd);
	atomic_store(&log->fresh, true);
	if (log->running)
		wake(log);
	return 0;
}

void log_set_level(struct log *log, enum log_level level)
{
	atomic_store(&log->level, level);
}

size_t log_read(struct log *log, uint64_t *position, char *bytes, size_t size, uint64_t *lost)
{
	return store_read(&log->store, position, bytes, size, lost);
}

uint64_t log_next(struct log *log)
{
	return store_next(&log->store);
}

uint64_t log_lost(struct log *log)
{
	return store_lost(&log->store);
}

void log_on_line(struct log *log, void (*tell)(void *data), void *data)
{
	store_on_line(&log->store, tell, data);
}
