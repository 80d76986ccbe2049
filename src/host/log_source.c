#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "host/log_parts.h"

enum { DRAIN_MS = 1000, CATCH_UP_MS = 50 /* of one that writes faster than it is read */ };

static void look_anew(struct log *log)
{
	if (log->running)
		log_wake(log);
	else if (!log->abandoned)
		log_flush(log);
}

void log_source_catch_up(struct log *log, int source)
{
	struct log_source *found;

	sources_enter(&log->sources);
	found = sources_find(&log->sources, source);
	if (found)
		log_feed_drain(log, found, log_now_ms() + CATCH_UP_MS);
	sources_leave(&log->sources);
	look_anew(log);
}

void log_source_end(struct log *log, int source, char *text, size_t size)
{
	struct log_source *found;

	if (size > 0)
		*text = 0;
	sources_enter(&log->sources);
	found = sources_find(&log->sources, source);
	if (found) {
		log_feed_drain(log, found, log_now_ms() + DRAIN_MS);
		log_feed_finish(log, found);
		tail_copy(&found->tail, text, size);
		sources_forget(&log->sources, source);
	}
	sources_leave(&log->sources);
	look_anew(log);
}

bool log_source_is_broken(struct log *log, int source)
{
	const struct log_source *found;
	bool broken;

	sources_enter(&log->sources);
	found = sources_find(&log->sources, source);
	broken = found && found->broken;
	sources_leave(&log->sources);
	return broken;
}

/* --- upgrade --- */

/* Before the bytes of a begun record and of a begun line. */
struct rest_head {
	uint32_t relay, output;
};

static size_t copy_rest(const struct log_source *source, char *rest)
{
	struct rest_head head = {(uint32_t)source->reader.have, (uint32_t)source->output.have};

	memcpy(rest, &head, sizeof head);
	if (head.relay)
		memcpy(rest + sizeof head, source->reader.bytes, head.relay);
	if (head.output)
		memcpy(rest + sizeof head + head.relay, source->output.bytes, head.output);
	return sizeof head + head.relay + head.output;
}

size_t log_source_take(struct log *log, int source, int *relay_fd, int *output_fd,
		       char rest[LOG_REST_MAX])
{
	struct log_source *found;
	size_t length = 0;

	*relay_fd = *output_fd = -1;
	sources_enter(&log->sources);
	found = sources_find(&log->sources, source);
	if (found) {
		length = copy_rest(found, rest);
		found->output.have = 0;
		log_feed_finish(log, found);
		*relay_fd = found->relay_fd;
		*output_fd = found->output_fd;
		found->relay_fd = found->output_fd = -1;
		sources_forget(&log->sources, source);
	}
	sources_leave(&log->sources);
	look_anew(log);
	return length;
}

/* -1 with errno. */
static int take_rest(struct log_source *source, const char *rest, size_t length)
{
	struct rest_head head;

	errno = EBADMSG;
	if (length < sizeof head)
		return -1;
	memcpy(&head, rest, sizeof head);
	if (head.relay > RELAY_RECORD_MAX || head.output > sizeof source->output.bytes ||
	    length != sizeof head + head.relay + head.output)
		return -1;
	if (relay_reader_begin(&source->reader, rest + sizeof head, head.relay) < 0)
		return -1;
	memcpy(source->output.bytes, rest + sizeof head + head.relay, head.output);
	source->output.have = head.output;
	return 0;
}

int log_source_resume(struct log *log, pid_t pid, int relay_fd, int output_fd, const char *rest,
		      size_t length, struct err *err)
{
	int number;

	sources_enter(&log->sources);
	number = sources_add(&log->sources, pid, -1, -1);
	if (number >= 0) {
		struct log_source *source = sources_find(&log->sources, number);

		if (length > 0 && take_rest(source, rest, length) < 0) {
			sources_forget(&log->sources, number);
			number = -1;
		} else {
			source->relay_fd = relay_fd;
			source->output_fd = output_fd;
		}
	}
	sources_leave(&log->sources);
	if (number < 0)
		return err_sys(err, "cannot read the log of worker %ld", (long)pid);
	look_anew(log);
	return number;
}

int log_source_add(struct log *log, pid_t pid, int relay_fd, int output_fd, struct err *err)
{
	return log_source_resume(log, pid, relay_fd, output_fd, NULL, 0, err);
}
