#ifndef LUVD_HOST_MONITOR_MEMBER_H
#define LUVD_HOST_MONITOR_MEMBER_H

#include "host/channel.h"
#include "host/monitor/handover.h"
#include "host/monitor/state.h"
#include "host/outbox.h"

/* A worker's process as the monitor has it: slot->user from spawn until it is reaped. */
struct member {
	struct monitor *monitor;
	struct worker_slot *slot;
	pid_t pid;
	int pidfd;
	int channel_fd;
	struct outbox outbox; /* what the channel does not take now */
	bool overrun;         /* what it was to be told did not fit into that either */
	bool deaf;            /* nothing more is read from its channel */
	unsigned notices;     /* steps and warnings that it has told */
	int source;           /* of the log */
	uv_poll_t process;    /* readable pidfd: it has ended */
	uv_poll_t talk;       /* its channel */
	uv_timer_t silence;   /* it has closed its channel, but does not end */
	int handles;          /* that are not closed yet */
	char step[16];        /* the row that it is at */
	int64_t unheard; /* milliseconds of the monitor's own running time since it was heard */
	int64_t lag;     /* of its last heartbeat, microseconds */
	char text[256];  /* of luvd.status */
	char cgroup[CGROUP_NAME_MAX]; /* its own; empty: it has none */
};

/* crew_calls.spawn */
int member_spawn(struct monitor *monitor, struct worker_slot *slot, struct err *err);
/* The process of slot as another image had it; its log source is still to be given. */
int member_resume(struct monitor *monitor, struct worker_slot *slot,
		  const struct handover_member *from, struct err *err);
/* NULL when the slot has no process. */
struct member *member_of(const struct worker_slot *slot);
/* Sends, or keeps until the worker reads: one that leaves too much unread is condemned by
 * members_check. */
void member_tell(struct member *member, const struct message *message);
void member_tell_fds(struct member *member, const struct message *message, const int *fds,
		     size_t count);
/* Sends at once or not at all: -1. */
int member_ask(struct member *member, const struct message *message);
/* SIGKILL, to it and to its group. */
void member_kill(struct member *member);
/* Takes the ends of those that have no pidfd: on SIGCHLD. */
void members_reap(struct monitor *monitor);
/* Takes what they have said and nobody has read yet. */
void members_hear(struct monitor *monitor);
/* Condemns one whose log lines are none, or who does not hear. */
void members_check(struct monitor *monitor);
/* The member with this pid; NULL. */
struct member *member_find(const struct monitor *monitor, pid_t pid);
/* Has one of them the control group of this name? */
bool member_has_group(const struct monitor *monitor, const char *name);

/* spawn.c: the process itself. Fills pid, channel_fd and source. */
int spawn_worker(struct member *member, const struct generation *generation, struct err *err);

/* message.c: what a worker says. */
void message_take(struct member *member, const struct message *message);

/* heartbeat.c. */
void heartbeat_heard(struct member *member);
/* Begins to look, when somebody wants to know. */
void heartbeat_start(struct monitor *monitor);
/* Are all workers of the current generation fresh? For the service manager's watchdog. */
bool heartbeat_is_fresh(void *monitor);

#endif
