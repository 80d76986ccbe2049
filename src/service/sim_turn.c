#include "service/sim_state.h"

#include <poll.h>

#include "service/life_state.h"
#include "service/vm.h"

enum {
	TURNS_MAX = 20000, /* of one settling */
	RINGS_MAX = 1000,  /* at one moment: then a service that polls sees time go by */
	REQUEST_MS = 5000  /* of real time for a request in the thread pool */
};

uint64_t sim_now(const struct sim *sim)
{
	return sim->clock.now;
}

static struct incarnation *first(const struct sim *sim)
{
	struct link *at = sim->incarnations.next;

	return at == &sim->incarnations ? NULL : LIST_ENTRY(at, struct incarnation, all);
}

static struct incarnation *next(const struct sim *sim, const struct incarnation *self)
{
	struct link *at = self->all.next;

	return at == &sim->incarnations ? NULL : LIST_ENTRY(at, struct incarnation, all);
}

static struct alarms *alarms_of(const struct incarnation *self)
{
	return &self->life->vm->alarms;
}

/* Whose alarm is the earliest; NULL: none is set. */
static struct incarnation *earliest(const struct sim *sim)
{
	struct incarnation *found = NULL;

	for (struct incarnation *at = first(sim); at; at = next(sim, at)) {
		uint64_t due = alarms_due(alarms_of(at));

		if (due && (!found || due < alarms_due(alarms_of(found))))
			found = at;
	}
	return found;
}

uint64_t sim_due(const struct sim *sim)
{
	const struct incarnation *found = earliest(sim);

	return found ? alarms_due(alarms_of(found)) : 0;
}

static void bury(struct sim *sim)
{
	struct incarnation *at = first(sim), *after;

	for (; at; at = after) {
		after = next(sim, at);
		if (!at->over)
			continue;
		if (at == sim->current)
			sim->current = NULL;
		incarnation_destroy(at);
	}
}

static bool ring(struct sim *sim)
{
	struct incarnation *found = earliest(sim);

	if (!found || !alarms_ring(alarms_of(found)))
		return false;
	if (++sim->rings > RINGS_MAX) {
		sim->rings = 0;
		sim->clock.now++;
	}
	return true;
}

static uint64_t count_runs(const struct sim *sim)
{
	uint64_t runs = 0;

	for (const struct incarnation *at = first(sim); at; at = next(sim, at))
		runs += at->life->vm->slice.run;
	return runs;
}

static size_t count_requests(const struct sim *sim)
{
	size_t count = 0;

	for (const struct incarnation *at = first(sim); at; at = next(sim, at))
		count += at->life->vm->fs.pending;
	return count;
}

/* Is there something that the loop would find? */
static bool has_news(struct sim *sim)
{
	struct pollfd poll_fd = {.fd = sim_fd(sim), .events = POLLIN};

	if (uv_backend_timeout(&sim->loop) == 0)
		return true;
	return poll(&poll_fd, 1, count_requests(sim) ? REQUEST_MS : 0) > 0;
}

static bool turn(struct sim *sim)
{
	uint64_t runs = count_runs(sim);
	bool rang;

	sim->turning = true;
	rang = ring(sim);
	uv_run(&sim->loop, UV_RUN_NOWAIT);
	sim->turning = false;
	rang |= count_runs(sim) != runs;
	bury(sim);
	return rang;
}

bool sim_settle(struct sim *sim)
{
	bool ran = false, again = true;

	for (int i = 0; i < TURNS_MAX && again && !sim->turning; i++) {
		again = turn(sim);
		ran |= again;
		again = again || has_news(sim);
	}
	return ran;
}

bool sim_step(struct sim *sim, uint64_t until)
{
	uint64_t due = sim_due(sim);
	bool rings = due && due <= until;

	if (!rings)
		due = until;
	if (due > sim->clock.now) {
		sim->clock.now = due;
		sim->rings = 0;
	}
	if (rings && !sim->turning)
		turn(sim);
	return rings;
}

/* Those that its clients have opened are in the hands of the test. */
bool sim_looks_out(const struct sim *sim)
{
	for (const struct incarnation *at = first(sim); at; at = next(sim, at)) {
		const struct vm *vm = at->life->vm;

		if (!list_empty(&vm->conns) || vm->resolver)
			return true;
	}
	return false;
}

int sim_fd(const struct sim *sim)
{
	return uv_backend_fd(&sim->loop);
}

int sim_timeout(const struct sim *sim)
{
	return uv_backend_timeout(&sim->loop);
}
