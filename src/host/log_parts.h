#ifndef LUVD_HOST_LOG_PARTS_H
#define LUVD_HOST_LOG_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "host/log.h"
#include "host/outlet.h"
#include "host/output.h"
#include "host/relay.h"
#include "host/repeat.h"
#include "host/sources.h"
#include "host/store.h"

/* What the files of the log share: log (lines), log_create (from create to destroy), log_thread,
 * log_feed (reads workers' lines), log_source (workers come and go). */

struct log {
	struct daemon *daemon;
	char *name; /* a reload replaces the spec, name and all */
	atomic_int level;
	struct relay *relay; /* in a worker: nothing below is used */
	struct store store;
	struct repeat repeat;
	pthread_mutex_t repeat_lock; /* of repeat, and of the order of lines beside it */
	struct sources sources;

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

/* log.c */
int64_t log_now_ms(void);
/* Logs the line, or counts it when it is the one before again (then repeat->count is not 0).
 * Returns the bytes that it takes in the queue. Under the lock of repeat. */
size_t log_add(struct log *log, struct repeat *repeat, const struct entry *entry);
/* What the daemon itself says. false: nobody needs to look at the queue. */
bool log_add_own(struct log *log, const struct entry *entry);
/* Tells the count of repeats that end by now; pid: whose, 0: our own. true: it was told. Under the
 * lock of repeat. */
bool log_end_repeats(struct log *log, struct repeat *repeat, pid_t pid, int64_t now);
/* Writes what is queued: of the thread, and of whoever logs while it does not run. */
void log_flush(struct log *log);
void log_wake(struct log *log);

/* log_thread.c: its argument is the log. */
void *log_run(void *data);
/* An entry of now for what was written to fd 1 or 2. */
void log_output_entry(struct entry *entry, const char *line, size_t length);

/* log_feed.c: for the thread. */
/* Descriptors of all sources behind SOURCES_FIRST; the list is the thread's until it asks again. */
struct pollfd *log_feed_polls(struct log *log, size_t *total);
/* A bounded number of reads of those that poll(2) has found, or of all. */
void log_feed_read(struct log *log, const struct pollfd *polls, size_t total, bool all);
/* Tells counts of repeats that end by now, and of losses when there is room. true: something was
 * told. */
bool log_feed_settle(struct log *log, int64_t now);
/* When the next count of repeats ends; -1: there is none. */
int64_t log_feed_until(struct log *log);
/* For log_source.c, under the sources' lock. */
void log_feed_drain(struct log *log, struct log_source *source, int64_t deadline);
void log_feed_finish(struct log *log, struct log_source *source);

#endif
