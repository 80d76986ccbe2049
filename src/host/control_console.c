#include "host/control_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_MAX = 400 /* bytes of an evaluated text in the log */ };

/* 0: not given; -1: no number of a worker. */
static int worker_of(const char *text)
{
	char *end;
	long number;

	if (!*text)
		return 0;
	if (*text < '1' || *text > '9')
		return -1;
	number = strtol(text, &end, 10);
	return *end || number > WORKERS_MAX ? -1 : (int)number;
}

static void note(const struct control_client *client, const char *what, const char *text,
		 size_t length)
{
	bool whole = length <= SHOWN_MAX;

	/* A test looks into its log for what the service says. */
	if (client->control->daemon->source.scratch)
		return;
	log_printf(client->control->log, LEVEL_INFO,
		   "console of pid %ld (uid %lu), worker %d of generation %d: %s%.*s%s",
		   (long)client->pid, (unsigned long)client->uid, client->place.worker,
		   client->place.generation, what, whole ? (int)length : SHOWN_MAX, text,
		   whole ? "" : "...");
}

/* Where it has got: the first answer of the conversation. */
static void greet(struct control_client *client)
{
	const struct daemon *daemon = client->control->daemon;
	char text[512];
	int length = snprintf(text, sizeof text, "%.200s: worker %d of generation %d\n",
			      daemon->spec->name, client->place.worker, client->place.generation);

	control_client_print(client, text, (size_t)length);
	control_result(client, false);
}

/* Why there is no console here; true: there is none. */
static bool forbidden(const struct control *control, struct err *err)
{
	if (!control->calls.place || !control->calls.lua)
		err_set(err, "this daemon has no console");
	else if (!control->daemon->spec->console)
		err_set(err, "the daemon file does not allow a console: it needs console = true");
	else
		return false;
	return true;
}

void control_console_open(struct control_client *client, const char *arguments)
{
	struct control *control = client->control;
	struct err err = {0};
	char text[ERR_TEXT_MAX];
	int worker = worker_of(arguments);

	if (worker < 0) {
		control_client_end(client, EXIT_USAGE, "expected: console [N], N of a worker");
		return;
	}
	client->place = (struct control_place){.worker = worker};
	if (forbidden(control, &err) ||
	    control->calls.place(control->calls.data, &client->place, &err) < 0) {
		control_client_end(client, EXIT_FAILED, err_text(&err, text, sizeof text));
		return;
	}
	if (control_client_talk(client) < 0) {
		control_client_end(client, EXIT_FAILED, "out of memory");
		return;
	}
	note(client, "opened", "", 0);
	greet(client);
}

void control_console_take(struct control_client *client, const struct frame *frame)
{
	const struct control_calls *calls = &client->control->calls;
	/* Room for it is behind the longest text. */
	char *text = (char *)client->in + FRAME_HEAD;

	text[frame->length] = 0;
	if (frame->type == FRAME_LUA)
		note(client, "", text, frame->length);
	client->owed = true;
	calls->lua(calls->data, client, &client->place, frame->type, text, frame->length);
}
