#include "host/pulse.h"

static void on_prepare(uv_prepare_t *prepare)
{
	struct pulse *pulse = prepare->data;

	pulse->turn(pulse->data);
}

static void on_timer(uv_timer_t *timer)
{
	struct pulse *pulse = timer->data;

	pulse->beat(pulse->data);
}

void pulse_init(struct pulse *pulse, uv_loop_t *loop, void (*turn)(void *data),
		void (*beat)(void *data), void *data)
{
	*pulse = (struct pulse){.turn = turn, .beat = beat, .data = data, .open = true};
	/* None of these can fail. */
	uv_prepare_init(loop, &pulse->prepare);
	uv_timer_init(loop, &pulse->timer);
	pulse->prepare.data = pulse->timer.data = pulse;
	uv_prepare_start(&pulse->prepare, on_prepare);
}

void pulse_start(struct pulse *pulse, uint64_t interval_ms)
{
	if (interval_ms > 0)
		uv_timer_start(&pulse->timer, on_timer, interval_ms, interval_ms);
	else
		uv_timer_stop(&pulse->timer);
}

void pulse_close(struct pulse *pulse)
{
	if (!pulse->open)
		return;
	pulse->open = false;
	uv_close((uv_handle_t *)&pulse->prepare, NULL);
	uv_close((uv_handle_t *)&pulse->timer, NULL);
}
