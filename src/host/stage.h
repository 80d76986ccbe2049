#ifndef LUVD_HOST_STAGE_H
#define LUVD_HOST_STAGE_H

#include <uv.h>

#include "host/log.h"
#include "host/signals.h"
#include "plan/step.h"
#include "service/life.h"

/* What a process has in which the service runs, whether it is the whole daemon (host/classic) or a
 * worker (host/worker): a loop, a log, signals, the life of the service, and how far that is. */

enum phase { PHASE_OF_START, PHASE_OF_SERVICE, PHASE_OF_STOP };

enum {
	STAGE_HARD_STOP_MS = 1000 /* over the time to stop: then the process is ended whatever
				     hangs */
};

struct stage {
	struct daemon *daemon;
	uv_loop_t loop;
	struct log *log;
	struct signals *signals;
	struct life *life;
	enum phase phase;
	struct err failure; /* why the start has failed */
	bool failed;
};

/* Announces loop or ready, which plan_apply has left to the host. */
int stage_announce(struct stage *stage, const struct step *step, struct err *err);
/* Before anything else of libuv. -1 with failure filled. */
int stage_open_loop(struct stage *stage);
/* calls->data must begin with the stage; its log and level are filled here. */
int stage_open_life(struct stage *stage, const struct life_calls *calls, struct err *err);
/* life_start, and the loop until it is stopped. */
void stage_run(struct stage *stage);
/* The start has failed; the first one counts. Ends stage_run. */
void stage_fail(struct stage *stage, const struct err *err);
/* From PHASE_OF_SERVICE on: service.stop within timeout_ms, and the process's end a little later,
 * whatever Lua does. Again with now at any time. */
void stage_stop(struct stage *stage, const char *reason, int64_t timeout_ms, bool now);
/* Destroys the life, closes the signals and runs the loop until all handles are closed, those of
 * the caller too. */
void stage_close(struct stage *stage);
/* After that, and after what the caller has of the loop is freed. */
void stage_finish(struct stage *stage);

/* err: "cannot WHAT: " and libuv's words for code. Returns -1. */
int stage_uv_failed(struct err *err, int code, const char *what);

#endif
