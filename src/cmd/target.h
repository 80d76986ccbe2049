#ifndef LUVD_CMD_TARGET_H
#define LUVD_CMD_TARGET_H

#include "cmd/cmd.h"
#include "host/client.h"

/* What stop, reload, restart, status and logs share: the running daemon that FILE means. */

/* Finds it, reads FILE only when no record names it, and refuses a record of another file. Returns
 * EXIT_DONE (target->running may be anything), or the exit code after having told why. */
int target_find(struct daemon *daemon, const struct options *options, struct target *target);
/* "echo: not running", with EXIT_RUNNING. */
int target_not_running(const struct target *target, struct err *err);
/* Asks the running daemon and waits for its END; an END that is not EXIT_DONE becomes err. */
int target_ask(const struct target *target, const char *request,
	       void (*output)(void *data, const char *bytes, size_t length), void *data,
	       int timeout_ms, struct answer *answer, struct err *err);
/* What a running daemon may be asked to do, and tells the verdict of. */
struct wish {
	const char *request; /* on the control socket */
	int signal;          /* without one */
	const char *signal_name;
	const char *done; /* when the daemon has no words for it */
};

/* Asks for it, prints the verdict and returns the exit code. */
int target_wish(const struct target *target, const struct wish *wish);
/* Stops it and returns when its process is gone and nothing of it is left. */
int target_stop(const struct target *target, struct err *err);

enum { ANSWER_MS = 5000 /* for the first word of a daemon whose loop runs */ };

#endif
