#include "host/classic.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/channel.h"
#include "host/control.h"
#include "host/launch.h"
#include "host/notify.h"
#include "host/pool.h"
#include "host/ready.h"
#include "host/reload.h"
#include "host/reopen.h"
#include "host/stage.h"
#include "host/status.h"
#include "host/watchdog.h"
#include "sys/sys.h"

enum { FLUSH_MS = 2000 /* for the last log lines */ };

struct classic {
	struct stage stage; /* first: what life and signals tell comes with its address */
	struct plan *plan;
	struct control *control;
	struct reload *reload;
	struct watchdog watchdog;
	uv_poll_t channel;
	bool watching;      /* channel is an open handle */
	bool reload_wanted; /* asked for before ready */
	struct status status;
	int code;
};

/* The log is the terminal, which has seen errors and warnings already. */
static bool on_terminal(const struct daemon *daemon)
{
	return !daemon->background && daemon->sink.kind == SINK_STDERR;
}

/* --- stopping --- */

static void unwatch(struct classic *classic)
{
	if (!classic->watching)
		return;
	classic->watching = false;
	uv_close((uv_handle_t *)&classic->channel, NULL);
}

/* Stopping a daemon that is not ready aborts its start. */
static void stop(struct classic *classic, bool now, const char *who)
{
	struct spec *spec = classic->stage.daemon->spec;
	struct err err = {.step = "start"};

	if (classic->stage.phase == PHASE_OF_START) {
		err_set(&err, "interrupted by %s", who);
		stage_fail(&classic->stage, &err);
		return;
	}
	if (classic->stage.phase != PHASE_OF_STOP) {
		classic->status.state = "stopping";
		log_printf(classic->stage.log, LEVEL_INFO, "stopping: %s", who);
		notify_stopping(classic->stage.daemon);
		reload_close(classic->reload);
	}
	stage_stop(&classic->stage, "stop", spec->timeout_stop, now);
}

/* --- what signals do --- */

static void reopen(struct classic *classic)
{
	struct err err = {0};

	if (log_reopen(classic->stage.log, &err) < 0)
		log_err(classic->stage.log, LEVEL_ERROR, &err);
	else if (classic->stage.daemon->sink.kind == SINK_FILE)
		log_printf(classic->stage.log, LEVEL_INFO, "log opened anew");
	reopen_files(classic->stage.daemon, classic->stage.log);
}

static void reload(struct classic *classic, struct control_client *client)
{
	if (classic->stage.phase == PHASE_OF_START && !client) {
		classic->reload_wanted = true;
		return;
	}
	if (classic->stage.phase == PHASE_OF_START) {
		control_end(client, EXIT_FAILED, "the daemon is starting");
		return;
	}
	reload_request(classic->reload, client);
}

static void act(struct classic *classic, const struct signal_action *action, int number,
		const char *who)
{
	switch (action->action) {
	case ACTION_RELOAD:
		reload(classic, NULL);
		break;
	case ACTION_REOPEN:
		reopen(classic);
		break;
	case ACTION_UPGRADE:
		log_printf(classic->stage.log, LEVEL_WARN,
			   "upgrade needs the monitor: nothing is done");
		break;
	case ACTION_STOP:
	case ACTION_STOP_NOW:
		stop(classic, action->action == ACTION_STOP_NOW, who);
		break;
	case ACTION_SERVICE:
		if (classic->stage.phase == PHASE_OF_SERVICE)
			life_signal(classic->stage.life, action->function, number);
		break;
	case ACTION_IGNORE:
		break;
	}
}

static void on_signal(void *data, const struct signal_event *event)
{
	struct classic *classic = data;
	struct signal_action action =
	    signal_action(classic->stage.daemon, event->number, event->by_kernel);
	const char *nothing = action.action == ACTION_IGNORE ? ": nothing is done" : "";
	char name[SIGNAL_NAME_MAX], origin[SIGNAL_ORIGIN_MAX];

	log_printf(classic->stage.log, LEVEL_INFO, "%s%s", signal_origin(event, origin), nothing);
	act(classic, &action, event->number, signal_name(event->number, name));
}

/* --- what the control socket asks --- */

static void look(struct classic *classic)
{
	if (classic->stage.phase == PHASE_OF_SERVICE)
		classic->status.state = reload_busy(classic->reload) ? "reloading" : "running";
}

static void control_status(void *data, struct control_client *client, enum control_form form)
{
	struct classic *classic = data;

	look(classic);
	status_answer(&classic->status, client, form);
}

static void control_reload(void *data, struct control_client *client)
{
	struct classic *classic = data;

	log_printf(classic->stage.log, LEVEL_INFO, "reload asked for on the control socket");
	reload(classic, client);
}

/* The end of the process is the answer: control keeps the connection until then. */
static void control_stop(void *data, struct control_client *client)
{
	(void)client;
	stop(data, false, "luvd stop");
}

static int control_place(void *data, struct control_place *place, struct err *err)
{
	struct classic *classic = data;

	look(classic);
	return status_place(&classic->status, place, err);
}

static void control_lua(void *data, struct control_client *client,
			const struct control_place *place, enum frame_type type, const char *text,
			size_t length)
{
	const struct classic *classic = data;

	(void)place;
	(void)length;
	status_lua(&classic->status, client, type, text);
}

/* --- what the service's life tells --- */

/* Nobody waits any more: a launcher that goes now means nothing. */
static void close_channel(struct classic *classic)
{
	unwatch(classic);
	if (classic->stage.daemon->channel_fd < 0)
		return;
	sys_close(classic->stage.daemon->channel_fd);
	classic->stage.daemon->channel_fd = -1;
}

static void on_started(void *data, const struct err *err)
{
	struct classic *classic = data;
	struct err gone = {.step = "ready"};

	if (classic->stage.failed)
		return;
	if (!err && (stage_announce(&classic->stage, &step_ready, &gone) < 0 ||
		     ready_tell(classic->stage.daemon, classic->stage.log, &gone) < 0))
		err = &gone;
	if (err) {
		stage_fail(&classic->stage, err);
		return;
	}
	close_channel(classic);
	classic->stage.phase = PHASE_OF_SERVICE;
	watchdog_start(&classic->watchdog);
	if (classic->reload_wanted)
		reload(classic, NULL);
}

static void on_reloaded(void *data, const struct err *err)
{
	struct classic *classic = data;

	reload_applied(classic->reload, err);
}

static void on_stopped(void *data, int code)
{
	struct classic *classic = data;

	if (classic->code == EXIT_DONE)
		classic->code = code;
	uv_stop(&classic->stage.loop);
}

static void on_stop_wish(void *data, int code)
{
	struct classic *classic = data;

	classic->code = code;
	stop(classic, false, "the service");
}

static void on_status(void *data, const char *text)
{
	struct classic *classic = data;

	snprintf(classic->status.text, sizeof classic->status.text, "%s", text);
	notify_status(classic->stage.daemon, text);
}

static void apply_reload(void *data, struct spec *fresh, const struct change *change)
{
	struct classic *classic = data;

	life_reload(classic->stage.life, fresh, change);
}

/* --- the rows loop and ready --- */

static void on_channel(uv_poll_t *poll, int status, int events)
{
	struct classic *classic = poll->data;
	struct err err = {.step = "loop"};
	struct message message;

	(void)events;
	/* The launcher never says anything: what can be read is its end. */
	if (status == 0 && channel_receive(classic->stage.daemon->channel_fd, &message) != 0)
		return;
	err_set(&err, "the launcher is gone");
	stage_fail(&classic->stage, &err);
}

static int watch_channel(struct classic *classic, struct err *err)
{
	int fd = classic->stage.daemon->channel_fd;
	int code;

	if (fd < 0)
		return 0;
	code = uv_poll_init(&classic->stage.loop, &classic->channel, fd);
	if (code < 0)
		return stage_uv_failed(err, code, "watch the status channel");
	classic->channel.data = classic;
	classic->watching = true;
	uv_poll_start(&classic->channel, UV_READABLE | UV_DISCONNECT, on_channel);
	return 0;
}

static int open_log(struct classic *classic, struct err *err)
{
	struct daemon *daemon = classic->stage.daemon;

	classic->stage.log = daemon->log = log_create(daemon, err);
	if (!classic->stage.log || log_start(classic->stage.log, err) < 0)
		return -1;
	for (size_t i = 0; i < daemon->warnings.count && !on_terminal(daemon); i++)
		log_err(classic->stage.log, LEVEL_WARN, &daemon->warnings.list[i]);
	errs_finish(&daemon->warnings);
	return 0;
}

static int open_life(struct classic *classic, struct err *err)
{
	const struct life_calls life = {.data = classic,
					.started = on_started,
					.reloaded = on_reloaded,
					.stopped = on_stopped,
					.stop = on_stop_wish,
					.status = on_status};
	const struct reload_calls reload = {classic, apply_reload};

	classic->reload = reload_create(&classic->stage.loop, classic->stage.daemon, &reload, err);
	if (!classic->reload)
		return -1;
	classic->status.reload = classic->reload;
	if (stage_open_life(&classic->stage, &life, err) < 0)
		return -1;
	classic->status.life = classic->stage.life;
	return 0;
}

static int open_control(struct classic *classic, struct err *err)
{
	const struct control_calls calls = {.data = classic,
					    .status = control_status,
					    .reload = control_reload,
					    .stop = control_stop,
					    .place = control_place,
					    .lua = control_lua};

	if (classic->stage.daemon->control_fd < 0)
		return 0;
	classic->control = control_create(&classic->stage.loop, classic->stage.daemon,
					  classic->stage.log, &calls, err);
	return classic->control ? 0 : -1;
}

/* The order: threads before RLIMIT_NPROC, the log before anything that may want to say something,
 * handlers before the mask is emptied, the service last. */
static int open_all(struct classic *classic, struct err *err)
{
	watchdog_init(&classic->watchdog, &classic->stage.loop, classic->stage.daemon);
	if (open_log(classic, err) < 0 ||
	    pool_make(&classic->stage.loop, classic->stage.daemon, err) < 0 ||
	    watch_channel(classic, err) < 0)
		return -1;
	classic->stage.signals =
	    signals_create(&classic->stage.loop, classic->stage.daemon, on_signal, classic, err);
	if (!classic->stage.signals)
		return -1;
	return open_life(classic, err) < 0 ? -1 : open_control(classic, err);
}

/* --- the end --- */

static void close_all(struct classic *classic)
{
	unwatch(classic);
	watchdog_close(&classic->watchdog);
	if (classic->control)
		control_close(classic->control);
	reload_close(classic->reload);
	stage_close(&classic->stage);
	control_destroy(classic->control);
	reload_destroy(classic->reload);
	stage_finish(&classic->stage);
}

static void finish_log(struct classic *classic)
{
	if (classic->stage.log)
		log_finish(classic->stage.log, FLUSH_MS);
}

/* A launcher ends this process as soon as it has the failure: the log must have it before. What
 * comes after is for `run`, and bounded: closing may run Lua. */
static int end_failed(struct classic *classic)
{
	struct daemon *daemon = classic->stage.daemon;
	int code;

	if (classic->stage.log && !on_terminal(daemon))
		log_err(classic->stage.log, LEVEL_ERROR, &classic->stage.failure);
	finish_log(classic);
	code = launch_failed(daemon, classic->plan, &classic->stage.failure);
	if (classic->stage.signals)
		signals_stopping(classic->stage.signals, STAGE_HARD_STOP_MS);
	close_all(classic);
	return code;
}

/* What a daemon that has run leaves to nobody: undo of the other rows is for a start that failed,
 * and would take the log and the state away. Backwards; in a chroot it finds nothing. */
static void clean_up(struct classic *classic)
{
	static const struct step *const rows[] = {&step_control, &step_record, &step_listen,
						  &step_pidfile, &step_lock,   NULL};

	for (const struct step *const *row = rows; *row; row++)
		if ((*row)->undo)
			(*row)->undo(classic->stage.daemon);
}

static int end_stopped(struct classic *classic)
{
	close_all(classic);
	log_printf(classic->stage.log, LEVEL_INFO, "stopped");
	clean_up(classic);
	finish_log(classic);
	return classic->code;
}

static int run(struct classic *classic)
{
	int code;

	if (open_all(classic, &classic->stage.failure) < 0)
		classic->stage.failed = true;
	else
		stage_run(&classic->stage);
	code = classic->stage.failed ? end_failed(classic) : end_stopped(classic);
	classic->stage.daemon->log = NULL;
	log_destroy(classic->stage.log);
	return code;
}

int classic_run(struct daemon *daemon, struct plan *plan)
{
	struct classic classic = {.stage = {.daemon = daemon}, .plan = plan};

	classic.status.daemon = daemon;
	classic.status.state = "starting";
	clock_gettime(CLOCK_MONOTONIC, &classic.status.since);
	if (stage_open_loop(&classic.stage) < 0)
		return launch_failed(daemon, plan, &classic.stage.failure);
	return run(&classic);
}
