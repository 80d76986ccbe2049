#include "host/store.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 32768 };

int store_init(struct store *store)
{
	*store = (struct store){0};
	if (ring_init(&store->ring) < 0)
		return -1;
	pthread_mutex_init(&store->lock, NULL);
	return 0;
}

void store_finish(struct store *store)
{
	queue_finish(&store->queue);
	ring_finish(&store->ring);
	pthread_mutex_destroy(&store->lock);
}

void entry_init(struct entry *entry, enum log_level level, const char *message, size_t length)
{
	*entry = (struct entry){.level = level, .message = message, .length = length};
	clock_gettime(CLOCK_REALTIME, &entry->time);
}

/* --- rendering --- */

/* Escapes make a message longer, and no line may be longer than LINE_MAX_BYTES: it shows less of
 * its parts until it fits. */
static char *render(const struct format *format, const struct entry *entry, size_t *length)
{
	struct entry less = *entry;

	for (less.limit = ENTRY_SHOWN_MAX; less.limit > 16; less.limit /= 2) {
		char *bytes = format_bytes(format, &less, length);

		if (!bytes || *length <= LINE_MAX_BYTES)
			return bytes;
		free(bytes);
	}
	less.count = 0;
	return format_bytes(format, &less, length);
}

static struct line *render_line(const struct format *format, const struct entry *entry)
{
	size_t length = 0;
	char *bytes = render(format, entry, &length);
	struct line *line = bytes ? line_make(bytes, length) : NULL;

	free(bytes);
	return line;
}

struct line *store_render(const struct store *store, const struct entry *entry)
{
	return render_line(&store->sink_format, entry);
}

/* --- in and out --- */

size_t store_add(struct store *store, const struct entry *entry, bool queue)
{
	bool same = store->sink_format.form == store->text_format.form;
	struct line *text = render_line(&store->text_format, entry);
	struct line *line = queue && !same ? store_render(store, entry) : NULL;
	size_t before, taken;

	pthread_mutex_lock(&store->lock);
	if (text)
		ring_add(&store->ring, text->bytes, text->length);
	before = store->queue.bytes;
	if (queue)
		queue_add(&store->queue, same ? text : line);
	taken = store->queue.bytes - before;
	if (queue && taken == 0 && entry->lines > 0)
		store->queue.dropped += entry->lines - 1;
	/* Under the lock: once store_on_line has returned, the one before is not called any more.
	 */
	if (store->tell)
		store->tell(store->tell_data);
	pthread_mutex_unlock(&store->lock);
	if (!queue || !same)
		free(text);
	return taken;
}

bool store_is_calm(struct store *store)
{
	bool calm;

	pthread_mutex_lock(&store->lock);
	calm = store->queue.bytes <= QUEUE_SIZE / 2 && store->queue.dropped == 0;
	pthread_mutex_unlock(&store->lock);
	return calm;
}

struct line *store_take(struct store *store)
{
	struct line *line;

	pthread_mutex_lock(&store->lock);
	line = queue_take(&store->queue);
	pthread_mutex_unlock(&store->lock);
	return line;
}

uint64_t store_dropped(struct store *store, bool always)
{
	uint64_t dropped = 0;

	pthread_mutex_lock(&store->lock);
	if (always || store->queue.bytes <= QUEUE_SIZE / 2) {
		dropped = store->queue.dropped;
		store->queue.dropped = 0;
		store->lost += dropped;
	}
	pthread_mutex_unlock(&store->lock);
	return dropped;
}

void store_count_lost(struct store *store)
{
	pthread_mutex_lock(&store->lock);
	store->lost++;
	pthread_mutex_unlock(&store->lock);
}

uint64_t store_lost(struct store *store)
{
	uint64_t lost;

	pthread_mutex_lock(&store->lock);
	lost = store->lost + store->queue.dropped;
	pthread_mutex_unlock(&store->lock);
	return lost;
}

/* --- for `luvd logs` --- */

size_t store_read(struct store *store, uint64_t *position, char *bytes, size_t size, uint64_t *lost)
{
	size_t length;

	pthread_mutex_lock(&store->lock);
	length = ring_read(&store->ring, position, bytes, size, lost);
	pthread_mutex_unlock(&store->lock);
	return length;
}

uint64_t store_next(struct store *store)
{
	uint64_t next;

	pthread_mutex_lock(&store->lock);
	next = store->ring.next;
	pthread_mutex_unlock(&store->lock);
	return next;
}

void store_on_line(struct store *store, void (*tell)(void *data), void *data)
{
	pthread_mutex_lock(&store->lock);
	store->tell = tell;
	store->tell_data = data;
	pthread_mutex_unlock(&store->lock);
}

char **store_lines(struct store *store, uint64_t *next)
{
	char **lines;

	pthread_mutex_lock(&store->lock);
	lines = ring_lines(&store->ring);
	*next = store->ring.next;
	pthread_mutex_unlock(&store->lock);
	return lines;
}

void store_restore(struct store *store, char *const *lines, uint64_t next)
{
	pthread_mutex_lock(&store->lock);
	ring_restore(&store->ring, lines, next);
	pthread_mutex_unlock(&store->lock);
}
