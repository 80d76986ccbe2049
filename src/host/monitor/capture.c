#include <stdlib.h>
#include <string.h>

#include "host/monitor/member.h"
#include "host/monitor/upgrade.h"

static int no_memory(struct err *err)
{
	return err_set(err, "out of memory");
}

static int capture_crew(struct monitor *monitor, struct handover *handover, struct err *err)
{
	return crew_encode(monitor->crew, (unsigned char **)&handover->crew, &handover->crew_length,
			   err);
}

static int capture_sockets(struct monitor *monitor, struct handover *handover, struct err *err)
{
	return sockets_encode(monitor->sockets, (unsigned char **)&handover->sockets,
			      &handover->sockets_length, err);
}

static int capture_generations(struct monitor *monitor, struct handover *handover, struct err *err)
{
	size_t count = 0;

	for (const struct generation *g = monitor->generations; g; g = g->next)
		count++;
	handover->generations = calloc(count + 1, sizeof *handover->generations);
	if (!handover->generations)
		return no_memory(err);
	for (const struct generation *g = monitor->generations; g; g = g->next)
		handover->generations[handover->generation_count++] =
		    (struct handover_generation){g->id, g->bundle_fd};
	return 0;
}

static void capture_member(const struct member *member, struct handover_member *to)
{
	*to = (struct handover_member){.generation = member->slot->generation,
				       .number = member->slot->number,
				       .pid = member->pid,
				       .pidfd = member->pidfd,
				       .channel_fd = member->channel_fd,
				       .relay_fd = -1,
				       .output_fd = -1,
				       .unheard = member->unheard,
				       .lag = member->lag};
	memcpy(to->step, member->step, sizeof to->step);
	memcpy(to->text, member->text, sizeof to->text);
	memcpy(to->cgroup, member->cgroup, sizeof to->cgroup);
}

static int capture_members(struct monitor *monitor, struct handover *handover, struct err *err)
{
	size_t slots = crew_slots(monitor->crew);

	handover->members = calloc(slots + 1, sizeof *handover->members);
	if (!handover->members)
		return no_memory(err);
	for (size_t i = 0; i < slots; i++) {
		const struct member *member = member_of(crew_slot(monitor->crew, i));

		if (member)
			capture_member(member, &handover->members[handover->member_count++]);
	}
	return 0;
}

static int capture_clients(struct monitor *monitor, struct handover *handover, struct err *err)
{
	handover->clients = calloc(CONTROL_CLIENTS_MAX, sizeof *handover->clients);
	if (!handover->clients)
		return no_memory(err);
	handover->client_count =
	    control_keep(monitor->control, handover->clients, CONTROL_CLIENTS_MAX);
	return 0;
}

static int capture_strangers(struct monitor *monitor, struct handover *handover, struct err *err)
{
	const struct orphans *orphans = &monitor->orphans;

	handover->strangers = calloc(orphans->count + 1, sizeof *handover->strangers);
	if (!handover->strangers)
		return no_memory(err);
	handover->stranger_count = orphans->count;
	for (size_t i = 0; i < orphans->count; i++)
		handover->strangers[i] = orphans->strangers[i];
	return 0;
}

static int capture_texts(struct monitor *monitor, struct handover *handover, struct err *err)
{
	handover->lines = log_lines(monitor->log, &handover->next_line);
	handover->reload_text = strdup(monitor->reload.text);
	if (!handover->lines || !handover->reload_text)
		return no_memory(err);
	handover->reload_at = monitor->reload.at;
	handover->reload_done = monitor->reload.done;
	handover->reload_took = monitor->reload.took;
	handover->reload_accepted = monitor->reload.accepted;
	handover->reload_refused = monitor->reload.refused;
	memcpy(handover->status, monitor->status, sizeof handover->status);
	return 0;
}

int capture_state(struct monitor *monitor, int64_t begun, struct handover *handover,
		  struct err *err)
{
	static char version[] = LUVD_VERSION;

	*handover = (struct handover){.version = version,
				      .since = monitor->since,
				      .begun = begun,
				      .daemon = *monitor->daemon,
				      .current = monitor->daemon->generation};
	if (capture_crew(monitor, handover, err) == 0 &&
	    capture_sockets(monitor, handover, err) == 0 &&
	    capture_generations(monitor, handover, err) == 0 &&
	    capture_members(monitor, handover, err) == 0 &&
	    capture_clients(monitor, handover, err) == 0 &&
	    capture_strangers(monitor, handover, err) == 0 &&
	    capture_texts(monitor, handover, err) == 0)
		return 0;
	capture_finish(handover);
	return -1;
}

void capture_finish(struct handover *handover)
{
	/* Neither is its own. */
	handover->version = NULL;
	memset(&handover->daemon, 0, sizeof handover->daemon);
	handover_finish(handover);
}
