#ifndef LUVD_HOST_LOG_H
#define LUVD_HOST_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/daemon.h"
#include "text.h"

/* The log: formats lines, keeps the last ones for `luvd logs`, and writes them to the sink
 * from a thread of its own, so that neither a blocked nor a full sink ever blocks the loop: the
 * queue is bounded, what does not fit is counted, and the count is logged when there is room again.
 * Once the thread runs, a line that comes again and again is written once, and followed by "last
 * message repeated" with the count: when another line comes, after ten seconds (REPEAT_MS), or at
 * the end.
 * The same thread reads what the process writes to fd 1 and 2 (daemon->output_fd). */

struct log;

/* Without a thread at first: lines are written at once, and never block. The sink is
 * daemon->sink, name and pid come from daemon. NULL with err when out of memory. */
struct log *log_create(struct daemon *daemon, struct err *err);
/* Starts the thread, and catches fatal signals so that the process's last words reach the sink
 * (host/crash); after the last fork, before RLIMIT_NPROC and before any Lua runs: until then nobody
 * reads what is written to fd 1 and 2. */
int log_start(struct log *log, struct err *err);
/* Thread-safe. message may hold anything; control characters are escaped, newlines in a
 * traceback become continuation lines (text) or \n (JSON). */
void log_write(struct log *log, enum log_level level, const char *message, size_t length,
	       const struct log_field *fields, size_t count);
void log_printf(struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* more: what a terminal shows in the text's place, several lines. */
void log_write_more(struct log *log, enum log_level level, const char *text, const char *more);
void log_err(struct log *log, enum log_level level, const struct err *err);
/* USR1: opens the sink anew; a failure keeps the old one and is returned. daemon->sink.fd keeps
 * its number. */
int log_reopen(struct log *log, struct err *err);
void log_set_level(struct log *log, enum log_level level);
/* Writes what is queued, at most timeout_ms, says what was lost, ends the thread. log_start may
 * start another one. */
void log_finish(struct log *log, int timeout_ms);
void log_destroy(struct log *log);

/* For `luvd logs`: the lines since *position (0: all that are kept), as text, one JSON object or
 * text line each as the sink has them. Copies at most size bytes, whole lines, and moves *position;
 * returns the number of bytes; *lost counts lines that fell out of the ring before they were read.
 */
size_t log_read(struct log *log, uint64_t *position, char *bytes, size_t size, uint64_t *lost);
/* The number that the next line will have: *position of whoever wants only what comes. */
uint64_t log_next(struct log *log);
/* Lines that never reached the sink, since the start. */
uint64_t log_lost(struct log *log);
/* tell is called from any thread after a line was added (host/control: uv_async_send); it must not
 * use the log. NULL: nobody any more; after the return the one before is not called again. */
void log_on_line(struct log *log, void (*tell)(void *), void *data);

/* --- in a worker: no sink, no thread, no ring --- */

/* A log whose lines go through daemon->relay_fd (host/relay.h). Only log_write, log_printf,
 * log_err, log_set_level, log_flush_relay, log_finish and log_destroy are for it. */
struct log *log_create_relay(struct daemon *daemon, struct err *err);
/* Gives what waits to the pipe; true: nothing is left. */
bool log_flush_relay(struct log *log);

/* --- in a monitor: lines of workers --- */

/* A pipe for either, both ends close-on-exec, with room for LOG_PIPE_SIZE where the kernel gives
 * it: ends[0] is for log_source_add, ends[1] the worker's. -1 with err. */
enum { LOG_PIPE_SIZE = 256 * 1024 };
int log_pipe(int ends[2], struct err *err);
/* Takes over two descriptors to read from, and closes them at their end: records of a worker's log
 * (relay), and what it and its children write to fd 1 and 2 (output); -1: none. The log's thread
 * reads them. Returns a number that names the source; -1 with err: they stay the caller's. */
int log_source_add(struct log *log, pid_t pid, int relay_fd, int output_fd, struct err *err);
/* Reads what is in its pipes now: all of it is in the log before what is logged next. */
void log_source_catch_up(struct log *log, int source);
/* The source's process is gone: reads what is left in its pipes now, at most a second, copies its
 * last lines to text (whole messages, oldest first, "" when there are none) and forgets it. output
 * may be held open by a child of the worker: it is read as long as there is something, then closed.
 * All of it is in the log before what is logged next. */
void log_source_end(struct log *log, int source, char *text, size_t size);
/* It has sent what is no record. Read-only, for the monitor's timer. */
bool log_source_is_broken(struct log *log, int source);
/* For an upgrade: the descriptors of a source, which is forgotten without being read. What was read
 * of them and is no whole record or line yet goes to rest; returns its length. */
enum { LOG_REST_MAX = 72 * 1024 };
size_t log_source_take(struct log *log, int source, int *relay_fd, int *output_fd,
		       char rest[LOG_REST_MAX]);
/* log_source_add with what another luvd has taken. A rest that cannot be one is an error. */
int log_source_resume(struct log *log, pid_t pid, int relay_fd, int output_fd, const char *rest,
		      size_t length, struct err *err);

/* The lines that log_read would give, NULL-terminated, all of malloc(3); next: the number of the
 * line after them. NULL: out of memory. */
char **log_lines(struct log *log, uint64_t *next);
/* Before anything is logged: lines of another luvd that were written by it. */
void log_restore(struct log *log, char *const *lines, uint64_t next);

#endif
