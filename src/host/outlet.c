#include "host/outlet.h"

#include <errno.h>
#include <stdlib.h>

#include "err.h"

/* --- what was lost --- */

/* Lines for which the queue had no room. */
static void say_dropped(struct outlet *outlet)
{
	uint64_t dropped = store_dropped(outlet->store, false);
	struct entry entry;
	char text[128];

	if (dropped == 0)
		return;
	entry_init(&entry, LEVEL_WARN, text,
		   format_loss(text, sizeof text, dropped, LOSS_SLOW_READER));
	store_add(outlet->store, &entry, true);
}

static enum writer_result put_news(struct outlet *outlet, const struct entry *entry)
{
	struct line *line = store_render(outlet->store, entry);
	enum writer_result result;

	if (!line) {
		errno = ENOMEM;
		return WRITER_FAILED;
	}
	result = writer_put(&outlet->writer, line);
	if (result == WRITER_BLOCKED && line->offset > 0) {
		outlet->current = line; /* begun: it will be finished */
		return WRITER_DONE;
	}
	free(line);
	return result;
}

/* Lines that the sink refused: the line that says so goes before any other. */
static enum writer_result say_failed(struct outlet *outlet)
{
	enum writer_result result;
	struct entry entry;
	char text[192];

	entry_init(&entry, LEVEL_WARN, text,
		   format_loss(text, sizeof text, outlet->failed,
			       outlet->reason ? err_reason(outlet->reason) : "no time was left"));
	result = put_news(outlet, &entry);
	if (result == WRITER_DONE) {
		outlet->failed = 0;
		store_add(outlet->store, &entry, false);
	}
	return result;
}

static void count_failed(struct outlet *outlet, int reason)
{
	/* What follows must not stand in the same line. */
	if (outlet->current->offset > 0 && !outlet->writer.datagram)
		outlet->writer.torn = true;
	free(outlet->current);
	outlet->current = NULL;
	outlet->failed++;
	outlet->reason = reason;
	store_count_lost(outlet->store);
}

static void refuse_all(struct outlet *outlet, int reason)
{
	if (outlet->current)
		count_failed(outlet, reason);
	while ((outlet->current = store_take(outlet->store)))
		count_failed(outlet, reason);
}

/* --- writing --- */

static enum writer_result put_current(struct outlet *outlet)
{
	enum writer_result result = writer_put(&outlet->writer, outlet->current);

	if (result == WRITER_FAILED)
		count_failed(outlet, errno);
	if (result == WRITER_DONE) {
		free(outlet->current);
		outlet->current = NULL;
	}
	return result;
}

static bool something_to_put(struct outlet *outlet)
{
	say_dropped(outlet);
	if (!outlet->current)
		outlet->current = store_take(outlet->store);
	return outlet->current != NULL;
}

/* While lines are counted as failed there is no current one, and what the sink says to the news of
 * them it would say to all that wait. */
static enum writer_result put_failed(struct outlet *outlet)
{
	enum writer_result result = say_failed(outlet);

	if (result == WRITER_FAILED)
		refuse_all(outlet, errno);
	return result;
}

void outlet_flush(struct outlet *outlet)
{
	enum writer_result result = WRITER_DONE;

	while (result != WRITER_BLOCKED) {
		if (outlet->failed) {
			result = put_failed(outlet);
			if (result == WRITER_FAILED)
				break;
		} else if (something_to_put(outlet)) {
			result = put_current(outlet);
		} else {
			break;
		}
	}
	outlet->blocked = result == WRITER_BLOCKED;
}

void outlet_give_up(struct outlet *outlet)
{
	uint64_t dropped = store_dropped(outlet->store, true);

	if (outlet->blocked)
		refuse_all(outlet, 0);
	outlet->failed += dropped;
	if (outlet->failed)
		(void)say_failed(outlet);
}

void outlet_finish(struct outlet *outlet)
{
	free(outlet->current);
	outlet->current = NULL;
}
