#include "service/sim.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "service/sim_state.h"

enum sim_phase sim_phase(const struct sim *sim)
{
	return sim->phase;
}

const struct err *sim_failure(const struct sim *sim)
{
	return sim->failed ? &sim->failure : NULL;
}

const struct err *sim_refusal(const struct sim *sim)
{
	return sim->refused ? &sim->refusal : NULL;
}

int sim_code(const struct sim *sim)
{
	return sim->code;
}

const struct spec *sim_spec(const struct sim *sim)
{
	return sim->current ? sim->current->daemon.spec : NULL;
}

/* --- stopping --- */

static void stop(struct sim *sim, bool now)
{
	for (struct link *at = sim->incarnations.next; at != &sim->incarnations; at = at->next) {
		struct incarnation *incarnation = LIST_ENTRY(at, struct incarnation, all);

		if (!incarnation->over)
			life_stop(incarnation->life, "stop", incarnation->daemon.spec->timeout_stop,
				  now);
	}
}

void sim_stop(struct sim *sim)
{
	if (sim->phase >= SIM_STOPPING)
		return;
	sim->phase = SIM_STOPPING;
	sim_printf(sim, LEVEL_INFO, "stopping");
	sim_unlisten(sim);
	stop(sim, false);
}

void sim_stop_now(struct sim *sim)
{
	sim_stop(sim);
	if (sim->phase == SIM_STOPPING)
		stop(sim, true);
}

int sim_eval(struct sim *sim, const char *text, void (*done)(void *data, bool ok, const char *text),
	     void *data)
{
	return sim->current ? life_eval(sim->current->life, text, done, data) : -1;
}

/* --- making and taking down --- */

static void on_anchor(uv_async_t *anchor)
{
	(void)anchor; /* never sent */
}

/* Names in the machine's one list of abstract sockets: no two simulations share one. */
static void name_world(struct sim *sim)
{
	unsigned char random[8];

	uv_random(NULL, NULL, random, sizeof random, 0, NULL);
	for (size_t i = 0; i < sizeof random; i++)
		snprintf(sim->world + 2 * i, 3, "%02x", random[i]);
}

static void start_clock(struct sim *sim)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	sim->clock.now = uv_now(&sim->loop) + 1;
	sim->clock.wall =
	    (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - (int64_t)sim->clock.now;
}

/* The loop opens a descriptor for good when it has its first stream: now, for it belongs to whoever
 * has made the simulation, and not to the test that connects first. */
static void open_reserve(struct sim *sim)
{
	uv_pipe_t stream;

	uv_pipe_init(&sim->loop, &stream, 0);
	uv_close((uv_handle_t *)&stream, NULL);
	uv_run(&sim->loop, UV_RUN_NOWAIT);
}

static struct sim *make(const struct source *source, const struct sim_calls *calls)
{
	struct sim *sim = calloc(1, sizeof *sim);

	if (!sim || source_copy(&sim->source, source) < 0 || uv_loop_init(&sim->loop) < 0) {
		if (sim)
			source_finish(&sim->source);
		free(sim);
		return NULL;
	}
	sim->calls = *calls;
	list_init(&sim->sockets);
	list_init(&sim->incarnations);
	open_reserve(sim);
	uv_async_init(&sim->loop, &sim->anchor, on_anchor);
	name_world(sim);
	start_clock(sim);
	return sim;
}

static int begin(struct sim *sim, struct errs *errs)
{
	struct spec *spec = sim_load(&sim->source, errs);
	struct err err = {0};

	if (!spec)
		return -1;
	sim->current = incarnation_create(sim, spec, 1, &err);
	if (!sim->current) {
		*errs_add(errs) = err;
		return -1;
	}
	life_start(sim->current->life);
	return 0;
}

struct sim *sim_create(const struct source *source, const struct sim_calls *calls,
		       struct errs *errs)
{
	struct sim *sim = make(source, calls);

	if (!sim) {
		err_set(errs_add(errs), "cannot make a simulation: out of memory or descriptors");
		return NULL;
	}
	if (begin(sim, errs) == 0)
		return sim;
	sim_destroy(sim);
	return NULL;
}

void sim_destroy(struct sim *sim)
{
	if (!sim)
		return;
	sim->calls.changed = NULL;
	sim->current = NULL;
	while (!list_empty(&sim->incarnations))
		incarnation_destroy(LIST_ENTRY(sim->incarnations.next, struct incarnation, all));
	sim_unlisten(sim);
	uv_close((uv_handle_t *)&sim->anchor, NULL);
	uv_run(&sim->loop, UV_RUN_NOWAIT);
	change_finish(&sim->change);
	source_finish(&sim->source);
	free(sim->log);
	sim->log = NULL;
	/* A thread that hangs may still come back to the loop. */
	if (uv_loop_close(&sim->loop) == 0)
		free(sim);
}
