#ifndef LUVD_UNIT_RIG_H
#define LUVD_UNIT_RIG_H

#include "host/channel.h"
#include "host/relay.h"
#include "spec_fixture.h"

/* A real worker without its monitor: the test stands in for that, with the channel, the bundle and
 * the pipes that a worker is given. */
struct rig {
	struct fixture *fixture;
	pid_t pid, monitor;        /* who it is told to belong to */
	int channel;               /* our end */
	int bundle, relay, output; /* the bundle, and the ends that we read */
	int sockets[4];
	size_t socket_count;
	int file; /* of the spec's only one; -1 */
	int port; /* of the first socket */
	const char *roster;
	const char *number; /* of the worker */
	struct relay_reader reader;
	char log[65536]; /* what came through relay: "LEVEL message\n" */
	char said[8192]; /* what it wrote to fd 1 and 2 */
};

/* The daemon file's text; the caller of the test is the user. */
void rig_setup(struct rig *rig, struct fixture *fixture, const char *text);
/* A listening socket on a free port of loopback. */
void rig_listen(struct rig *rig);
/* Starts it; steps are not waited for. */
void rig_spawn(struct rig *rig);
/* rig_spawn, and every message until READY. */
void rig_start(struct rig *rig);
/* The next message; fails the test after ten seconds, and at the channel's end. */
struct message rig_hear(struct rig *rig);
/* The next one of this type; others are passed over. */
struct message rig_await(struct rig *rig, enum message_type type);
void rig_say(struct rig *rig, const struct message *message, const int *fds, size_t count);
/* A bundle of another text for the same worker. */
int rig_bundle(struct rig *rig, const char *text);
/* Reads the log until it holds text. */
void rig_await_log(struct rig *rig, const char *text);
/* Waits for its end; the exit code, or minus the signal. */
int rig_wait(struct rig *rig);
/* Milliseconds of a clock that does not go back. */
int64_t rig_now(void);
/* SIGKILLs what is left, closes everything. */
void rig_finish(struct rig *rig);

#endif
