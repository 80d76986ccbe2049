#ifndef LUVD_HOST_MONITOR_QUERY_H
#define LUVD_HOST_MONITOR_QUERY_H

#include "host/channel.h"
#include "host/control.h"
#include "host/crew/crew.h"
#include "host/monitor/sockets.h"
#include "host/reload.h"

/* What a monitor answers on the control socket and only its workers know: a question goes to all of
 * them, and what has come of it QUERIES_MS later is the answer, together with what the monitor
 * knows. Believes none of it: indices, counts and lengths are checked. */

enum {
	QUERIES_MS = 500,            /* for all workers together */
	QUERIES_LUA_MS = 60000,      /* for what a console evaluates */
	QUERIES_RESULT_MAX = 524288, /* bytes of one result; the rest is cut */
	QUERIES_LINES_MAX = 64       /* of one worker's audit */
};

struct queries;

struct queries_calls {
	void *data;
	/* Sends it to the slot's process; -1: it cannot be asked. */
	int (*ask)(void *data, struct worker_slot *slot, const struct message *message);
	/* Of its process; 0: it has none. */
	pid_t (*pid)(void *data, const struct worker_slot *slot);
	/* Looks at every thread of it in /proc; -1 with err: it is not what was asked for. */
	int (*inspect)(void *data, const struct worker_slot *slot, struct err *err);
};

/* What the monitor knows, read at each answer. */
struct queries_view {
	struct daemon *daemon; /* its spec, pid and log */
	struct crew *crew;
	struct sockets *sockets;
	const struct reload_verdict *reload; /* the last; NULL: reloads are nobody's here */
	const char *text;                    /* luvd.status(text); "" */
	int64_t since;                       /* moment of the start, as crew.h has them */
};

/* view and calls are copied; what they point to lives longer. */
struct queries *queries_create(uv_loop_t *loop, const struct queries_view *view,
			       const struct queries_calls *calls, struct err *err);
/* LISTENER, TOTALS, AUDIT or RESULT of a worker. -1: no worker of ours says that (crew_condemn);
 * what comes too late is no crime. */
int queries_take(struct queries *queries, const struct worker_slot *slot,
		 const struct message *message);
/* The slot's process has ended: nobody waits for it. */
void queries_gone(struct queries *queries, const struct worker_slot *slot);
/* Ends all clients that wait and closes the handles; before control_close. The loop must run until
 * they are gone before queries_destroy. Accept NULL. */
void queries_close(struct queries *queries);
void queries_destroy(struct queries *queries);

/* For control_calls; queries is their data. */
void queries_status(struct queries *queries, struct control_client *client, enum control_form form);
/* Ends the client with code and text once all workers have done what they were told before, that is
 * to say, accept no more when they were told to leave; after QUERIES_MS at the latest. */
void queries_settle(struct queries *queries, struct control_client *client, int code,
		    const char *text);
int queries_place(const struct queries *queries, struct control_place *place, struct err *err);
void queries_lua(struct queries *queries, struct control_client *client,
		 const struct control_place *place, enum frame_type type, const char *text,
		 size_t length);

#endif
