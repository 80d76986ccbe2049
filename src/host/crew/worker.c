#include "host/crew/inside.h"

#include <sys/wait.h>

/* One process and its place. A hole in the table is an event that comes too late: it is not heard.
 */

static void go(struct worker *worker, enum worker_state state, int64_t at)
{
	worker->slot.state = state;
	worker->slot.at = at;
}

static void tell(struct worker *worker, enum generation_event event, const struct news *news)
{
	struct news more = *news;

	more.worker = worker;
	generation_tell(worker->generation, event, &more);
}

static void spawn(struct worker *worker, const struct news *news)
{
	struct crew *crew = worker->generation->crew;
	struct err err = {0};

	(void)news;
	go(worker, WORKER_STARTING, crew_at(crew, worker->generation->rules.told.timeout_start));
	worker->slot.started = crew->now;
	worker->slot.pid = 0;
	worker->part = PART_NONE;
	worker->served = false;
	if (crew->calls.spawn(crew->calls.data, &worker->slot, &err) == 0)
		return;
	go(worker, WORKER_ABSENT, 0);
	worker->slot.pid = 0;
	tell(worker, GENERATION_DIED, &(struct news){.err = &err, .status = NO_PROCESS});
}

/* Its turn has come: crew_settle asks whether there is one. */
static void come_back(struct worker *worker, const struct news *news)
{
	struct crew *crew = worker->generation->crew;

	worker->slot.restarts++;
	crew->restarts++;
	spawn(worker, news);
}

static void stay_away(struct worker *worker, const struct news *news)
{
	(void)news;
	worker->slot.at = 0;
}

static void become_ready(struct worker *worker, const struct news *news)
{
	go(worker, WORKER_READY, 0);
	worker->served = true;
	tell(worker, GENERATION_READY, news);
}

/* It ends by itself, and soon. */
static void fail(struct worker *worker, const struct news *news)
{
	go(worker, WORKER_LEAVING, crew_at(worker->generation->crew, CREW_GRACE));
	tell(worker, GENERATION_FAILED, news);
}

static void kill_it(struct worker *worker)
{
	const struct crew_calls *calls = &worker->generation->crew->calls;

	go(worker, WORKER_KILLED, 0);
	calls->kill(calls->data, &worker->slot);
}

static void kill_as_told(struct worker *worker, const struct news *news)
{
	(void)news;
	worker->told = true;
	kill_it(worker);
}

/* Who ends with a part in a reload has refused it. Told first, before anybody can find that all who
 * are left have accepted. */
static void refuse_by_end(struct worker *worker, const struct err *err)
{
	bool has_part = worker->part != PART_NONE;

	worker->part = PART_NONE;
	if (has_part)
		tell(worker, GENERATION_REFUSED, &(struct news){.err = err});
}

/* Kills it for what it did. */
static void kill_for(struct worker *worker, const struct err *err)
{
	worker->told = false;
	kill_it(worker);
	refuse_by_end(worker, err);
	tell(worker, GENERATION_FAILED, &(struct news){.err = err});
}

static void condemn(struct worker *worker, const struct news *news)
{
	struct err err = {0};

	err_set(&err, "worker %d: %s", worker->slot.number, news->text);
	kill_for(worker, &err);
}

static void start_too_long(struct worker *worker, const struct news *news)
{
	char duration[DURATION_MAX];
	struct err err = {0};

	(void)news;
	err_set(
	    &err,
	    "worker %d was not ready within %s: start of the service has to return; what goes on "
	    "belongs in a task of its own, see daemon:spawn",
	    worker->slot.number,
	    duration_text(duration, worker->generation->rules.told.timeout_start));
	kill_for(worker, &err);
}

static void reload_too_long(struct worker *worker, const struct news *news)
{
	char duration[DURATION_MAX];
	struct err err = {0};

	(void)news;
	err_set(&err, "worker %d has not answered within %s", worker->slot.number,
		duration_text(duration, worker->generation->rules.told.timeout_reload));
	kill_for(worker, &err);
}

static void leave_too_long(struct worker *worker, const struct news *news)
{
	struct crew *crew = worker->generation->crew;

	(void)news;
	crew_log(crew, LEVEL_WARN, "worker %d (pid %ld) does not leave in time: it is killed",
		 worker->slot.number, (long)worker->slot.pid);
	worker->told = false;
	kill_it(worker);
}

static void reload(struct worker *worker, bool back)
{
	struct crew *crew = worker->generation->crew;
	int64_t timeout = worker->generation->rules.told.timeout_reload;

	go(worker, WORKER_RELOADING, crew_at(crew, timeout + CREW_GRACE));
	worker->part = back ? PART_NONE : PART_ASKED;
	worker->back = back;
	crew->calls.reload(crew->calls.data, &worker->slot, back);
}

static void ask(struct worker *worker, const struct news *news)
{
	(void)news;
	reload(worker, false);
}

static void give_back(struct worker *worker, const struct news *news)
{
	(void)news;
	reload(worker, true);
}

static void has_accepted(struct worker *worker, const struct news *news)
{
	go(worker, WORKER_READY, 0);
	worker->part = worker->back ? PART_NONE : PART_ACCEPTED;
	tell(worker, GENERATION_ANSWERED, news);
}

static void has_refused(struct worker *worker, const struct news *news)
{
	go(worker, WORKER_READY, 0);
	worker->part = PART_NONE;
	tell(worker, worker->back ? GENERATION_ANSWERED : GENERATION_REFUSED, news);
}

static void leave(struct worker *worker, const struct news *news)
{
	struct crew *crew = worker->generation->crew;

	worker->told = true;
	worker->leave_timeout = news->timeout;
	go(worker, WORKER_LEAVING, crew_at(crew, news->timeout + CREW_GRACE));
	crew->calls.leave(crew->calls.data, &worker->slot, news->text, news->timeout);
}

/* It has nothing to finish, unless it serves already and its word is on the way: killed, it would
 * take with it what clients have asked. */
static void leave_unheard(struct worker *worker, const struct news *news)
{
	leave(worker, news);
	go(worker, WORKER_LEAVING, crew_at(worker->generation->crew, CREW_GRACE));
}

static void finish(struct worker *worker, const struct news *news)
{
	int64_t at = crew_at(worker->generation->crew, worker->leave_timeout + CREW_GRACE);

	(void)news;
	if (worker->told && at > worker->slot.at)
		go(worker, WORKER_LEAVING, at);
}

/* Only ever sooner. */
static void hurry(struct worker *worker, const struct news *news)
{
	if (crew_at(worker->generation->crew, news->timeout + CREW_GRACE) < worker->slot.at)
		leave(worker, news);
	else if (news->timeout < worker->leave_timeout)
		worker->leave_timeout = news->timeout;
}

static void log_line(void *data, const char *text, int length)
{
	const struct worker *worker = data;

	crew_log(worker->generation->crew, LEVEL_WARN, "worker %d: its last lines: %.*s",
		 worker->slot.number, length, text);
}

static void die(struct worker *worker, const struct news *news)
{
	struct crew *crew = worker->generation->crew;
	/* A start that is to be given up fails. */
	bool given_up = !worker->served && WIFEXITED(news->status);
	bool fine =
	    worker->told && (news->status == 0 || given_up || worker->slot.state == WORKER_KILLED);
	struct news death = *news;
	struct err err = {0};
	char text[160];

	err_set(&err, "%s",
		death_text(text, sizeof text, worker->slot.number, worker->slot.pid, news->status,
			   crew->now - worker->slot.started));
	crew_log(crew, fine ? LEVEL_INFO : LEVEL_WARN, "%s", text);
	if (!fine && news->text)
		death_lines(news->text, log_line, worker);
	go(worker, WORKER_ABSENT, 0);
	worker->slot.pid = 0;
	refuse_by_end(worker, &err);
	death.err = &err;
	tell(worker, GENERATION_DIED, &death);
}

static void (*const table[WORKER_STATES][WORKER_EVENTS])(struct worker *, const struct news *) =
    {
	[WORKER_ABSENT] =
	    {
		[WORKER_SPAWN] = spawn,
		[WORKER_LEAVE] = stay_away,
		[WORKER_KILL] = stay_away,
		[WORKER_OVERTIME] = come_back,
	    },
	[WORKER_STARTING] =
	    {
		[WORKER_IS_READY] = become_ready,
		[WORKER_FAILED] = fail,
		[WORKER_DIED] = die,
		[WORKER_CONDEMN] = condemn,
		[WORKER_LEAVE] = leave_unheard,
		[WORKER_KILL] = kill_as_told,
		[WORKER_OVERTIME] = start_too_long,
	    },
	[WORKER_READY] =
	    {
		[WORKER_DIED] = die,
		[WORKER_ASK] = ask,
		[WORKER_BACK] = give_back,
		[WORKER_CONDEMN] = condemn,
		[WORKER_LEAVE] = leave,
		[WORKER_KILL] = kill_as_told,
	    },
	[WORKER_RELOADING] =
	    {
		[WORKER_DIED] = die,
		[WORKER_ACCEPTED] = has_accepted,
		[WORKER_REFUSED] = has_refused,
		[WORKER_CONDEMN] = condemn,
		[WORKER_LEAVE] = leave,
		[WORKER_KILL] = kill_as_told,
		[WORKER_OVERTIME] = reload_too_long,
	    },
	[WORKER_LEAVING] =
	    {
		[WORKER_IS_READY] = finish,
		[WORKER_DIED] = die,
		[WORKER_CONDEMN] = condemn,
		[WORKER_LEAVE] = hurry,
		[WORKER_KILL] = kill_as_told,
		[WORKER_OVERTIME] = leave_too_long,
	    },
	[WORKER_KILLED] =
	    {
		[WORKER_DIED] = die,
	    },
};

void worker_tell(struct worker *worker, enum worker_event event, const struct news *news)
{
	static const struct news nothing;

	if (table[worker->slot.state][event])
		table[worker->slot.state][event](worker, news ? news : &nothing);
}
