#include "service/alarm.h"

#include <stddef.h>
#include <stdlib.h>

static void on_timer(uv_timer_t *timer);

/* --- the heap --- */

static bool is_before(const struct alarm *a, const struct alarm *b)
{
	return a->due < b->due || (a->due == b->due && a->order < b->order);
}

static struct alarm *meld(struct alarm *a, struct alarm *b)
{
	struct alarm *first = !b || (a && is_before(a, b)) ? a : b;
	struct alarm *other = first == a ? b : a;

	if (!first || !other)
		return first;
	other->prev = first;
	other->next = first->child;
	if (first->child)
		first->child->prev = other;
	first->child = other;
	return first;
}

/* Takes the siblings apart into pairs, melds each, and lists the results last pair first. */
static struct alarm *meld_pairs(struct alarm *sibling)
{
	struct alarm *pairs = NULL;

	while (sibling) {
		struct alarm *a = sibling, *b = a->next, *pair;

		sibling = b ? b->next : NULL;
		a->next = a->prev = NULL;
		if (b)
			b->next = b->prev = NULL;
		pair = meld(a, b);
		pair->next = pairs;
		pairs = pair;
	}
	return pairs;
}

static struct alarm *meld_all(struct alarm *sibling)
{
	struct alarm *pairs = meld_pairs(sibling), *heap = NULL;

	while (pairs) {
		struct alarm *pair = pairs;

		pairs = pair->next;
		pair->next = NULL;
		heap = meld(heap, pair);
	}
	return heap;
}

static void cut(struct alarms *alarms, struct alarm *alarm)
{
	struct alarm *rest = meld_all(alarm->child);

	if (alarm == alarms->first) {
		alarms->first = rest;
	} else {
		if (alarm->prev->child == alarm)
			alarm->prev->child = alarm->next;
		else
			alarm->prev->next = alarm->next;
		if (alarm->next)
			alarm->next->prev = alarm->prev;
		alarms->first = meld(alarms->first, rest);
	}
	alarm->child = alarm->next = alarm->prev = NULL;
	alarm->due = 0;
}

/* --- the timer --- */

/* One that is due sooner than the first alarm stays: it rings for nobody and is set anew then,
 * which is rarer than an alarm that is moved on and on. */
static void arm(struct alarms *alarms)
{
	uint64_t now = clock_now(alarms->clock);
	uint64_t due;

	if (!alarms->first || alarms->clock->held)
		return;
	due = alarms->first->due;
	if (alarms->armed && alarms->armed <= due)
		return;
	alarms->armed = due;
	uv_timer_start(&alarms->timer, on_timer, due > now ? due - now : 0, 0);
}

static void ring_first(struct alarms *alarms)
{
	struct alarm *alarm = alarms->first;

	cut(alarms, alarm);
	alarms->rings[alarm->kind](alarm);
}

static void on_timer(uv_timer_t *timer)
{
	struct alarms *alarms = timer->data;
	uint64_t now = clock_now(alarms->clock);

	alarms->armed = 0;
	/* now stays as it is: what rings and is set anew for at once waits for the next turn. */
	while (alarms->first && alarms->first->due <= now)
		ring_first(alarms);
	arm(alarms);
}

uint64_t alarms_due(const struct alarms *alarms)
{
	return alarms->first ? alarms->first->due : 0;
}

bool alarms_ring(struct alarms *alarms)
{
	bool due = alarms->first && alarms->first->due <= clock_now(alarms->clock);

	if (due)
		ring_first(alarms);
	return due;
}

void alarms_init(struct alarms *alarms, const struct clock *clock)
{
	*alarms = (struct alarms){.clock = clock};
	uv_timer_init(clock->loop, &alarms->timer);
	alarms->timer.data = alarms;
}

void alarms_rest(struct alarms *alarms)
{
	if (alarms->first || !alarms->armed)
		return;
	uv_timer_stop(&alarms->timer);
	alarms->armed = 0;
}

void alarm_init(struct alarms *alarms, struct alarm *alarm, alarm_ring ring)
{
	unsigned kind = 0;

	while (alarms->rings[kind] && alarms->rings[kind] != ring)
		if (++kind == ALARM_KINDS)
			abort(); /* the program has fewer */
	alarms->rings[kind] = ring;
	alarm->kind = kind & (ALARM_KINDS - 1);
}

void alarm_set(struct alarms *alarms, struct alarm *alarm, uint64_t due)
{
	const uint64_t last = (UINT64_C(1) << ALARM_DUE_BITS) - 1;
	/* A held clock need not move for what is to come with the next turn: each rings alone. */
	uint64_t next = clock_now(alarms->clock) + !alarms->clock->held;

	if (alarm->due)
		cut(alarms, alarm);
	if (due < next)
		due = next;
	alarm->due = due < last ? due : last;
	alarm->order = ++alarms->set;
	alarms->first = meld(alarms->first, alarm);
	arm(alarms);
}

void alarm_clear(struct alarms *alarms, struct alarm *alarm)
{
	if (alarm->due)
		cut(alarms, alarm);
}
