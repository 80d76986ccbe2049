#ifndef LUVD_HOST_SOURCES_H
#define LUVD_HOST_SOURCES_H

#include <poll.h>
#include <pthread.h>

#include "host/output.h"
#include "host/relay.h"
#include "host/repeat.h"
#include "host/tail.h"

/* The workers whose lines the log's thread reads, by number. The lock is held while one source is
 * read, never during I/O to the sink. */

enum { SOURCES_MAX = 4096 }; /* two generations of 1024 workers, twice */

struct log_source {
	pid_t pid;
	int relay_fd, output_fd; /* -1: none, or at its end */
	bool broken;             /* it has sent what is no record; nothing more is read there */
	struct relay_reader reader;
	struct output output;
	struct repeat repeat;
	struct tail tail;
	size_t used;   /* bytes of the queue's upper half that it has taken */
	uint64_t lost; /* lines, because it has taken its share of that */
};

struct sources {
	pthread_mutex_t gate; /* of who waits for the lock: nobody gets it twice before others */
	pthread_mutex_t lock; /* of the rest */
	struct log_source **list; /* by number; NULL: free */
	size_t size, count;
	struct pollfd *polls; /* the thread's: room for those of size sources and SOURCES_FIRST */
	struct pollfd *fresh; /* a larger one that it takes next time */
};

enum { SOURCES_FIRST = 3 }; /* descriptors of the thread's own before theirs */

int sources_init(struct sources *sources); /* -1: out of memory */
void sources_finish(struct sources *sources);
void sources_enter(struct sources *sources);
void sources_leave(struct sources *sources);

/* The rest under the lock. */
/* Its number; -1 with errno: out of memory, or too many. */
int sources_add(struct sources *sources, pid_t pid, int relay_fd, int output_fd);
struct log_source *sources_find(const struct sources *sources, int number); /* NULL: there is none */
/* Closes what is open. */
void sources_forget(struct sources *sources, int number);
/* polls, with each source's descriptors, relay before output, behind the first SOURCES_FIRST. */
struct pollfd *sources_polls(struct sources *sources, size_t *total);

#endif
