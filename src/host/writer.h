#ifndef LUVD_HOST_WRITER_H
#define LUVD_HOST_WRITER_H

#include <stdbool.h>
#include <sys/socket.h>

#include "host/queue.h"
#include "plan/daemon.h"

/* Puts lines into the log's sink, whatever it is, and never waits for its reader: a pipe or
 * terminal is written to only when poll(2) says so and never with more than it then takes, a socket
 * without waiting. Only a disk can make it wait. */

enum writer_result {
	WRITER_DONE,    /* the whole line is out */
	WRITER_BLOCKED, /* line->offset tells how much is; go on after POLLOUT */
	WRITER_FAILED   /* errno; the line is lost */
};

struct writer {
	int fd; /* the sink's; not ours to close */
	bool regular, socket, datagram;
	bool whole;   /* datagrams: a line is one, newlines or not (the journal's protocol) */
	bool torn;    /* the caller gave a line up in its middle: a newline comes first */
	size_t chunk; /* at most this much at once */
	struct sockaddr_storage peer; /* datagrams: to connect anew when the reader came back */
	socklen_t peer_length;
};

/* Looks at what the sink's descriptor is; again after the sink was opened anew. */
void writer_init(struct writer *writer, const struct sink *sink);
enum writer_result writer_put(struct writer *writer, struct line *line);

#endif
