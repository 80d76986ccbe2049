#include "service/sim_state.h"

#include <lauxlib.h>
#include <poll.h>

#include "service/life_state.h"
#include "service/server.h"
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

int64_t sim_wall(const struct sim *sim)
{
	return sim->clock.wall + (int64_t)sim->clock.now;
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

static void raise_stop(lua_State *L)
{
	struct slice *slice = &vm_of(L)->slice;

	if (slice->stop == 0)
		return;
	slice->stop = 0;
	luaL_error(L, "interrupted, for the test has to end");
}

/* The list is what it was when the loop began to turn. */
void sim_interrupt(struct sim *sim, int why)
{
	for (struct incarnation *at = first(sim); sim->turning && at; at = next(sim, at)) {
		struct vm *vm = at->life->vm;

		vm->slice.raise_stop = raise_stop;
		vm->slice.stop = why;
		vm->slice.hooks = true;
		slice_hook(vm, true);
	}
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

static void count_handle(uv_handle_t *handle, void *count)
{
	(void)handle;
	++*(size_t *)count;
}

/* Connections that its clients have opened are in the hands of the test. */
bool sim_looks_out(const struct sim *sim)
{
	size_t handles = 0, ours = 1; /* the anchor */

	for (const struct incarnation *at = first(sim); at; at = next(sim, at)) {
		const struct vm *vm = at->life->vm;

		if (!list_empty(&vm->conns) || vm->resolver)
			return true;
		ours += vm->handles;
	}
	uv_walk((uv_loop_t *)&sim->loop, count_handle, &handles);
	return handles > ours;
}

static size_t length_of(const struct link *list)
{
	size_t count = 0;

	for (const struct link *at = list->next; at != list; at = at->next)
		count++;
	return count;
}

static void tell_listeners(const struct incarnation *self,
			   void (*tell)(void *data, const char *what, size_t count), void *data)
{
	const struct link *servers = &self->life->vm->servers;
	char what[200];

	for (const struct link *at = servers->next; at != servers; at = at->next) {
		const struct server *server = LIST_ENTRY(at, struct server, all);

		snprintf(what, sizeof what, "connection of %s", server->name);
		tell(data, what, server->connections);
	}
}

void sim_holds(const struct sim *sim, void (*tell)(void *data, const char *what, size_t count),
	       void *data)
{
	const struct vm *vm = sim->current ? sim->current->life->vm : NULL;

	if (!vm)
		return;
	tell_listeners(sim->current, tell, data);
	tell(data, "connection to others", length_of(&vm->conns));
	tell(data, "task", vm->task_count);
	tell(data, "timer", length_of(&vm->timers));
	tell(data, "watcher", length_of(&vm->watchers));
	tell(data, "listener", length_of(&vm->listenings));
}

int sim_fd(const struct sim *sim)
{
	return uv_backend_fd(&sim->loop);
}

int sim_timeout(const struct sim *sim)
{
	return uv_backend_timeout(&sim->loop);
}
