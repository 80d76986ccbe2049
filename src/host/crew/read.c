#include "host/crew/inside.h"

/* What others may know of the crew. */

/* A place that waits to be replaced wants no time while none is replaced. */
static int64_t wants(const struct crew *crew, const struct worker *worker)
{
	if (worker->slot.state == WORKER_ABSENT && !crew_replaces(crew))
		return 0;
	return worker->slot.at;
}

int64_t crew_next(const struct crew *crew)
{
	int64_t next = 0;

	for (const struct generation *it = crew->oldest; it; it = it->next)
		for (int i = 0; i < it->count; i++) {
			int64_t at = wants(crew, &it->workers[i]);

			if (at && (!next || at < next))
				next = at;
		}
	return next;
}

void crew_status(const struct crew *crew, struct crew_status *status)
{
	*status = (struct crew_status){
	    .state = crew->state,
	    .generation = crew->current ? crew->current->id : 0,
	    .generations = crew_live(crew),
	    .restarts = crew->restarts,
	    .reload_waits = crew->waits,
	};
}

size_t crew_slots(const struct crew *crew)
{
	size_t count = 0;

	for (const struct generation *it = crew->oldest; it; it = it->next)
		count += it->state == GENERATION_GONE ? 0 : (size_t)it->count;
	return count;
}

struct worker_slot *crew_slot(const struct crew *crew, size_t index)
{
	for (struct generation *it = crew->oldest; it; it = it->next) {
		size_t count = it->state == GENERATION_GONE ? 0 : (size_t)it->count;

		if (index < count)
			return &it->workers[index].slot;
		index -= count;
	}
	return NULL;
}

int crew_next_generation(const struct crew *crew)
{
	return crew->last_id + 1;
}

enum generation_state crew_generation(const struct crew *crew, int id)
{
	for (const struct generation *it = crew->oldest; it; it = it->next)
		if (it->id == id)
			return it->state;
	return GENERATION_GONE;
}

const char *worker_state_name(enum worker_state state)
{
	static const char *const names[WORKER_STATES] = {"absent",    "starting", "ready",
							 "reloading", "leaving",  "killed"};

	return names[state];
}

const char *generation_state_name(enum generation_state state)
{
	static const char *const names[GENERATION_STATES] = {"starting", "current", "draining",
							     "gone"};

	return names[state];
}

const char *monitor_state_name(enum monitor_state state)
{
	static const char *const names[MONITOR_STATES] = {"starting",  "running",   "loading",
							  "applying",  "reverting", "renewing",
							  "upgrading", "stopping",  "stopped"};

	return names[state];
}
