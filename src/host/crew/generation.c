#include "host/crew/inside.h"

#include <stdlib.h>

/* The workers of one bundle. A hole in the table is of no meaning to it. */

enum { TIMEOUT_MOST = 1000000000 }; /* seconds; later is never */

static int64_t bounded(int64_t timeout)
{
	const int64_t most = INT64_C(1000) * TIMEOUT_MOST;

	if (timeout < 0)
		return 0;
	return timeout < most ? timeout : most;
}

void generation_rules(struct rules *rules, const struct crew_rules *told)
{
	struct crew_rules *to = &rules->told;

	*to = *told;
	if (to->workers < 1)
		to->workers = 1;
	if (to->workers > WORKERS_MAX)
		to->workers = WORKERS_MAX;
	if (to->generations < GENERATIONS_LEAST)
		to->generations = GENERATIONS_LEAST;
	to->timeout_start = bounded(to->timeout_start);
	to->timeout_reload = bounded(to->timeout_reload);
	to->timeout_stop = bounded(to->timeout_stop);
	to->timeout_drain = bounded(to->timeout_drain);
	to->restart.backoff = bounded(to->restart.backoff);
	to->restart.backoff_limit = bounded(to->restart.backoff_limit);
	to->restart.window = bounded(to->restart.window);
	if (to->restart.window < 1)
		to->restart.window = 1; /* in none, every restart would be the first */
	if (to->restart.limit < 0)
		to->restart.limit = 0;
	if (to->restart.limit > RESTART_LIMIT_MAX)
		to->restart.limit = RESTART_LIMIT_MAX;
	final_codes_of(&rules->final, &told->restart);
	to->restart.final_codes = NULL;
	to->restart.final_code_count = 0;
}

struct generation *generation_create(struct crew *crew, const struct rules *rules, int id)
{
	int count = rules->told.workers;
	struct generation *fresh =
	    calloc(1, sizeof *fresh + (size_t)count * sizeof *fresh->workers);
	struct generation **end = &crew->oldest;

	if (!fresh)
		return NULL;
	fresh->crew = crew;
	fresh->rules = *rules;
	fresh->id = id;
	fresh->waits = true;
	fresh->count = count;
	for (int i = 0; i < count; i++) {
		fresh->workers[i].generation = fresh;
		fresh->workers[i].slot.number = i + 1;
		fresh->workers[i].slot.generation = id;
	}
	while (*end)
		end = &(*end)->next;
	*end = fresh;
	return fresh;
}

bool generation_empty(const struct generation *generation)
{
	for (int i = 0; i < generation->count; i++)
		if (generation->workers[i].slot.state != WORKER_ABSENT)
			return false;
	return true;
}

static void each(struct generation *generation, enum worker_event event, const struct news *news)
{
	for (int i = 0; i < generation->count; i++)
		worker_tell(&generation->workers[i], event, news);
}

/* Ends early when one cannot be spawned. */
static void begin(struct generation *generation, const struct news *news)
{
	generation->waits = false;
	for (int i = 0; i < generation->count && generation->state == GENERATION_STARTING; i++)
		worker_tell(&generation->workers[i], WORKER_SPAWN, news);
}

static void count_ready(struct generation *generation, const struct news *news)
{
	(void)news;
	for (int i = 0; i < generation->count; i++)
		if (generation->workers[i].slot.state != WORKER_READY)
			return;
	generation->state = GENERATION_CURRENT;
	monitor_tell(generation->crew, MONITOR_BORN, &(struct news){.generation = generation});
}

/* The monitor tells the others to leave. */
static void miscarry(struct generation *generation, const struct news *news)
{
	generation->state = GENERATION_DRAINING;
	monitor_tell(generation->crew, MONITOR_STILLBORN,
		     &(struct news){.generation = generation, .err = news->err});
}

static void leave(struct generation *generation, const struct news *news)
{
	generation->state = GENERATION_DRAINING;
	generation->waits = false;
	each(generation, WORKER_LEAVE, news);
}

static void kill_all(struct generation *generation, const struct news *news)
{
	generation->state = GENERATION_DRAINING;
	generation->waits = false;
	each(generation, WORKER_KILL, news);
}

static void log_failure(struct generation *generation, const struct news *news)
{
	char text[ERR_TEXT_MAX];

	crew_log(generation->crew, LEVEL_ERROR, "%s", err_text(news->err, text, sizeof text));
}

static void look(struct generation *generation, const struct news *news)
{
	monitor_tell(generation->crew, MONITOR_CHECK, news);
}

static void note_failure(struct generation *generation, const struct news *news)
{
	log_failure(generation, news);
	look(generation, news);
}

static void pass_refusal(struct generation *generation, const struct news *news)
{
	monitor_tell(generation->crew, MONITOR_REFUSED, news);
}

static int left(const struct generation *generation)
{
	int count = 0;

	for (int i = 0; i < generation->count; i++)
		count += !generation->workers[i].slot.lost;
	return count;
}

/* The place stays empty. over: by restart.limit, which may end the daemon. */
static void lose(struct worker *worker, const struct end *end, bool over)
{
	struct generation *generation = worker->generation;
	struct crew *crew = generation->crew;
	const struct restart_spec *spec = &generation->rules.told.restart;
	char window[DURATION_MAX];
	bool stop;

	worker->slot.lost = true;
	crew->badly |= !end_is_fine(end);
	stop = left(generation) == 0 || (over && spec->over == RESTART_OVER_STOP);
	if (over)
		crew_log(crew, LEVEL_ERROR, "worker %d died %d times within %s: %s",
			 worker->slot.number, worker->history.count,
			 duration_text(window, spec->window),
			 stop ? "the daemon stops" : "it is not restarted");
	else
		crew_log(crew, crew->badly ? LEVEL_ERROR : LEVEL_INFO,
			 "worker %d is not restarted%s", worker->slot.number,
			 stop ? ": none is left, the daemon stops" : "");
	if (stop)
		monitor_tell(crew, MONITOR_SPENT,
			     &(struct news){.code = crew->badly || over ? EXIT_FAILED : EXIT_DONE});
}

static void replace(struct generation *generation, const struct news *news)
{
	struct crew *crew = generation->crew;
	struct worker *worker = news->worker;
	struct end end = {.status = news->status,
			  .served = worker->served,
			  .lived =
			      news->status == NO_PROCESS ? 0 : crew->now - worker->slot.started,
			  .random = crew->calls.random(crew->calls.data)};
	int64_t delay;
	char wait[DURATION_MAX];
	enum restart restart =
	    restart_decide(&generation->rules.told.restart, &generation->rules.final,
			   &worker->history, &end, &delay);

	if (news->status == NO_PROCESS)
		log_failure(generation, news);
	if (restart == RESTART_NOW_OR_LATER) {
		worker->slot.at = crew_at(crew, delay);
		crew_log(crew, LEVEL_INFO, "worker %d is restarted%s%s", worker->slot.number,
			 delay ? " in " : "", delay ? duration_text(wait, delay) : "");
	} else {
		lose(worker, &end, restart == RESTART_TOO_OFTEN);
	}
	look(generation, news);
}

static void (*const table[GENERATION_STATES][GENERATION_EVENTS])(struct generation *,
								 const struct news *) = {
    [GENERATION_STARTING] =
	{
	    [GENERATION_BEGIN] = begin,
	    [GENERATION_READY] = count_ready,
	    [GENERATION_FAILED] = miscarry,
	    [GENERATION_DIED] = miscarry,
	    [GENERATION_LEAVE] = leave,
	    [GENERATION_KILL] = kill_all,
	},
    [GENERATION_CURRENT] =
	{
	    [GENERATION_READY] = look,
	    [GENERATION_FAILED] = note_failure,
	    [GENERATION_REFUSED] = pass_refusal,
	    [GENERATION_ANSWERED] = look,
	    [GENERATION_DIED] = replace,
	    [GENERATION_LEAVE] = leave,
	    [GENERATION_KILL] = kill_all,
	},
    [GENERATION_DRAINING] =
	{
	    [GENERATION_FAILED] = log_failure,
	    [GENERATION_LEAVE] = leave,
	    [GENERATION_KILL] = kill_all,
	},
    /* GENERATION_GONE: nothing happens to it. */
};

void generation_tell(struct generation *generation, enum generation_event event,
		     const struct news *news)
{
	if (table[generation->state][event])
		table[generation->state][event](generation, news);
}
