#include "host/crew/inside.h"

#include <stdlib.h>

/* The daemon as a whole: what may be done now, and what waits. A hole in the table is an event
 * that means nothing any more. */

static void verdict(struct crew *crew, const struct err *err)
{
	crew->calls.verdict(crew->calls.data, err);
}

static void start_is_done(struct crew *crew, const struct news *news)
{
	crew->current = news->generation;
	crew->state = MONITOR_RUNNING;
	crew->calls.current(crew->calls.data, crew->current->id);
	crew->calls.started(crew->calls.data);
}

/* All workers of all generations leave; those that drain get the shorter of both times. */
static void dismiss(struct crew *crew, int code, bool at_once)
{
	const struct generation *of = crew->current ? crew->current : crew->oldest;
	struct news news = {.text = "stop", .timeout = of ? of->rules.told.timeout_stop : 0};

	crew->state = MONITOR_STOPPING;
	crew->code = code;
	for (struct generation *it = crew->oldest; it; it = it->next)
		generation_tell(it, at_once ? GENERATION_KILL : GENERATION_LEAVE, &news);
}

static void refuse_the_waiting(struct crew *crew, const struct err *err)
{
	if (crew->waits)
		verdict(crew, err);
	crew->waits = false;
}

static void stop(struct crew *crew, const struct news *news)
{
	struct err err = {0};

	err_set(&err, "the daemon is stopping");
	dismiss(crew, news->code, news->at_once);
	refuse_the_waiting(crew, &err);
}

static void end_of_start(struct crew *crew, const struct news *news)
{
	crew->calls.start_failed(crew->calls.data, news->err);
	stop(crew, &(struct news){.code = EXIT_FAILED});
}

/* The same while a reload runs. */
static void stop_reload(struct crew *crew, const struct news *news)
{
	struct err err = {0};

	err_set(&err, "the daemon is stopping");
	dismiss(crew, news->code, news->at_once);
	verdict(crew, &err);
	refuse_the_waiting(crew, &err);
}

static void stop_now(struct crew *crew, const struct news *news)
{
	if (news->at_once)
		dismiss(crew, crew->code, true);
}

static void keep_the_wish(struct crew *crew, const struct news *news)
{
	(void)news;
	crew->waits = true;
}

static void load(struct crew *crew, const struct news *news)
{
	(void)news;
	crew->waits = false;
	crew->state = MONITOR_LOADING;
}

static void load_failed(struct crew *crew, const struct news *news)
{
	crew->state = MONITOR_RUNNING;
	verdict(crew, news->err);
}

/* --- in place --- */

static void asked_have_answered(struct crew *crew, const struct news *news)
{
	struct generation *current = crew->current;
	bool open = false;

	(void)news;
	for (int i = 0; i < current->count; i++) {
		struct worker *worker = &current->workers[i];

		/* One that started with the bundle before is asked when it is ready. */
		if (worker->slot.state == WORKER_READY && worker->part == PART_NONE)
			worker_tell(worker, WORKER_ASK, NULL);
		open |=
		    worker->slot.state == WORKER_RELOADING || worker->slot.state == WORKER_STARTING;
	}
	if (open)
		return;
	crew->state = MONITOR_RUNNING;
	verdict(crew, NULL);
}

static void apply(struct crew *crew, const struct news *news)
{
	struct generation *current = crew->current;
	int workers = current->count;

	crew->before = current->rules;
	generation_rules(&current->rules, news->rules);
	current->rules.told.workers = workers;
	crew->state = MONITOR_APPLYING;
	for (int i = 0; i < current->count; i++)
		current->workers[i].part = PART_NONE;
	asked_have_answered(crew, news);
}

static void given_back(struct crew *crew, const struct news *news)
{
	struct generation *current = crew->current;
	bool open = false;

	(void)news;
	for (int i = 0; i < current->count; i++) {
		struct worker *worker = &current->workers[i];

		if (worker->slot.state == WORKER_READY && worker->part == PART_ACCEPTED)
			worker_tell(worker, WORKER_BACK, NULL);
		open |= worker->slot.state == WORKER_RELOADING;
	}
	if (open)
		return;
	crew->state = MONITOR_RUNNING;
	verdict(crew, &crew->refusal);
}

static void revert(struct crew *crew, const struct news *news)
{
	crew->refusal = *news->err;
	crew->current->rules = crew->before;
	crew->state = MONITOR_REVERTING;
	given_back(crew, news);
}

/* --- by a new generation --- */

int crew_live(const struct crew *crew)
{
	int live = 0;

	for (const struct generation *it = crew->oldest; it; it = it->next)
		live += it->state != GENERATION_GONE && !it->waits;
	return live;
}

/* Begins as soon as there is room for one more. */
static void begin(struct crew *crew, const struct news *news)
{
	struct generation *fresh = crew->oldest;

	while (fresh && !fresh->waits)
		fresh = fresh->next;
	if (fresh && crew_live(crew) < fresh->rules.told.generations)
		generation_tell(fresh, GENERATION_BEGIN, news);
}

static void renew(struct crew *crew, const struct news *news)
{
	crew->state = MONITOR_RENEWING;
	crew->reason = news->text;
	begin(crew, news);
}

static void follow(struct crew *crew, const struct news *news)
{
	struct generation *before = crew->current;
	struct news leave = {.text = crew->reason,
			     .timeout = news->generation->rules.told.timeout_drain};

	crew->current = news->generation;
	crew->badly = false;
	crew->state = MONITOR_RUNNING;
	crew->calls.current(crew->calls.data, crew->current->id);
	/* First: whoever is told the verdict may count on not meeting the old one again. */
	generation_tell(before, GENERATION_LEAVE, &leave);
	verdict(crew, NULL);
}

static void keep_the_old(struct crew *crew, const struct news *news)
{
	struct generation *fresh = news->generation;
	struct news leave = {.text = crew->reason, .timeout = fresh->rules.told.timeout_drain};

	crew->state = MONITOR_RUNNING;
	verdict(crew, news->err);
	generation_tell(fresh, GENERATION_LEAVE, &leave);
}

/* --- upgrade --- */

static void upgrade(struct crew *crew, const struct news *news)
{
	(void)news;
	crew->state = MONITOR_UPGRADING;
}

static void go_on(struct crew *crew, const struct news *news)
{
	(void)news;
	crew->state = MONITOR_RUNNING;
}

static void end(struct crew *crew, const struct news *news)
{
	(void)news;
	for (const struct generation *it = crew->oldest; it; it = it->next)
		if (it->state != GENERATION_GONE)
			return;
	crew->state = MONITOR_STOPPED;
	crew->calls.stopped(crew->calls.data, crew->code);
}

static void (*const table[MONITOR_STATES][MONITOR_EVENTS])(struct crew *, const struct news *) =
    {
	[MONITOR_STARTING] =
	    {
		[MONITOR_BORN] = start_is_done,
		[MONITOR_STILLBORN] = end_of_start,
		[MONITOR_RELOAD] = keep_the_wish,
		[MONITOR_STOP] = stop,
	    },
	[MONITOR_RUNNING] =
	    {
		[MONITOR_SPENT] = stop,
		[MONITOR_RELOAD] = load,
		[MONITOR_UPGRADE] = upgrade,
		[MONITOR_STOP] = stop,
	    },
	[MONITOR_LOADING] =
	    {
		[MONITOR_SPENT] = stop_reload,
		[MONITOR_RELOAD] = keep_the_wish,
		[MONITOR_LOAD_FAILED] = load_failed,
		[MONITOR_APPLY] = apply,
		[MONITOR_RENEW] = renew,
		[MONITOR_STOP] = stop_reload,
	    },
	[MONITOR_APPLYING] =
	    {
		[MONITOR_SPENT] = stop_reload,
		[MONITOR_REFUSED] = revert,
		[MONITOR_CHECK] = asked_have_answered,
		[MONITOR_RELOAD] = keep_the_wish,
		[MONITOR_STOP] = stop_reload,
	    },
	[MONITOR_REVERTING] =
	    {
		[MONITOR_SPENT] = stop_reload,
		[MONITOR_REFUSED] = given_back, /* one reason is enough */
		[MONITOR_CHECK] = given_back,
		[MONITOR_RELOAD] = keep_the_wish,
		[MONITOR_STOP] = stop_reload,
	    },
	[MONITOR_RENEWING] =
	    {
		[MONITOR_BORN] = follow,
		[MONITOR_STILLBORN] = keep_the_old,
		[MONITOR_GONE] = begin,
		[MONITOR_SPENT] = stop_reload,
		[MONITOR_RELOAD] = keep_the_wish,
		[MONITOR_STOP] = stop_reload,
	    },
	[MONITOR_UPGRADING] =
	    {
		[MONITOR_SPENT] = stop,
		[MONITOR_RELOAD] = keep_the_wish,
		[MONITOR_RENEW] = renew,
		[MONITOR_UPGRADE_FAILED] = go_on,
		[MONITOR_STOP] = stop,
	    },
	[MONITOR_STOPPING] =
	    {
		[MONITOR_GONE] = end,
		[MONITOR_STOP] = stop_now,
	    },
	/* MONITOR_STOPPED: the process ends. */
};

void monitor_tell(struct crew *crew, enum monitor_event event, const struct news *news)
{
	static const struct news nothing;

	if (table[crew->state][event])
		table[crew->state][event](crew, news ? news : &nothing);
}
