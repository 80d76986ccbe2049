#ifndef LUVD_SERVICE_CLOCK_H
#define LUVD_SERVICE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <uv.h>

/* What time it is for the service: the loop's time and the system's clocks, or, in a simulation,
 * one that moves only when somebody moves it. A daemon pays a pointer that is NULL for it. */

struct held_clock {
	uint64_t now; /* milliseconds, steady; never 0 */
	int64_t wall; /* milliseconds since the epoch when now was 0 */
};

struct clock {
	uv_loop_t *loop;
	const struct held_clock *held; /* NULL: the clocks are real */
};

/* Milliseconds of the loop's time. */
static inline uint64_t clock_now(const struct clock *clock)
{
	return clock->held ? clock->held->now : uv_now(clock->loop);
}

/* Lua may have computed for long since the loop has looked. */
static inline void clock_update(const struct clock *clock)
{
	if (!clock->held)
		uv_update_time(clock->loop);
}

/* Nanoseconds, steady. */
static inline uint64_t clock_precise(const struct clock *clock)
{
	return clock->held ? clock->held->now * 1000000 : uv_hrtime();
}

/* Milliseconds since the epoch, of the clock that people set. */
int64_t clock_wall(const struct clock *clock);

/* The same in seconds. */
static inline time_t clock_seconds(const struct clock *clock)
{
	return clock->held ? (time_t)(clock_wall(clock) / 1000) : time(NULL);
}

#endif
