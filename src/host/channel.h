#ifndef LUVD_HOST_CHANNEL_H
#define LUVD_HOST_CHANNEL_H

#include <stdbool.h>
#include <sys/types.h>

#include "err.h"

/* The status channel between the daemon and its launcher: one message a datagram on a
 * SOCK_SEQPACKET pair, fixed form, bounded. A message that is not of this form counts as none. */

enum message_type {
	MESSAGE_PID = 1, /* pid: the daemon's own, right after the last fork */
	MESSAGE_STEP,    /* err.step: begins now */
	MESSAGE_WARNING, /* err: for the terminal */
	MESSAGE_FAILED,  /* err: the start has failed */
	MESSAGE_READY    /* text: what the start line shows besides name and pid */
};

struct message {
	enum message_type type;
	pid_t pid;
	struct err err;
	char text[1024];
};

/* -1 with errno EPIPE when the other side is gone. Never blocks the sender for long: the socket's
 * buffer holds a whole start. */
int channel_send(int fd, const struct message *message);
/* 1: a message; 0: the end of the channel; -1 with errno (EAGAIN, EBADMSG for a malformed one). */
int channel_receive(int fd, struct message *message);

#endif
