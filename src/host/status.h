#ifndef LUVD_HOST_STATUS_H
#define LUVD_HOST_STATUS_H

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "host/control.h"
#include "host/reload.h"
#include "plan/daemon.h"
#include "service/life.h"

/* What a classic daemon, which is its own and only worker, tells of itself on the control socket.
 */

struct status {
	struct daemon *daemon;
	struct life *life;
	const struct reload *reload;
	const char *state;     /* "starting", "running", "reloading", "stopping" */
	struct timespec since; /* of the loop, CLOCK_MONOTONIC */
	char text[256];        /* luvd.status(text); "" when not given */
};

/* Answers at once: control_calls.status. */
void status_answer(const struct status *status, struct control_client *client,
		   enum control_form form);
/* control_calls.place: there is worker 1 and no other. */
int status_place(const struct status *status, struct control_place *place, struct err *err);
/* control_calls.lua. */
void status_lua(const struct status *status, struct control_client *client, enum frame_type type,
		const char *text);

#endif
