#ifndef LUVD_SPEC_CREW_WORLD_H
#define LUVD_SPEC_CREW_WORLD_H

#include "host/crew/crew.h"

/* A machine for the crew: processes that start, fail, hang and die as chance wants, and a runtime
 * that does what it is told and believes nothing. Everything follows from the seed. */

enum { WORLD_PROCESSES = 128, WORLD_GENERATIONS = 512, WORLD_SPAWNS = 128 };

/* What a process will do when its turn has come. */
enum fate { FATE_OBEY, FATE_REFUSE, FATE_HANG, FATE_DIE };

struct process {
	struct worker_slot *slot; /* NULL: none */
	int generation, number;
	int bundle;      /* what it serves with */
	int offered;     /* by a reload that it has not answered; 0: none */
	int64_t died_by; /* SIGKILL was sent: it is reaped until then; 0: not */
	bool ready, told, failed;
	enum fate fate;
};

/* What the runtime keeps of a generation. */
struct bundle {
	bool made, begun, gone;
	int version;
	int generations; /* its rule of how many may live */
};

/* When a place was spawned. */
struct spawns {
	int count;
	int64_t at[WORLD_SPAWNS];
};

struct world {
	unsigned seed;
	bool trace;
	uint64_t dice;
	int step;
	const char *doing;
	struct crew *crew;
	struct crew_rules rules;
	int final_code;
	int64_t now;
	int good; /* of 100 fates: so many obey */
	struct process processes[WORLD_PROCESSES];
	struct bundle bundles[WORLD_GENERATIONS];
	struct spawns spawns[WORLD_GENERATIONS][4];
	int generations_at_most; /* the largest rule of all */

	int versions;        /* of bundles, so far */
	int candidate;       /* version that is being applied */
	int current;         /* generation, as told */
	int spawned, reaped; /* processes */
	int started, failed; /* calls */
	bool open, waits;    /* a reload runs; one waits */
	int64_t opened;      /* when */
	bool stopping;       /* the crew was told, or decided */
	int64_t stop_at;     /* when */
	int stopped;         /* calls */
};

enum {
	WORKERS_IN_WORLD = 4,
	LOAD_TAKES = 5000, /* ms at most, for a load or the trial of a binary */
	LATE = 20          /* ms that a timer may be late */
};

/* Ends the test with the seed to play again. */
void world_fail(const struct world *world, const char *what) __attribute__((noreturn));
#define MUST(world, what)                                                                          \
	do {                                                                                       \
		if (!(what))                                                                       \
			world_fail(world, #what);                                                  \
	} while (0)

void world_open(struct world *world, unsigned seed);
void world_close(struct world *world);
unsigned world_roll(struct world *world, unsigned sides);
bool world_chance(struct world *world, int of_100);
void world_choose_rules(struct world *world);
struct crew_calls world_calls(struct world *world);
enum monitor_state world_state(const struct world *world);
/* The crew was encoded and decoded: its places are others. */
void world_find_slots(struct world *world);
/* What must be so after every event. */
void world_check(struct world *world);

#endif
