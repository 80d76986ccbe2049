#ifndef LUVD_HOST_WORKER_STATE_H
#define LUVD_HOST_WORKER_STATE_H

#include "host/courier.h"
#include "host/pulse.h"
#include "host/stage.h"

/* What the files of a worker share. Everybody else includes worker.h. */

struct script;

struct worker {
	struct stage stage; /* first: what life and signals tell comes with its address */
	struct courier *courier;
	struct pulse pulse;
	uv_timer_t orphan;    /* from the monitor's end on: when graceful is over */
	uv_poll_t relay;      /* log lines wait for room in the pipe to the monitor */
	bool handles;         /* orphan and relay are open */
	bool orphaned;        /* the monitor is gone */
	bool text_waits;      /* text could not be sent */
	struct script *begun; /* of a console, whose text is not yet whole */
	size_t script_count;  /* it, and those that are being answered */
	char text[sizeof((struct message *)0)->text]; /* of luvd.status */
};

/* What the monitor says, by type: worker_orders.c. */
void worker_obey(void *data, const struct message *message, const int *fds, size_t count);
/* EVAL and COMPLETE: worker_console.c. */
void worker_evaluate(struct worker *worker, const struct message *message);
void worker_complete(struct worker *worker, const struct message *message);
/* After the life of the service: what it has not heard yet. */
void worker_console_close(struct worker *worker);
/* Beats as the spec wants them now. */
void worker_beat(struct worker *worker);

#endif
