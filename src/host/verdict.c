#include "host/verdict.h"

#include <stdio.h>
#include <string.h>

#include "spec/change.h"
#include "spec/quote.h"

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
	memcpy(verdict->more, verdict->text, sizeof verdict->more);
}

void verdict_refuse(struct reload_verdict *verdict, const struct err *err, int64_t ms)
{
	char text[ERR_TEXT_MAX];

	verdict->at = time(NULL);
	verdict->done = false;
	verdict->took = ms;
	verdict->refused++;
	quote_split(err_text(err, text, sizeof text), verdict->text, verdict->more,
		    sizeof verdict->more);
}

void verdict_quote(struct reload_verdict *verdict, const char *quote)
{
	size_t used = strlen(verdict->more), length = quote ? strlen(quote) : 0;

	/* Without its last newline. */
	if (length && used + length + 1 < sizeof verdict->more)
		snprintf(verdict->more + used, sizeof verdict->more - used, "\n%.*s",
			 (int)length - 1, quote);
}

static void log_refused(const struct reload_verdict *verdict, struct log *log)
{
	static const char refused[] = "reload refused: ";
	char text[sizeof refused + sizeof verdict->text];
	char more[sizeof refused + sizeof verdict->more];

	snprintf(text, sizeof text, "%s%s", refused, verdict->text);
	snprintf(more, sizeof more, "%s%s", refused, verdict->more);
	log_write_more(log, LEVEL_ERROR, text, more);
}

void verdict_log(const struct reload_verdict *verdict, struct log *log)
{
	if (!log)
		return;
	if (verdict->done)
		log_printf(log, LEVEL_INFO, "%s", verdict->text);
	else
		log_refused(verdict, log);
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
