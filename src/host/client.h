#ifndef LUVD_HOST_CLIENT_H
#define LUVD_HOST_CLIENT_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include "err.h"
#include "host/frame.h"
#include "plan/record.h"
#include "spec/source.h"

/* A running daemon seen from outside: where it is, whether it lives, and how it is asked. Reads no
 * daemon file and takes no lock. */

enum running {
	DAEMON_ABSENT,  /* nobody holds the lock, nothing is left */
	DAEMON_RUNNING, /* the lock is held; without a record it is just being started */
	DAEMON_DEAD,    /* nobody holds the lock, but there is a record */
	DAEMON_UNKNOWN  /* we may not ask */
};

struct target {
	char name[256];
	char home[PATH_MAX]; /* HOME of its record; "" when absent */
	bool recorded;
	struct record record; /* when recorded */
	enum running running;
};

void target_finish(struct target *target);

/* FILE of the command line: is it the name of a daemon? (No "/", not "*.lua".) */
bool client_is_name(const char *file);
/* Looks in the folders that root and this user's daemons have (XDG_RUNTIME_DIR is source's). Absent
 * when there is none of this name. */
void client_find_name(struct target *target, const struct source *source, const char *name);
/* The daemon that was started from source->path, even when that file is gone by now. 1: found; 0:
 * none; -1: several, EXIT_USAGE. */
int client_find_path(struct target *target, const struct source *source, struct err *err);
/* Are both the same file, as far as their folders' real names tell? */
bool client_same_path(const char *one, const char *other);

/* The process of the record, as a pidfd(2) that becomes readable when it ends; -1 with err when it
 * is gone, is another one by now, or there is no record yet. */
int client_process(const struct target *target, struct err *err);
/* Waits until the process is gone (a zombie is gone), at most timeout_ms. */
bool client_is_gone(int pidfd, int timeout_ms);

struct answer {
	int code; /* of END */
	char text[ERR_TEXT_MAX];
	bool begun;  /* something has come */
	bool ended;  /* END has come; else the connection has just ended: so has the daemon */
	bool result; /* RESULT has come, of a console: the connection goes on; code is 0 or 1 */
};

/* Connects to the control socket. -1 with err when there is none or nobody answers there. */
int client_connect(const struct target *target, struct err *err);
int client_send(int fd, const char *request, struct err *err);
/* A frame of a console's: LUA or COMPLETE, at most CONTROL_LUA_MAX bytes. */
int client_say(int fd, enum frame_type type, const char *text, size_t length, struct err *err);
/* Gives what the daemon sends to output until its END or, of a console, RESULT. timeout_ms is for
 * each frame (-1: for ever) unless the daemon says with WITHIN that it may take longer. -1 when
 * none came in time (err->code ETIMEDOUT) or it was no frame. */
int client_receive(int fd, void (*output)(void *data, const char *bytes, size_t length), void *data,
		   int timeout_ms, struct answer *answer, struct err *err);

#endif
