#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crew_world.h"
#include "in_valgrind.h"

/* Walks the crew through events in any order that chance may bring, and looks after each of them
 * whether all is still as it must be. CREW_SEED=N plays one seed again and tells what happens;
 * CREW_SEEDS=N walks so many. */

enum {
	SEEDS = 10000,
	SEEDS_IN_VALGRIND = 1000, /* it is forty times as slow */
	STEPS = 200
};

static void doing(struct world *world, const char *what)
{
	world->doing = what;
	world->step++;
}

/* --- processes --- */

static void end(struct world *world, struct process *process, int status)
{
	struct worker_slot *slot = process->slot;

	*process = (struct process){0};
	world->reaped++;
	crew_died(world->crew, slot, status, world_chance(world, 10) ? "its\nlast\n" : "",
		  world->now);
	world_check(world);
}

static void end_badly(struct world *world, struct process *process)
{
	static const int statuses[] = {0, 1 << 8, 7 << 8, 9, 11 | 0x80, 15};

	end(world, process, statuses[world_roll(world, sizeof statuses / sizeof *statuses)]);
}

static void start(struct world *world, struct process *process)
{
	struct err err = {0};

	if (process->fate == FATE_OBEY) {
		process->ready = true;
		crew_ready(world->crew, process->slot, world->now);
		return;
	}
	err_set(&err, "no route");
	process->failed = true;
	process->fate = (enum fate)world_roll(world, 4);
	crew_failed(world->crew, process->slot, &err, world->now);
}

static void answer(struct world *world, struct process *process)
{
	bool back = process->bundle == world->candidate;
	bool accepts = process->fate == FATE_OBEY;
	struct err err = {0};

	if (accepts || back)
		process->bundle = process->offered;
	process->offered = 0;
	err_set(&err, "not with me");
	if (accepts)
		crew_accepted(world->crew, process->slot, world->now);
	else
		crew_refused(world->crew, process->slot, &err, world->now);
}

/* Lets a process do what it does next. */
static void live(struct world *world, struct process *process)
{
	bool idle = process->ready && !process->told && !process->offered;

	if (process->died_by) {
		end(world, process, 9);
	} else if (idle) {
		if (world_chance(world, (100 - world->good) / 5))
			end_badly(world, process);
	} else if (process->fate == FATE_DIE) {
		end_badly(world, process);
	} else if (process->fate == FATE_HANG) {
		return;
	} else if (process->failed) {
		end(world, process, 1 << 8);
	} else if (process->told) {
		end(world, process, 0);
	} else if (process->offered) {
		answer(world, process);
	} else {
		start(world, process);
	}
	world_check(world);
}

static struct process *any_process(struct world *world)
{
	struct process *found = NULL;
	unsigned count = 0;

	for (int i = 0; i < WORLD_PROCESSES; i++)
		if (world->processes[i].slot && world_roll(world, ++count) == 0)
			found = &world->processes[i];
	return found;
}

static void let_one_live(struct world *world)
{
	struct process *process = any_process(world);

	doing(world, "live");
	if (process)
		live(world, process);
}

static void condemn_one(struct world *world)
{
	struct process *process = any_process(world);

	doing(world, "condemn");
	if (process)
		crew_condemn(world->crew, process->slot, "no heartbeat", world->now);
}

/* Messages that cross an order, or come when they no longer matter. */
static void say_what_is_late(struct world *world)
{
	struct process *process = any_process(world);
	struct err err = {.what = "too late"};

	doing(world, "late");
	if (!process || !process->ready || process->offered)
		return;
	crew_ready(world->crew, process->slot, world->now);
	crew_accepted(world->crew, process->slot, world->now);
	crew_refused(world->crew, process->slot, &err, world->now);
	crew_failed(world->crew, process->slot, &err, world->now);
	if (world_state(world) != MONITOR_LOADING) {
		crew_load_failed(world->crew, &err, world->now);
		crew_apply(world->crew, &world->rules, world->now);
		MUST(world, crew_renew(world->crew, &world->rules, world->now) == 0);
	}
	if (world_state(world) != MONITOR_UPGRADING) {
		crew_upgrade_failed(world->crew, world->now);
		MUST(world, crew_renew_after_upgrade(world->crew, world->now) == 0);
	}
}

/* --- reload and upgrade --- */

static void open_reload(struct world *world)
{
	world->open = true;
	world->opened = world->now;
}

static void make_bundle(struct world *world, int id, int version, int generations)
{
	MUST(world, id < WORLD_GENERATIONS);
	world->bundles[id] =
	    (struct bundle){.made = true, .version = version, .generations = generations};
}

static void wish_reload(struct world *world)
{
	bool turn = world_state(world) == MONITOR_RUNNING;

	doing(world, "wish");
	if (world->stopping)
		return;
	MUST(world, crew_reload(world->crew, world->now) == turn);
	if (turn)
		open_reload(world);
	else
		world->waits = true;
}

static void end_load(struct world *world)
{
	int id = crew_next_generation(world->crew);
	struct err err = {.what = "syntax error"};

	doing(world, "load");
	if (world_chance(world, 30)) {
		crew_load_failed(world->crew, &err, world->now);
		return;
	}
	world_choose_rules(world);
	if (world_chance(world, 50)) {
		world->candidate = ++world->versions;
		crew_apply(world->crew, &world->rules, world->now);
		return;
	}
	make_bundle(world, id, ++world->versions, world->rules.generations);
	MUST(world, crew_renew(world->crew, &world->rules, world->now) == id);
}

static void wish_upgrade(struct world *world)
{
	bool turn = world_state(world) == MONITOR_RUNNING;

	doing(world, "upgrade");
	MUST(world, crew_upgrade(world->crew, world->now) == turn);
	if (turn)
		world->opened = world->now;
}

/* Through bytes and back; the same again must be the same. */
static void hand_over(struct world *world)
{
	struct crew_calls calls = world_calls(world);
	unsigned char *bytes, *again;
	size_t length, length_again;
	struct err err;
	struct crew *old = world->crew;

	MUST(world, crew_encode(old, &bytes, &length, &err) == 0);
	world->crew = crew_decode(&calls, bytes, length, &err);
	MUST(world, world->crew != NULL);
	MUST(world, crew_encode(world->crew, &again, &length_again, &err) == 0);
	MUST(world, length == length_again && memcmp(bytes, again, length) == 0);
	MUST(world, crew_next(world->crew) == crew_next(old));
	crew_destroy(old);
	free(bytes);
	free(again);
	world_find_slots(world);
}

static void end_upgrade(struct world *world)
{
	const struct bundle *now = &world->bundles[world->current];
	int id = crew_next_generation(world->crew);

	doing(world, "execute");
	if (world_chance(world, 50))
		hand_over(world);
	if (world_chance(world, 40)) {
		crew_upgrade_failed(world->crew, world->now);
		return;
	}
	make_bundle(world, id, now->version, now->generations);
	open_reload(world);
	MUST(world, crew_renew_after_upgrade(world->crew, world->now) == id);
}

static void end_what_runs(struct world *world)
{
	if (world_state(world) == MONITOR_LOADING)
		end_load(world);
	else if (world_state(world) == MONITOR_UPGRADING)
		end_upgrade(world);
	world_check(world);
}

/* --- time --- */

static bool loads(const struct world *world)
{
	return world_state(world) == MONITOR_LOADING || world_state(world) == MONITOR_UPGRADING;
}

static void sooner(int64_t *at, int64_t other)
{
	if (other && other < *at)
		*at = other;
}

static void go_to(struct world *world, int64_t at)
{
	if (at > world->now)
		world->now = at;
	for (int i = 0; i < WORLD_PROCESSES; i++)
		if (world->processes[i].died_by && world->processes[i].died_by <= world->now)
			end(world, &world->processes[i], 9);
	if (world->now - world->opened >= LOAD_TAKES)
		end_what_runs(world);
}

static void pass_time(struct world *world, int64_t until)
{
	doing(world, "time");
	for (int turns = 0; world->now < until; turns++) {
		int64_t at = until, due = crew_next(world->crew);

		MUST(world, turns < 10000);
		sooner(&at, due ? due + world_roll(world, LATE) : 0);
		for (int i = 0; i < WORLD_PROCESSES; i++)
			sooner(&at, world->processes[i].died_by);
		sooner(&at, loads(world) ? world->opened + LOAD_TAKES : 0);
		go_to(world, at);
		due = crew_next(world->crew);
		if (!due || due > world->now)
			continue;
		crew_tick(world->crew, world->now);
		due = crew_next(world->crew);
		MUST(world, !due || due > world->now);
		world_check(world);
	}
}

static void let_time_pass(struct world *world)
{
	int64_t next = crew_next(world->crew);

	if (next > world->now && world_chance(world, 30))
		pass_time(world, next);
	else if (world_chance(world, 10))
		pass_time(world, world->now + 1 + world_roll(world, 10000));
	else
		pass_time(world, world->now + 1 + world_roll(world, 300));
}

/* --- the walk --- */

static void stop(struct world *world, bool at_once)
{
	doing(world, "stop");
	crew_stop(world->crew, (int)world_roll(world, 3), at_once, world->now);
	world_check(world);
}

static void take_a_step(struct world *world)
{
	unsigned side = world_roll(world, 1000);

	if (side < 550)
		let_one_live(world);
	else if (side < 730)
		let_time_pass(world);
	else if (side < 830)
		end_what_runs(world);
	else if (side < 900)
		wish_reload(world);
	else if (side < 930)
		wish_upgrade(world);
	else if (side < 960)
		say_what_is_late(world);
	else if (side < 970)
		condemn_one(world);
	else if (side < 972)
		stop(world, world_chance(world, 30));
	world_check(world);
}

static void begin(struct world *world)
{
	doing(world, "start");
	make_bundle(world, 1, ++world->versions, world->rules.generations);
	MUST(world, crew_start(world->crew, &world->rules, world->now) == 0);
	world_check(world);
}

/* Ends in bounded time, with nothing left: world_check looks at the clock. */
static void finish(struct world *world)
{
	if (world_chance(world, 50))
		stop(world, world_chance(world, 20));
	stop(world, false);
	while (world_state(world) != MONITOR_STOPPED) {
		let_one_live(world);
		if (world_chance(world, 20))
			pass_time(world, world->now + 100);
		if (world_chance(world, 1))
			stop(world, true);
	}
	doing(world, "end");
	MUST(world, crew_next(world->crew) == 0);
	MUST(world, world->spawned == world->reaped);
	MUST(world, !world->open && !world->waits);
	for (int i = 1; i < WORLD_GENERATIONS; i++)
		MUST(world, world->bundles[i].made == world->bundles[i].gone);
}

/* What came to pass in all seeds: a walk that meets nothing proves nothing. */
struct met {
	int states[MONITOR_STATES];
	int started, failed, followed, restarted;
};

static void note_what_was_met(const struct world *world, struct met *met)
{
	met->states[world_state(world)]++;
}

static void walk(struct world *world, unsigned seed, struct met *met)
{
	struct crew_status status;

	world_open(world, seed);
	begin(world);
	for (int i = 0; i < STEPS && world_state(world) != MONITOR_STOPPED; i++) {
		take_a_step(world);
		note_what_was_met(world, met);
	}
	finish(world);
	crew_status(world->crew, &status);
	met->started += world->started;
	met->failed += world->failed;
	met->followed += world->current > 1;
	met->restarted += status.restarts > 0;
	world_close(world);
}

static unsigned number_of(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static void test_whatever_the_order_of_events_all_is_as_it_must_be(void **state)
{
	unsigned seeds = number_of("CREW_SEEDS", in_valgrind() ? SEEDS_IN_VALGRIND : SEEDS);
	struct world *world = calloc(1, sizeof *world);
	struct met met = {0};

	(void)state;
	assert_non_null(world);
	world->trace = getenv("CREW_SEED") != NULL;
	if (world->trace) {
		walk(world, number_of("CREW_SEED", 0), &met);
		free(world);
		return;
	}
	for (unsigned seed = 1; seed <= seeds; seed++)
		walk(world, seed, &met);
	free(world);
	for (int i = 0; i < (int)MONITOR_STATES && seeds >= SEEDS_IN_VALGRIND; i++)
		assert_true(met.states[i] > 0);
	if (seeds >= SEEDS_IN_VALGRIND)
		assert_true(met.started && met.failed && met.followed && met.restarted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_whatever_the_order_of_events_all_is_as_it_must_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
