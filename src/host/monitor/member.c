#include "host/monitor/member.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "host/monitor/answer.h"
#include "sys/sys.h"

enum {
	MESSAGES_AT_ONCE = 64, /* then the others' turn */
	MESSAGES_LAST = 4096,  /* more than a channel holds: who still sends is another process */
	CLOSED_MS = 1000,      /* from the end of its channel to its own */
	LAST_LINES_MAX = 1500
};

struct member *member_of(const struct worker_slot *slot)
{
	return slot->user;
}

bool member_has_group(const struct monitor *monitor, const char *name)
{
	for (size_t i = 0; monitor->crew && i < crew_slots(monitor->crew); i++) {
		const struct member *member = member_of(crew_slot(monitor->crew, i));

		if (member && strcmp(member->cgroup, name) == 0)
			return true;
	}
	return false;
}

struct member *member_find(const struct monitor *monitor, pid_t pid)
{
	for (size_t i = 0; monitor->crew && i < crew_slots(monitor->crew); i++) {
		struct member *member = member_of(crew_slot(monitor->crew, i));

		if (member && member->pid == pid)
			return member;
	}
	return NULL;
}

/* --- the end --- */

static void on_closed(uv_handle_t *handle)
{
	struct member *member = handle->data;

	if (--member->handles > 0)
		return;
	sys_close(member->pidfd);
	sys_close(member->channel_fd);
	outbox_finish(&member->outbox);
	free(member);
}

static void close_handles(struct member *member)
{
	if (member->pidfd >= 0)
		uv_close((uv_handle_t *)&member->process, on_closed);
	uv_close((uv_handle_t *)&member->talk, on_closed);
	uv_close((uv_handle_t *)&member->silence, on_closed);
}

/* Who was in its session goes with it: before it is reaped its number cannot be another's. What
 * had left that session is in its group, or has become our child by now. */
void member_kill(struct member *member)
{
	if (member->pidfd < 0 || sys_pidfd_signal(member->pidfd, SIGKILL) < 0)
		sys_kill(member->pid, SIGKILL);
	sys_kill(-member->pid, SIGKILL);
	cgroups_kill(&member->monitor->cgroups, member->cgroup);
}

static void read_messages(struct member *member, int most);

static void take_end(struct member *member)
{
	struct monitor *monitor = member->monitor;
	struct worker_slot *slot = member->slot;
	char last[LAST_LINES_MAX];
	int status = 0;

	read_messages(member, MESSAGES_LAST);
	sys_kill(-member->pid, SIGKILL);
	if (sys_wait(member->pid, &status, WNOHANG) != member->pid)
		return;
	answer_gone(member);
	slot->user = NULL;
	cgroups_end(&monitor->cgroups, member->cgroup);
	memcpy(monitor->step, member->step, sizeof monitor->step);
	monitor->sweeping = orphans_kill(&monitor->orphans);
	log_source_end(monitor->log, member->source, last, sizeof last);
	close_handles(member);
	crew_died(monitor->crew, slot, status, last, monitor_now());
}

static void on_process(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	take_end(poll->data);
}

void members_reap(struct monitor *monitor)
{
	pid_t pids[WORKERS_MAX];
	size_t count = 0;

	/* A death changes the list of slots. */
	for (size_t i = 0; i < crew_slots(monitor->crew) && count < WORKERS_MAX; i++) {
		struct member *member = member_of(crew_slot(monitor->crew, i));

		if (member && member->pidfd < 0)
			pids[count++] = member->pid;
	}
	for (size_t i = 0; i < count; i++) {
		siginfo_t info = {0};
		struct member *member = member_find(monitor, pids[i]);

		if (member &&
		    waitid(P_PID, (id_t)pids[i], &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		    info.si_pid == pids[i])
			take_end(member);
	}
}

/* --- what it says --- */

static const char *fault_of(const struct monitor *monitor, const struct member *member)
{
	if (member->overrun)
		return "it does not read its channel";
	if (log_source_is_broken(monitor->log, member->source))
		return "it has sent what is no log line";
	return NULL;
}

void members_check(struct monitor *monitor)
{
	for (size_t i = 0; i < crew_slots(monitor->crew); i++) {
		struct worker_slot *slot = crew_slot(monitor->crew, i);
		struct member *member = member_of(slot);
		const char *fault = NULL;

		if (member && slot->state != WORKER_KILLED)
			fault = fault_of(monitor, member);
		if (!fault)
			continue;
		crew_condemn(monitor->crew, slot, fault, monitor_now());
		return; /* the list may be another now */
	}
}

static void on_silence(uv_timer_t *timer)
{
	struct member *member = timer->data;

	crew_condemn(member->monitor->crew, member->slot, "it has closed its channel",
		     monitor_now());
}

static void deafen(struct member *member)
{
	member->deaf = true;
	uv_poll_stop(&member->talk);
}

static void stop_reading(struct member *member)
{
	if (member->deaf)
		return;
	deafen(member);
	uv_timer_start(&member->silence, on_silence, CLOSED_MS, 0);
}

/* A worker has no descriptors to give. */
static int receive(const struct member *member, struct message *message)
{
	int fds[MESSAGE_FDS];
	size_t count;
	int got = channel_receive_fds(member->channel_fd, message, fds, &count);

	for (size_t i = 0; i < count; i++)
		sys_close(fds[i]);
	if (count == 0)
		return got;
	errno = EBADMSG;
	return -1;
}

static void read_messages(struct member *member, int most)
{
	struct message message;

	for (int i = 0; i < most && !member->deaf; i++) {
		int got = receive(member, &message);

		if (got > 0) {
			message_take(member, &message);
		} else if (got == 0) {
			stop_reading(member);
		} else if (errno == EBADMSG) {
			deafen(member);
			crew_condemn(member->monitor->crew, member->slot,
				     "it has sent what is no message", monitor_now());
		} else {
			return;
		}
	}
}

void members_hear(struct monitor *monitor)
{
	for (size_t i = 0; i < crew_slots(monitor->crew); i++) {
		struct member *member = member_of(crew_slot(monitor->crew, i));

		if (member)
			read_messages(member, MESSAGES_AT_ONCE);
	}
}

static void on_talk(uv_poll_t *poll, int status, int events);

/* Who is not read any more is not told anything either. */
static void await_talk(struct member *member)
{
	int writable = member->outbox.first ? UV_WRITABLE : 0;

	if (!member->deaf)
		uv_poll_start(&member->talk, UV_READABLE | writable, on_talk);
}

/* An error is the end of one that had not read all: its last words are there, but libuv does not
 * look any more. */
static void on_talk(uv_poll_t *poll, int status, int events)
{
	struct member *member = poll->data;

	if (status == 0 && (events & UV_WRITABLE)) {
		outbox_flush(&member->outbox, member->channel_fd);
		await_talk(member);
	}
	if (status < 0 || (events & UV_READABLE))
		read_messages(member, status < 0 ? MESSAGES_LAST : MESSAGES_AT_ONCE);
	if (status < 0)
		stop_reading(member);
}

void member_tell_fds(struct member *member, const struct message *message, const int *fds,
		     size_t count)
{
	if (outbox_send(&member->outbox, member->channel_fd, message, fds, count) == 0)
		await_talk(member);
	else if (errno != EPIPE) /* else its end follows */
		member->overrun = true;
}

int member_ask(struct member *member, const struct message *message)
{
	return outbox_send_now(&member->outbox, member->channel_fd, message);
}

void member_tell(struct member *member, const struct message *message)
{
	member_tell_fds(member, message, NULL, 0);
}

/* --- the beginning --- */

static int watch(struct member *member, struct err *err)
{
	uv_loop_t *loop = &member->monitor->loop;
	int code = 0;

	member->process.data = member->talk.data = member->silence.data = member;
	uv_timer_init(loop, &member->silence); /* cannot fail */
	member->handles = 1;
	code = uv_poll_init(loop, &member->talk, member->channel_fd);
	member->handles += code == 0;
	if (code == 0 && member->pidfd >= 0) {
		code = uv_poll_init(loop, &member->process, member->pidfd);
		member->handles += code == 0;
	}
	if (code == 0) {
		uv_poll_start(&member->talk, UV_READABLE, on_talk);
		if (member->pidfd >= 0)
			uv_poll_start(&member->process, UV_READABLE, on_process);
		return 0;
	}
	if (member->handles > 1)
		uv_close((uv_handle_t *)&member->talk, on_closed);
	uv_close((uv_handle_t *)&member->silence, on_closed);
	return err_set(err, "cannot watch worker %d: %s", member->slot->number, uv_strerror(code));
}

/* It exists, but cannot be looked after. */
static void abandon(struct member *member)
{
	char none[1];
	int status;

	member_kill(member);
	sys_wait(member->pid, &status, 0);
	cgroups_end(&member->monitor->cgroups, member->cgroup);
	log_source_end(member->monitor->log, member->source, none, sizeof none);
}

int member_spawn(struct monitor *monitor, struct worker_slot *slot, struct err *err)
{
	struct generation *generation = generation_find(monitor->generations, slot->generation);
	struct member *member = calloc(1, sizeof *member);

	if (!member)
		return err_set(err, "out of memory");
	*member = (struct member){.monitor = monitor,
				  .slot = slot,
				  .pidfd = -1,
				  .channel_fd = -1,
				  .source = -1,
				  .step = "inherit"};
	if (spawn_worker(member, generation, err) < 0) {
		free(member);
		return -1;
	}
	member->pidfd = sys_pidfd_open(member->pid); /* without one SIGCHLD tells */
	if (watch(member, err) < 0) {
		abandon(member);
		return -1;
	}
	slot->user = member;
	slot->pid = member->pid;
	return 0;
}

int member_resume(struct monitor *monitor, struct worker_slot *slot,
		  const struct handover_member *from, struct err *err)
{
	struct member *member = calloc(1, sizeof *member);

	if (!member)
		return err_set(err, "out of memory");
	*member = (struct member){.monitor = monitor,
				  .slot = slot,
				  .pid = from->pid,
				  .pidfd = from->pidfd,
				  .channel_fd = from->channel_fd,
				  .source = -1,
				  .unheard = from->unheard,
				  .lag = from->lag};
	memcpy(member->step, from->step, sizeof member->step);
	memcpy(member->text, from->text, sizeof member->text);
	memcpy(member->cgroup, from->cgroup, sizeof member->cgroup);
	if (watch(member, err) < 0)
		return -1; /* the image before has it all */
	slot->user = member;
	return 0;
}
