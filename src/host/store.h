#ifndef LUVD_HOST_STORE_H
#define LUVD_HOST_STORE_H

#include <pthread.h>

#include "format.h"
#include "host/queue.h"
#include "host/ring.h"

/* The lines of the log on their way from whoever logs to the thread that writes: rendered once,
 * kept in the ring for `luvd logs`, queued for the sink. Thread-safe; the lock is never held during
 * I/O. */

struct store {
	struct format sink_format; /* as the sink wants lines */
	struct format text_format; /* as `luvd logs` shows them */
	pthread_mutex_t lock;      /* of the rest */
	struct queue queue;
	struct ring ring;
	void (*tell)(void *data);
	void *tell_data;
	uint64_t lost; /* lines that never reached the sink */
};

int store_init(struct store *store); /* -1: out of memory */
void store_finish(struct store *store);

/* An entry of now. */
void entry_init(struct entry *entry, enum log_level level, const char *message, size_t length);
/* Into the ring, and into the queue unless the line is out already. Returns the bytes that it takes
 * in the queue. */
size_t store_add(struct store *store, const struct entry *entry, bool queue);
/* As the sink wants it; NULL: out of memory. */
struct line *store_render(const struct store *store, const struct entry *entry);
struct line *store_take(struct store *store); /* of the queue; NULL: empty */
/* Is half of the queue free, and nothing lost that is not told yet? */
bool store_is_calm(struct store *store);
/* How many lines found no room, once half of the queue is free again (or always); then it takes
 * lines again. */
uint64_t store_dropped(struct store *store, bool always);
/* One line more that the sink will never have. */
void store_count_lost(struct store *store);
/* Lines that the sink does not have, since the beginning: found no room, or were refused. */
uint64_t store_lost(struct store *store);

size_t store_read(struct store *store, uint64_t *position, char *bytes, size_t size,
		  uint64_t *lost);
uint64_t store_next(struct store *store);
void store_on_line(struct store *store, void (*tell)(void *data), void *data);

/* ring_lines and ring_restore. */
char **store_lines(struct store *store, uint64_t *next);
void store_restore(struct store *store, char *const *lines, uint64_t next);

#endif
