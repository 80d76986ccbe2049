#ifndef LUVD_HOST_MONITOR_RULES_H
#define LUVD_HOST_MONITOR_RULES_H

#include "host/crew/crew.h"

/* What the crew needs to know of a daemon file, resolved: rules borrow spec's lists and live as
 * long as it does. */
void rules_of(struct crew_rules *rules, const struct spec *spec);

#endif
