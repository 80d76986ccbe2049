#include <errno.h>
#include <unistd.h>

#include "host/log_parts.h"

enum {
	READS = 4,                  /* of each pipe a turn */
	DRAIN_READS = 512,          /* of what a dead worker has left */
	UPPER_HALF = QUEUE_SIZE / 2 /* of the queue, of which each has a share */
};

/* Whose lines are being read. */
struct feed {
	struct log *log;
	struct log_source *source;
};

/* --- lines --- */

static void tell_lost(struct log *log, struct log_source *source)
{
	struct entry entry;
	char text[128];
	size_t length;

	if (source->lost == 0)
		return;
	length = format_loss(text, sizeof text, source->lost, LOSS_SLOW_READER);
	entry_init(&entry, LEVEL_WARN, text, length);
	entry.pid = source->pid;
	entry.lines = source->lost;
	source->lost = 0;
	source->used += log_add(log, &source->repeat, &entry);
}

/* A sink that is slower than one worker that floods must not cost the others' lines: the lower half
 * of the queue is for everybody, of the upper one each source, and the monitor, has its share. Who
 * has lost a line loses all until the lower half is enough again, so that losses come in one piece.
 */
static bool has_share(struct log *log, struct log_source *source)
{
	if (store_is_calm(&log->store)) {
		source->used = 0;
		tell_lost(log, source);
		return true;
	}
	return source->lost == 0 && source->used <= UPPER_HALF / (log->sources.count + 1);
}

static void add(struct feed *feed, struct entry *entry)
{
	struct log_source *source = feed->source;

	entry->pid = source->pid;
	if (!has_share(feed->log, source)) {
		source->lost += entry->lines ? entry->lines : 1;
		tail_add(&source->tail, entry->message, entry->length);
		return;
	}
	source->used += log_add(feed->log, &source->repeat, entry);
	if (source->repeat.count == 0)
		tail_add(&source->tail, entry->message, entry->length);
}

static void tell_entry(void *data, const struct entry *entry)
{
	struct entry line = *entry;

	add(data, &line);
}

static void tell_output(void *data, const char *line, size_t length)
{
	struct entry entry;

	log_output_entry(&entry, line, length);
	add(data, &entry);
}

/* --- reading --- */

static int end_of(int *fd)
{
	close(*fd);
	*fd = -1;
	return -1;
}

/* 1: there may be more; 0: not now; -1: not any more. */
static int read_relay(struct feed *feed)
{
	struct log_source *source = feed->source;
	int more;

	if (source->relay_fd < 0 || source->broken)
		return -1;
	more = relay_read(&source->reader, source->relay_fd, tell_entry, feed);
	if (more < 0 && errno == 0)
		return end_of(&source->relay_fd);
	source->broken = more < 0;
	return more;
}

static int read_output(struct feed *feed)
{
	struct log_source *source = feed->source;
	int more;

	if (source->output_fd < 0)
		return -1;
	more = output_read(&source->output, source->output_fd, tell_output, feed);
	if (more >= 0)
		return more;
	output_flush(&source->output, tell_output, feed);
	return end_of(&source->output_fd);
}

static void read_some(struct feed *feed, bool relay, bool output)
{
	for (int i = 0; relay && i < READS; i++)
		relay = read_relay(feed) > 0;
	for (int i = 0; output && i < READS; i++)
		output = read_output(feed) > 0;
}

void log_feed_read(struct log *log, const struct pollfd *polls, size_t total, bool all)
{
	/* One at a time: whoever adds or ends a source waits no longer than for one. */
	for (size_t i = 0; SOURCES_FIRST + 2 * i + 1 < total; i++) {
		const struct pollfd *own = polls + SOURCES_FIRST + 2 * i;
		struct feed feed = {log, NULL};

		if (!all && !own[0].revents && !own[1].revents)
			continue;
		sources_enter(&log->sources);
		feed.source = sources_find(&log->sources, (int)i);
		if (feed.source)
			read_some(&feed, all || own[0].revents, all || own[1].revents);
		sources_leave(&log->sources);
	}
}

/* --- the end of a source --- */

static void drain(struct feed *feed, int (*read_one)(struct feed *feed), int64_t deadline)
{
	for (int i = 0; i < DRAIN_READS && read_one(feed) > 0; i++)
		if (log_now_ms() >= deadline)
			return;
}

void log_feed_drain(struct log *log, struct log_source *source, int64_t deadline)
{
	struct feed feed = {log, source};

	/* What it wrote to fd 2 comes last: an assertion's, a sanitizer's words. */
	drain(&feed, read_relay, deadline);
	drain(&feed, read_output, deadline);
	output_flush(&source->output, tell_output, &feed);
}

void log_feed_finish(struct log *log, struct log_source *source)
{
	(void)log_end_repeats(log, &source->repeat, source->pid, INT64_MAX);
	tell_lost(log, source);
}

/* --- for the thread --- */

struct pollfd *log_feed_polls(struct log *log, size_t *total)
{
	struct pollfd *polls;

	sources_enter(&log->sources);
	polls = sources_polls(&log->sources, total);
	sources_leave(&log->sources);
	return polls;
}

bool log_feed_settle(struct log *log, int64_t now)
{
	bool calm = store_is_calm(&log->store), told = false;

	sources_enter(&log->sources);
	for (size_t i = 0; i < log->sources.size; i++) {
		struct log_source *source = log->sources.list[i];

		if (!source)
			continue;
		told |= log_end_repeats(log, &source->repeat, source->pid, now);
		told |= calm && source->lost;
		if (calm)
			tell_lost(log, source);
	}
	sources_leave(&log->sources);
	return told;
}

int64_t log_feed_until(struct log *log)
{
	int64_t first = -1;

	sources_enter(&log->sources);
	for (size_t i = 0; i < log->sources.size; i++) {
		const struct log_source *source = log->sources.list[i];
		int64_t until = source ? repeat_until(&source->repeat) : -1;

		if (until >= 0 && (first < 0 || until < first))
			first = until;
	}
	sources_leave(&log->sources);
	return first;
}
