#include "host/verdict.h"

#include <stdio.h>
#include <string.h>

#include "spec/change.h"

void verdict_accept(struct reload_verdict *verdict, const struct change *change, int generation,
		    int64_t ms)
{
	verdict->at = time(NULL);
	verdict->done = true;
	verdict->took = ms;
	verdict->accepted++;
	if (generation)
		snprintf(verdict->text, sizeof verdict->text,
			 "generation %d in %lld ms: ", generation, (long long)ms);
	else
		snprintf(verdict->text, sizeof verdict->text,
			 "reloaded in %lld ms: ", (long long)ms);
	change_tell(verdict->text, sizeof verdict->text, change);
}

void verdict_refuse(struct reload_verdict *verdict, const struct err *err, int64_t ms)
{
	verdict->at = time(NULL);
	verdict->done = false;
	verdict->took = ms;
	verdict->refused++;
	err_text(err, verdict->text, sizeof verdict->text);
}

void verdict_log(const struct reload_verdict *verdict, struct log *log)
{
	if (!log)
		return;
	if (verdict->done)
		log_printf(log, LEVEL_INFO, "%s", verdict->text);
	else
		log_printf(log, LEVEL_ERROR, "reload refused: %s", verdict->text);
}

void waiters_add(struct waiters *waiters, struct control_client *client)
{
	if (!client)
		return;
	if (waiters->count == CONTROL_CLIENTS_MAX)
		control_end(client, EXIT_FAILED, "too many wait for a reload");
	else
		waiters->clients[waiters->count++] = client;
}

void waiters_answer(struct waiters *waiters, int code, const char *text)
{
	for (size_t i = 0; i < waiters->count; i++)
		control_end(waiters->clients[i], code, text);
	waiters->count = 0;
}
