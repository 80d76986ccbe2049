#ifndef LUVD_HOST_CONTROL_CLIENT_H
#define LUVD_HOST_CONTROL_CLIENT_H

#include "host/control.h"
#include "host/frame.h"

/* What control.c, control_client.c and control_request.c share: the server and one client of it. */

enum {
	REQUEST_MAX = 256,   /* bytes of a request's text */
	REQUEST_MS = 10000,  /* from the connection to the whole request; from END to its reading */
	MARGIN_MS = 10000,   /* over the daemon file's timeouts */
	FOLLOW_MS = 60000,   /* how long a follower may leave unread what was sent */
	FOLLOW_QUEUE = 65536 /* a follower with more unread than this gets no new lines */
};

/* What a peer may ask for; each includes those before. */
enum client_right { RIGHT_NONE, RIGHT_VIEW, RIGHT_ALL };

enum client_state {
	CLIENT_ASKS,     /* its request is not yet whole */
	CLIENT_LOOKS,    /* waits for control_end, which comes soon whether it listens or not */
	CLIENT_STOPS,    /* waits for the end of the process */
	CLIENT_RELOADS,  /* waits for control_end */
	CLIENT_UPGRADES, /* the same, of another image */
	CLIENT_FOLLOWS,  /* gets each new line */
	CLIENT_TALKS,    /* a console: sends Lua, one text at a time */
	CLIENT_ENDED     /* has its END */
};

struct control_client {
	struct control *control;
	struct control_client *next;
	uv_pipe_t pipe;
	uv_timer_t timer;
	uv_shutdown_t shutdown;
	int handles;  /* that libuv still has */
	bool closing; /* uv_close was called */
	bool owed;    /* the host will call control_end or control_result */
	enum client_state state;
	enum client_right right;
	bool console; /* may evaluate Lua */
	uid_t uid;    /* of the process at the other end */
	pid_t pid;
	uint64_t position; /* in the log's ring */
	struct control_place place;
	unsigned char request[FRAME_HEAD + REQUEST_MAX];
	unsigned char *in; /* request, or a console's longer texts */
	size_t size, have; /* of in */
};

struct control {
	uv_loop_t *loop;
	struct daemon *daemon;
	struct log *log;
	struct control_calls calls;
	uv_pipe_t listener;
	uv_async_t line_added;
	uv_timer_t rest;   /* too many connections have come: one waits to be accepted */
	uint64_t turn;     /* moment of the loop */
	unsigned accepted; /* in this turn */
	struct control_client *clients;
	int handles;              /* that libuv still has, besides the clients' */
	bool failed;              /* at its creation: freed when the handles are closed */
	char lines[32768 + 4096]; /* the longest line of the log, with its head */
};

/* --- control.c --- */

/* Who is at the other end of fd, and what it may. */
void control_recognise(struct control_client *client, int fd);

/* --- control_client.c: a connection and what goes over it --- */

/* At the head of control->clients, its handles initialised. NULL: out of memory. */
struct control_client *control_client_make(struct control *control);
/* Reads its request, which must be whole within REQUEST_MS. */
void control_client_listen(struct control_client *client);
/* Reads what it may say besides, for one whose request was heard already. */
void control_client_go_on(struct control_client *client);
/* One frame of at most FRAME_PAYLOAD_MAX bytes. */
void control_client_send(struct control_client *client, enum frame_type type, const char *bytes,
			 size_t length);
/* OUTPUT frames, as many as it takes. A client that cannot be sent to is closed. */
void control_client_print(struct control_client *client, const char *bytes, size_t length);
/* The END frame; then the client is closed when it has read it, at most REQUEST_MS later. */
void control_client_end(struct control_client *client, int code, const char *text);
/* The same at once, as far as the socket takes it: at the end of the loop nothing that is queued
 * would be written any more. */
void control_client_end_now(struct control_client *client, int code, const char *text);
void control_client_close(struct control_client *client);
/* When libuv has nothing of it any more. */
void control_client_free(struct control_client *client);
/* Closes the client unless it has read everything within FOLLOW_MS. */
void control_client_limit(struct control_client *client);
/* From here on it may send texts of CONTROL_LUA_MAX bytes. -1: out of memory. */
int control_client_talk(struct control_client *client);
/* Bytes that it has not read. */
size_t control_client_unread(const struct control_client *client);

/* --- control_request.c: what clients ask --- */

/* text: the request, changed. */
void control_request_handle(struct control_client *client, char *text);
/* A follower gets the lines that are new. */
void control_request_follow(struct control_client *client);

/* --- control_console.c: the conversation with a console --- */

/* "console [N]": N of a worker. */
void control_console_open(struct control_client *client, const char *arguments);
/* A whole frame of it, LUA or COMPLETE. */
void control_console_take(struct control_client *client, const struct frame *frame);

#endif
