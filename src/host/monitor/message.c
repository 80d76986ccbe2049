#include <string.h>

#include "host/monitor/answer.h"
#include "host/monitor/inspect.h"
#include "host/monitor/member.h"
#include "host/notify.h"

/* What a worker says. Each message has the states in which it makes sense; in others, and what is
 * none of a worker's business, costs it. */

enum {
	STARTING = 1U << WORKER_STARTING,
	READY = 1U << WORKER_READY,
	RELOADING = 1U << WORKER_RELOADING,
	LEAVING = 1U << WORKER_LEAVING,
	KILLED = 1U << WORKER_KILLED,
	ENDING = LEAVING | KILLED, /* it may not know yet */
	SERVING = READY | RELOADING | ENDING,
	ALWAYS = STARTING | SERVING,

	NOTICES_MAX = 128
};

/* What goes on to the launcher and into the log is no more than a start has to say. */
static bool may_tell(struct member *member)
{
	if (member->notices++ < NOTICES_MAX)
		return true;
	crew_condemn(member->monitor->crew, member->slot, "it has told too many steps and warnings",
		     monitor_now());
	return false;
}

static void on_step(struct member *member, const struct message *message)
{
	const struct daemon *daemon = member->monitor->daemon;

	if (!may_tell(member))
		return;
	memcpy(member->step, message->err.step, sizeof member->step);
	member->step[sizeof member->step - 1] = 0;
	if (daemon->channel_fd >= 0)
		channel_send(daemon->channel_fd, message);
}

/* All workers of a generation have the same rows, and so the same warnings. */
static void on_warning(struct member *member, const struct message *message)
{
	struct daemon *daemon = member->monitor->daemon;

	if (may_tell(member) && member->slot->number == 1)
		daemon->warn(daemon, &message->err);
}

static void on_failed(struct member *member, const struct message *message)
{
	if (!member->monitor->failed)
		member->monitor->failing = member->pid;
	crew_failed(member->monitor->crew, member->slot, &message->err, monitor_now());
}

/* Not what it shall be, and so it cannot have said the truth. */
static void refuse(struct member *member, const struct err *seen)
{
	struct err err = {.step = "ready"};

	err_set(&err, "worker %d is not what it shall be: %s", member->slot->number, seen->what);
	err.code = seen->code;
	crew_failed(member->monitor->crew, member->slot, &err, monitor_now());
	member_kill(member);
}

static void on_ready(struct member *member, const struct message *message)
{
	struct monitor *monitor = member->monitor;
	struct generation *generation =
	    generation_find(monitor->generations, member->slot->generation);
	struct daemon seen = generation_daemon(generation, monitor->daemon);
	struct err err = {0};
	struct aim aim;

	(void)message;
	if (member->slot->state != WORKER_STARTING) {
		crew_ready(monitor->crew, member->slot, monitor_now()); /* it goes, but serves */
		return;
	}
	aim_make(&aim, &seen);
	switch (inspect_process(member->pid, &aim, &err)) {
	case INSPECT_WRONG:
		refuse(member, &err);
		return;
	case INSPECT_HIDDEN:
		log_printf(monitor->log, LEVEL_WARN,
			   "worker %d: /proc does not show it: it cannot be looked at",
			   member->slot->number);
		break;
	case INSPECT_RIGHT:
		break;
	}
	/* What it has logged before comes before what this leads to. */
	log_source_catch_up(monitor->log, member->source);
	crew_ready(monitor->crew, member->slot, monitor_now());
}

static void on_reloaded(struct member *member, const struct message *message)
{
	struct crew *crew = member->monitor->crew;

	if (message->err.what[0])
		crew_refused(crew, member->slot, &message->err, monitor_now());
	else
		crew_accepted(crew, member->slot, monitor_now());
}

static void on_beat(struct member *member, const struct message *message)
{
	/* A lie must not be what an upgrade stumbles over. */
	if (message->number[0] < 0)
		crew_condemn(member->monitor->crew, member->slot, "it has sent a lag below 0",
			     monitor_now());
	else
		member->lag = message->number[0];
}

static void on_text(struct member *member, const struct message *message)
{
	struct monitor *monitor = member->monitor;

	snprintf(member->text, sizeof member->text, "%.*s", (int)sizeof member->text - 1,
		 message->text);
	memcpy(monitor->status, member->text, sizeof monitor->status);
	notify_status(monitor->daemon, member->text);
}

static void on_wish(struct member *member, const struct message *message)
{
	int64_t code = message->number[0];

	monitor_stop(member->monitor, code >= 0 && code <= 255 ? (int)code : EXIT_FAILED, false,
		     "the service");
}

static const struct {
	unsigned states;
	void (*take)(struct member *member, const struct message *message);
} table[MESSAGE_TYPES] = {
    [MESSAGE_STEP] = {STARTING | ENDING, on_step},
    [MESSAGE_WARNING] = {STARTING | ENDING, on_warning},
    [MESSAGE_FAILED] = {STARTING | ENDING, on_failed},
    [MESSAGE_READY] = {STARTING | ENDING, on_ready},
    [MESSAGE_RELOADED] = {SERVING, on_reloaded},
    [MESSAGE_BEAT] = {ALWAYS, on_beat},
    [MESSAGE_TEXT] = {ALWAYS, on_text},
    [MESSAGE_WISH] = {SERVING, on_wish},
    [MESSAGE_LISTENER] = {SERVING, answer_take},
    [MESSAGE_TOTALS] = {SERVING, answer_take},
    [MESSAGE_AUDIT] = {SERVING, answer_take},
    [MESSAGE_RESULT] = {SERVING, answer_take},
};

void message_take(struct member *member, const struct message *message)
{
	unsigned state = 1U << member->slot->state;

	heartbeat_heard(member);
	if (message->type < MESSAGE_TYPES && table[message->type].take &&
	    (table[message->type].states & state))
		table[message->type].take(member, message);
	else if (member->slot->state != WORKER_KILLED)
		crew_condemn(member->monitor->crew, member->slot,
			     "it has sent what makes no sense now", monitor_now());
}
