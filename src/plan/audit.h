#ifndef LUVD_PLAN_AUDIT_H
#define LUVD_PLAN_AUDIT_H

#include <stdbool.h>

#include "plan/daemon.h"

/* Reads back what the kernel says of this process and tries what must be impossible. Needs
 * daemon->witness_fd. */

/* All of it before the service is met; -1 with the first thing that is not as asked for. */
int audit_prove(struct daemon *daemon, struct err *err);
/* Once more in the running process, which by then has threads and descriptors of the service's:
 * each proof is told, "ids: uid 33, gid 33" or what is wrong with it. Returns how many do not hold.
 */
int audit_tell(struct daemon *daemon, void (*tell)(void *data, const char *line, bool holds),
	       void *data);

#endif
