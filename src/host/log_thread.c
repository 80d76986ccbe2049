#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "host/crash.h"
#include "host/log_parts.h"

enum { RETRY_MS = 2000 /* between attempts to say what was lost */ };

/* --- the thread --- */

/* Whatever the level: an assertion's last words come this way. */
void log_output_entry(struct entry *entry, const char *line, size_t length)
{
	static const struct log_field field = {"stream", false, "output", 6};

	entry_init(entry, LEVEL_INFO, line, length);
	entry->fields = &field;
	entry->count = 1;
}

static void tell_output(void *data, const char *line, size_t length)
{
	struct entry entry;

	log_output_entry(&entry, line, length);
	(void)log_add_own(data, &entry);
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
	int64_t left = moment - log_now_ms();

	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* Ends of repeats, our own and the workers'; -1: there is none. */
static int64_t next_end(struct log *log)
{
	int64_t until, workers = log_feed_until(log);

	pthread_mutex_lock(&log->repeat_lock);
	until = repeat_until(&log->repeat);
	pthread_mutex_unlock(&log->repeat_lock);
	return until < 0 || (workers >= 0 && workers < until) ? workers : until;
}

static int patience(struct log *log)
{
	int64_t until;

	if (atomic_load(&log->ending))
		return milliseconds_until(atomic_load(&log->deadline));
	until = next_end(log);
	if (log->outlet.failed && (until < 0 || until > log_now_ms() + RETRY_MS))
		return RETRY_MS;
	return until < 0 ? -1 : milliseconds_until(until);
}

static struct pollfd *await(struct log *log, size_t *total)
{
	struct pollfd *polls = log_feed_polls(log, total);
	uint64_t count;

	polls[0] = (struct pollfd){log->wake_fd, POLLIN, 0};
	polls[1] = (struct pollfd){log->output_fd, POLLIN, 0};
	polls[2] = (struct pollfd){log->outlet.blocked ? log->outlet.writer.fd : -1, POLLOUT, 0};
	if (poll(polls, *total, patience(log)) > 0 && polls[0].revents)
		(void)!read(log->wake_fd, &count, sizeof count);
	return polls;
}

static void answer(struct log *log)
{
	uint64_t one = 1;

	(void)!write(log->done_fd, &one, sizeof one);
}

static void settle(struct log *log, int64_t now)
{
	pthread_mutex_lock(&log->repeat_lock);
	(void)log_end_repeats(log, &log->repeat, 0, now);
	pthread_mutex_unlock(&log->repeat_lock);
	(void)log_feed_settle(log, now);
}

/* true: everything is written, or the time is over. */
static bool ended(struct log *log)
{
	return (!log->outlet.blocked && !log->outlet.current) ||
	       log_now_ms() >= atomic_load(&log->deadline);
}

void *log_run(void *data)
{
	struct log *log = data;
	const struct pollfd *polls;
	size_t total;
	bool crash, ending;

	atomic_store(&log->thread_id, (int)gettid());
	answer(log);
	do {
		polls = await(log, &total);
		/* Asked before reading: what was written before the crash is in the pipe by now. */
		crash = crash_waits();
		ending = atomic_load(&log->ending);
		read_output(log);
		if (ending)
			output_flush(&log->output, tell_output, log);
		log_feed_read(log, polls, total, crash || ending);
		settle(log, crash || ending ? INT64_MAX : log_now_ms());
		log_flush(log);
		/* Losses wait for room, which is there now. */
		if (log_feed_settle(log, 0))
			log_flush(log);
		if (crash)
			answer(log);
		/* Once more when the end was asked for after that look: its last words come. */
	} while (!ending || !ended(log));
	outlet_give_up(&log->outlet);
	answer(log);
	return NULL;
}
