#ifndef LUVD_SERVICE_ALARM_H
#define LUVD_SERVICE_ALARM_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/* Deadlines of tasks and connections: one timer of libuv for all of them, over a pairing heap
 * (Fredman and others, 1986) whose links are in what waits. Setting and clearing allocate nothing
 * and cannot fail; an alarm is 40 bytes where a uv_timer_t is 152 and has to be closed. */

enum { ALARM_DUE_BITS = 44 }; /* 500 years */

struct alarm {
	struct alarm *child, *next; /* in the heap */
	struct alarm *prev; /* the one before among its siblings, or the parent of the first */
	uint64_t due : ALARM_DUE_BITS; /* loop time, milliseconds; 0: not set */
	/* Of those that are due together the first set rings first (but once in a million). */
	uint64_t order : 20;
	void (*ring)(struct alarm *alarm);
};

struct alarms {
	uv_timer_t timer;
	struct alarm *first; /* the earliest */
	uint64_t armed;      /* for when timer is; 0: it is not */
	unsigned set : 20;   /* how often one was set */
};

void alarms_init(struct alarms *alarms, uv_loop_t *loop);

/* Rings once the loop's time has reached due (at the earliest on the next turn of the loop); an
 * alarm that is set already is moved. ring is called from the loop, with the alarm cleared; it may
 * set and clear any alarm, and free this one. */
void alarm_set(struct alarms *alarms, struct alarm *alarm, uint64_t due);
/* Does nothing when it is not set. */
void alarm_clear(struct alarms *alarms, struct alarm *alarm);

static inline bool alarm_is_set(const struct alarm *alarm)
{
	return alarm->due != 0;
}

#endif
