#ifndef LUVD_HOST_POOL_H
#define LUVD_HOST_POOL_H

#include <uv.h>

#include "plan/daemon.h"

/* The threads of libuv's pool, made now, and then the limit of processes that counts them. libuv
 * makes them at their first use, and aborts when it cannot. */
int pool_make(uv_loop_t *loop, const struct daemon *daemon, struct err *err);

#endif
