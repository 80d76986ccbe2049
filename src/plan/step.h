#ifndef LUVD_PLAN_STEP_H
#define LUVD_PLAN_STEP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "err.h"
#include "plan/daemon.h"

/* One thing done on the way from the shell prompt to the event loop: one file
 * step_NAME.c, one row of table.c. */

enum role { LAUNCH = 1, MONITOR = 2, WORKER = 4 };

/* What a step needs to be still there: capabilities as bits CAP_*, and paths of the full
 * root directory. plan's test proves that no row comes after what it needs is gone. */
#define NEED_CAPABILITY(cap) (UINT64_C(1) << (cap))
#define NEED_FILES (UINT64_C(1) << 62)

/* What apply returns besides -1. */
enum { STEP_DONE = 0, STEP_LEAVE = 1 /* this process has done its part: it is the launcher */ };

struct step {
	const char *name; /* at most 15 characters: it crosses the channel in struct err */
	unsigned roles;
	uint64_t (*needs)(const struct spec *spec);  /* NULL: nothing */
	bool (*wanted)(const struct daemon *daemon); /* NULL: always; reads spec and machine only */
	/* One sentence, lower case, no full stop: "bind tcp://0.0.0.0:80, backlog 511, for 'web'".
	 * Several lines are allowed; reads spec and machine only. */
	void (*describe)(const struct daemon *daemon, FILE *out);
	int (*apply)(struct daemon *daemon, struct err *err); /* NULL: done by host/stage */
	/* Takes back what the step left outside the process. Called in the launcher (whose struct
	 * daemon is as it was when it forked) or in the daemon; must not fail. NULL: nothing. */
	void (*undo)(struct daemon *daemon);
};

/* The order, one row a line; ends with NULL. */
extern const struct step *const steps[];

/* The rows by name. main itself takes the first two, before it opens anything. */
extern const struct step step_stdio, step_context, step_lock, step_pidfile, step_paths, step_listen,
    step_files, step_log, step_bundle, step_detach, step_output, step_record, step_control,
    step_notify, step_reduce, step_inherit, step_process, step_limits, step_warmup, step_witness,
    step_chroot, step_identity, step_confine, step_tether, step_audit, step_loop, step_ready;

/* What step warmup keeps of the name service for net.connect: daemon->hosts and ->resolver. */
int warmup_read(struct daemon *daemon, struct err *err);

#endif
