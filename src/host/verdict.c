#include "host/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/quote.h"

static bool is_in(char *const *keys, const char *key)
{
	for (; *keys; keys++)
		if (strcmp(*keys, key) == 0)
			return true;
	return false;
}

/* Adds "config.banner, timeouts.stop", cut with "..." when there are too many. */
static void join(char *text, size_t size, char *const *keys)
{
	size_t used = strlen(text);

	for (size_t i = 0; keys[i]; i++) {
		if (used + strlen(keys[i]) + 8 > size) {
			snprintf(text + used, size - used, ", ...");
			return;
		}
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", keys[i]);
	}
}

/* Code that is another one under the same keys is a change of the service. */
static void tell_change(char *text, size_t size, const struct change *change)
{
	size_t used;

	join(text, size, change->keys);
	used = strlen(text);
	if (change->code && !is_in(change->keys, "service"))
		snprintf(text + used, size - used, "%sservice", change->count ? ", " : "");
	else if (change->count == 0)
		snprintf(text + used, size - used, "nothing has changed");
}

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
	tell_change(verdict->text, sizeof verdict->text, change);
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

int verdict_needs_restart(const struct change *change, bool renewed, struct err *err)
{
	char **keys = calloc(change->count + 1, sizeof *keys), text[1024] = "needs restart: ";
	size_t count = 0;

	for (size_t i = 0; keys && i < change->count; i++)
		if (is_in(change->refused, change->keys[i]) ||
		    (renewed && is_in(change->renewed, change->keys[i])))
			keys[count++] = change->keys[i];
	if (keys)
		join(text, sizeof text, keys);
	free(keys);
	return err_set(err, "%s", text);
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
