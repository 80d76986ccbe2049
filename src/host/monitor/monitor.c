#include "host/monitor/monitor.h"

#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/channel.h"
#include "host/keeper.h"
#include "host/launch.h"
#include "host/monitor/action.h"
#include "host/monitor/follow.h"
#include "host/monitor/member.h"
#include "host/monitor/renew.h"
#include "host/monitor/rules.h"
#include "host/monitor/upgrade.h"
#include "host/notify.h"
#include "sys/sys.h"

enum {
	FLUSH_MS = 2000,    /* for the last log lines */
	GROUPS_MS = 200,    /* until the workers' groups are empty */
	HARD_STOP_MS = 2000 /* over timeouts.stop: then this process ends whatever hangs */
};

int64_t monitor_now(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- stopping --- */

/* The crew is told in before_wait: this may be called from within it. */
void monitor_fail(struct monitor *monitor, const struct err *err)
{
	if (monitor->failed)
		return;
	monitor->failed = true;
	monitor->failure = *err;
}

void monitor_stop(struct monitor *monitor, int code, bool at_once, const char *who)
{
	int64_t limit = monitor->daemon->spec->timeout_stop;
	struct err err = {.step = "start"};

	/* Clients may have met a worker that serves before its word of it was read. */
	if (!monitor->ready && !monitor->hearing) {
		monitor->hearing = true;
		members_hear(monitor);
		monitor->hearing = false;
	}
	if (!monitor->ready) {
		keeper_leave(monitor->daemon);
		err_set(&err, "interrupted by %s", who);
		monitor_fail(monitor, &err);
		return;
	}
	if (!monitor->stopping) {
		monitor->stopping = true;
		log_printf(monitor->log, LEVEL_INFO, "stopping: %s", who);
		signals_stopping(monitor->signals, limit > 0 ? limit + HARD_STOP_MS : 0);
		notify_stopping(monitor->daemon);
		follow_close(monitor);
		renew_close(monitor);
		upgrade_close(monitor);
	} else if (!at_once) {
		return;
	}
	crew_stop(monitor->crew, code, at_once, monitor_now());
}

/* --- the end --- */

/* What workers have left. */
static void end_children(struct monitor *monitor)
{
	orphans_end(&monitor->orphans, 0);
	cgroups_close(&monitor->cgroups, GROUPS_MS);
}

/* A launcher ends this process as soon as it has the failure: the log must have it before. */
static int end_failed(struct monitor *monitor)
{
	struct daemon *daemon = monitor->daemon;
	int code;

	end_children(monitor);
	if (monitor->log && !monitor_on_terminal(daemon))
		log_err(monitor->log, LEVEL_ERROR, &monitor->failure);
	if (monitor->log)
		log_finish(monitor->log, FLUSH_MS);
	code = launch_failed(daemon, monitor->plan, &monitor->failure);
	monitor_close(monitor);
	return code;
}

/* What a daemon that has run leaves to nobody: undo of the other rows is for a start that failed,
 * and would take the log and the state away. Backwards. */
static void clean_up(struct monitor *monitor)
{
	static const struct step *const rows[] = {&step_chroot, &step_control, &step_record,
						  &step_listen, &step_pidfile, &step_lock,
						  NULL};

	for (const struct step *const *row = rows; *row; row++)
		if ((*row)->undo)
			(*row)->undo(monitor->daemon);
}

static int end_stopped(struct monitor *monitor)
{
	end_children(monitor);
	monitor_close(monitor);
	log_printf(monitor->log, LEVEL_INFO, "stopped");
	clean_up(monitor);
	if (monitor->log)
		log_finish(monitor->log, FLUSH_MS);
	return monitor->code;
}

/* Who asked twice sees that it was the signal. */
static void end_by_signal(const struct monitor *monitor)
{
	if (!monitor->by_signal || sys_pid() == 1)
		return;
	signal(monitor->by_signal, SIG_DFL);
	sys_kill(sys_pid(), monitor->by_signal);
}

static int start(struct monitor *monitor, struct err *err)
{
	struct crew_rules rules;

	rules_of(&rules, monitor->daemon->spec);
	if (crew_start(monitor->crew, &rules, monitor_now()) == 0)
		return 0;
	return err_set(err, "out of memory");
}

int monitor_loop(struct monitor *monitor)
{
	int code;

	if (!monitor->failed) {
		sys_trim_memory();
		uv_run(&monitor->loop, UV_RUN_DEFAULT);
	}
	code = monitor->failed ? end_failed(monitor) : end_stopped(monitor);
	monitor->daemon->log = NULL;
	log_destroy(monitor->log);
	end_by_signal(monitor);
	return code;
}

static int run(struct monitor *monitor)
{
	if (monitor_open(monitor, &monitor->failure) < 0 || start(monitor, &monitor->failure) < 0)
		monitor->failed = true;
	return monitor_loop(monitor);
}

int monitor_run(struct daemon *daemon, struct plan *plan)
{
	struct monitor monitor = {.daemon = daemon, .plan = plan, .since = monitor_now()};
	int code;

	daemon->role = MONITOR;
	daemon->worker = 0;
	snprintf(monitor.failure.step, sizeof monitor.failure.step, "loop");
	code = uv_loop_init(&monitor.loop);
	if (code == 0)
		return run(&monitor);
	err_set(&monitor.failure, "cannot make the event loop: %s", uv_strerror(code));
	return launch_failed(daemon, plan, &monitor.failure);
}
