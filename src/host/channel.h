#ifndef LUVD_HOST_CHANNEL_H
#define LUVD_HOST_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"

/* What luvd's processes say to each other: the daemon to its launcher, a worker to its monitor and
 * the monitor to its workers. One message a datagram on a SOCK_SEQPACKET pair, fixed form, bounded.
 * A message that is not of this form counts as none. */

enum message_type {
	/* to whoever started this process */
	MESSAGE_PID = 1, /* pid: the daemon's own, right after the last fork */
	MESSAGE_STEP,    /* err.step: begins now */
	MESSAGE_WARNING, /* err: for the terminal, or the log */
	MESSAGE_FAILED,  /* err: the start has failed */
	MESSAGE_READY,   /* text: what the start line shows besides name and pid */

	/* a worker to its monitor */
	MESSAGE_RELOADED, /* err.what empty: accepted; else why the reload is refused */
	MESSAGE_BEAT,     /* number[0]: the loop's lag since the last one, microseconds */
	MESSAGE_TEXT,     /* text: of luvd.status */
	MESSAGE_WISH, /* number[0]: the exit code with which the service wants the daemon to stop */
	MESSAGE_LISTENER, /* answer to STATUS: number: query, index, connections, accepted */
	MESSAGE_TOTALS,   /* the last answer to STATUS: number: query, bytes of the Lua heap, tasks,
			     failed tasks, resident bytes, the longest lag of the loop since the
			     last STATUS in microseconds */
	MESSAGE_AUDIT,    /* answer to AUDITS: number: query, 1 when it is the last, 1 when it does
			     not hold; text: a line, may be empty when it is the last */
	MESSAGE_RESULT, /* answer to EVAL or COMPLETE: number: query, 1 when it is the last, 1 when
			   the text is an error; text: a part of it */

	/* the monitor to a worker */
	MESSAGE_STOP,   /* text: reason of service.stop; number: timeout in milliseconds, 1: now */
	MESSAGE_RELOAD, /* one descriptor: a bundle, sealed; its config and reloadable keys are
			   taken over, or given back after a reload that another worker refused */
	MESSAGE_REOPEN, /* descriptors: declared files from the one of index number[0] on */
	MESSAGE_SIGNAL, /* text: NAME of "service.NAME"; number: the signal */
	MESSAGE_STATUS, /* number: query */
	MESSAGE_AUDITS, /* number: query; answered by AUDIT */
	MESSAGE_EVAL, /* number: query, 1 when it is the last part; text: a part of the Lua code */
	MESSAGE_COMPLETE, /* number: query; text: what is to be completed */
	MESSAGE_TYPES
};

enum { MESSAGE_NUMBERS = 6, MESSAGE_FDS = 64 };

struct message {
	enum message_type type;
	pid_t pid;
	int64_t number[MESSAGE_NUMBERS];
	struct err err;
	char text[1024];
};

/* -1 with errno EPIPE when the other side is gone. Never blocks the sender for long: the socket's
 * buffer holds a whole start. */
int channel_send(int fd, const struct message *message);
/* The same with count descriptors, at most MESSAGE_FDS; they stay the sender's. */
int channel_send_fds(int fd, const struct message *message, const int *fds, size_t count);
/* 1: a message; 0: the end of the channel; -1 with errno (EAGAIN, EBADMSG for a malformed one).
 * Descriptors that come with it are closed. */
int channel_receive(int fd, struct message *message);
/* The same; fds has room for MESSAGE_FDS and gets *count descriptors, close-on-exec, the caller's.
 */
int channel_receive_fds(int fd, struct message *message, int *fds, size_t *count);

#endif
