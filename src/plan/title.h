#ifndef LUVD_PLAN_TITLE_H
#define LUVD_PLAN_TITLE_H

#include "plan/daemon.h"

/* What ps(1), top(1) and pgrep(1) show of this process: "luvd: echo monitor". */
void title_take(struct daemon *daemon);

#endif
