#ifndef LUVD_HOST_SIGNALS_H
#define LUVD_HOST_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "plan/daemon.h"
#include "plan/signal.h"

/* Signals of the daemon: handlers of our own that know the sender and write to a pipe which the
 * loop reads. libuv's would drop siginfo, and could not end a daemon whose Lua spins: here the
 * second request to stop is answered in the handler. */

struct signal_event {
	int number;
	bool by_kernel;
	pid_t pid; /* sender; 0: the kernel, or one outside of our pid namespace */
	uid_t uid;
	bool again; /* a stop was asked for before, and this is another request for one */
};

enum { SIGNAL_NAME_MAX = 24 };
/* "SIGTERM"; writes to text and returns it. */
const char *signal_name(int number, char text[SIGNAL_NAME_MAX]);

enum { SIGNAL_ORIGIN_MAX = 96 };
/* "SIGTERM from pid 17 (uid 0)", "... from outside the container (uid 0)"; writes to text and
 * returns it. */
const char *signal_origin(const struct signal_event *event, char text[SIGNAL_ORIGIN_MAX]);

struct signals;

/* Installs the handlers and empties the mask. One per process: handlers reach one global. */
struct signals *signals_create(uv_loop_t *loop, struct daemon *daemon,
			       void (*tell)(void *data, const struct signal_event *event),
			       void *data, struct err *err);
/* Tells what the handlers have noted and the loop has not read yet. */
void signals_drain(struct signals *signals);
/* daemon->spec is another one: handlers for its signals too, and what ends the process early knows
 * its listeners. A signal that has no action any more stays caught. */
void signals_renew(struct signals *signals);
/* A stop has begun, whoever asked: the next signal that asks for one ends the process at once, but
 * a monitor, which first ends its workers (signal_event.again).
 * After limit_ms (0: never) the process ends with a word in the log, whatever Lua does. */
void signals_stopping(struct signals *signals, int64_t limit_ms);
/* In a worker: its monitor is gone. However long stopping may take: the process and its group end
 * within SIGNALS_ORPHAN_MS of the first call, or of the signal that the kernel has sent. */
enum { SIGNALS_ORPHAN_MS = 800 };
void signals_orphaned(struct signals *signals);
/* Closes its handle; the loop must run once more before signals_destroy. */
void signals_close(struct signals *signals);
void signals_destroy(struct signals *signals);

#endif
