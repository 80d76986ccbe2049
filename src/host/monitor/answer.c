#include "host/monitor/answer.h"

#include "host/monitor/generation.h"
#include "host/monitor/inspect.h"
#include "host/monitor/query.h"
#include "host/monitor/renew.h"
#include "host/monitor/upgrade.h"

/* --- what is asked of workers --- */

static int ask(void *data, struct worker_slot *slot, const struct message *message)
{
	struct member *member = member_of(slot);

	(void)data;
	return member ? member_ask(member, message) : -1;
}

static pid_t pid_of(void *data, const struct worker_slot *slot)
{
	const struct member *member = member_of(slot);

	(void)data;
	return member ? member->pid : 0;
}

static int inspect(void *data, const struct worker_slot *slot, struct err *err)
{
	struct monitor *monitor = data;
	const struct member *member = member_of(slot);
	struct generation *generation = generation_find(monitor->generations, slot->generation);
	struct daemon seen;
	struct aim aim;

	if (!member || !generation)
		return err_set(err, "it has ended");
	seen = generation_daemon(generation, monitor->daemon);
	aim_make(&aim, &seen);
	if (inspect_process(member->pid, &aim, err) == INSPECT_HIDDEN)
		return err_set(err, "/proc does not show it: it cannot be looked at");
	return err->what[0] ? -1 : 0;
}

void answer_take(struct member *member, const struct message *message)
{
	struct monitor *monitor = member->monitor;

	if (!monitor->queries || queries_take(monitor->queries, member->slot, message) < 0)
		crew_condemn(monitor->crew, member->slot, "it has answered what was not asked",
			     monitor_now());
}

void answer_gone(struct member *member)
{
	if (member->monitor->queries)
		queries_gone(member->monitor->queries, member->slot);
}

/* --- what the control socket asks --- */

static void on_status(void *data, struct control_client *client, enum control_form form)
{
	struct monitor *monitor = data;

	queries_status(monitor->queries, client, form);
}

static void on_reload(void *data, struct control_client *client)
{
	renew_request(data, client);
}

static void on_stop(void *data, struct control_client *client)
{
	(void)client;
	monitor_stop(data, EXIT_DONE, false, "luvd stop");
}

static void on_upgrade(void *data, struct control_client *client)
{
	upgrade_request(data, client);
}

static int on_place(void *data, struct control_place *place, struct err *err)
{
	const struct monitor *monitor = data;

	return queries_place(monitor->queries, place, err);
}

static void on_lua(void *data, struct control_client *client, const struct control_place *place,
		   enum frame_type type, const char *text, size_t length)
{
	struct monitor *monitor = data;

	queries_lua(monitor->queries, client, place, type, text, length);
}

/* --- open, close --- */

static int open_queries(struct monitor *monitor, struct err *err)
{
	const struct queries_calls calls = {monitor, ask, pid_of, inspect};
	const struct queries_view view = {.daemon = monitor->daemon,
					  .crew = monitor->crew,
					  .sockets = monitor->sockets,
					  .reload = &monitor->reload,
					  .text = monitor->status,
					  .since = monitor->since};

	monitor->queries = queries_create(&monitor->loop, &view, &calls, err);
	return monitor->queries ? 0 : -1;
}

int answer_open(struct monitor *monitor, struct err *err)
{
	const struct control_calls calls = {.data = monitor,
					    .status = on_status,
					    .reload = on_reload,
					    .stop = on_stop,
					    .upgrade = on_upgrade,
					    .place = on_place,
					    .lua = on_lua};

	if (monitor->daemon->control_fd < 0)
		return 0;
	if (open_queries(monitor, err) < 0)
		return -1;
	monitor->control =
	    control_create(&monitor->loop, monitor->daemon, monitor->log, &calls, err);
	return monitor->control ? 0 : -1;
}

void answer_close(struct monitor *monitor)
{
	queries_close(monitor->queries);
	if (monitor->control)
		control_close(monitor->control);
}

void answer_destroy(struct monitor *monitor)
{
	control_destroy(monitor->control);
	queries_destroy(monitor->queries);
}
