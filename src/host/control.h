#ifndef LUVD_HOST_CONTROL_H
#define LUVD_HOST_CONTROL_H

#include <uv.h>

#include "host/frame.h"
#include "host/log.h"
#include "plan/daemon.h"

/* The control socket, server side, of a classic daemon and of a monitor. Protocol
 * (docs/control.md): frames (host/frame.h). The client sends one REQUEST ("status json", "reload",
 * "stop", "logs follow 100", "console 2"); the server answers with any number of WITHIN and OUTPUT
 * frames and one END (u8 exit code, text of an error). A console goes on with LUA and COMPLETE
 * frames, each answered by OUTPUT and one RESULT. SO_PEERCRED of each connection decides: root and
 * the starter everything but the console, which is for root and the daemon's user, who also may ask
 * for status and logs; others are refused (END 4). */
enum {
	/* Places: who may less must not keep out who may more. */
	CONTROL_STRANGERS_MAX = 4,
	CONTROL_VIEWERS_MAX = 12,
	CONTROL_OWNERS_MAX = 16,
	CONTROL_CLIENTS_MAX = 32, /* all of these */
	CONTROL_LUA_MAX = 16384   /* bytes of one text that a console sends */
};

struct control;
struct control_client;

/* What `luvd status` wants to see. */
enum control_form { CONTROL_TEXT, CONTROL_JSON, CONTROL_METRICS, CONTROL_AUDIT };

/* Where a console's Lua runs. */
struct control_place {
	int generation;
	int worker; /* 1..N; 0 asks for the first that is ready */
};

/* What the host answers: all but place later, with control_print and control_end (console:
 * control_result). */
struct control_calls {
	void *data;
	void (*status)(void *data, struct control_client *client, enum control_form form);
	void (*reload)(void *data, struct control_client *client);
	void (*stop)(void *data, struct control_client *client);
	/* A new binary; NULL: this daemon cannot do that. */
	void (*upgrade)(void *data, struct control_client *client);
	/* Which worker a console gets: fills place->generation, and place->worker when it is 0. -1
	 * with err: there is none. NULL: this daemon has no console. */
	int (*place)(void *data, struct control_place *place, struct err *err);
	/* FRAME_LUA: evaluate the text there; FRAME_COMPLETE: what could follow it, a line each.
	 * text is closed by a 0 and lives until the return. One at a time for each client. */
	void (*lua)(void *data, struct control_client *client, const struct control_place *place,
		    enum frame_type type, const char *text, size_t length);
};

/* Serves daemon->control_fd on loop (a copy of it: the descriptor stays daemon's). */
struct control *control_create(uv_loop_t *loop, struct daemon *daemon, struct log *log,
			       const struct control_calls *calls, struct err *err);
/* Bytes of an answer, as many as there are. The client may be gone. */
void control_print(struct control_client *client, const char *bytes, size_t length);
/* The last word to a client: exit code and, when it failed, the text. The client may be gone. Once
 * for each client given to a call, before control_destroy or never. */
void control_end(struct control_client *client, int code, const char *text);
/* The end of what `lua` was asked for. failed: what was printed is an error. */
void control_result(struct control_client *client, bool failed);
/* Closes the listening socket and all clients (those with a pending stop keep their connection
 * until the process is gone: its end is their answer). */
void control_close(struct control *control);
void control_destroy(struct control *control); /* after the loop has run the closes */

#endif
