#include "host/monitor/action.h"

#include <stdlib.h>

#include "host/monitor/member.h"
#include "host/monitor/renew.h"
#include "plan/open_file.h"
#include "sys/sys.h"

/* --- reopen --- */

static void reopen_log(struct monitor *monitor)
{
	struct err err = {0};

	if (log_reopen(monitor->log, &err) < 0)
		log_err(monitor->log, LEVEL_ERROR, &err);
	else if (monitor->daemon->sink.kind == SINK_FILE)
		log_printf(monitor->log, LEVEL_INFO, "log opened anew");
}

/* One file a message: one that cannot be opened keeps the old one, and no other. */
static void reopen_file(struct member *member, const struct daemon *seen, size_t index)
{
	struct message message = {.type = MESSAGE_REOPEN, .number = {(int64_t)index}};
	struct err err = {0};
	struct made made;
	int fd = open_file_declared(seen, index, &made, &err);

	if (fd < 0) {
		log_err(member->monitor->log, LEVEL_ERROR, &err);
		return;
	}
	member_tell_fds(member, &message, &fd, 1);
	sys_close(fd);
}

static bool listens(const struct worker_slot *slot)
{
	return member_of(slot) && (slot->state == WORKER_READY || slot->state == WORKER_RELOADING ||
				   slot->state == WORKER_LEAVING);
}

static void reopen_files(struct monitor *monitor)
{
	for (size_t i = 0; i < crew_slots(monitor->crew); i++) {
		struct worker_slot *slot = crew_slot(monitor->crew, i);
		struct generation *generation =
		    generation_find(monitor->generations, slot->generation);
		struct daemon seen;

		if (!listens(slot) || !generation)
			continue;
		seen = generation_daemon(generation, monitor->daemon);
		for (size_t k = 0; k < seen.spec->file_count; k++)
			reopen_file(member_of(slot), &seen, k);
	}
}

/* --- the table --- */

static void act_nothing(struct monitor *monitor, const struct act *act)
{
	(void)monitor;
	(void)act;
}

static void act_reload(struct monitor *monitor, const struct act *act)
{
	(void)act;
	renew_request(monitor, NULL);
}

static void act_reopen(struct monitor *monitor, const struct act *act)
{
	(void)act;
	reopen_log(monitor);
	reopen_files(monitor);
}

static void act_upgrade(struct monitor *monitor, const struct act *act)
{
	(void)act;
	monitor_upgrade(monitor);
}

static void act_stop(struct monitor *monitor, const struct act *act)
{
	if (act->again)
		monitor->by_signal = act->number;
	monitor_stop(monitor, EXIT_DONE, act->again, act->who);
}

static void act_stop_now(struct monitor *monitor, const struct act *act)
{
	if (act->again)
		monitor->by_signal = act->number;
	monitor_stop(monitor, EXIT_DONE, true, act->who);
}

static void act_service(struct monitor *monitor, const struct act *act)
{
	struct message message = {.type = MESSAGE_SIGNAL, .number = {act->number}};

	snprintf(message.text, sizeof message.text, "%s", act->function);
	for (size_t i = 0; i < crew_slots(monitor->crew); i++) {
		struct worker_slot *slot = crew_slot(monitor->crew, i);

		if (listens(slot))
			member_tell(member_of(slot), &message);
	}
}

void action_take(struct monitor *monitor, enum action action, const struct act *act)
{
	static void (*const table[])(struct monitor * monitor, const struct act *act) = {
	    [ACTION_IGNORE] = act_nothing,  [ACTION_RELOAD] = act_reload,
	    [ACTION_REOPEN] = act_reopen,   [ACTION_UPGRADE] = act_upgrade,
	    [ACTION_STOP] = act_stop,       [ACTION_STOP_NOW] = act_stop_now,
	    [ACTION_SERVICE] = act_service,
	};

	table[action](monitor, act);
}

void action_on_signal(void *data, const struct signal_event *event)
{
	struct monitor *monitor = data;
	struct signal_action action =
	    signal_action(monitor->daemon, event->number, event->by_kernel);
	const char *nothing = action.action == ACTION_IGNORE ? ": nothing is done" : "";
	char name[SIGNAL_NAME_MAX], origin[SIGNAL_ORIGIN_MAX];
	struct act act = {event->number, event->again, action.function, name};

	signal_name(event->number, name);
	log_printf(monitor->log, LEVEL_INFO, "%s%s", signal_origin(event, origin), nothing);
	action_take(monitor, action.action, &act);
}
