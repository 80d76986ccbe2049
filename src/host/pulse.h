#ifndef LUVD_HOST_PULSE_H
#define LUVD_HOST_PULSE_H

#include <stdbool.h>
#include <uv.h>

/* What a loop does again and again as long as it turns: something each time before it waits, and a
 * beat now and then. */

struct pulse {
	uv_prepare_t prepare;
	uv_timer_t timer;
	void (*turn)(void *data);
	void (*beat)(void *data);
	void *data;
	bool open;
};

void pulse_init(struct pulse *pulse, uv_loop_t *loop, void (*turn)(void *data),
		void (*beat)(void *data), void *data);
/* Beats every interval_ms from now on; 0: no more. */
void pulse_start(struct pulse *pulse, uint64_t interval_ms);
/* The loop must run once more. Accepts one that is zeroed. */
void pulse_close(struct pulse *pulse);

#endif
