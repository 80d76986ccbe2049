#ifndef LUVD_HOST_RESTRAIN_H
#define LUVD_HOST_RESTRAIN_H

#include "err.h"

/* What a loader takes from itself before it reads anything: CPU time, memory and file size are
 * limited, and all privileges go but the one to read files, for good. The reader has limits of its
 * own, which say line and limit (spec/load); these hold whatever a daemon file does to it. The
 * limit of wall time is its daemon's (host/loader). */
int restrain(struct err *err);

#endif
