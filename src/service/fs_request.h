#ifndef LUVD_SERVICE_FS_REQUEST_H
#define LUVD_SERVICE_FS_REQUEST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "service/alarm.h"
#include "service/list.h"

/* Work for a thread of libuv's pool: calls on files, which may block for as long as a disk or a
 * server likes. One C function is one request, however many system calls it makes.
 *
 * A request owns all that its function touches (paths, bytes, descriptors that it opens), so that
 * nobody needs to wait for it: who has lost interest drops it, and it is freed when the thread has
 * left it. At most FS_IN_POOL_MAX are in the pool at a time, the others wait in order: look-ups of
 * host names share the pool and find it short.
 *
 * How a task waits for one (fs_call.c does so for luvd.fs): submit, task_wait with a detach that
 * drops what is not done, and task_wake in done. */

struct vm;

enum { FS_IN_POOL_MAX = 64 };

/* Requests of one lane run one after another, in the order of their submission: those of one open
 * file. Begin with fs_lane_init. */
struct fs_lane {
	struct link waiting;
	bool busy;
};

enum fs_state { FS_NEW, FS_IN_LANE, FS_IN_QUEUE, FS_IN_POOL, FS_DONE };

/* The first member of an allocation of the user's. Set run and release, and what else is wanted;
 * all else is zero at first. */
struct fs_request {
	/* On a thread of the pool: no Lua, no vm, nothing but this request. */
	void (*run)(struct fs_request *request);
	/* On the loop's thread, after run, unless it was dropped. NULL: drop it. */
	void (*done)(struct fs_request *request);
	/* On the loop's thread, once, at the very end: frees it. */
	void (*release)(struct fs_request *request);
	struct fs_lane *lane; /* NULL: none */
	bool certain;         /* runs although it was dropped: closes what is open */
	int result;           /* of run: 0 or more, or -errno, which is libuv's code too */

	enum fs_state state; /* from here on: fs_request.c's own */
	atomic_bool dropped;
	struct vm *vm;
	struct link queued;
	uv_work_t work;
};

/* Those of one vm. */
struct fs_requests {
	struct link queue; /* of those that wait for a place in the pool */
	size_t in_pool;
	size_t pending;  /* submitted and not done */
	bool over;       /* the loop runs no more */
	struct link run; /* while the clock is held: they have run, and nobody knows yet */
	struct alarm told;
};

void fs_lane_init(struct fs_lane *lane);
void fs_requests_init(struct vm *vm);
/* Ends those that have run: the service is being closed. */
void fs_requests_end(struct vm *vm);

/* Never calls done at once. After the end of the loop it runs at once and is released. */
void fs_request_submit(struct vm *vm, struct fs_request *request);
/* Frees it, now or as soon as no thread is at it. Not yet begun, it never is, unless certain. */
void fs_request_drop(struct fs_request *request);
/* For long loops in run: nobody wants the result any more. */
bool fs_request_is_dropped(struct fs_request *request);

#endif
