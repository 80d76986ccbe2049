#ifndef LUVD_SERVICE_HTTP_HTTP_H
#define LUVD_SERVICE_HTTP_HTTP_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "service/alarm.h"
#include "service/burst.h"
#include "service/conn.h"
#include "service/http/body.h"
#include "service/http/head.h"
#include "service/list.h"
#include "service/task.h"
#include "spec/spec.h"

/* What the files of the HTTP server share. A connection that waits for its next request is a struct
 * http_conn and no more: no task, no Lua object, no buffer. The files, in the order of a request:
 * http_event.c, http_conn.c (when to do
 * what), head.c, request.c (what the handler is given), serve.c (its call),
 * request_body.c, answer.c (what it has returned), reply.c, stream.c, batch.c. */

enum http_access { ACCESS_OFF, ACCESS_LEVEL, ACCESS_FUNCTION };

/* The options of http.serve; times in milliseconds. */
struct http_options {
	struct head_limits head;
	uint64_t max_body;
	int64_t header_timeout, keep_alive, body_timeout, write_timeout;
	int64_t min_rate;                         /* bytes a second */
	uint64_t max_running, max_per_connection; /* 0: no limit */
	enum http_access access;
	enum log_level access_level;
};

/* Answers that wait to be sent with one call: of one connection, at the end of its turn. */
struct batch {
	struct http_conn *owner;
	size_t length;
	char *bytes; /* BATCH_ROOM */
};

enum {
	BATCH_FULL = 65536,     /* sent at once when there is more */
	REPLY_HEAD_MAX = 32768, /* of an answer */
	BATCH_ROOM = BATCH_FULL + REPLY_HEAD_MAX,
	SKIP_MAX = 262144, /* bytes of a body nobody read that are thrown away to keep a connection
			    */
	HTTP_REFUSALS = 10 /* kinds */
};

/* One call of http.serve. */
struct http {
	struct vm *vm;
	struct http_options options;
	int handler, access; /* references */
	struct link conns;
	size_t running; /* handlers */
	bool stopping;
	uint64_t number; /* of the last request */
	uint32_t seed;   /* of this server's request ids */
	struct batch batch;
	time_t date_second;
	char date[40];                      /* "Date: ...\r\n" */
	struct burst bursts[HTTP_REFUSALS]; /* log.c */
};

enum http_state {
	HTTP_IDLE, /* between requests; a part of a head may have come */
	HTTP_BUSY, /* a handler runs */
	HTTP_SKIPPING,
	HTTP_CLOSING
};

/* What has become of the body that a handler reads. */
enum body_failure { BODY_FINE, BODY_MALFORMED, BODY_TOO_LONG, BODY_LATE, BODY_CUT };

struct http_conn {
	struct conn *conn;
	struct http *http;
	struct link all;
	struct alarm alarm;
	/* In the loop's time; 0: none. The alarm looks at both when it rings. */
	uint64_t deadline; /* for what the peer is to send */
	uint64_t stalled;  /* for it to take some of what is queued */
	struct request *request;
	struct task *task;   /* of the handler */
	struct task *reader; /* waits for the body */
	struct task *writer; /* waits until the queue is short */
	struct body body;
	char *gathered; /* the body so far, when it comes in pieces */
	size_t gathered_length, gathered_room;
	uint64_t received; /* of the body, or skipped */
	uint64_t since;    /* loop time when the wait for the body began */
	int64_t allowance; /* how long the body may still let us wait */
	size_t queued;     /* when stalled was set */
	uint64_t sent;     /* of the body of this answer */
	uint64_t left;     /* of it, when its length is known */
	const char *rest;  /* of a long text: left bytes */
	uint64_t scanned;  /* of a head that comes in pieces */
	uint64_t served;
	int status;         /* of the answer; 0: none yet */
	uint8_t minor;      /* of the request's version */
	uint8_t state;      /* enum http_state */
	uint8_t failure;    /* enum body_failure */
	bool looping : 1;   /* http_conn_go_on is on the stack */
	bool close : 1;     /* after this answer */
	bool answered : 1;  /* all of it is composed */
	bool head_only : 1; /* HEAD */
	bool chunked : 1;   /* the answer */
	bool declared : 1;  /* its length, by the handler */
	bool expects : 1;   /* 100 Continue was not sent yet */
};

/* http_event.c */
extern const struct protocol http_protocol;

/* http_conn.c */
/* Goes on with what has come; does nothing inside of itself. From the loop. */
void http_conn_go_on(struct http_conn *hc);
/* Does the peer leave more than the high-water mark unread? Then it is given a time for it. */
bool http_conn_stalled(struct http_conn *hc);
/* Is there a body that nobody has read, too long to be thrown away, or that the peer may never
 * send? Then the connection ends with the answer. */
bool http_conn_body_in_the_way(const struct http_conn *hc);
/* Answers without a handler, and closes. */
void http_conn_refuse(struct http_conn *hc, int status, const char *reason);
/* The same when nothing is known of the request. */
void http_conn_refuse_head(struct http_conn *hc, int status, const char *reason);
/* Sets the deadline of an idle connection, with a part of a head or without. */
void http_conn_wait_for_request(struct http_conn *hc);
/* The handler and its children have ended and an answer is composed. */
void http_conn_served(struct http_conn *hc);
void http_conn_close(struct http_conn *hc);
void http_conn_abort(struct http_conn *hc);
void http_conn_set_deadline(struct http_conn *hc, int64_t timeout);
void http_conn_set_stalled(struct http_conn *hc);
/* Sets the alarm for the next deadline. */
void http_conn_arm(struct http_conn *hc);

/* batch.c */
int batch_init(struct batch *batch);
/* Room for size bytes (at most REPLY_HEAD_MAX) of this connection; written bytes count with
 * batch_add. */
char *batch_room(struct http_conn *hc, size_t size);
void batch_add(struct http_conn *hc, size_t length);
/* These bytes after what is there: copied when they fit, else all is sent. -1: the connection has
 * failed. */
int batch_put(struct http_conn *hc, const char *bytes, size_t length);
int batch_flush(struct http *http);

/* serve.c: runs the handler, or refuses. */
void serve_begin(struct http_conn *hc, const struct head *head, const char *bytes);

/* log.c */
void http_log(struct http_conn *hc, enum log_level level, const char *message);
void http_log_refused(struct http_conn *hc, int status, const char *reason);
void http_log_access(struct http_conn *hc);

/* gather.c: puts a piece behind what hc->gathered has; -1: out of memory. */
int http_body_gather(struct http_conn *hc, const char *bytes, size_t length);
void http_body_forget(struct http_conn *hc);

#endif
