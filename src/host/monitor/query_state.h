#ifndef LUVD_HOST_MONITOR_QUERY_STATE_H
#define LUVD_HOST_MONITOR_QUERY_STATE_H

#include "host/monitor/query.h"
#include "service/life.h"

/* What the files query*.c share: one question that is open, and what has come of it. */

/* One worker that was asked. The slot is not kept: it may go before the answer comes. */
struct reply {
	int generation, worker;
	bool over;  /* nothing more is awaited of it */
	bool whole; /* the last of its answer has come */
	struct life_totals totals;
	uint64_t resident;
	int64_t lag;                /* of the loop, since it was asked before, microseconds */
	struct life_counts *counts; /* listener_count of them, its generation's */
	size_t listener_count;
	char *lines[QUERIES_LINES_MAX]; /* of its audit */
	bool wrong[QUERIES_LINES_MAX];
	size_t line_count;
};

struct question {
	struct queries *queries;
	struct question *next;
	uv_timer_t timer;
	int64_t id;
	bool answered; /* the client has its answer, the timer is being closed */
	struct control_client *client;
	enum control_form form; /* of a status */
	char *settled;  /* asked only to know that they have come so far: the client's text */
	int code;       /* and its exit code */
	bool lua;       /* a console's: goes to one worker */
	bool completes; /* of it, not an evaluation */
	size_t printed; /* bytes of its result so far */
	struct reply *replies;
	size_t reply_count;
};

struct queries {
	uv_loop_t *loop;
	struct queries_view view;
	struct queries_calls calls;
	struct question *questions;
	int64_t last; /* id of the last question */
};

/* A question with room for replies; NULL: out of memory, which the client has been told
 * (control_end, or control_result after a line). */
struct question *question_make(struct queries *queries, struct control_client *client, bool lua,
			       size_t replies);
/* One reply more. */
struct reply *question_expect(struct question *question, const struct worker_slot *slot);
/* The client has its answer; frees the question once its timer is closed. */
void question_end(struct question *question);
const struct reply *question_reply(const struct question *question, const struct worker_slot *slot);
/* The state in which a worker listens to what the monitor asks. */
bool queries_slot_listens(const struct worker_slot *slot);

/* query_report.c: form of question is TEXT, JSON or METRICS. */
void query_report(const struct question *question);
/* query_audit.c */
void query_audit(const struct question *question);
/* query_lua.c: a part of a result; -1: nonsense. */
int query_result(struct question *question, struct reply *reply, const struct message *message);
/* The worker is gone (err says so), or time is over. */
void query_lua_failed(struct question *question, const char *why);

#endif
