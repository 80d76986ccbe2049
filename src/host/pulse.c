#include "host/pulse.h"

/* libuv's time is of when the last wait ended or the turn began, cut to milliseconds. */
static void measure(struct pulse *pulse, uv_loop_t *loop)
{
	uint64_t now = uv_hrtime(), then = (uv_now(loop) + 1) * 1000000;
	uint64_t lag = now > then ? now - then : 0;

	if (lag > pulse->since_beat)
		pulse->since_beat = lag;
	if (lag > pulse->since_look)
		pulse->since_look = lag;
}

/* What came from sockets was handled within the wait. */
static void on_check(uv_check_t *check)
{
	measure(check->data, check->loop);
}

static void on_prepare(uv_prepare_t *prepare)
{
	struct pulse *pulse = prepare->data;

	measure(pulse, prepare->loop);
	if (pulse->turn)
		pulse->turn(pulse->data);
}

static void on_timer(uv_timer_t *timer)
{
	struct pulse *pulse = timer->data;
	uint64_t lag = pulse->since_beat;

	pulse->since_beat = 0;
	pulse->beat(pulse->data, lag / 1000);
}

void pulse_init(struct pulse *pulse, uv_loop_t *loop, void (*turn)(void *data), void *data)
{
	*pulse = (struct pulse){.turn = turn, .data = data, .open = true};
	/* None of these can fail. */
	uv_check_init(loop, &pulse->check);
	uv_prepare_init(loop, &pulse->prepare);
	uv_timer_init(loop, &pulse->timer);
	pulse->check.data = pulse->prepare.data = pulse->timer.data = pulse;
	uv_check_start(&pulse->check, on_check);
	uv_prepare_start(&pulse->prepare, on_prepare);
}

void pulse_start(struct pulse *pulse, uint64_t interval_ms,
		 void (*beat)(void *data, uint64_t lag_us))
{
	pulse->beat = beat;
	if (interval_ms > 0)
		uv_timer_start(&pulse->timer, on_timer, interval_ms, interval_ms);
	else
		uv_timer_stop(&pulse->timer);
}

uint64_t pulse_lag(struct pulse *pulse)
{
	uint64_t lag = pulse->since_look;

	pulse->since_look = 0;
	return lag / 1000;
}

void pulse_close(struct pulse *pulse)
{
	if (!pulse->open)
		return;
	pulse->open = false;
	uv_close((uv_handle_t *)&pulse->check, NULL);
	uv_close((uv_handle_t *)&pulse->prepare, NULL);
	uv_close((uv_handle_t *)&pulse->timer, NULL);
}
