#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/json_check.h"
#include "host/relay.h"
#include "host/relay_form.h"

enum { FIRST_SIZE = 16384 };

/* 9999-12-31T23:59:59Z: what has four digits of a year. */
static const int64_t last_second = 253402300799;

/* What is left of a record. */
struct cursor {
	const unsigned char *bytes;
	size_t left;
};

/* NULL: there is not so much. */
static const void *take(struct cursor *cursor, size_t length)
{
	const unsigned char *taken = cursor->bytes;

	if (length > cursor->left)
		return NULL;
	cursor->bytes += length;
	cursor->left -= length;
	return taken;
}

/* JSON goes to the sink as it is: what says that it is and lies becomes a string. */
static bool take_field(struct cursor *cursor, struct log_field *field)
{
	struct relay_field_head head;
	const void *bytes = take(cursor, sizeof head);

	if (!bytes)
		return false;
	memcpy(&head, bytes, sizeof head);
	field->key = take(cursor, (size_t)head.key + 1);
	if (!field->key || memchr(field->key, 0, (size_t)head.key + 1) != field->key + head.key)
		return false;
	field->bytes = take(cursor, head.length);
	field->length = head.length;
	if (!field->bytes || head.raw > 1 || head.zero != 0)
		return false;
	field->raw = head.raw && json_is_one_line(field->bytes, field->length);
	return true;
}

static bool is_right(const struct relay_head *head)
{
	if (head->version != RELAY_VERSION || head->level > LEVEL_ERROR || head->seconds < 0 ||
	    head->seconds > last_second || head->nanoseconds > 999999999)
		return false;
	if (head->kind == RELAY_LOST)
		return head->length == sizeof *head && head->fields == 0 && head->message == 0 &&
		       head->cut > 0;
	return head->kind == RELAY_LINE && head->fields <= RELAY_FIELDS_MAX;
}

static bool tell_line(const struct relay_head *head, struct cursor *cursor, struct entry *entry,
		      void (*tell)(void *data, const struct entry *entry), void *data)
{
	struct log_field fields[RELAY_FIELDS_MAX];

	entry->message = take(cursor, head->message);
	entry->length = head->message;
	entry->cut = head->cut;
	if (!entry->message)
		return false;
	for (size_t i = 0; i < head->fields; i++)
		if (!take_field(cursor, &fields[i]))
			return false;
	if (cursor->left > 0)
		return false;
	entry->fields = fields;
	entry->count = head->fields;
	tell(data, entry);
	return true;
}

static void tell_lost(const struct relay_head *head, struct entry *entry,
		      void (*tell)(void *data, const struct entry *entry), void *data)
{
	char text[128];

	entry->message = text;
	entry->lines = head->cut;
	entry->length =
	    format_loss(text, sizeof text, head->cut, "the worker logs faster than it is read");
	tell(data, entry);
}

/* The record at bytes, of which length are there. Its own length; 0: it is not whole; -1: it is
 * none. */
static long tell_record(const unsigned char *bytes, size_t length,
			void (*tell)(void *data, const struct entry *entry), void *data)
{
	struct relay_head head;
	struct cursor cursor;
	struct entry entry = {0};

	if (length < sizeof head)
		return 0;
	memcpy(&head, bytes, sizeof head);
	if (head.length < sizeof head || head.length > RELAY_RECORD_MAX || !is_right(&head))
		return -1;
	if (length < head.length)
		return 0;
	entry.time = (struct timespec){.tv_sec = head.seconds, .tv_nsec = head.nanoseconds};
	entry.level = head.level;
	cursor = (struct cursor){bytes + sizeof head, head.length - sizeof head};
	if (head.kind == RELAY_LOST)
		tell_lost(&head, &entry, tell, data);
	else if (!tell_line(&head, &cursor, &entry, tell, data))
		return -1;
	return (long)head.length;
}

static int tell_records(struct relay_reader *reader,
			void (*tell)(void *data, const struct entry *entry), void *data)
{
	size_t at = 0;
	long n;

	while ((n = tell_record(reader->bytes + at, reader->have - at, tell, data)) > 0)
		at += (size_t)n;
	if (n < 0) {
		errno = EBADMSG;
		return -1;
	}
	reader->have -= at;
	if (at > 0)
		memmove(reader->bytes, reader->bytes + at, reader->have);
	return 1;
}

/* Full means that the record that is begun has at least so many bytes, and its length is right. */
static int make_room(struct relay_reader *reader)
{
	size_t size = reader->size == 0 ? FIRST_SIZE : RELAY_RECORD_MAX;
	unsigned char *bytes;

	if (reader->have < reader->size)
		return 0;
	bytes = realloc(reader->bytes, size);
	if (!bytes)
		return -1;
	reader->bytes = bytes;
	reader->size = size;
	return 0;
}

int relay_read(struct relay_reader *reader, int fd,
	       void (*tell)(void *data, const struct entry *entry), void *data)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	ssize_t n;

	/* The pipe is not necessarily non-blocking, but we are its only reader. */
	if (poll(&readable, 1, 0) <= 0)
		return 0;
	if (make_room(reader) < 0)
		return -1;
	n = read(fd, reader->bytes + reader->have, reader->size - reader->have);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -1;
	if (n == 0) {
		errno = 0;
		return -1;
	}
	reader->have += (size_t)n;
	return tell_records(reader, tell, data);
}

int relay_reader_begin(struct relay_reader *reader, const void *bytes, size_t length)
{
	if (length > RELAY_RECORD_MAX) {
		errno = EBADMSG;
		return -1;
	}
	if (length == 0)
		return 0;
	reader->bytes = malloc(RELAY_RECORD_MAX);
	if (!reader->bytes)
		return -1;
	reader->size = RELAY_RECORD_MAX;
	reader->have = length;
	memcpy(reader->bytes, bytes, length);
	return 0;
}

void relay_reader_finish(struct relay_reader *reader)
{
	free(reader->bytes);
	*reader = (struct relay_reader){0};
}
