#ifndef LUVD_HOST_MEMORY_H
#define LUVD_HOST_MEMORY_H

#include "plan/daemon.h"

/* How many bytes of this process are resident; 0: cannot tell. */
size_t memory_resident(const struct daemon *daemon);

#endif
