#ifndef LUVD_HOST_OUTLET_H
#define LUVD_HOST_OUTLET_H

#include "host/store.h"
#include "host/writer.h"

/* Where the log's lines leave it: takes them out of the store, writes them to the sink, counts
 * those that the sink refuses or that found no room, and says how many in the place where they
 * would have stood. Used by one thread at a time. */

/* Why a line finds no room: err_reason's form. */
#define LOSS_SLOW_READER "the log's reader is too slow"

struct outlet {
	struct store *store;
	struct writer writer;
	struct line *current; /* taken, and not yet written */
	bool blocked;         /* the sink takes nothing until POLLOUT */
	uint64_t failed;      /* lines that the sink refused ... */
	int reason;           /* ... and why: errno; 0: no time was left */
};

/* Writes what is queued until the sink takes no more. */
void outlet_flush(struct outlet *outlet);
/* The last word: counts all that is left as lost, and says so if the sink takes that. */
void outlet_give_up(struct outlet *outlet);
void outlet_finish(struct outlet *outlet);

#endif
