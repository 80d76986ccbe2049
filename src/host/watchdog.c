#include "host/watchdog.h"

#include "host/notify.h"

static void on_timer(uv_timer_t *timer)
{
	struct watchdog *watchdog = timer->data;

	if (!watchdog->fresh || watchdog->fresh(watchdog->data))
		notify_watchdog(watchdog->daemon);
}

void watchdog_init(struct watchdog *watchdog, uv_loop_t *loop, struct daemon *daemon)
{
	uv_timer_init(loop, &watchdog->timer); /* cannot fail */
	watchdog->timer.data = watchdog;
	watchdog->daemon = daemon;
	watchdog->open = true;
}

void watchdog_start(struct watchdog *watchdog)
{
	uint64_t half_ms = (uint64_t)watchdog->daemon->machine.watchdog_usec / 2000;

	if (watchdog->daemon->machine.watchdog_usec <= 0)
		return;
	half_ms = half_ms ? half_ms : 1;
	uv_timer_start(&watchdog->timer, on_timer, half_ms, half_ms);
}

void watchdog_close(struct watchdog *watchdog)
{
	if (!watchdog->open)
		return;
	watchdog->open = false;
	uv_close((uv_handle_t *)&watchdog->timer, NULL);
}
