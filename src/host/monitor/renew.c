#include "host/monitor/renew.h"

#include <stdlib.h>

#include "host/channel.h"
#include "host/loader.h"
#include "host/monitor/adopt.h"
#include "host/monitor/candidate.h"
#include "host/monitor/follow.h"
#include "host/monitor/member.h"
#include "host/monitor/query.h"
#include "host/monitor/rules.h"
#include "host/notify.h"
#include "host/verdict.h"
#include "spec/change.h"
#include "spec/quote.h"
#include "sys/sys.h"

/* One round: a loader reads the daemon file, what differs decides how it is taken, and the crew
 * keeps the order. What the crew asks for within one of its calls is begun after it (later). */
struct renew {
	struct monitor *monitor;
	struct loader *loader;
	uv_timer_t later;
	bool closed;
	bool running;                 /* between begin and verdict */
	struct waiters waiters, next; /* of this round, and of the one after it */
	int64_t begun;
	struct change change;
	struct candidate fresh; /* taken in place: what the workers are given */
	int generation;         /* that is being started; 0: in place */
};

static struct renew *of(const struct monitor *monitor)
{
	return monitor->renew;
}

/* --- the verdict --- */

/* A new generation is all that answers from now on: the old one accepts no more when the clients
 * are told. */
static void tell_waiters(struct renew *renew, int code)
{
	struct queries *queries = renew->monitor->queries;
	struct waiters *waiters = &renew->waiters;
	const char *text = renew->monitor->reload.more;

	for (size_t i = 0; i < waiters->count; i++)
		queries_settle(queries, waiters->clients[i], code, text);
	waiters->count = 0;
}

/* The manager hears READY after a refusal too: the daemon serves on. */
static void finish(struct renew *renew, int code)
{
	struct monitor *monitor = renew->monitor;

	renew->running = false;
	renew->generation = 0;
	change_finish(&renew->change);
	candidate_finish(&renew->fresh);
	if (renew->closed)
		return;
	verdict_log(&monitor->reload, monitor->log);
	follow_tell(monitor);
	sys_trim_memory(); /* the bundle passed through the heap */
	notify_reloaded(monitor->daemon);
	tell_waiters(renew, code);
}

static void take_over(struct renew *renew, int64_t took)
{
	struct monitor *monitor = renew->monitor;

	if (!renew->generation)
		adopt_in_place(monitor, &renew->fresh);
	verdict_accept(&monitor->reload, &renew->change, renew->generation, took);
	finish(renew, EXIT_DONE);
}

/* What a new generation could not start from is still there. */
static void refuse(struct renew *renew, const struct err *err, int64_t took)
{
	struct monitor *monitor = renew->monitor;
	const struct generation *generation =
	    generation_find(monitor->generations, renew->generation);
	const struct spec *spec = generation ? generation->spec : NULL;
	char *quote =
	    spec ? quote_make(&spec->source, spec->modules, spec->module_count, err) : NULL;

	verdict_refuse(&monitor->reload, err, took);
	verdict_quote(&monitor->reload, quote);
	free(quote);
	finish(renew, err->exit ? err->exit : EXIT_FAILED);
}

/* That of an upgrade is not ours, and whoever waits when the daemon stops is told by renew_close.
 */
void renew_verdict(void *data, const struct err *err)
{
	struct renew *renew = of(data);
	int64_t took = monitor_now() - renew->begun;

	if (!renew->running)
		return;
	if (err)
		refuse(renew, err, took);
	else
		take_over(renew, took);
}

/* --- one round --- */

/* Whatever is wrong is known before a process of the new generation runs. */
static int start_generation(struct renew *renew, struct candidate *fresh, struct err *err)
{
	struct monitor *monitor = renew->monitor;
	int id = crew_next_generation(monitor->crew);
	struct crew_rules rules;

	if (candidate_check(fresh, monitor->daemon, err) < 0 || candidate_seal(fresh, err) < 0 ||
	    sockets_prepare(monitor->sockets, fresh->spec, id, err) < 0)
		return -1;
	if (!generation_add(&monitor->generations, id, fresh->spec, fresh->bundle_fd)) {
		sockets_release(monitor->sockets, id);
		return err_set(err, "out of memory");
	}
	rules_of(&rules, fresh->spec);
	candidate_leave(fresh);
	renew->generation = id;
	if (crew_renew(monitor->crew, &rules, monitor_now()) > 0)
		return 0;
	/* The crew has told why: what it may never have known goes. */
	sockets_release(monitor->sockets, id);
	generation_remove(&monitor->generations, id, monitor->daemon->spec);
	return 0;
}

static int start_in_place(struct renew *renew, struct candidate *fresh, struct err *err)
{
	struct crew_rules rules;

	if (candidate_seal(fresh, err) < 0)
		return -1;
	rules_of(&rules, fresh->spec);
	renew->fresh = *fresh;
	candidate_leave(fresh);
	crew_apply(renew->monitor->crew, &rules, monitor_now());
	return 0;
}

static int take(struct renew *renew, struct candidate *fresh, struct err *err)
{
	struct change *change = &renew->change;

	if (spec_diff(renew->monitor->daemon->spec, fresh->spec, change) < 0)
		return err_set(err, "out of memory");
	if (change->refused_count)
		return change_needs_restart(change, false, err);
	if (change->code || change->renewed_count)
		return start_generation(renew, fresh, err);
	return start_in_place(renew, fresh, err);
}

static void on_loaded(void *data, struct spec *spec, const struct err *failure)
{
	struct renew *renew = data;
	struct candidate fresh = {.spec = spec, .bundle_fd = -1};
	struct err err = {0};

	follow_files(renew->monitor, spec, failure ? loader_seen(renew->loader) : NULL);
	if (!failure && take(renew, &fresh, &err) < 0)
		failure = &err;
	candidate_finish(&fresh);
	if (failure)
		crew_load_failed(renew->monitor->crew, failure, monitor_now());
}

static void begin(struct renew *renew)
{
	struct err err = {0};

	renew->running = true;
	renew->begun = monitor_now();
	follow_begin(renew->monitor);
	notify_reloading(renew->monitor->daemon);
	if (loader_start(renew->loader, &err) < 0)
		crew_load_failed(renew->monitor->crew, &err, renew->begun);
}

static void on_later(uv_timer_t *timer)
{
	begin(timer->data);
}

/* Everybody who has asked since the round before began shares this one. */
void renew_load(void *data)
{
	struct renew *renew = of(data);

	renew->waiters = renew->next;
	renew->next.count = 0;
	uv_timer_start(&renew->later, on_later, 0, 0);
}

void renew_request(struct monitor *monitor, struct control_client *client)
{
	struct renew *renew = of(monitor);

	if (renew->closed || monitor->stopping || monitor->failed) {
		if (client)
			control_end(client, EXIT_FAILED, "the daemon is stopping");
		return;
	}
	if (client)
		log_printf(monitor->log, LEVEL_INFO, "reload asked for on the control socket");
	waiters_add(&renew->next, client);
	if (!crew_reload(monitor->crew, monitor_now()))
		return;
	renew->waiters = renew->next;
	renew->next.count = 0;
	begin(renew);
}

/* --- what the workers are told --- */

void renew_worker(void *data, struct worker_slot *slot, bool back)
{
	struct monitor *monitor = data;
	struct generation *generation = generation_find(monitor->generations, slot->generation);
	struct message message = {.type = MESSAGE_RELOAD};
	int fd = back && generation ? generation->bundle_fd : of(monitor)->fresh.bundle_fd;

	if (member_of(slot))
		member_tell_fds(member_of(slot), &message, &fd, 1);
}

void renew_current(struct monitor *monitor)
{
	adopt_generation(monitor);
}

/* --- life --- */

int renew_open(struct monitor *monitor, struct err *err)
{
	struct renew *renew = calloc(1, sizeof *renew);

	if (!renew)
		return err_set(err, "out of memory");
	renew->monitor = monitor;
	renew->fresh.bundle_fd = -1;
	renew->loader = loader_create(&monitor->loop, monitor->daemon, on_loaded, renew, err);
	if (!renew->loader) {
		free(renew);
		return -1;
	}
	uv_timer_init(&monitor->loop, &renew->later);
	renew->later.data = renew;
	monitor->renew = renew;
	return 0;
}

void renew_close(struct monitor *monitor)
{
	struct renew *renew = of(monitor);

	if (!renew || renew->closed)
		return;
	renew->closed = true;
	waiters_answer(&renew->waiters, EXIT_FAILED, "the daemon is stopping");
	waiters_answer(&renew->next, EXIT_FAILED, "the daemon is stopping");
	uv_close((uv_handle_t *)&renew->later, NULL);
	loader_close(renew->loader);
}

void renew_destroy(struct monitor *monitor)
{
	struct renew *renew = of(monitor);

	if (!renew)
		return;
	change_finish(&renew->change);
	candidate_finish(&renew->fresh);
	loader_destroy(renew->loader);
	free(renew);
	monitor->renew = NULL;
}

bool renew_has(const struct monitor *monitor, pid_t pid)
{
	const struct renew *renew = of(monitor);

	return renew && pid > 0 && loader_pid(renew->loader) == pid;
}
