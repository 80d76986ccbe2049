#include "host/worker.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/channel.h"
#include "host/control.h"
#include "host/launch.h"
#include "host/log.h"
#include "host/notify.h"
#include "host/pool.h"
#include "host/ready.h"
#include "host/reload.h"
#include "host/reopen.h"
#include "host/signals.h"
#include "host/status.h"
#include "host/watchdog.h"
#include "service/life.h"
#include "sys/sys.h"

enum {
	FLUSH_MS = 2000,    /* for the last log lines */
	HARD_STOP_MS = 1000 /* over timeouts.stop: then the process is ended whatever hangs */
};

enum phase { STARTING, RUNNING, STOPPING };

struct worker {
	struct daemon *daemon;
	struct plan *plan;
	uv_loop_t loop;
	struct log *log;
	struct signals *signals;
	struct control *control;
	struct reload *reload;
	struct life *life;
	struct watchdog watchdog;
	uv_poll_t channel;
	bool watching; /* channel is an open handle */
	enum phase phase;
	bool reload_wanted; /* asked for before ready */
	struct status status;
	struct err failure; /* why the start has failed */
	bool failed;
	int code;
};

/* The log is the terminal, which has seen errors and warnings already. */
static bool on_terminal(const struct daemon *daemon)
{
	return !daemon->background && daemon->sink.kind == SINK_STDERR;
}

static int announce(struct worker *worker, const struct step *step, struct err *err)
{
	struct daemon *daemon = worker->daemon;

	return daemon->announce ? daemon->announce(daemon, step, err) : 0;
}

/* --- stopping --- */

static void unwatch(struct worker *worker)
{
	if (!worker->watching)
		return;
	worker->watching = false;
	uv_close((uv_handle_t *)&worker->channel, NULL);
}

static void fail(struct worker *worker, const struct err *err)
{
	if (worker->failed)
		return;
	worker->failed = true;
	worker->failure = *err;
	uv_stop(&worker->loop);
}

/* Stopping a daemon that is not ready aborts its start. */
static void stop(struct worker *worker, bool now, const char *who)
{
	struct spec *spec = worker->daemon->spec;
	struct err err = {.step = "start"};

	if (worker->phase == STARTING) {
		err_set(&err, "interrupted by %s", who);
		fail(worker, &err);
		return;
	}
	if (worker->phase == STOPPING) {
		if (now)
			life_stop(worker->life, "stop", true);
		return;
	}
	worker->phase = STOPPING;
	worker->status.state = "stopping";
	log_printf(worker->log, LEVEL_INFO, "stopping: %s", who);
	signals_stopping(worker->signals, spec->timeout_stop + HARD_STOP_MS);
	notify_stopping(worker->daemon);
	reload_close(worker->reload);
	life_stop(worker->life, "stop", now);
}

/* --- what signals do --- */

static void reopen(struct worker *worker)
{
	struct err err = {0};

	if (log_reopen(worker->log, &err) < 0)
		log_err(worker->log, LEVEL_ERROR, &err);
	else if (worker->daemon->sink.kind == SINK_FILE)
		log_printf(worker->log, LEVEL_INFO, "log opened anew");
	reopen_files(worker->daemon, worker->log);
}

static void reload(struct worker *worker, struct control_client *client)
{
	if (worker->phase == STARTING && !client) {
		worker->reload_wanted = true;
		return;
	}
	if (worker->phase == STARTING) {
		control_end(client, EXIT_FAILED, "the daemon is starting");
		return;
	}
	reload_request(worker->reload, client);
}

static void act(struct worker *worker, const struct signal_action *action, int number,
		const char *who)
{
	switch (action->action) {
	case ACTION_RELOAD:
		reload(worker, NULL);
		break;
	case ACTION_REOPEN:
		reopen(worker);
		break;
	case ACTION_UPGRADE:
		log_printf(worker->log, LEVEL_WARN, "upgrade needs the monitor: nothing is done");
		break;
	case ACTION_STOP:
	case ACTION_STOP_NOW:
		stop(worker, action->action == ACTION_STOP_NOW, who);
		break;
	case ACTION_SERVICE:
		if (worker->phase == RUNNING)
			life_signal(worker->life, action->function, number);
		break;
	case ACTION_IGNORE:
		break;
	}
}

static void on_signal(void *data, const struct signal_event *event)
{
	struct worker *worker = data;
	struct signal_action action = signal_action(worker->daemon, event->number, event->pid == 0);
	const char *nothing = action.action == ACTION_IGNORE ? ": nothing is done" : "";
	char name[SIGNAL_NAME_MAX], who[96];

	signal_name(event->number, name);
	if (event->pid)
		snprintf(who, sizeof who, "%s from pid %ld (uid %ld)", name, (long)event->pid,
			 (long)event->uid);
	else
		snprintf(who, sizeof who, "%s from the kernel", name);
	log_printf(worker->log, LEVEL_INFO, "%s%s", who, nothing);
	act(worker, &action, event->number, name);
}

/* --- what the control socket asks --- */

static void control_status(void *data, struct control_client *client, enum control_form form)
{
	struct worker *worker = data;

	if (worker->phase == RUNNING)
		worker->status.state = reload_busy(worker->reload) ? "reloading" : "running";
	status_answer(&worker->status, client, form);
}

static void control_reload(void *data, struct control_client *client)
{
	struct worker *worker = data;

	log_printf(worker->log, LEVEL_INFO, "reload asked for on the control socket");
	reload(worker, client);
}

/* The end of the process is the answer: control keeps the connection until then. */
static void control_stop(void *data, struct control_client *client)
{
	(void)client;
	stop(data, false, "luvd stop");
}

/* --- what the service's life tells --- */

/* Nobody waits any more: a launcher that goes now means nothing. */
static void close_channel(struct worker *worker)
{
	unwatch(worker);
	if (worker->daemon->channel_fd < 0)
		return;
	sys_close(worker->daemon->channel_fd);
	worker->daemon->channel_fd = -1;
}

static void on_started(void *data, const struct err *err)
{
	struct worker *worker = data;
	struct err gone = {.step = "ready"};

	if (worker->failed)
		return;
	if (!err && (announce(worker, &step_ready, &gone) < 0 ||
		     ready_tell(worker->daemon, worker->log, &gone) < 0))
		err = &gone;
	if (err) {
		fail(worker, err);
		return;
	}
	close_channel(worker);
	worker->phase = RUNNING;
	watchdog_start(&worker->watchdog);
	if (worker->reload_wanted)
		reload(worker, NULL);
}

static void on_reloaded(void *data, const struct err *err)
{
	struct worker *worker = data;

	reload_applied(worker->reload, err);
}

static void on_stopped(void *data, int code)
{
	struct worker *worker = data;

	if (worker->code == EXIT_DONE)
		worker->code = code;
	uv_stop(&worker->loop);
}

static void on_stop_wish(void *data, int code)
{
	struct worker *worker = data;

	worker->code = code;
	stop(worker, false, "the service");
}

static void on_status(void *data, const char *text)
{
	struct worker *worker = data;

	snprintf(worker->status.text, sizeof worker->status.text, "%s", text);
	notify_status(worker->daemon, text);
}

static void on_log(void *data, enum log_level level, const char *message, size_t length,
		   const struct log_field *fields, size_t count)
{
	struct worker *worker = data;

	log_write(worker->log, level, message, length, fields, count);
}

static void on_level(void *data, enum log_level level)
{
	struct worker *worker = data;

	log_set_level(worker->log, level);
}

static void apply_reload(void *data, struct spec *fresh, const struct change *change)
{
	struct worker *worker = data;

	life_reload(worker->life, fresh, change);
}

/* --- the rows loop and ready --- */

static void on_channel(uv_poll_t *poll, int status, int events)
{
	struct worker *worker = poll->data;
	struct err err = {.step = "loop"};
	struct message message;

	(void)events;
	/* The launcher never says anything: what can be read is its end. */
	if (status == 0 && channel_receive(worker->daemon->channel_fd, &message) != 0)
		return;
	err_set(&err, "the launcher is gone");
	fail(worker, &err);
}

static int uv_failed(struct err *err, int code, const char *what)
{
	return err_set(err, "cannot %s: %s", what, uv_strerror(code));
}

static int watch_channel(struct worker *worker, struct err *err)
{
	int fd = worker->daemon->channel_fd;
	int code;

	if (fd < 0)
		return 0;
	code = uv_poll_init(&worker->loop, &worker->channel, fd);
	if (code < 0)
		return uv_failed(err, code, "watch the status channel");
	worker->channel.data = worker;
	worker->watching = true;
	uv_poll_start(&worker->channel, UV_READABLE | UV_DISCONNECT, on_channel);
	return 0;
}

static int open_log(struct worker *worker, struct err *err)
{
	struct daemon *daemon = worker->daemon;

	worker->log = daemon->log = log_create(daemon, err);
	if (!worker->log || log_start(worker->log, err) < 0)
		return -1;
	for (size_t i = 0; i < daemon->warnings.count && !on_terminal(daemon); i++)
		log_err(worker->log, LEVEL_WARN, &daemon->warnings.list[i]);
	errs_finish(&daemon->warnings);
	return 0;
}

static int open_life(struct worker *worker, struct err *err)
{
	const struct life_calls life = {.data = worker,
					.started = on_started,
					.reloaded = on_reloaded,
					.stopped = on_stopped,
					.stop = on_stop_wish,
					.status = on_status,
					.log = on_log,
					.level = on_level};
	const struct reload_calls reload = {worker, apply_reload};

	worker->reload = reload_create(&worker->loop, worker->daemon, &reload, err);
	if (!worker->reload)
		return -1;
	worker->life = life_create(&worker->loop, worker->daemon, &life, err);
	worker->status.life = worker->life;
	worker->status.reload = worker->reload;
	return worker->life ? 0 : -1;
}

static int open_control(struct worker *worker, struct err *err)
{
	const struct control_calls calls = {.data = worker,
					    .status = control_status,
					    .reload = control_reload,
					    .stop = control_stop};

	if (worker->daemon->control_fd < 0)
		return 0;
	worker->control = control_create(&worker->loop, worker->daemon, worker->log, &calls, err);
	return worker->control ? 0 : -1;
}

/* The order: threads before RLIMIT_NPROC, the log before anything that may want to say something,
 * handlers before the mask is emptied, the service last. */
static int open_all(struct worker *worker, struct err *err)
{
	watchdog_init(&worker->watchdog, &worker->loop, worker->daemon);
	if (open_log(worker, err) < 0 || pool_make(&worker->loop, worker->daemon, err) < 0 ||
	    watch_channel(worker, err) < 0)
		return -1;
	worker->signals = signals_create(&worker->loop, worker->daemon, on_signal, worker, err);
	if (!worker->signals)
		return -1;
	return open_life(worker, err) < 0 ? -1 : open_control(worker, err);
}

/* --- the end --- */

static void close_all(struct worker *worker)
{
	unwatch(worker);
	watchdog_close(&worker->watchdog);
	if (worker->control)
		control_close(worker->control);
	reload_close(worker->reload);
	if (worker->life)
		life_destroy(worker->life);
	if (worker->signals)
		signals_close(worker->signals);
	uv_run(&worker->loop, UV_RUN_DEFAULT);
	control_destroy(worker->control);
	reload_destroy(worker->reload);
	signals_destroy(worker->signals);
	uv_loop_close(&worker->loop);
}

static void finish_log(struct worker *worker)
{
	if (worker->log)
		log_finish(worker->log, FLUSH_MS);
}

/* A launcher ends this process as soon as it has the failure: the log must have it before. What
 * comes after is for `run`, and bounded: closing may run Lua. */
static int end_failed(struct worker *worker)
{
	struct daemon *daemon = worker->daemon;
	int code;

	if (worker->log && !on_terminal(daemon))
		log_err(worker->log, LEVEL_ERROR, &worker->failure);
	finish_log(worker);
	code = launch_failed(daemon, worker->plan, &worker->failure);
	if (worker->signals)
		signals_stopping(worker->signals, HARD_STOP_MS);
	close_all(worker);
	return code;
}

/* What a daemon that has run leaves to nobody: undo of the other rows is for a start that failed,
 * and would take the log and the state away. Backwards; in a chroot it finds nothing. */
static void clean_up(struct worker *worker)
{
	static const struct step *const rows[] = {&step_control, &step_record, &step_listen,
						  &step_pidfile, &step_lock,   NULL};

	for (const struct step *const *row = rows; *row; row++)
		if ((*row)->undo)
			(*row)->undo(worker->daemon);
}

static int end_stopped(struct worker *worker)
{
	close_all(worker);
	log_printf(worker->log, LEVEL_INFO, "stopped");
	clean_up(worker);
	finish_log(worker);
	return worker->code;
}

static int run(struct worker *worker)
{
	int code;

	if (open_all(worker, &worker->failure) < 0) {
		worker->failed = true;
	} else {
		life_start(worker->life);
		uv_run(&worker->loop, UV_RUN_DEFAULT);
	}
	code = worker->failed ? end_failed(worker) : end_stopped(worker);
	worker->daemon->log = NULL;
	log_destroy(worker->log);
	return code;
}

int worker_run(struct daemon *daemon, struct plan *plan)
{
	struct worker worker = {.daemon = daemon, .plan = plan};
	int code;

	snprintf(worker.failure.step, sizeof worker.failure.step, "loop");
	worker.status.daemon = daemon;
	worker.status.state = "starting";
	clock_gettime(CLOCK_MONOTONIC, &worker.status.since);
	/* Before libuv's first call: where it aborts, the launcher names this step. */
	if (announce(&worker, &step_loop, &worker.failure) < 0)
		return launch_failed(daemon, plan, &worker.failure);
	code = uv_loop_init(&worker.loop);
	if (code == 0)
		return run(&worker);
	uv_failed(&worker.failure, code, "make the event loop");
	return launch_failed(daemon, plan, &worker.failure);
}
