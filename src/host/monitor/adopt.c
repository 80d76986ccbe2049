#include "host/monitor/adopt.h"

#include <stdlib.h>

#include "host/monitor/member.h"
#include "plan/record.h"
#include "sys/sys.h"

/* daemon's own list, for who reads names and for clean_up: its descriptors are the sockets'. */
void adopt_listeners(struct monitor *monitor)
{
	struct daemon *daemon = monitor->daemon;
	size_t count;
	const struct listener *now = sockets_list(monitor->sockets, daemon->generation, &count);
	struct listener *list = calloc(count + 1, sizeof *list);

	/* Without memory there is no list: a stale one would name what is gone. */
	free(daemon->listeners);
	daemon->listeners = list;
	daemon->listener_count = list ? count : 0;
	for (size_t i = 0; i < daemon->listener_count; i++) {
		list[i] = now[i];
		list[i].fd = -1;
	}
}

/* What the next `stop` has to clean up if this process is killed. */
static void write_record(struct monitor *monitor)
{
	struct err err = {.step = "record"};

	if (record_write(monitor->daemon, &err) < 0)
		log_err(monitor->log, LEVEL_WARN, &err);
}

/* What the start has opened for its own generation: declared files, of which there may be others
 * now, and a bundle that nobody reads any more. */
static void forget_start(struct daemon *daemon)
{
	sys_close(daemon->bundle_fd);
	daemon->bundle_fd = -1;
	free(daemon->file_fds);
	free(daemon->files_made);
	daemon->file_fds = NULL;
	daemon->files_made = NULL;
}

static void adopt(struct monitor *monitor)
{
	forget_start(monitor->daemon);
	adopt_listeners(monitor);
	log_set_level(monitor->log, monitor->daemon->spec->log.level);
	signals_renew(monitor->signals);
}

void adopt_in_place(struct monitor *monitor, struct candidate *fresh)
{
	struct daemon *daemon = monitor->daemon;
	struct generation *current = generation_find(monitor->generations, daemon->generation);
	struct candidate before = {.spec = daemon->spec, .bundle_fd = -1};

	if (!current)
		return;
	before.bundle_fd = current->bundle_fd;
	current->spec = daemon->spec = fresh->spec;
	current->bundle_fd = fresh->bundle_fd;
	candidate_leave(fresh);
	sockets_respec(monitor->sockets, daemon->generation, daemon->spec);
	adopt(monitor);
	heartbeat_start(monitor);
	candidate_finish(&before);
}

void adopt_generation(struct monitor *monitor)
{
	if (monitor->daemon->generation == 1)
		return; /* as it was started */
	sockets_serve(monitor->sockets, monitor->daemon->generation);
	adopt(monitor);
	write_record(monitor);
}
