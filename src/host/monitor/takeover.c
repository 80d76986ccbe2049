#include <stdlib.h>
#include <string.h>

#include "host/control_keep.h"
#include "host/monitor/member.h"
#include "host/monitor/upgrade.h"
#include "sys/sys.h"

enum {
	FLUSH_MS = 2000, /* for the lines that are queued */
	PADDING = 100    /* blanks, so that a title has room */
};

/* --- the logs of workers --- */

/* From here on their lines wait in the pipes. */
static int take_source(struct monitor *monitor, struct handover_member *to, struct err *err)
{
	struct member *member = member_find(monitor, to->pid);
	char *rest = malloc(LOG_REST_MAX);

	if (!rest)
		return err_set(err, "out of memory");
	to->rest_length =
	    log_source_take(monitor->log, member->source, &to->relay_fd, &to->output_fd, rest);
	to->rest = rest;
	member->source = -1;
	return 0;
}

/* The log goes on in this image. */
static void give_sources(struct monitor *monitor, const struct handover *handover)
{
	struct err err = {0};

	for (size_t i = 0; i < handover->member_count; i++) {
		const struct handover_member *from = &handover->members[i];
		struct member *member = member_find(monitor, from->pid);

		if (member->source >= 0)
			continue;
		member->source =
		    log_source_resume(monitor->log, member->pid, from->relay_fd, from->output_fd,
				      from->rest, from->rest_length, &err);
		if (member->source < 0)
			log_err(monitor->log, LEVEL_ERROR, &err);
	}
}

static int take_sources(struct monitor *monitor, struct handover *handover, struct err *err)
{
	for (size_t i = 0; i < handover->member_count; i++)
		if (take_source(monitor, &handover->members[i], err) < 0)
			return -1;
	return 0;
}

/* The lines that were written by now; those of the trial's time among them. */
static int take_lines(struct monitor *monitor, struct handover *handover, struct err *err)
{
	for (size_t i = 0; handover->lines[i]; i++)
		free(handover->lines[i]);
	free(handover->lines);
	handover->lines = log_lines(monitor->log, &handover->next_line);
	return handover->lines ? 0 : err_set(err, "out of memory");
}

/* --- descriptors --- */

struct list {
	int *fds;
	size_t count;
};

static int list_descriptors(struct monitor *monitor, const struct handover *handover,
			    struct list *list, struct err *err)
{
	size_t own = handover_descriptors(handover, NULL, 0);
	size_t all = own + sockets_descriptors(monitor->sockets, NULL, 0);

	list->fds = calloc(all + 1, sizeof *list->fds);
	list->count = all;
	if (!list->fds)
		return err_set(err, "out of memory");
	handover_descriptors(handover, list->fds, own);
	sockets_descriptors(monitor->sockets, list->fds + own, all - own);
	return 0;
}

static int keep_all(const struct list *list, struct err *err)
{
	for (size_t i = 0; i < list->count; i++)
		if (sys_keep_on_exec(list->fds[i]) < 0)
			return err_sys(err, "cannot keep descriptor %d", list->fds[i]);
	return 0;
}

static void close_all_on_exec(const struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		(void)sys_close_on_exec(list->fds[i]);
}

/* --- the image --- */

static int write_state(const struct handover *handover, struct err *err)
{
	unsigned char *bytes;
	size_t length;
	int fd;

	if (handover_encode(handover, &bytes, &length, err) < 0)
		return -1;
	fd = sys_memfd_sealed("luvd-state", bytes, length);
	if (fd < 0)
		err_sys(err, "cannot keep the state in memory");
	free(bytes);
	return fd;
}

/* Returns only when it could not. */
static void execute(const struct takeover *takeover, int state_fd, int self_fd)
{
	char program[] = "luvd", command[] = "monitor", take[] = "take", resume[] = "resume";
	char state[16], self[16], why[ERR_TEXT_MAX], padding[PADDING + 1];
	char *forward[] = {program, command, take, state, self, padding, NULL};
	char *back[] = {program, command, resume, state, self, why, padding, NULL};

	snprintf(state, sizeof state, "%d", state_fd);
	snprintf(self, sizeof self, "%d", self_fd);
	snprintf(why, sizeof why, "%s", takeover->why ? takeover->why : "");
	memset(padding, ' ', PADDING);
	padding[PADDING] = '\0';
	sys_execute(takeover->program_fd, takeover->why ? back : forward);
}

static int hand_over(struct monitor *monitor, struct handover *handover,
		     const struct takeover *takeover, struct err *err)
{
	struct list list = {NULL, 0};
	int state_fd = write_state(handover, err);

	if (state_fd < 0)
		return -1;
	if (list_descriptors(monitor, handover, &list, err) == 0 && keep_all(&list, err) == 0) {
		if (sys_keep_on_exec(state_fd) == 0)
			execute(takeover, state_fd, handover->daemon.self_fd);
		err_sys(err, "cannot execute the new binary");
	}
	close_all_on_exec(&list);
	free(list.fds);
	sys_close(state_fd);
	return -1;
}

/* All that is taken from this image first, so that nothing is lost between the two; the log ends
 * before its last lines are read. */
static int leave(struct monitor *monitor, const struct takeover *takeover, struct err *err)
{
	struct handover handover;
	struct err ignored = {0};

	if (capture_state(monitor, takeover->begun, &handover, err) < 0)
		return -1;
	/* What is executed is what its workers are started from. */
	if (takeover->why)
		handover.daemon.self_fd = takeover->program_fd;
	if (take_sources(monitor, &handover, err) == 0) {
		control_dismiss(monitor->control);
		log_finish(monitor->log, FLUSH_MS);
		if (take_lines(monitor, &handover, err) == 0)
			hand_over(monitor, &handover, takeover, err);
		if (log_start(monitor->log, &ignored) < 0)
			log_err(monitor->log, LEVEL_ERROR, &ignored);
	}
	give_sources(monitor, &handover);
	capture_finish(&handover);
	return -1;
}

int takeover_execute(struct monitor *monitor, const struct takeover *takeover, struct err *err)
{
	struct crew_status status;

	/* What comes from here on waits for the other image; what the handlers have noted is
	 * heard first. */
	sys_signals_block_all();
	signals_drain(monitor->signals);
	crew_status(monitor->crew, &status);
	if (status.state == MONITOR_UPGRADING)
		leave(monitor, takeover, err);
	else
		err_set(err, "the daemon is stopping");
	sys_signals_unblock();
	return -1;
}
