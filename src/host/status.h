#ifndef LUVD_HOST_STATUS_H
#define LUVD_HOST_STATUS_H

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "host/reload.h"
#include "plan/daemon.h"
#include "service/life.h"

/* What `luvd status` shows of a running daemon. */

struct status {
	const struct daemon *daemon;
	struct life *life;
	const struct reload *reload;
	const char *state;     /* "starting", "running", "reloading", "stopping" */
	struct timespec since; /* of the loop, CLOCK_MONOTONIC */
	char text[256];        /* luvd.status(text); "" when not given */
};

/* Aligned text, or one JSON object: name, pid, state, uptime (seconds), listeners, memory (bytes),
 * lua {memory, tasks, failed}, status, reload. */
void status_print(const struct status *status, bool json, FILE *out);

#endif
