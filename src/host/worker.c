#include "host/worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "host/channel.h"
#include "host/pool.h"
#include "host/worker_state.h"
#include "plan/plan.h"
#include "sys/sys.h"

enum {
	FLUSH_MS = 500,       /* for the last log lines */
	ROOM_MS = 500,        /* for the word that the start has failed */
	ORPHAN_STOP_MS = 500, /* without a monitor: graceful until then */
	BEATS = 4             /* in timeouts.watchdog: three may be late */
};

/* --- what the monitor is told before there is a loop --- */

static int announce(struct daemon *daemon, const struct step *step, struct err *err)
{
	struct message message = {.type = MESSAGE_STEP};

	snprintf(message.err.step, sizeof message.err.step, "%s", step->name);
	if (channel_send(daemon->channel_fd, &message) < 0)
		return err_sys(err, "the monitor is gone");
	return 0;
}

static void warn(struct daemon *daemon, const struct err *err)
{
	struct message message = {.type = MESSAGE_WARNING, .err = *err};

	if (daemon->log)
		log_err(daemon->log, LEVEL_WARN, err);
	else
		channel_send(daemon->channel_fd, &message);
}

/* A channel that the service has filled is read soon. */
int worker_failed(const struct daemon *daemon, const struct err *err)
{
	struct message message = {.type = MESSAGE_FAILED, .err = *err};
	struct pollfd room = {.fd = daemon->channel_fd, .events = POLLOUT};

	while (channel_send(daemon->channel_fd, &message) < 0 && errno == EAGAIN)
		if (poll(&room, 1, ROOM_MS) == 0)
			break;
	return EXIT_FAILED;
}

/* --- its end --- */

static void on_orphan_late(uv_timer_t *timer)
{
	struct worker *worker = timer->data;

	stage_stop(&worker->stage, "stop", ORPHAN_STOP_MS, true);
}

/* Whatever was going on: the listening sockets are closed before anything else of the service is
 * asked, for the next monitor may want to bind them at once. */
static void orphan(struct worker *worker)
{
	struct err err = {.step = "start"};

	if (worker->orphaned)
		return;
	worker->orphaned = true;
	signals_orphaned(worker->stage.signals);
	if (worker->stage.phase == PHASE_OF_START) {
		err_set(&err, "the monitor is gone");
		stage_fail(&worker->stage, &err);
		return;
	}
	uv_timer_start(&worker->orphan, on_orphan_late, ORPHAN_STOP_MS, 0);
	stage_stop(&worker->stage, "stop", ORPHAN_STOP_MS, false);
}

static void on_ended(void *data)
{
	orphan(data);
}

static void terminate(struct worker *worker, const char *who)
{
	struct err err = {.step = "start"};

	if (worker->stage.phase == PHASE_OF_START) {
		err_set(&err, "interrupted by %s", who);
		stage_fail(&worker->stage, &err);
		return;
	}
	stage_stop(&worker->stage, "stop", worker->stage.daemon->spec->timeout_stop, false);
}

/* SIGTERM in the monitor's name is what the kernel sends at its end. */
static void on_signal(void *data, const struct signal_event *event)
{
	struct worker *worker = data;
	struct daemon *daemon = worker->stage.daemon;
	char name[SIGNAL_NAME_MAX], origin[SIGNAL_ORIGIN_MAX];
	bool stops = signal_action(daemon, event->number, false).action == ACTION_STOP;

	if ((stops && event->pid == daemon->monitor) || sys_parent() != daemon->monitor) {
		orphan(worker);
		return;
	}
	log_printf(worker->stage.log, LEVEL_INFO, "%s to a worker: %s",
		   signal_origin(event, origin), stops ? "it stops" : "nothing is done");
	if (stops)
		terminate(worker, signal_name(event->number, name));
}

static void on_malformed(void *data)
{
	struct worker *worker = data;

	log_printf(worker->stage.log, LEVEL_ERROR, "the monitor has sent what is no message");
}

/* --- what the service's life tells --- */

static void on_beat(void *data)
{
	struct worker *worker = data;
	int64_t lag = (int64_t)life_lag(worker->stage.life);

	/* A monitor that reads none for so long is not helped by old ones. */
	courier_send_now(worker->courier, &(struct message){.type = MESSAGE_BEAT, .number = {lag}});
}

void worker_beat(struct worker *worker)
{
	int64_t limit = worker->stage.daemon->spec->timeout_watchdog;
	int64_t interval = limit > 0 ? limit / BEATS : 0;

	pulse_start(&worker->pulse, limit > 0 && interval == 0 ? 1 : (uint64_t)interval);
}

/* Behind what the service has said in its start, which may wait for room. */
static bool tell_step(struct worker *worker, const struct step *step)
{
	struct message message = {.type = MESSAGE_STEP};

	snprintf(message.err.step, sizeof message.err.step, "%s", step->name);
	return courier_send(worker->courier, &message);
}

static void on_started(void *data, const struct err *err)
{
	struct worker *worker = data;
	struct err gone = {.step = "ready"};

	if (worker->stage.failed)
		return;
	if (!err && !tell_step(worker, &step_ready)) {
		err_set(&gone, "the monitor is gone");
		err = &gone;
	}
	if (err) {
		stage_fail(&worker->stage, err);
		return;
	}
	worker->stage.phase = PHASE_OF_SERVICE;
	courier_send(worker->courier, &(struct message){.type = MESSAGE_READY});
	worker_beat(worker);
	sys_trim_memory(); /* of the start */
}

static void on_reloaded(void *data, const struct err *err)
{
	struct worker *worker = data;
	struct message answer = {.type = MESSAGE_RELOADED};

	if (err)
		answer.err = *err;
	courier_send(worker->courier, &answer);
	worker_beat(worker);
}

/* Whatever it wished: the monitor has been told, and exits with it. */
static void on_stopped(void *data, int code)
{
	struct worker *worker = data;

	(void)code;
	uv_stop(&worker->stage.loop);
}

static void on_stop_wish(void *data, int code)
{
	struct worker *worker = data;

	courier_send(worker->courier, &(struct message){.type = MESSAGE_WISH, .number = {code}});
}

static void send_text(struct worker *worker)
{
	struct message message = {.type = MESSAGE_TEXT};

	memcpy(message.text, worker->text, sizeof message.text);
	worker->text_waits = !courier_send_now(worker->courier, &message);
}

/* Only the last one counts: a service that says it often fills no queue. */
static void on_status(void *data, const char *text)
{
	struct worker *worker = data;

	snprintf(worker->text, sizeof worker->text, "%s", text);
	send_text(worker);
}

/* --- the loop --- */

static void on_relay(uv_poll_t *poll, int status, int events)
{
	struct worker *worker = poll->data;

	(void)events;
	if (status < 0 || log_flush_relay(worker->stage.log))
		uv_poll_stop(poll);
}

/* Before the loop waits: nothing that could be said now is kept. */
static void on_turn(void *data)
{
	struct worker *worker = data;

	if (!log_flush_relay(worker->stage.log) && !uv_is_active((uv_handle_t *)&worker->relay))
		uv_poll_start(&worker->relay, UV_WRITABLE, on_relay);
	if (worker->text_waits)
		send_text(worker);
}

static int open_log(struct worker *worker, struct err *err)
{
	struct daemon *daemon = worker->stage.daemon;

	worker->stage.log = daemon->log = log_create_relay(daemon, err);
	return worker->stage.log ? 0 : -1;
}

static int open_handles(struct worker *worker, struct err *err)
{
	struct stage *stage = &worker->stage;
	int code = uv_poll_init(&stage->loop, &worker->relay, stage->daemon->relay_fd);

	if (code < 0)
		return stage_uv_failed(err, code, "watch the pipe to the log");
	uv_timer_init(&stage->loop, &worker->orphan);
	worker->relay.data = worker->orphan.data = worker;
	worker->handles = true;
	pulse_init(&worker->pulse, &stage->loop, on_turn, on_beat, worker);
	return 0;
}

static int open_courier(struct worker *worker, struct err *err)
{
	const struct courier_calls calls = {worker, worker_obey, on_malformed, on_ended};

	worker->courier =
	    courier_create(&worker->stage.loop, worker->stage.daemon->channel_fd, &calls, err);
	return worker->courier ? 0 : -1;
}

/* The order is that of a classic daemon: threads before RLIMIT_NPROC, the log before anything that
 * may want to say something, handlers before the mask is emptied, the service last. */
static int open_all(struct worker *worker, struct err *err)
{
	static const struct life_calls life = {.started = on_started,
					       .reloaded = on_reloaded,
					       .stopped = on_stopped,
					       .stop = on_stop_wish,
					       .status = on_status};
	struct stage *stage = &worker->stage;
	struct life_calls calls = life;

	calls.data = worker;
	if (open_log(worker, err) < 0 || pool_make(&stage->loop, stage->daemon, err) < 0 ||
	    open_handles(worker, err) < 0 || open_courier(worker, err) < 0)
		return -1;
	stage->signals = signals_create(&stage->loop, stage->daemon, on_signal, worker, err);
	return stage->signals ? stage_open_life(stage, &calls, err) : -1;
}

static void close_all(struct worker *worker)
{
	pulse_close(&worker->pulse);
	if (worker->handles) {
		uv_close((uv_handle_t *)&worker->orphan, NULL);
		uv_close((uv_handle_t *)&worker->relay, NULL);
	}
	courier_close(worker->courier);
	stage_close(&worker->stage);
	worker_console_close(worker);
	courier_destroy(worker->courier);
	stage_finish(&worker->stage);
}

/* Nobody is left who would end what the service has started. */
static void end_session(const struct worker *worker)
{
	if (worker->orphaned && getpgrp() == getpid())
		sys_kill(0, SIGKILL);
}

static int run(struct worker *worker)
{
	struct stage *stage = &worker->stage;
	int code = EXIT_DONE;

	if (open_all(worker, &stage->failure) < 0)
		stage->failed = true;
	else
		stage_run(stage);
	/* Closing may run Lua: what is to be known is told before. */
	if (stage->failed)
		code = worker_failed(stage->daemon, &stage->failure);
	if (stage->failed && stage->signals)
		signals_stopping(stage->signals, STAGE_HARD_STOP_MS);
	close_all(worker);
	stage->daemon->log = NULL;
	if (stage->log)
		log_finish(stage->log, FLUSH_MS);
	log_destroy(stage->log);
	end_session(worker);
	return code;
}

int worker_run(struct daemon *daemon)
{
	struct worker worker = {.stage = {.daemon = daemon}};
	struct err err = {0};
	struct plan plan;

	daemon->announce = announce;
	daemon->warn = warn;
	plan_make(&plan, daemon, WORKER);
	if (plan_apply(&plan, daemon, &err) < 0)
		return worker_failed(daemon, &err);
	if (stage_open_loop(&worker.stage) < 0)
		return worker_failed(daemon, &worker.stage.failure);
	return run(&worker);
}
