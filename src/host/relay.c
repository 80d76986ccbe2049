#include "host/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/relay_form.h"

struct relay {
	int fd;
	pthread_mutex_t lock; /* of the rest */
	bool gone;            /* nobody reads any more */
	uint64_t lost;        /* lines for which there was no room, not yet told */
	size_t start, end;    /* what waits in queue; it begins with the rest of a begun record */
	unsigned char queue[RELAY_QUEUE_MAX];
	unsigned char record[RELAY_RECORD_MAX];
};

/* --- a record --- */

enum { WORTHWHILE = 64 }; /* bytes of a value that is cut */

static size_t at_most(size_t length, size_t max)
{
	return length < max ? length : max;
}

static size_t put(unsigned char *to, size_t at, const void *bytes, size_t length)
{
	if (length > 0)
		memcpy(to + at, bytes, length);
	return at + length;
}

/* Returns the place behind it; what does not fit is cut, and a value that is cut is JSON no more.
 * The same place: there is no room at all. */
static size_t put_field(unsigned char *record, size_t at, const struct log_field *field)
{
	size_t key = at_most(strlen(field->key), RELAY_KEY_MAX);
	size_t fixed = sizeof(struct relay_field_head) + key + 1;
	struct relay_field_head head = {.key = (uint8_t)key};

	if (at + fixed + at_most(field->length, WORTHWHILE) > RELAY_RECORD_MAX)
		return at;
	head.length = (uint32_t)at_most(at_most(field->length, ENTRY_SHOWN_MAX),
					RELAY_RECORD_MAX - at - fixed);
	head.raw = field->raw && head.length == field->length;
	at = put(record, at, &head, sizeof head);
	at = put(record, at, field->key, key);
	record[at++] = 0;
	return put(record, at, field->bytes, head.length);
}

static size_t make_record(unsigned char *record, const struct entry *entry)
{
	size_t message = at_most(entry->length, ENTRY_SHOWN_MAX);
	size_t at = put(record, sizeof(struct relay_head), entry->message, message);
	struct relay_head head = {.version = RELAY_VERSION,
				  .kind = RELAY_LINE,
				  .level = (uint8_t)entry->level,
				  .seconds = entry->time.tv_sec,
				  .nanoseconds = (uint32_t)entry->time.tv_nsec,
				  .message = (uint32_t)message,
				  .cut = entry->cut + entry->length - message};

	for (size_t i = 0; i < entry->count && i < RELAY_FIELDS_MAX; i++) {
		size_t behind = put_field(record, at, &entry->fields[i]);

		head.fields += behind > at;
		at = behind;
	}
	head.length = (uint32_t)at;
	put(record, 0, &head, sizeof head);
	return at;
}

/* --- the pipe; all under the lock --- */

/* How much of it the pipe took. */
static size_t write_some(struct relay *relay, const unsigned char *bytes, size_t length)
{
	ssize_t n;

	do
		n = write(relay->fd, bytes, length);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN)
		relay->gone = true;
	return n < 0 ? 0 : (size_t)n;
}

static void flush(struct relay *relay)
{
	size_t n = 1;

	while (n > 0 && relay->start < relay->end && !relay->gone) {
		n = write_some(relay, relay->queue + relay->start, relay->end - relay->start);
		relay->start += n;
	}
	if (relay->start == relay->end)
		relay->start = relay->end = 0;
}

static bool has_room(const struct relay *relay, size_t length)
{
	return relay->end - relay->start + length <= RELAY_QUEUE_MAX;
}

/* A record that is begun goes on at the head of an empty queue, where there is room for any. */
static void emit(struct relay *relay, const unsigned char *record, size_t length)
{
	size_t written = 0;

	if (relay->start == relay->end)
		written = write_some(relay, record, length);
	length -= written;
	if (relay->end + length > RELAY_QUEUE_MAX) {
		memmove(relay->queue, relay->queue + relay->start, relay->end - relay->start);
		relay->end -= relay->start;
		relay->start = 0;
	}
	relay->end = put(relay->queue, relay->end, record + written, length);
}

/* In the place where they would have stood: until it is told no line is taken. */
static void tell_lost(struct relay *relay)
{
	struct relay_head head = {.length = sizeof head,
				  .version = RELAY_VERSION,
				  .kind = RELAY_LOST,
				  .level = LEVEL_WARN,
				  .cut = relay->lost};
	struct timespec now = {0};

	if (relay->lost == 0 || !has_room(relay, RELAY_QUEUE_MAX / 2))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	head.seconds = now.tv_sec;
	head.nanoseconds = (uint32_t)now.tv_nsec;
	relay->lost = 0;
	emit(relay, (const unsigned char *)&head, sizeof head);
}

static bool give(struct relay *relay)
{
	flush(relay);
	tell_lost(relay);
	return relay->gone || (relay->start == relay->end && relay->lost == 0);
}

/* --- for everybody --- */

struct relay *relay_create(int fd, struct err *err)
{
	int flags = fcntl(fd, F_GETFL);
	struct relay *relay;

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		err_sys(err, "cannot use the log's pipe");
		return NULL;
	}
	relay = calloc(1, sizeof *relay);
	if (!relay) {
		err_sys(err, "cannot make the log");
		return NULL;
	}
	relay->fd = fd;
	pthread_mutex_init(&relay->lock, NULL);
	return relay;
}

void relay_put(struct relay *relay, const struct entry *entry)
{
	size_t length;

	pthread_mutex_lock(&relay->lock);
	(void)give(relay);
	length = make_record(relay->record, entry);
	if (relay->lost || !has_room(relay, length))
		relay->lost++;
	else if (!relay->gone)
		emit(relay, relay->record, length);
	pthread_mutex_unlock(&relay->lock);
}

bool relay_flush(struct relay *relay)
{
	bool nothing_left;

	pthread_mutex_lock(&relay->lock);
	nothing_left = give(relay);
	pthread_mutex_unlock(&relay->lock);
	return nothing_left;
}

static int64_t now_ms(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void relay_finish(struct relay *relay, int timeout_ms)
{
	struct pollfd room = {.fd = relay->fd, .events = POLLOUT};
	int64_t deadline = now_ms() + timeout_ms;

	while (!relay_flush(relay)) {
		int64_t left = deadline - now_ms();

		if (left <= 0 || (poll(&room, 1, (int)left) < 0 && errno != EINTR))
			return;
	}
}

void relay_destroy(struct relay *relay)
{
	if (!relay)
		return;
	pthread_mutex_destroy(&relay->lock);
	free(relay);
}
