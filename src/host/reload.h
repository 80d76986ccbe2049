#ifndef LUVD_HOST_RELOAD_H
#define LUVD_HOST_RELOAD_H

#include <stdbool.h>
#include <uv.h>

#include "host/control.h"
#include "host/verdict.h"
#include "plan/daemon.h"

/* A reload of a classic daemon as a transaction (a monitor's: host/monitor/renew): a loader process
 * reads the daemon file anew, what differs is compared with what may change in a running daemon,
 * and only then the service is asked. Whatever fails, the daemon serves on as it was. One at a
 * time: requests that come meanwhile share one round after it, and each is told the verdict of a
 * round that began after it had asked. */

struct reload;

struct reload_calls {
	void *data;
	/* Everything is checked: take fresh over (and own it). Answered by reload_applied. change
	 * lives until then. */
	void (*apply)(void *data, struct spec *fresh, const struct change *change);
};

struct reload *reload_create(uv_loop_t *loop, struct daemon *daemon,
			     const struct reload_calls *calls, struct err *err);
/* client, when not NULL, is told the verdict. */
void reload_request(struct reload *reload, struct control_client *client);
/* err NULL: the service has accepted. */
void reload_applied(struct reload *reload, const struct err *err);
bool reload_busy(const struct reload *reload);
const struct reload_verdict *reload_last(const struct reload *reload);
/* The daemon stops: ends the loader, refuses whoever waits, closes the handles. The loop must run
 * until they are gone before reload_destroy. */
void reload_close(struct reload *reload);
void reload_destroy(struct reload *reload);

#endif
