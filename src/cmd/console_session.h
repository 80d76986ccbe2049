#ifndef LUVD_CMD_CONSOLE_SESSION_H
#define LUVD_CMD_CONSOLE_SESSION_H

#include "cmd/target.h"

/* The conversation of `luvd console` with a worker, over the control socket. */

struct session {
	int fd;
	char *place; /* "echo: worker 1 of generation 3" */
};

/* worker 0: the first that is ready. -1 with err: there is no console, err->exit tells why. */
int session_open(struct session *session, const struct target *target, int worker, struct err *err);
void session_close(struct session *session); /* accepts a zeroed one */
/* Evaluates text; *answer, of malloc(3), is what it has returned, or the error's text. 0: fine; 1:
 * a Lua error; -1: the conversation is over. */
int session_evaluate(struct session *session, const char *text, size_t length, char **answer,
		     struct err *err);
/* What could stand in the place of the last word of text, a line each; NULL: nothing. */
char *session_complete(struct session *session, const char *text, size_t length);
/* Does this error say that the text only has no end yet? */
bool session_is_unfinished(const char *error);

#endif
