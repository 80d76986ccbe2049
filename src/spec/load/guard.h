#ifndef LUVD_SPEC_LOAD_GUARD_H
#define LUVD_SPEC_LOAD_GUARD_H

#include <lua.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "err.h"

/* The bounds around the evaluation of a daemon file: CPU and wall time, memory. */

struct bounds {
	int cpu_ms, wall_ms;
	size_t memory;
};

enum guard_limit { GUARD_NONE, GUARD_CPU, GUARD_WALL, GUARD_MEMORY };

struct guard {
	struct bounds bounds;
	const char *shown;          /* the daemon file, when nothing better is known */
	lua_State *L;               /* NULL while none runs */
	volatile sig_atomic_t over; /* enum guard_limit */
	char where[160];            /* "echo.lua:3", once over */
	size_t used;                /* bytes of the Lua heap */
	size_t refused;             /* the size that was refused last; 0: none */

	bool started;
	timer_t cpu, wall;
	struct sigaction old_cpu, old_wall;
	sigset_t old_mask;
};

/* Arms the timers. When one is up, a hook raises an error at the next instruction; what that does
 * not end (a C function, pcall in a loop) is ended a moment later from the signal handler with
 * "luvd: echo.lua:3: ..." on stderr and exit code 2. One guard at a time. */
int guard_start(struct guard *guard, struct err *err);
/* Disarms them and puts back how the two signals were handled. */
int guard_stop(struct guard *guard, struct err *err);
/* lua_Alloc with the bound on memory; data is the guard. */
void *guard_alloc(void *data, void *block, size_t old_size, size_t size);
/* Fills err when a bound was passed; returns whether. */
bool guard_failed(const struct guard *guard, struct err *err);

#endif
