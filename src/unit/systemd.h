#ifndef LUVD_UNIT_SYSTEMD_H
#define LUVD_UNIT_SYSTEMD_H

#include "unit/unit.h"

/* The part of [Service] that takes away what the daemon does not need. */
int systemd_confine(const struct unit *unit, FILE *out, struct err *err);

#endif
