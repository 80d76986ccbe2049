#ifndef LUVD_HOST_PULSE_H
#define LUVD_HOST_PULSE_H

#include <stdbool.h>
#include <uv.h>

/* Whether the loop turns, and how long it has kept others waiting: its lag, the longest time that
 * the callbacks of one turn took without a break. Costs two readings of a clock a turn, wakes
 * nobody but for the beats. To a millisecond; what is shorter is told as 0. */

struct pulse {
	uv_check_t check;
	uv_prepare_t prepare;
	uv_timer_t timer;
	uint64_t since_beat, since_look; /* the longest, nanoseconds */
	void (*beat)(void *data, uint64_t lag_us);
	void (*turn)(void *data);
	void *data;
	bool open;
};

/* turn is called before each time the loop may wait: NULL: nobody. */
void pulse_init(struct pulse *pulse, uv_loop_t *loop, void (*turn)(void *data), void *data);
/* beat is called every interval_ms with the lag since the one before; 0: never. May be called
 * again. */
void pulse_start(struct pulse *pulse, uint64_t interval_ms,
		 void (*beat)(void *data, uint64_t lag_us));
/* The longest lag since the last call, microseconds. */
uint64_t pulse_lag(struct pulse *pulse);
/* The loop must run once more. Accepts one that is zeroed. */
void pulse_close(struct pulse *pulse);

#endif
