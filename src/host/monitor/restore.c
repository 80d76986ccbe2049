#include "host/monitor/restore.h"

#include <stdlib.h>
#include <string.h>

#include "host/bundle.h"
#include "host/monitor/adopt.h"
#include "host/monitor/answer.h"
#include "host/monitor/follow.h"
#include "host/monitor/member.h"
#include "host/monitor/renew.h"
#include "host/monitor/upgrade.h"
#include "plan/step.h"
#include "sys/sys.h"

/* --- in memory --- */

static int read_generation(struct monitor *monitor, const struct handover_generation *from,
			   struct err *err)
{
	struct spec *spec = bundle_read(from->bundle_fd, err);

	if (!spec)
		return -1;
	if (spec->workers == 0 || generation_find(monitor->generations, from->id))
		err_set(err, "the daemon's state has generations that cannot be");
	else if (generation_add(&monitor->generations, from->id, spec, from->bundle_fd))
		return 0;
	else
		err_set(err, "out of memory");
	spec_destroy(spec);
	return -1;
}

static int read_generations(struct monitor *monitor, const struct handover *handover,
			    struct err *err)
{
	struct generation *current;

	for (size_t i = 0; i < handover->generation_count; i++)
		if (read_generation(monitor, &handover->generations[i], err) < 0)
			return -1;
	current = generation_find(monitor->generations, handover->current);
	if (!current)
		return err_set(err, "the daemon's state has no current generation");
	monitor->daemon->spec = current->spec;
	monitor->daemon->generation = handover->current;
	return 0;
}

static int read_crew(struct monitor *monitor, const struct handover *handover, struct err *err)
{
	struct crew_calls calls = monitor_calls;

	calls.data = monitor;
	monitor->crew =
	    crew_decode(&calls, (const unsigned char *)handover->crew, handover->crew_length, err);
	return monitor->crew ? 0 : -1;
}

static const struct spec *spec_of(void *data, int generation)
{
	struct monitor *monitor = data;
	struct generation *found = generation_find(monitor->generations, generation);

	return found ? found->spec : NULL;
}

static int read_sockets(struct monitor *monitor, const struct handover *handover, struct err *err)
{
	monitor->sockets = sockets_decode((const unsigned char *)handover->sockets,
					  handover->sockets_length, spec_of, monitor, err);
	return monitor->sockets ? 0 : -1;
}

static const struct handover_member *member_for(const struct handover *handover,
						const struct worker_slot *slot)
{
	for (size_t i = 0; i < handover->member_count; i++) {
		const struct handover_member *member = &handover->members[i];

		if (member->generation == slot->generation && member->number == slot->number)
			return member;
	}
	return NULL;
}

/* Each process that the crew knows is a member, and none is one of no place. */
static int check_members(const struct monitor *monitor, const struct handover *handover,
			 struct err *err)
{
	size_t processes = 0;

	for (size_t i = 0; i < crew_slots(monitor->crew); i++) {
		const struct worker_slot *slot = crew_slot(monitor->crew, i);
		const struct handover_member *member = member_for(handover, slot);

		if (!generation_find(monitor->generations, slot->generation) ||
		    (member ? member->pid : 0) != slot->pid)
			return err_set(err, "the daemon's state has workers that cannot be");
		processes += member != NULL;
	}
	if (processes != handover->member_count)
		return err_set(err, "the daemon's state has workers that cannot be");
	return 0;
}

int restore_read(struct monitor *monitor, const struct handover *handover, struct err *err)
{
	monitor->since = handover->since;
	if (read_generations(monitor, handover, err) < 0 || read_crew(monitor, handover, err) < 0 ||
	    read_sockets(monitor, handover, err) < 0)
		return -1;
	return check_members(monitor, handover, err);
}

void restore_forget(struct monitor *monitor)
{
	crew_destroy(monitor->crew);
	sockets_forget(monitor->sockets);
	while (monitor->generations) {
		monitor->generations->bundle_fd = -1;
		generation_remove(&monitor->generations, monitor->generations->id, NULL);
	}
	monitor->daemon->spec = NULL;
}

/* --- descriptors --- */

/* Both kinds; what each is done to. */
static int each_descriptor(const struct handover *handover, const struct daemon *daemon,
			   const struct sockets *sockets, bool (*act)(int fd), int *failed)
{
	struct handover whole = *handover;
	size_t own, all;
	int *list;

	whole.daemon = *daemon;
	own = handover_descriptors(&whole, NULL, 0);
	all = own + (sockets ? sockets_descriptors(sockets, NULL, 0) : 0);
	list = calloc(all + 1, sizeof *list);
	*failed = -1;
	if (!list)
		return -1;
	handover_descriptors(&whole, list, own);
	if (sockets)
		sockets_descriptors(sockets, list + own, all - own);
	for (size_t i = 0; i < all && *failed < 0; i++)
		if (!act(list[i]))
			*failed = list[i];
	free(list);
	return *failed < 0 ? 0 : -1;
}

int restore_descriptors(const struct handover *handover, const struct daemon *daemon,
			struct err *err)
{
	int failed;

	if (each_descriptor(handover, daemon, NULL, sys_is_open, &failed) == 0)
		return 0;
	if (failed < 0)
		return err_set(err, "out of memory");
	return err_set(err, "descriptor %d of the daemon's state is not open", failed);
}

static bool close_on_exec(int fd)
{
	(void)sys_close_on_exec(fd);
	return true;
}

void restore_close_on_exec(const struct monitor *monitor, const struct handover *handover)
{
	int failed;

	(void)each_descriptor(handover, monitor->daemon, monitor->sockets, close_on_exec, &failed);
}

/* --- in the process --- */

int restore_privileges(struct daemon *daemon, struct err *err)
{
	if (step_reduce.wanted && !step_reduce.wanted(daemon))
		return 0;
	return step_reduce.apply(daemon, err) == STEP_DONE ? 0 : -1;
}

static int open_log(struct monitor *monitor, const struct handover *handover, struct err *err)
{
	monitor->log = monitor->daemon->log = log_create(monitor->daemon, err);
	if (!monitor->log)
		return -1;
	log_restore(monitor->log, handover->lines, handover->next_line);
	return log_start(monitor->log, err);
}

static void take_texts(struct monitor *monitor, const struct handover *handover)
{
	struct reload_verdict *verdict = &monitor->reload;

	verdict->at = (time_t)handover->reload_at;
	verdict->done = handover->reload_done;
	verdict->took = handover->reload_took;
	verdict->accepted = handover->reload_accepted;
	verdict->refused = handover->reload_refused;
	snprintf(verdict->text, sizeof verdict->text, "%s",
		 handover->reload_text ? handover->reload_text : "");
	memcpy(monitor->status, handover->status, sizeof monitor->status);
}

static void take_strangers(struct monitor *monitor, const struct handover *handover)
{
	struct orphans *orphans = &monitor->orphans;

	for (size_t i = 0; i < handover->stranger_count && orphans->count < STRANGERS_MAX; i++)
		orphans->strangers[orphans->count++] = handover->strangers[i];
}

static int open_members(struct monitor *monitor, const struct handover *handover, struct err *err)
{
	for (size_t i = 0; i < crew_slots(monitor->crew); i++) {
		struct worker_slot *slot = crew_slot(monitor->crew, i);
		const struct handover_member *from = member_for(handover, slot);

		if (from && member_resume(monitor, slot, from, err) < 0)
			return -1;
	}
	return 0;
}

static bool has_group(void *data, const char *name)
{
	return member_has_group(data, name);
}

int restore_open(struct monitor *monitor, const struct handover *handover, struct err *err)
{
	monitor_open_handles(monitor);
	cgroups_open(&monitor->cgroups, monitor->daemon->spec->name);
	take_texts(monitor, handover);
	take_strangers(monitor, handover);
	adopt_listeners(monitor);
	monitor->ready = true;
	/* Only who watches keeps the terminal. */
	monitor->daemon->watch = monitor->daemon->terminal_fd >= 0;
	if (open_log(monitor, handover, err) < 0 || monitor_open_children(monitor, err) < 0 ||
	    renew_open(monitor, err) < 0 || follow_open(monitor, err) < 0 ||
	    upgrade_open(monitor, err) < 0 || answer_open(monitor, err) < 0 ||
	    open_members(monitor, handover, err) < 0)
		return -1;
	cgroups_recall(&monitor->cgroups, has_group, monitor);
	watchdog_start(&monitor->watchdog);
	heartbeat_start(monitor);
	return 0;
}

/* --- last --- */

static void restore_client(struct monitor *monitor, const struct control_kept *kept)
{
	struct control_client *client;

	if (!monitor->control) {
		sys_close(kept->fd);
		return;
	}
	client = control_adopt(monitor->control, kept);
	if (client && kept->wait == CONTROL_WAIT_UPGRADE)
		upgrade_adopt(monitor, client);
	else if (client && kept->wait == CONTROL_WAIT_RELOAD)
		renew_request(monitor, client);
}

void restore_clients(struct monitor *monitor, const struct handover *handover)
{
	for (size_t i = 0; i < handover->client_count; i++)
		restore_client(monitor, &handover->clients[i]);
}

void restore_sources(struct monitor *monitor, const struct handover *handover)
{
	struct err err = {0};

	for (size_t i = 0; i < handover->member_count; i++) {
		const struct handover_member *from = &handover->members[i];
		struct member *member = member_find(monitor, from->pid);

		if (!member)
			continue;
		member->source =
		    log_source_resume(monitor->log, from->pid, from->relay_fd, from->output_fd,
				      from->rest, from->rest_length, &err);
		if (member->source < 0)
			log_err(monitor->log, LEVEL_ERROR, &err);
	}
}
