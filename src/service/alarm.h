#ifndef LUVD_SERVICE_ALARM_H
#define LUVD_SERVICE_ALARM_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "service/clock.h"

/* Deadlines of tasks and connections: one timer of libuv for all of them, over a pairing heap
 * (Fredman and others, 1986) whose links are in what waits. Setting and clearing allocate nothing
 * and cannot fail; an alarm is 32 bytes where a uv_timer_t is 152 and has to be closed. */

enum { ALARM_DUE_BITS = 42, ALARM_ORDER_BITS = 17, ALARM_KIND_BITS = 5 }; /* 139 years */
enum { ALARM_KINDS = 1 << ALARM_KIND_BITS };

struct alarm;
typedef void (*alarm_ring)(struct alarm *alarm);

struct alarm {
	struct alarm *child, *next; /* in the heap */
	struct alarm *prev; /* the one before among its siblings, or the parent of the first */
	uint64_t due : ALARM_DUE_BITS; /* loop time, milliseconds; 0: not set */
	/* Of those that are due together the first set rings first (but once in a 100,000). */
	uint64_t order : ALARM_ORDER_BITS;
	uint64_t kind : ALARM_KIND_BITS; /* which of alarms->rings */
};

struct alarms {
	const struct clock *clock;
	uv_timer_t timer;                /* not armed while the clock is held */
	struct alarm *first;             /* the earliest */
	uint64_t armed;                  /* for when timer is; 0: it is not */
	unsigned set : ALARM_ORDER_BITS; /* how often one was set */
	alarm_ring rings[ALARM_KINDS];   /* of the program: each is here once it was used */
};

void alarms_init(struct alarms *alarms, const struct clock *clock);
/* For who holds the clock: when the first alarm is due, 0: there is none; and rings it, if it is
 * due. */
uint64_t alarms_due(const struct alarms *alarms);
bool alarms_ring(struct alarms *alarms);

/* The timer stops when no alarm is set: until then it may ring for nobody, which keeps a loop alive
 * that has nothing else to wait for. */
void alarms_rest(struct alarms *alarms);

/* What it calls. Before it is set for the first time. */
void alarm_init(struct alarms *alarms, struct alarm *alarm, alarm_ring ring);

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
