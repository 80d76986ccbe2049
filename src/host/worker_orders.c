#include <stdlib.h>
#include <unistd.h>

#include "host/bundle.h"
#include "host/memory.h"
#include "host/worker_state.h"
#include "plan/audit.h"
#include "sys/sys.h"

/* What a monitor may say, one function a message, in the table at the end. It is believed, but its
 * forms are checked: a message that makes no sense is a line of the log. */

/* Some 34 years: what is added to it later is still a moment. */
static const int64_t stop_ms_max = INT64_C(1) << 40;

struct order {
	const struct message *message;
	const int *fds; /* that came with it */
	size_t count;
};

static void complain(struct worker *worker, const char *what)
{
	log_printf(worker->stage.log, LEVEL_ERROR, "the monitor's message is refused: %s", what);
}

/* --- stop --- */

static void stop(struct worker *worker, const struct order *order)
{
	struct err err = {.step = "start"};

	if (order->message->number[0] < 0 || order->message->number[0] > stop_ms_max) {
		complain(worker, "it is no time to stop in");
		return;
	}
	if (worker->stage.phase == PHASE_OF_START) {
		err_set(&err, "interrupted by the monitor");
		stage_fail(&worker->stage, &err);
		return;
	}
	stage_stop(&worker->stage, order->message->text, order->message->number[0],
		   order->message->number[1] != 0);
}

/* --- reload --- */

static void refuse(struct worker *worker, const struct err *err)
{
	struct message answer = {.type = MESSAGE_RELOADED, .err = *err};

	courier_send(worker->courier, &answer);
}

static void reload(struct worker *worker, const struct order *order)
{
	struct change change = {0};
	struct err err = {.key = "reload"};
	struct spec *fresh;

	if (order->count != 1) {
		err_set(&err, "the monitor has sent no bundle");
		refuse(worker, &err);
		return;
	}
	fresh = bundle_read(order->fds[0], &err);
	if (!fresh) {
		refuse(worker, &err);
		return;
	}
	if (spec_diff(worker->stage.daemon->spec, fresh, &change) < 0) {
		err_set(&err, "out of memory");
		refuse(worker, &err);
		spec_destroy(fresh);
		return;
	}
	life_reload(worker->stage.life, fresh, &change);
	change_finish(&change);
}

/* --- what the service hears --- */

static void reopen(struct worker *worker, const struct order *order)
{
	struct daemon *daemon = worker->stage.daemon;
	size_t files = daemon->spec->file_count, first = (size_t)order->message->number[0];

	if (order->message->number[0] < 0 || first > files || order->count > files - first) {
		complain(worker, "files that are not declared");
		return;
	}
	for (size_t i = 0; i < order->count; i++)
		if (sys_dup_to(order->fds[i], daemon->file_fds[first + i]) < 0 ||
		    sys_close_on_exec(daemon->file_fds[first + i]) < 0)
			log_printf(worker->stage.log, LEVEL_ERROR,
				   "files.%s: cannot put the new file in the place of the old one",
				   daemon->spec->files[first + i].name);
}

static void send_signal(struct worker *worker, const struct order *order)
{
	if (worker->stage.phase == PHASE_OF_SERVICE)
		life_signal(worker->stage.life, order->message->text,
			    (int)order->message->number[0]);
}

/* --- what the monitor wants to know --- */

static void tell_status(struct worker *worker, const struct order *order)
{
	const struct daemon *daemon = worker->stage.daemon;
	struct life_counts *counts = calloc(daemon->listener_count + 1, sizeof *counts);
	struct life_totals totals = {0};
	int64_t query = order->message->number[0];

	if (!counts)
		return;
	life_count(worker->stage.life, counts, &totals);
	for (size_t i = 0; i < daemon->listener_count; i++) {
		const struct message answer = {.type = MESSAGE_LISTENER,
					       .number = {query, (int64_t)i,
							  (int64_t)counts[i].connections,
							  (int64_t)counts[i].accepted}};

		courier_send(worker->courier, &answer);
	}
	free(counts);
	courier_send(
	    worker->courier,
	    &(struct message){.type = MESSAGE_TOTALS,
			      .number = {query, (int64_t)totals.lua_bytes, (int64_t)totals.tasks,
					 (int64_t)totals.failed, (int64_t)memory_resident(daemon),
					 (int64_t)totals.longest_us}});
}

struct audience {
	struct worker *worker;
	int64_t query;
};

static void tell_line(void *data, const char *line, bool holds)
{
	const struct audience *audience = data;
	struct message answer = {.type = MESSAGE_AUDIT, .number = {audience->query, 0, !holds}};

	snprintf(answer.text, sizeof answer.text, "%s", line);
	courier_send(audience->worker->courier, &answer);
}

static void tell_audit(struct worker *worker, const struct order *order)
{
	struct audience audience = {worker, order->message->number[0]};
	const struct message last = {.type = MESSAGE_AUDIT,
				     .number = {order->message->number[0], 1}};

	(void)audit_tell(worker->stage.daemon, tell_line, &audience);
	courier_send(worker->courier, &last);
}

/* --- console --- */

static void evaluate(struct worker *worker, const struct order *order)
{
	worker_evaluate(worker, order->message);
}

static void complete(struct worker *worker, const struct order *order)
{
	worker_complete(worker, order->message);
}

/* --- all of it --- */

static void (*const orders[MESSAGE_TYPES])(struct worker *worker, const struct order *order) = {
    [MESSAGE_STOP] = stop,          [MESSAGE_RELOAD] = reload,      [MESSAGE_REOPEN] = reopen,
    [MESSAGE_SIGNAL] = send_signal, [MESSAGE_STATUS] = tell_status, [MESSAGE_AUDITS] = tell_audit,
    [MESSAGE_EVAL] = evaluate,      [MESSAGE_COMPLETE] = complete,
};

void worker_obey(void *data, const struct message *message, const int *fds, size_t count)
{
	const struct order order = {message, fds, count};
	struct worker *worker = data;

	if (orders[message->type])
		orders[message->type](worker, &order);
	else
		complain(worker, "it is none for a worker");
}
