#ifndef LUVD_HOST_RELAY_H
#define LUVD_HOST_RELAY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"
#include "format.h"

/* A worker's log lines on their way to the monitor, which has the sink: one record a line over a
 * pipe. Written at once from whatever thread logs, so that a worker that is killed a moment later
 * has lost nothing; never waits: what the pipe does not take goes to a bounded queue, what that
 * does not take is counted, and a record tells the count. The monitor believes none of it: every
 * length is checked, and what is no record costs the worker. */

enum {
	RELAY_RECORD_MAX = 65536, /* bytes; longer messages and fields are cut */
	RELAY_FIELDS_MAX = 64,
	RELAY_QUEUE_MAX = 256 * 1024 /* bytes that wait for room in the pipe */
};

/* --- in a worker --- */

struct relay;

/* fd: the pipe's end to write to, non-blocking from here on; stays the caller's. */
struct relay *relay_create(int fd, struct err *err);
/* Thread-safe. */
void relay_put(struct relay *relay, const struct entry *entry);
/* Writes what waits, as far as the pipe takes it. true: nothing is left. Also done by relay_put. */
bool relay_flush(struct relay *relay);
/* The same, waiting for room at most timeout_ms. */
void relay_finish(struct relay *relay, int timeout_ms);
void relay_destroy(struct relay *relay); /* accepts NULL */

/* --- in the monitor --- */

/* Bytes of the pipe that are not yet whole records. Zeroed is empty. */
struct relay_reader {
	unsigned char *bytes;
	size_t have, size;
};

/* Reads what is there, at most once, without waiting, and tells each whole record: as an entry that
 * lives until tell returns. Lines that the worker lost come as an entry of their own. 1: something
 * was read; 0: nothing there; -1: the end, or errno EBADMSG: this is no record. */
int relay_read(struct relay_reader *reader, int fd,
	       void (*tell)(void *data, const struct entry *entry), void *data);
/* Takes over what another reader of the same pipe had. -1 with errno: out of memory, or too much.
 */
int relay_reader_begin(struct relay_reader *reader, const void *bytes, size_t length);
void relay_reader_finish(struct relay_reader *reader);

#endif
