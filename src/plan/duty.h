#ifndef LUVD_PLAN_DUTY_H
#define LUVD_PLAN_DUTY_H

#include <stdint.h>

#include "plan/daemon.h"

/* Capabilities by what they are for, as bits CAP_*: all that a service which keeps root's has,
 * since a worker can only be given what is there. Pure: from the spec and the machine. */

/* What a monitor needs for itself and for its workers' rows, as long as it lives. */
uint64_t duty_kept(const struct daemon *daemon);
/* The same and what the rows before need: all that luvd uses from its first step on. */
uint64_t duty_whole(const struct daemon *daemon);

#endif
