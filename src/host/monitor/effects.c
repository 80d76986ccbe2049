#include <string.h>
#include <uv.h>

#include "host/monitor/member.h"
#include "host/monitor/renew.h"
#include "host/monitor/upgrade.h"
#include "host/notify.h"
#include "host/ready.h"
#include "sys/sys.h"

/* What the crew asks for. */

static int spawn(void *data, struct worker_slot *slot, struct err *err)
{
	return member_spawn(data, slot, err);
}

static void leave(void *data, struct worker_slot *slot, const char *reason, int64_t timeout_ms)
{
	struct message message = {.type = MESSAGE_STOP, .number = {timeout_ms}};

	(void)data;
	snprintf(message.text, sizeof message.text, "%s", reason);
	if (member_of(slot))
		member_tell(member_of(slot), &message);
}

static void kill_one(void *data, struct worker_slot *slot)
{
	(void)data;
	if (member_of(slot))
		member_kill(member_of(slot));
}

/* The launcher goes; what it had opened for a daemon without workers is not needed. */
static void let_go(struct monitor *monitor)
{
	struct daemon *daemon = monitor->daemon;

	monitor_unwatch(monitor);
	sys_close(daemon->channel_fd);
	daemon->channel_fd = -1;
	for (size_t i = 0; daemon->file_fds && i < daemon->spec->file_count; i++) {
		sys_close(daemon->file_fds[i]);
		daemon->file_fds[i] = -1;
	}
}

static void started(void *data)
{
	struct monitor *monitor = data;
	struct err err = {.step = "ready"};

	if (monitor->failed)
		return;
	if (ready_tell(monitor->daemon, monitor->log, &err) < 0) {
		monitor_fail(monitor, &err);
		return;
	}
	let_go(monitor);
	monitor->ready = true;
	watchdog_start(&monitor->watchdog);
	heartbeat_start(monitor);
}

/* One that was killed on its way has named the row it was at. */
static void start_failed(void *data, const struct err *err)
{
	struct monitor *monitor = data;
	struct err failure = *err;

	if (!failure.step[0] && !failure.key[0])
		memcpy(failure.step, monitor->step, sizeof failure.step);
	monitor_fail(monitor, &failure);
}

/* Its daemon file is in force from now on. */
static void current(void *data, int id)
{
	struct monitor *monitor = data;
	struct generation *generation = generation_find(monitor->generations, id);

	if (!generation)
		return;
	monitor->daemon->spec = generation->spec;
	monitor->daemon->generation = id;
	renew_current(monitor);
	if (monitor->ready)
		heartbeat_start(monitor);
}

static void gone(void *data, int id)
{
	struct monitor *monitor = data;

	sockets_release(monitor->sockets, id);
	generation_remove(&monitor->generations, id, monitor->daemon->spec);
}

static void verdict(void *data, const struct err *err)
{
	if (!upgrade_verdict(data, err))
		renew_verdict(data, err);
}

static void stopped(void *data, int code)
{
	struct monitor *monitor = data;

	if (!monitor->stopping && !monitor->failed)
		notify_stopping(
		    monitor->daemon); /* the crew's own wish: workers that die again and again */
	monitor->code = code;
	uv_stop(&monitor->loop);
}

static void log_text(void *data, enum log_level level, const char *text)
{
	struct monitor *monitor = data;

	log_printf(monitor->log, level, "%s", text);
}

static uint32_t any_number(void *data)
{
	uint32_t number = 0;

	(void)data;
	uv_random(NULL, NULL, &number, sizeof number, 0, NULL); /* 0 is a number too */
	return number;
}

const struct crew_calls monitor_calls = {.spawn = spawn,
					 .leave = leave,
					 .kill = kill_one,
					 .reload = renew_worker,
					 .started = started,
					 .start_failed = start_failed,
					 .current = current,
					 .gone = gone,
					 .verdict = verdict,
					 .load = renew_load,
					 .stopped = stopped,
					 .log = log_text,
					 .random = any_number};
