#include <signal.h>

#include "host/channel.h"
#include "host/monitor/action.h"
#include "host/monitor/answer.h"
#include "host/monitor/follow.h"
#include "host/monitor/member.h"
#include "host/monitor/renew.h"
#include "host/monitor/upgrade.h"
#include "sys/sys.h"

/* What the monitor's loop waits for: made before the first worker, closed after the last. */

/* --- the loop --- */

static void on_timer(uv_timer_t *timer)
{
	struct monitor *monitor = timer->data;

	crew_tick(monitor->crew, monitor_now());
}

/* The others are killed once the one that has failed is gone: how it ends is worth telling. */
static void give_up(struct monitor *monitor, int64_t now)
{
	if (monitor->stopping || (monitor->failing && member_find(monitor, monitor->failing)))
		return;
	monitor->stopping = true;
	crew_stop(monitor->crew, EXIT_FAILED, true, now);
}

/* Whatever has happened in this turn of the loop: when the crew wants to be told the time next. */
static void before_wait(uv_prepare_t *prepare)
{
	struct monitor *monitor = prepare->data;
	int64_t next, now = monitor_now();

	if (monitor->failed)
		give_up(monitor, now);
	members_check(monitor);
	upgrade_turn(monitor);
	cgroups_sweep(&monitor->cgroups);
	next = crew_next(monitor->crew);
	uv_update_time(&monitor->loop);
	if (next == 0)
		uv_timer_stop(&monitor->timer);
	else
		uv_timer_start(&monitor->timer, on_timer, next > now ? (uint64_t)(next - now) : 0,
			       0);
}

static void on_child(uv_signal_t *signal, int number)
{
	struct monitor *monitor = signal->data;

	(void)number;
	members_reap(monitor);
	orphans_reap(&monitor->orphans);
	if (monitor->sweeping)
		monitor->sweeping = orphans_kill(&monitor->orphans);
}

static void on_channel(uv_poll_t *poll, int status, int events)
{
	struct monitor *monitor = poll->data;
	struct err err = {.step = "loop"};
	struct message message;

	(void)events;
	/* The launcher never says anything: what can be read is its end. */
	if (status == 0 && channel_receive(monitor->daemon->channel_fd, &message) != 0)
		return;
	err_set(&err, "the launcher is gone");
	monitor_unwatch(monitor);
	monitor_fail(monitor, &err);
}

void monitor_unwatch(struct monitor *monitor)
{
	if (!monitor->watching)
		return;
	monitor->watching = false;
	uv_close((uv_handle_t *)&monitor->channel, NULL);
}

static int watch_channel(struct monitor *monitor, struct err *err)
{
	int fd = monitor->daemon->channel_fd, code;

	if (fd < 0)
		return 0;
	code = uv_poll_init(&monitor->loop, &monitor->channel, fd);
	if (code < 0)
		return err_set(err, "cannot watch the status channel: %s", uv_strerror(code));
	monitor->channel.data = monitor;
	monitor->watching = true;
	uv_poll_start(&monitor->channel, UV_READABLE | UV_DISCONNECT, on_channel);
	return 0;
}

/* --- orphans --- */

/* Somebody else's to wait for: workers, and what runs in our own session. */
static bool is_kept(void *data, pid_t pid)
{
	return member_find(data, pid) != NULL || renew_has(data, pid) || upgrade_has(data, pid);
}

static bool is_owned(void *data, pid_t pid, pid_t session)
{
	const struct monitor *monitor = data;
	char group[CGROUP_NAME_MAX];

	return member_find(monitor, session) != NULL ||
	       (monitor->cgroups.folder >= 0 && cgroup_of(pid, group) && *group &&
		member_has_group(monitor, group));
}

/* --- open --- */

bool monitor_on_terminal(const struct daemon *daemon)
{
	return !daemon->background && daemon->sink.kind == SINK_STDERR;
}

static int open_log(struct monitor *monitor, struct err *err)
{
	struct daemon *daemon = monitor->daemon;

	monitor->log = daemon->log = log_create(daemon, err);
	if (!monitor->log || log_start(monitor->log, err) < 0)
		return -1;
	for (size_t i = 0; i < daemon->warnings.count && !monitor_on_terminal(daemon); i++)
		log_err(monitor->log, LEVEL_WARN, &daemon->warnings.list[i]);
	errs_finish(&daemon->warnings);
	return 0;
}

/* None of these can fail. */
void monitor_open_handles(struct monitor *monitor)
{
	uv_loop_t *loop = &monitor->loop;

	watchdog_init(&monitor->watchdog, loop, monitor->daemon);
	monitor->watchdog.fresh = heartbeat_is_fresh;
	monitor->watchdog.data = monitor;
	uv_timer_init(loop, &monitor->timer);
	uv_timer_init(loop, &monitor->heartbeat);
	uv_prepare_init(loop, &monitor->before);
	uv_signal_init(loop, &monitor->child);
	monitor->timer.data = monitor->heartbeat.data = monitor->before.data = monitor->child.data =
	    monitor;
	uv_prepare_start(&monitor->before, before_wait);
}

/* It takes the spec and a copy of the bundle over: the daemon's own goes with the daemon. */
static int open_generation(struct monitor *monitor, struct err *err)
{
	struct daemon *daemon = monitor->daemon;
	int bundle = sys_dup(daemon->bundle_fd);

	if (bundle < 0)
		return err_sys(err, "cannot keep the bundle");
	if (generation_add(&monitor->generations, 1, daemon->spec, bundle))
		return 0;
	sys_close(bundle);
	return err_set(err, "out of memory");
}

int monitor_open_children(struct monitor *monitor, struct err *err)
{
	int code;

	monitor->orphans.kept = is_kept;
	monitor->orphans.owned = is_owned;
	monitor->orphans.data = monitor;
	if (sys_subreaper() < 0)
		return err_sys(err, "cannot become the one that waits for orphans");
	code = uv_signal_start(&monitor->child, on_child, SIGCHLD);
	return code < 0 ? err_set(err, "cannot handle SIGCHLD: %s", uv_strerror(code)) : 0;
}

static int open_crew(struct monitor *monitor, struct err *err)
{
	struct crew_calls calls = monitor_calls;

	calls.data = monitor;
	monitor->crew = crew_create(&calls, err);
	monitor->sockets = monitor->crew ? sockets_create(monitor->daemon, err) : NULL;
	return monitor->sockets ? 0 : -1;
}

/* The log before anything that may want to say something, handlers before the mask is emptied, the
 * workers last. */
int monitor_open(struct monitor *monitor, struct err *err)
{
	monitor_open_handles(monitor);
	cgroups_open(&monitor->cgroups, monitor->daemon->spec->name);
	orphans_note(&monitor->orphans);
	if (open_log(monitor, err) < 0 || watch_channel(monitor, err) < 0 ||
	    open_generation(monitor, err) < 0 || open_crew(monitor, err) < 0 ||
	    monitor_open_children(monitor, err) < 0 || renew_open(monitor, err) < 0 ||
	    upgrade_open(monitor, err) < 0 || follow_open(monitor, err) < 0)
		return -1;
	monitor->signals =
	    signals_create(&monitor->loop, monitor->daemon, action_on_signal, monitor, err);
	return monitor->signals && answer_open(monitor, err) == 0 ? 0 : -1;
}

/* --- close --- */

static void forget_all(struct monitor *monitor)
{
	crew_destroy(monitor->crew);
	sockets_destroy(monitor->sockets);
	while (monitor->generations)
		generation_remove(&monitor->generations, monitor->generations->id,
				  monitor->daemon->spec);
}

void monitor_close(struct monitor *monitor)
{
	monitor_unwatch(monitor);
	watchdog_close(&monitor->watchdog);
	answer_close(monitor);
	follow_close(monitor);
	renew_close(monitor);
	upgrade_close(monitor);
	if (monitor->signals)
		signals_close(monitor->signals);
	uv_close((uv_handle_t *)&monitor->timer, NULL);
	uv_close((uv_handle_t *)&monitor->heartbeat, NULL);
	uv_close((uv_handle_t *)&monitor->before, NULL);
	uv_close((uv_handle_t *)&monitor->child, NULL);
	uv_run(&monitor->loop, UV_RUN_DEFAULT);
	answer_destroy(monitor);
	follow_destroy(monitor);
	renew_destroy(monitor);
	upgrade_destroy(monitor);
	signals_destroy(monitor->signals);
	uv_loop_close(&monitor->loop);
	forget_all(monitor);
}
