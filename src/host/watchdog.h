#ifndef LUVD_HOST_WATCHDOG_H
#define LUVD_HOST_WATCHDOG_H

#include <uv.h>

#include "plan/daemon.h"

/* WATCHDOG=1 for the service manager at half the interval it asked for, sd_watchdog_enabled(3):
 * a loop that does not turn any more says nothing. */
struct watchdog {
	uv_timer_t timer;
	struct daemon *daemon;
	bool open; /* timer is a handle of the loop */
	/* Whether all that the daemon consists of turns too; NULL: this loop is all. */
	bool (*fresh)(void *data);
	void *data;
};

void watchdog_init(struct watchdog *watchdog, uv_loop_t *loop, struct daemon *daemon);
/* From ready on; nothing when nobody has asked. */
void watchdog_start(struct watchdog *watchdog);
/* The loop must run once more. Accepts one that was never initialised but zeroed. */
void watchdog_close(struct watchdog *watchdog);

#endif
