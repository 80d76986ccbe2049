#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "host/log_parts.h"
#include "plan/sink.h"

int64_t log_now_ms(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void log_flush(struct log *log)
{
	if (atomic_exchange(&log->fresh, false))
		writer_init(&log->outlet.writer, &log->daemon->sink);
	outlet_flush(&log->outlet);
}

/* --- lines that repeat --- */

/* Under the lock. true: there were some. */
static bool tell_repeats(struct log *log, struct repeat *repeat, pid_t pid)
{
	struct log_field field = {.key = "count", .raw = true};
	static const char message[] = "last message repeated";
	struct entry entry;
	enum log_level level;
	char digits[24];
	uint64_t count = repeat_end(repeat, &level);

	if (count == 0)
		return false;
	field.bytes = digits;
	field.length = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
	entry_init(&entry, level, message, sizeof message - 1);
	entry.fields = &field;
	entry.count = 1;
	entry.pid = pid;
	entry.lines = count;
	store_add(&log->store, &entry, !log->abandoned);
	return true;
}

bool log_end_repeats(struct log *log, struct repeat *repeat, pid_t pid, int64_t now)
{
	int64_t until = repeat_until(repeat);

	return until >= 0 && now >= until && tell_repeats(log, repeat, pid);
}

size_t log_add(struct log *log, struct repeat *repeat, const struct entry *entry)
{
	int64_t now = log_now_ms();
	size_t taken;

	/* What is said to a person is said again. */
	if (log->running && !entry->more && repeat_is(repeat, entry, now))
		return 0;
	(void)tell_repeats(log, repeat, entry->pid);
	taken = store_add(&log->store, entry, !log->abandoned);
	repeat_begin(repeat, entry, now);
	return taken;
}

bool log_add_own(struct log *log, const struct entry *entry)
{
	bool wakes;

	pthread_mutex_lock(&log->repeat_lock);
	(void)log_add(log, &log->repeat, entry);
	wakes = log->repeat.count <= 1; /* the first one: to wait no longer than until its end */
	pthread_mutex_unlock(&log->repeat_lock);
	return wakes;
}

void log_wake(struct log *log)
{
	uint64_t one = 1;

	(void)!write(log->wake_fd, &one, sizeof one);
}

/* --- for everybody --- */

static bool is_silent(struct log *log, enum log_level level)
{
	return (int)level < atomic_load(&log->level);
}

static void put(struct log *log, const struct entry *entry)
{
	if (log->relay) {
		relay_put(log->relay, entry);
		return;
	}
	if (!log_add_own(log, entry))
		return;
	if (log->running)
		log_wake(log);
	else if (!log->abandoned)
		log_flush(log);
}

void log_write(struct log *log, enum log_level level, const char *message, size_t length,
	       const struct log_field *fields, size_t count)
{
	struct entry entry;

	if (is_silent(log, level))
		return;
	entry_init(&entry, level, message, length);
	entry.fields = fields;
	entry.count = count;
	put(log, &entry);
}

void log_write_more(struct log *log, enum log_level level, const char *text, const char *more)
{
	struct entry entry;

	if (is_silent(log, level))
		return;
	entry_init(&entry, level, text, strlen(text));
	entry.more = more;
	put(log, &entry);
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
		log_wake(log);
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

char **log_lines(struct log *log, uint64_t *next)
{
	return store_lines(&log->store, next);
}

void log_restore(struct log *log, char *const *lines, uint64_t next)
{
	store_restore(&log->store, lines, next);
}
