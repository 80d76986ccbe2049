#include "host/crew/inside.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void crew_log(const struct crew *crew, enum log_level level, const char *format, ...)
{
	char text[ERR_TEXT_MAX];
	va_list list;

	va_start(list, format);
	(void)vsnprintf(text, sizeof text, format, list);
	va_end(list);
	crew->calls.log(crew->calls.data, level, text);
}

int64_t crew_at(const struct crew *crew, int64_t delay)
{
	int64_t at = crew->now + delay;

	return at > 0 ? at : 1;
}

bool crew_replaces(const struct crew *crew)
{
	return crew->state != MONITOR_APPLYING && crew->state != MONITOR_REVERTING;
}

struct crew *crew_create(const struct crew_calls *calls, struct err *err)
{
	struct crew *crew = calloc(1, sizeof *crew);

	if (!crew) {
		err_sys(err, "cannot make room for the workers");
		return NULL;
	}
	crew->calls = *calls;
	return crew;
}

void crew_destroy(struct crew *crew)
{
	if (!crew)
		return;
	while (crew->oldest) {
		struct generation *next = crew->oldest->next;

		free(crew->oldest);
		crew->oldest = next;
	}
	free(crew);
}

static void forget_the_gone(struct crew *crew)
{
	for (struct generation **it = &crew->oldest; *it;) {
		struct generation *gone = *it;

		if (gone->state != GENERATION_GONE) {
			it = &gone->next;
			continue;
		}
		*it = gone->next;
		if (crew->current == gone)
			crew->current = NULL;
		free(gone);
	}
}

/* The first act of every function that tells what happens. A slot of a generation that is gone is
 * no longer the caller's. */
static void begin(struct crew *crew, int64_t now)
{
	if (now > crew->now)
		crew->now = now;
	forget_the_gone(crew);
}

static struct worker *worker_of(struct worker_slot *slot)
{
	return (struct worker *)slot; /* it is the first in it */
}

static void tell_slot(struct crew *crew, struct worker_slot *slot, enum worker_event event,
		      const struct news *news, int64_t now)
{
	begin(crew, now);
	worker_tell(worker_of(slot), event, news);
	crew_settle(crew);
}

static void tell_crew(struct crew *crew, enum monitor_event event, const struct news *news,
		      int64_t now)
{
	begin(crew, now);
	monitor_tell(crew, event, news);
	crew_settle(crew);
}

/* --- what becomes possible --- */

static bool bury(struct crew *crew)
{
	bool any = false;

	for (struct generation *it = crew->oldest; it; it = it->next) {
		if (it->state != GENERATION_DRAINING || !generation_empty(it))
			continue;
		it->state = GENERATION_GONE;
		crew->calls.gone(crew->calls.data, it->id);
		any = true;
	}
	if (any || crew->state == MONITOR_STOPPING)
		monitor_tell(crew, MONITOR_GONE, NULL);
	return any;
}

static bool is_due(const struct crew *crew, const struct worker *worker)
{
	return worker->slot.at && worker->slot.at <= crew->now;
}

static bool replace_the_due(struct crew *crew)
{
	struct generation *current = crew->current;
	bool any = false;

	for (int i = 0; current && i < current->count; i++) {
		struct worker *worker = &current->workers[i];

		if (worker->slot.state != WORKER_ABSENT || !is_due(crew, worker) ||
		    current->state != GENERATION_CURRENT || !crew_replaces(crew))
			continue;
		worker_tell(worker, WORKER_OVERTIME, NULL);
		any = true;
	}
	return any;
}

static bool take_the_waiting(struct crew *crew)
{
	if (crew->state != MONITOR_RUNNING || !crew->waits)
		return false;
	monitor_tell(crew, MONITOR_RELOAD, NULL);
	crew->calls.load(crew->calls.data);
	return true;
}

void crew_settle(struct crew *crew)
{
	while (bury(crew) || replace_the_due(crew) || take_the_waiting(crew))
		;
}

/* --- what happens --- */

static struct generation *add(struct crew *crew, const struct rules *rules)
{
	struct generation *fresh = generation_create(crew, rules, crew->last_id + 1);

	crew->last_id += fresh != NULL;
	return fresh;
}

int crew_start(struct crew *crew, const struct crew_rules *rules, int64_t now)
{
	struct rules own;
	struct generation *first;

	begin(crew, now);
	generation_rules(&own, rules);
	first = add(crew, &own);
	if (!first)
		return -1;
	generation_tell(first, GENERATION_BEGIN, NULL);
	crew_settle(crew);
	return 0;
}

void crew_ready(struct crew *crew, struct worker_slot *slot, int64_t now)
{
	tell_slot(crew, slot, WORKER_IS_READY, NULL, now);
}

void crew_failed(struct crew *crew, struct worker_slot *slot, const struct err *err, int64_t now)
{
	tell_slot(crew, slot, WORKER_FAILED, &(struct news){.err = err}, now);
}

void crew_died(struct crew *crew, struct worker_slot *slot, int status, const char *last,
	       int64_t now)
{
	tell_slot(crew, slot, WORKER_DIED, &(struct news){.status = status, .text = last}, now);
}

void crew_accepted(struct crew *crew, struct worker_slot *slot, int64_t now)
{
	tell_slot(crew, slot, WORKER_ACCEPTED, NULL, now);
}

void crew_refused(struct crew *crew, struct worker_slot *slot, const struct err *err, int64_t now)
{
	tell_slot(crew, slot, WORKER_REFUSED, &(struct news){.err = err}, now);
}

void crew_condemn(struct crew *crew, struct worker_slot *slot, const char *why, int64_t now)
{
	tell_slot(crew, slot, WORKER_CONDEMN, &(struct news){.text = why}, now);
}

bool crew_reload(struct crew *crew, int64_t now)
{
	bool turn = crew->state == MONITOR_RUNNING;

	tell_crew(crew, MONITOR_RELOAD, NULL, now);
	return turn;
}

void crew_load_failed(struct crew *crew, const struct err *err, int64_t now)
{
	tell_crew(crew, MONITOR_LOAD_FAILED, &(struct news){.err = err}, now);
}

void crew_apply(struct crew *crew, const struct crew_rules *rules, int64_t now)
{
	tell_crew(crew, MONITOR_APPLY, &(struct news){.rules = rules}, now);
}

static int renew(struct crew *crew, const struct rules *rules, const char *reason)
{
	struct generation *fresh = add(crew, rules);
	struct err err = {0};
	int id = fresh ? fresh->id : -1;

	if (fresh) {
		monitor_tell(crew, MONITOR_RENEW, &(struct news){.text = reason});
	} else {
		errno = ENOMEM;
		err_sys(&err, "cannot start new workers");
		crew->state = MONITOR_RUNNING;
		crew->calls.verdict(crew->calls.data, &err);
	}
	crew_settle(crew);
	return id;
}

int crew_renew(struct crew *crew, const struct crew_rules *rules, int64_t now)
{
	struct rules own;

	begin(crew, now);
	if (crew->state != MONITOR_LOADING)
		return 0;
	generation_rules(&own, rules);
	return renew(crew, &own, "reload");
}

int crew_renew_after_upgrade(struct crew *crew, int64_t now)
{
	begin(crew, now);
	if (crew->state != MONITOR_UPGRADING)
		return 0;
	return renew(crew, &crew->current->rules, "upgrade");
}

bool crew_upgrade(struct crew *crew, int64_t now)
{
	bool turn = crew->state == MONITOR_RUNNING;

	tell_crew(crew, MONITOR_UPGRADE, NULL, now);
	return turn;
}

void crew_upgrade_failed(struct crew *crew, int64_t now)
{
	tell_crew(crew, MONITOR_UPGRADE_FAILED, NULL, now);
}

void crew_stop(struct crew *crew, int code, bool at_once, int64_t now)
{
	tell_crew(crew, MONITOR_STOP, &(struct news){.code = code, .at_once = at_once}, now);
}

void crew_tick(struct crew *crew, int64_t now)
{
	begin(crew, now);
	for (struct generation *it = crew->oldest; it; it = it->next)
		for (int i = 0; i < it->count; i++)
			if (it->workers[i].slot.state != WORKER_ABSENT &&
			    is_due(crew, &it->workers[i]))
				worker_tell(&it->workers[i], WORKER_OVERTIME, NULL);
	crew_settle(crew);
}
