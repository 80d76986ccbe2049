#include <inttypes.h>

#include "host/monitor/member.h"
#include "text.h"

/* Heartbeats. A worker's silence is counted in time in which this process has run: neither a
 * machine that was suspended nor a monitor that was stopped makes a worker look dead. */

enum { TURNS = 4 /* of the pulse within a limit */, TURN_MIN_MS = 10, TURN_MAX_MS = 60000 };

void heartbeat_heard(struct member *member)
{
	member->unheard = 0;
}

static bool is_watched(const struct worker_slot *slot)
{
	return slot->state == WORKER_READY || slot->state == WORKER_RELOADING;
}

static int64_t limit_of(const struct monitor *monitor, const struct worker_slot *slot)
{
	const struct generation *generation =
	    generation_find(monitor->generations, slot->generation);

	return generation ? generation->spec->timeout_watchdog : 0;
}

/* The shortest limit that anybody has; 0: nobody has. */
static int64_t shortest(const struct monitor *monitor)
{
	int64_t least = monitor->daemon->machine.watchdog_usec / 1000;

	for (const struct generation *g = monitor->generations; g; g = g->next)
		if (g->spec->timeout_watchdog > 0 &&
		    (least == 0 || g->spec->timeout_watchdog < least))
			least = g->spec->timeout_watchdog;
	return least;
}

static int64_t turn_of(const struct monitor *monitor)
{
	int64_t turn = shortest(monitor) / TURNS;

	return turn < TURN_MIN_MS ? TURN_MIN_MS : turn > TURN_MAX_MS ? TURN_MAX_MS : turn;
}

static void condemn(struct monitor *monitor, struct worker_slot *slot, int64_t limit)
{
	char why[80] = "no heartbeat for ";
	FILE *out = fmemopen(why + 17, sizeof why - 17, "w");

	if (out) {
		text_duration(out, limit);
		fclose(out);
	}
	crew_condemn(monitor->crew, slot, why, monitor_now());
}

static void count(struct monitor *monitor, int64_t passed)
{
	for (size_t i = 0; i < crew_slots(monitor->crew); i++) {
		struct worker_slot *slot = crew_slot(monitor->crew, i);
		struct member *member = member_of(slot);
		int64_t limit = limit_of(monitor, slot);

		if (!member || !is_watched(slot))
			continue;
		member->unheard += passed;
		if (limit > 0 && member->unheard > limit) {
			member->unheard = 0;
			condemn(monitor, slot, limit);
			return; /* the list may be another now: the rest has its turn soon */
		}
	}
}

static void on_turn(uv_timer_t *timer)
{
	struct monitor *monitor = timer->data;
	int64_t now = monitor_now(), turn = turn_of(monitor);
	int64_t passed = now - monitor->looked;

	monitor->looked = now;
	count(monitor, passed < 2 * turn ? passed : 2 * turn);
}

void heartbeat_start(struct monitor *monitor)
{
	uint64_t turn = (uint64_t)turn_of(monitor);

	if (shortest(monitor) <= 0) {
		uv_timer_stop(&monitor->heartbeat);
		return;
	}
	monitor->looked = monitor_now();
	uv_timer_start(&monitor->heartbeat, on_turn, turn, turn);
}

bool heartbeat_is_fresh(void *data)
{
	const struct monitor *monitor = data;
	int64_t limit = monitor->daemon->spec->timeout_watchdog;
	struct crew_status status;

	if (limit <= 0)
		return true;
	crew_status(monitor->crew, &status);
	for (size_t i = 0; i < crew_slots(monitor->crew); i++) {
		const struct worker_slot *slot = crew_slot(monitor->crew, i);
		const struct member *member = member_of(slot);

		if (slot->generation == status.generation && is_watched(slot) && member &&
		    member->unheard > limit)
			return false;
	}
	return true;
}
