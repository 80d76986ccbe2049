#include "crew_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	KILL_TAKES = 50,     /* ms from SIGKILL to the end */
	MOST_TIMEOUT = 5000, /* of all the rules */
	GRACE = 1000
};

void world_fail(const struct world *world, const char *what)
{
	fail_msg("seed %u, step %d (%s): not so: %s\nplay it again: CREW_SEED=%u crew_walk_test",
		 world->seed, world->step, world->doing, what, world->seed);
	abort();
}

/* splitmix64 */
static uint64_t next(struct world *world)
{
	uint64_t z = world->dice += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

unsigned world_roll(struct world *world, unsigned sides)
{
	return (unsigned)(next(world) % sides);
}

bool world_chance(struct world *world, int of_100)
{
	return (int)world_roll(world, 100) < of_100;
}

enum monitor_state world_state(const struct world *world)
{
	struct crew_status status;

	crew_status(world->crew, &status);
	return status.state;
}

static void trace(const struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void trace(const struct world *world, const char *format, ...)
{
	va_list list;

	if (!world->trace)
		return;
	printf("%6d %8lld %-10s ", world->step, (long long)world->now, world->doing);
	va_start(list, format);
	(void)vprintf(format, list);
	va_end(list);
	putchar('\n');
}

static struct process *process_of(struct world *world, const struct worker_slot *slot)
{
	for (int i = 0; i < WORLD_PROCESSES; i++)
		if (world->processes[i].slot == slot)
			return &world->processes[i];
	return NULL;
}

static bool has_process(const struct world *world, int generation)
{
	for (int i = 0; i < WORLD_PROCESSES; i++)
		if (world->processes[i].slot && world->processes[i].generation == generation)
			return true;
	return false;
}

static int generations_with_processes(const struct world *world, int but)
{
	int count = 0;

	for (int i = 1; i < WORLD_GENERATIONS; i++)
		count += i != but && world->bundles[i].made && has_process(world, i);
	return count;
}

static enum fate fate(struct world *world)
{
	/* Most starts succeed, or there would be nothing to walk through. */
	if (world_chance(world, world->started ? world->good : 90))
		return FATE_OBEY;
	return (enum fate)world_roll(world, 4);
}

/* No place comes back more often than restart.limit bears. */
static void note_spawn(struct world *world, const struct worker_slot *slot)
{
	struct spawns *spawns = &world->spawns[slot->generation][slot->number - 1];
	const struct restart_spec *restart = &world->rules.restart;
	int recent = 1;

	for (int i = 0; i < spawns->count; i++)
		recent += spawns->at[i] > world->now - restart->window;
	MUST(world, restart->limit == 0 || recent <= restart->limit + 1);
	MUST(world, recent < 64); /* backoff alone bounds it too */
	if (spawns->count == WORLD_SPAWNS)
		memmove(spawns->at, spawns->at + 1, --spawns->count * sizeof *spawns->at);
	spawns->at[spawns->count++] = world->now;
}

static int on_spawn(void *data, struct worker_slot *slot, struct err *err)
{
	struct world *world = data;
	struct bundle *bundle = &world->bundles[slot->generation];
	struct process *free = process_of(world, NULL);
	enum monitor_state state = world_state(world);

	trace(world, "spawn %d/%d", slot->generation, slot->number);
	MUST(world, !process_of(world, slot));
	MUST(world, free != NULL);
	MUST(world, slot->state == WORKER_STARTING && !slot->lost && !world->stopping);
	MUST(world, bundle->made && !bundle->gone);
	/* While it is open which bundle wins, nobody is started with either. */
	MUST(world, state != MONITOR_APPLYING && state != MONITOR_REVERTING);
	if (!bundle->begun)
		MUST(world,
		     generations_with_processes(world, slot->generation) < bundle->generations);
	bundle->begun = true;
	note_spawn(world, slot);
	if (world_chance(world, (100 - world->good) / (world->started ? 4 : 20)))
		return err_set(err, "no more processes");
	slot->pid = ++world->spawned;
	*free = (struct process){.slot = slot,
				 .generation = slot->generation,
				 .number = slot->number,
				 .bundle = bundle->version,
				 .fate = fate(world)};
	return 0;
}

static void on_leave(void *data, struct worker_slot *slot, const char *reason, int64_t timeout_ms)
{
	struct world *world = data;
	struct process *process = process_of(world, slot);

	trace(world, "leave %d/%d %s %lld", slot->generation, slot->number, reason,
	      (long long)timeout_ms);
	MUST(world, process && !process->died_by && !process->failed);
	MUST(world, timeout_ms >= 0 && timeout_ms <= MOST_TIMEOUT);
	MUST(world, !process->told || strcmp(reason, "stop") == 0);
	process->told = true;
	process->fate = fate(world);
}

static void on_kill(void *data, struct worker_slot *slot)
{
	struct world *world = data;
	struct process *process = process_of(world, slot);

	trace(world, "kill %d/%d", slot->generation, slot->number);
	MUST(world, process && !process->died_by);
	process->died_by = world->now + KILL_TAKES;
}

static void on_reload(void *data, struct worker_slot *slot, bool back)
{
	struct world *world = data;
	struct process *process = process_of(world, slot);

	trace(world, "%s %d/%d", back ? "back" : "reload", slot->generation, slot->number);
	MUST(world, process && process->ready && !process->told && !process->died_by);
	MUST(world, !process->offered && slot->generation == world->current);
	MUST(world, world->candidate != 0);
	if (back)
		MUST(world, process->bundle == world->candidate);
	process->offered = back ? world->bundles[world->current].version : world->candidate;
	process->fate = fate(world);
}

static void on_started(void *data)
{
	struct world *world = data;

	trace(world, "started");
	MUST(world, world->started == 0 && world->failed == 0 && world->current == 1);
	world->started++;
}

static void on_start_failed(void *data, const struct err *err)
{
	struct world *world = data;

	trace(world, "start failed: %s", err->what);
	MUST(world, world->started == 0 && world->failed == 0 && err->what[0]);
	world->failed++;
}

static void on_current(void *data, int generation)
{
	struct world *world = data;

	trace(world, "current %d", generation);
	MUST(world, generation > world->current && world->bundles[generation].begun);
	MUST(world, crew_generation(world->crew, generation) == GENERATION_CURRENT);
	world->current = generation;
}

static void on_gone(void *data, int generation)
{
	struct world *world = data;
	struct bundle *bundle = &world->bundles[generation];

	trace(world, "gone %d", generation);
	MUST(world, bundle->made && !bundle->gone);
	MUST(world, !has_process(world, generation));
	MUST(world, generation != world->current || world->stopping ||
			world_state(world) == MONITOR_STOPPING);
	bundle->gone = true;
}

static void check_verdict_time(const struct world *world)
{
	/* A load, the longest drain and a start, or a start and a reload and back. */
	const int64_t most = LOAD_TAKES + MOST_TIMEOUT + GRACE + KILL_TAKES + 2000 + 10 * LATE;

	MUST(world, !world->open || world->now - world->opened <= most);
}

static void on_verdict(void *data, const struct err *err)
{
	struct world *world = data;
	bool stopped = err && strcmp(err->what, "the daemon is stopping") == 0;

	trace(world, "%s %s", err ? "refused:" : "done", err ? err->what : "");
	MUST(world, !err || err->what[0]);
	MUST(world, stopped == (world_state(world) == MONITOR_STOPPING));
	if (!world->open) {
		MUST(world, stopped && world->waits);
		world->waits = false;
		return;
	}
	check_verdict_time(world);
	world->open = false;
	if (!err && world->candidate) {
		world->bundles[world->current].version = world->candidate;
		world->bundles[world->current].generations = world->rules.generations;
	}
	world->candidate = 0;
}

static void on_load(void *data)
{
	struct world *world = data;

	trace(world, "load");
	MUST(world, world->waits && !world->open && world_state(world) == MONITOR_LOADING);
	world->waits = false;
	world->open = true;
	world->opened = world->now;
}

static void on_stopped(void *data, int code)
{
	struct world *world = data;

	trace(world, "stopped %d", code);
	MUST(world, world->stopped == 0 && world->spawned == world->reaped);
	MUST(world, !world->failed || code == EXIT_FAILED);
	world->stopped++;
}

static void on_log(void *data, enum log_level level, const char *text)
{
	struct world *world = data;

	trace(world, "log %d: %s", (int)level, text);
	MUST(world, text[0] && !strchr(text, '\n'));
}

static uint32_t on_random(void *data)
{
	struct world *world = data;

	return (uint32_t)next(world);
}

struct crew_calls world_calls(struct world *world)
{
	return (struct crew_calls){.data = world,
				   .spawn = on_spawn,
				   .leave = on_leave,
				   .kill = on_kill,
				   .reload = on_reload,
				   .started = on_started,
				   .start_failed = on_start_failed,
				   .current = on_current,
				   .gone = on_gone,
				   .verdict = on_verdict,
				   .load = on_load,
				   .stopped = on_stopped,
				   .log = on_log,
				   .random = on_random};
}

/* Those of a new daemon file; the restarts are counted by one measure. */
void world_choose_rules(struct world *world)
{
	struct crew_rules *rules = &world->rules;

	rules->workers = 1 + (int)world_roll(world, WORKERS_IN_WORLD);
	rules->generations = 2 + (int)world_roll(world, 3);
	if (rules->generations > world->generations_at_most)
		world->generations_at_most = rules->generations;
	rules->timeout_start = 1 + world_roll(world, 2000);
	rules->timeout_reload = 1 + world_roll(world, 1000);
	rules->timeout_stop = world_roll(world, 2000);
	rules->timeout_drain = world_roll(world, MOST_TIMEOUT);
}

static void choose_restart(struct world *world)
{
	struct restart_spec *restart = &world->rules.restart;

	*restart = (struct restart_spec){.backoff = 100,
					 .backoff_limit = 1 + world_roll(world, 2000),
					 .limit = (int)world_roll(world, 8),
					 .window = 1 + world_roll(world, 20000)};
	/* Without a limit it is the wait that bounds the spawns. */
	if (restart->limit == 0)
		restart->window = restart->backoff_limit;
	restart->over = world_chance(world, 50) ? RESTART_OVER_STOP : RESTART_OVER_GO_ON;
	restart->policy =
	    world_chance(world, 80) ? RESTART_ALWAYS : (enum restart_policy)world_roll(world, 3);
	world->final_code = 7;
	if (world_chance(world, 30)) {
		restart->final_codes = &world->final_code;
		restart->final_code_count = 1;
	}
}

void world_open(struct world *world, unsigned seed)
{
	struct crew_calls calls = world_calls(world);
	bool loud = world->trace;
	struct err err;

	*world = (struct world){.seed = seed, .dice = seed, .trace = loud, .now = 1000};
	world->doing = "begin";
	world->good = (int)world_roll(world, 6) * 10 + 49;
	choose_restart(world);
	world_choose_rules(world);
	world->crew = crew_create(&calls, &err);
	MUST(world, world->crew != NULL);
}

void world_close(struct world *world)
{
	crew_destroy(world->crew);
	world->crew = NULL;
}

static struct worker_slot *slot_of(const struct world *world, int generation, int number)
{
	for (size_t i = 0; i < crew_slots(world->crew); i++) {
		struct worker_slot *slot = crew_slot(world->crew, i);

		if (slot->generation == generation && slot->number == number)
			return slot;
	}
	world_fail(world, "a process has a place");
}

void world_find_slots(struct world *world)
{
	for (int i = 0; i < WORLD_PROCESSES; i++) {
		struct process *process = &world->processes[i];

		if (process->slot)
			process->slot = slot_of(world, process->generation, process->number);
	}
}

/* Has the state the time and the process that it needs? */
static void check_slot(struct world *world, const struct worker_slot *slot)
{
	const struct process *process = process_of(world, slot);
	bool timed = slot->state == WORKER_STARTING || slot->state == WORKER_RELOADING ||
		     slot->state == WORKER_LEAVING;

	MUST(world, (process == NULL) == (slot->state == WORKER_ABSENT));
	MUST(world, !timed || slot->at > 0);
	MUST(world, (slot->state != WORKER_READY && slot->state != WORKER_KILLED) || slot->at == 0);
	MUST(world, slot->state != WORKER_KILLED || process->died_by);
	MUST(world, slot->state != WORKER_READY || process->ready);
	MUST(world, (slot->state == WORKER_RELOADING) ==
			(process && process->offered && !process->died_by && !process->told));
	MUST(world, !slot->lost || (slot->state == WORKER_ABSENT && slot->at == 0));
	MUST(world, slot->state != WORKER_LEAVING || process->told || process->failed);
}

/* All who serve for the current generation have its bundle, but while one is applied. */
static void check_bundles(const struct world *world)
{
	for (int i = 0; i < WORLD_PROCESSES && !world->candidate; i++) {
		const struct process *process = &world->processes[i];

		if (process->slot && process->generation == world->current && !process->died_by &&
		    !process->failed && !process->told && !world->stopping)
			MUST(world, process->bundle == world->bundles[world->current].version);
	}
}

static void check_stop(struct world *world)
{
	enum monitor_state state = world_state(world);
	bool ends = state == MONITOR_STOPPING || state == MONITOR_STOPPED;

	if (ends && !world->stopping) {
		world->stopping = true;
		world->stop_at = world->now;
	}
	MUST(world, ends == world->stopping);
	MUST(world, (state == MONITOR_STOPPED) == (world->stopped == 1));
	MUST(world, !ends || (!world->open && !world->waits));
	MUST(world, state != MONITOR_STOPPING || world->now - world->stop_at <=
						     MOST_TIMEOUT + GRACE + KILL_TAKES + 2 * LATE);
}

void world_check(struct world *world)
{
	struct crew_status status;
	bool turn;

	crew_status(world->crew, &status);
	check_stop(world);
	for (size_t i = 0; i < crew_slots(world->crew); i++)
		check_slot(world, crew_slot(world->crew, i));
	check_bundles(world);
	turn = status.state == MONITOR_LOADING || status.state == MONITOR_APPLYING ||
	       status.state == MONITOR_REVERTING || status.state == MONITOR_RENEWING;
	MUST(world, turn == world->open);
	check_verdict_time(world);
	MUST(world, status.reload_waits == world->waits);
	MUST(world, !world->waits || status.state != MONITOR_RUNNING);
	MUST(world, generations_with_processes(world, 0) <= world->generations_at_most);
	MUST(world, status.generation == world->current || world->stopping);
	MUST(world, !world->started || world->stopping ||
			crew_generation(world->crew, world->current) == GENERATION_CURRENT);
	MUST(world, (world->started || world->failed) == (status.state != MONITOR_STARTING) ||
			world->stopping);
}
