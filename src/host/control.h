#ifndef LUVD_HOST_CONTROL_H
#define LUVD_HOST_CONTROL_H

#include <uv.h>

#include "host/frame.h"
#include "host/log.h"
#include "plan/daemon.h"

/* The control socket, server side. Protocol (docs/control.md): frames (host/frame.h). The client
 * sends one REQUEST ("status json", "reload", "stop", "logs follow 100"); the server answers with
 * any number of WITHIN and OUTPUT frames and one END (u8 exit code, text of an error). SO_PEERCRED
 * of each connection decides: root and the starter everything, the daemon's user status and logs,
 * others refused (END 4). */
enum {
	/* Places: who may less must not keep out who may more. */
	CONTROL_STRANGERS_MAX = 4,
	CONTROL_VIEWERS_MAX = 12,
	CONTROL_OWNERS_MAX = 16,
	CONTROL_CLIENTS_MAX = 32 /* all of these */
};

struct control;
struct control_client;

/* What the worker answers. status writes the whole text; reload and stop answer later through
 * control_end. */
struct control_calls {
	void *data;
	void (*status)(void *data, bool json, FILE *out);
	void (*reload)(void *data, struct control_client *client);
	void (*stop)(void *data, struct control_client *client);
};

/* Serves daemon->control_fd on loop (a copy of it: the descriptor stays daemon's). */
struct control *control_create(uv_loop_t *loop, struct daemon *daemon, struct log *log,
			       const struct control_calls *calls, struct err *err);
/* The last word to a client: exit code and, when it failed, the text. The client may be gone. Once
 * for each client given to reload or stop, before control_destroy or never. */
void control_end(struct control_client *client, int code, const char *text);
/* Closes the listening socket and all clients (those with a pending stop keep their connection
 * until the process is gone: its end is their answer). */
void control_close(struct control *control);
void control_destroy(struct control *control); /* after the loop has run the closes */

#endif
