#include "host/stage.h"

static void on_log(void *data, enum log_level level, const char *message, size_t length,
		   const struct log_field *fields, size_t count)
{
	struct stage *stage = data;

	log_write(stage->log, level, message, length, fields, count);
}

static void on_level(void *data, enum log_level level)
{
	struct stage *stage = data;

	log_set_level(stage->log, level);
}

int stage_uv_failed(struct err *err, int code, const char *what)
{
	return err_set(err, "cannot %s: %s", what, uv_strerror(code));
}

int stage_announce(struct stage *stage, const struct step *step, struct err *err)
{
	struct daemon *daemon = stage->daemon;

	return daemon->announce ? daemon->announce(daemon, step, err) : 0;
}

/* Announced before libuv's first call: where it aborts, whoever waits knows the step. */
int stage_open_loop(struct stage *stage)
{
	int code;

	snprintf(stage->failure.step, sizeof stage->failure.step, "loop");
	if (stage_announce(stage, &step_loop, &stage->failure) < 0)
		return -1;
	code = uv_loop_init(&stage->loop);
	return code < 0 ? stage_uv_failed(&stage->failure, code, "make the event loop") : 0;
}

int stage_open_life(struct stage *stage, const struct life_calls *calls, struct err *err)
{
	struct life_calls all = *calls;

	all.log = on_log;
	all.level = on_level;
	stage->life = life_create(&stage->loop, stage->daemon, &all, err);
	return stage->life ? 0 : -1;
}

void stage_run(struct stage *stage)
{
	life_start(stage->life);
	uv_run(&stage->loop, UV_RUN_DEFAULT);
}

void stage_fail(struct stage *stage, const struct err *err)
{
	if (stage->failed)
		return;
	stage->failed = true;
	stage->failure = *err;
	uv_stop(&stage->loop);
}

void stage_stop(struct stage *stage, const char *reason, int64_t timeout_ms, bool now)
{
	if (stage->phase == PHASE_OF_STOP && !now)
		return;
	if (stage->phase != PHASE_OF_STOP)
		signals_stopping(stage->signals, timeout_ms + STAGE_HARD_STOP_MS);
	stage->phase = PHASE_OF_STOP;
	life_stop(stage->life, reason, timeout_ms, now);
}

void stage_close(struct stage *stage)
{
	if (stage->life)
		life_destroy(stage->life);
	stage->life = NULL;
	if (stage->signals)
		signals_close(stage->signals);
	uv_run(&stage->loop, UV_RUN_DEFAULT);
}

void stage_finish(struct stage *stage)
{
	signals_destroy(stage->signals);
	stage->signals = NULL;
	uv_loop_close(&stage->loop);
}
