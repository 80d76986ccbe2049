#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/monitor/member.h"
#include "plan/open_file.h"
#include "sys/sys.h"

enum {
	/* Where a worker finds what, the contract with cmd/worker.c. */
	PLACE_STDIN = 0,
	PLACE_STDOUT,
	PLACE_STDERR,
	PLACE_CHANNEL,
	PLACE_BUNDLE,
	PLACE_RELAY,
	PLACE_LISTENERS,

	SPAWN_FDS_MAX = 2048,
	ROSTER_MAX = 16384,
	PADDING = 100 /* blanks, so that a title has room */
};

/* What is passed, and what is ours of it. */
struct parcel {
	int fds[SPAWN_FDS_MAX];
	size_t count, listeners;
	char roster[ROSTER_MAX];
	int channel[2], relay[2], output[2]; /* [0] is ours */
};

static void close_end(int *end)
{
	if (*end >= 0)
		sys_close(*end);
	*end = -1;
}

static void close_pair(int ends[2])
{
	close_end(&ends[0]);
	close_end(&ends[1]);
}

/* The declared files are this worker's alone: opened anew, no offset is shared. */
static int open_files(struct parcel *parcel, const struct daemon *seen, struct err *err)
{
	for (size_t i = 0; i < seen->spec->file_count; i++) {
		struct made made;
		int fd;

		if (parcel->count == SPAWN_FDS_MAX)
			return err_set(err, "too many descriptors for one worker");
		fd = open_file_declared(seen, i, &made, err);
		if (fd < 0)
			return -1;
		parcel->fds[parcel->count++] = fd;
	}
	return 0;
}

static int open_pipes(struct parcel *parcel, const struct daemon *daemon, struct err *err)
{
	if (sys_channel(parcel->channel) < 0)
		return err_sys(err, "cannot make a channel");
	sys_refuse_descriptors(parcel->channel[0]);
	if (log_pipe(parcel->relay, err) < 0)
		return -1;
	return daemon->output_fd >= 0 ? log_pipe(parcel->output, err) : 0;
}

static void place(struct parcel *parcel, const struct daemon *daemon, int bundle_fd)
{
	bool piped = parcel->output[1] >= 0;

	parcel->fds[PLACE_STDIN] = daemon->null_fd;
	parcel->fds[PLACE_STDOUT] = piped ? parcel->output[1] : STDOUT_FILENO;
	parcel->fds[PLACE_STDERR] = piped ? parcel->output[1] : STDERR_FILENO;
	parcel->fds[PLACE_CHANNEL] = parcel->channel[1];
	parcel->fds[PLACE_BUNDLE] = bundle_fd;
	parcel->fds[PLACE_RELAY] = parcel->relay[1];
}

static int pack(struct parcel *parcel, struct member *member, const struct generation *generation,
		struct err *err)
{
	struct monitor *monitor = member->monitor;
	struct daemon seen = generation_daemon(generation, monitor->daemon);

	if (open_pipes(parcel, monitor->daemon, err) < 0)
		return -1;
	place(parcel, monitor->daemon, generation->bundle_fd);
	parcel->listeners = sockets_of(
	    monitor->sockets, generation->id, member->slot->number, parcel->fds + PLACE_LISTENERS,
	    SPAWN_FDS_MAX - PLACE_LISTENERS, parcel->roster, sizeof parcel->roster);
	parcel->count = PLACE_LISTENERS + parcel->listeners;
	return open_files(parcel, &seen, err);
}

static pid_t execute(const struct parcel *parcel, struct member *member)
{
	struct cgroups *cgroups = &member->monitor->cgroups;
	char generation[16], number[16], monitor[16], padding[PADDING + 1];
	char program[] = "luvd", command[] = "worker";
	char *const arguments[] = {
	    program, command, generation, number, monitor, (char *)parcel->roster, padding, NULL};
	int group;
	pid_t pid;

	snprintf(generation, sizeof generation, "%d", member->slot->generation);
	snprintf(number, sizeof number, "%d", member->slot->number);
	snprintf(monitor, sizeof monitor, "%d", (int)sys_pid());
	memset(padding, ' ', PADDING);
	padding[PADDING] = 0;
	group =
	    cgroups_make(cgroups, member->slot->generation, member->slot->number, member->cgroup);
	pid = sys_spawn_worker(member->monitor->daemon->self_fd, arguments, parcel->fds,
			       parcel->count, group);
	if (group >= 0)
		sys_close(group);
	if (pid < 0)
		cgroups_end(cgroups, member->cgroup);
	return pid;
}

static void unpack(struct parcel *parcel)
{
	for (size_t i = PLACE_LISTENERS + parcel->listeners; i < parcel->count; i++)
		sys_close(parcel->fds[i]);
	close_end(&parcel->channel[1]);
	close_end(&parcel->relay[1]);
	close_end(&parcel->output[1]);
}

static int start(struct member *member, struct parcel *parcel, struct err *err)
{
	member->pid = execute(parcel, member);
	if (member->pid < 0)
		return err_sys(err, "cannot start worker %d", member->slot->number);
	member->source = log_source_add(member->monitor->log, member->pid, parcel->relay[0],
					parcel->output[0], err);
	if (member->source < 0) {
		int status;

		sys_kill(member->pid, SIGKILL);
		sys_wait(member->pid, &status, 0);
		return -1;
	}
	member->channel_fd = parcel->channel[0];
	parcel->channel[0] = parcel->relay[0] = parcel->output[0] = -1;
	return 0;
}

int spawn_worker(struct member *member, const struct generation *generation, struct err *err)
{
	struct parcel *parcel = calloc(1, sizeof *parcel);
	int result;

	if (!parcel)
		return err_set(err, "out of memory");
	for (int i = 0; i < 2; i++)
		parcel->channel[i] = parcel->relay[i] = parcel->output[i] = -1;
	result = pack(parcel, member, generation, err) < 0 ? -1 : start(member, parcel, err);
	unpack(parcel);
	close_pair(parcel->channel);
	close_pair(parcel->relay);
	close_pair(parcel->output);
	free(parcel);
	return result;
}
