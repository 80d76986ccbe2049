#include "host/status.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/memory.h"
#include "host/page.h"
#include "host/report.h"
#include "plan/audit.h"

static int64_t uptime_ms(const struct status *status)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)(now.tv_sec - status->since.tv_sec) * 1000 +
	       (now.tv_nsec - status->since.tv_nsec) / 1000000;
}

/* A worker's state as those of a monitor have it. */
static const char *worker_state(const char *state)
{
	if (strcmp(state, "running") == 0)
		return "ready";
	return strcmp(state, "stopping") == 0 ? "leaving" : state;
}

/* Everything but what the listeners have. */
static void fill(const struct status *status, struct report *report, struct report_worker *self)
{
	static const struct report_generation generation = {1, "current", 1};
	const struct spec *spec = status->daemon->spec;

	*self = (struct report_worker){.number = 1,
				       .generation = 1,
				       .pid = getpid(),
				       .state = worker_state(status->state),
				       .uptime = uptime_ms(status),
				       .answered = true,
				       .resident = memory_resident(status->daemon)};
	*report = (struct report){.name = spec->name,
				  .description = spec->description,
				  .state = status->state,
				  .pid = self->pid,
				  .uptime = self->uptime,
				  .resident = self->resident,
				  .generation = 1,
				  .text = status->text,
				  .workers = self,
				  .worker_count = 1,
				  .generations = &generation,
				  .generation_count = 1,
				  .reload = reload_last(status->reload),
				  .lines_lost = log_lost(status->daemon->log)};
}

static void print(const struct status *status, struct control_client *client,
		  enum control_form form)
{
	const struct daemon *daemon = status->daemon;
	struct report_worker self;
	struct report report;

	fill(status, &report, &self);
	self.counts = calloc(daemon->listener_count + 1, sizeof *self.counts);
	report.listeners = report_listeners(daemon->listeners, daemon->listener_count);
	report.listener_count = daemon->listener_count;
	if (self.counts && report.listeners) {
		life_count(status->life, self.counts, &self.totals);
		self.lag = (int64_t)self.totals.longest_us;
		page_report(&report, client, form);
	} else {
		control_end(client, EXIT_FAILED, "out of memory");
	}
	free((void *)report.listeners);
	free(self.counts);
}

static void audit(const struct status *status, struct control_client *client)
{
	struct page page;

	if (page_open(&page, client) < 0)
		return;
	fprintf(page.out, "pid %ld\n", (long)getpid());
	audit_tell(status->daemon, page_audit, &page);
	page_send(&page);
}

void status_answer(const struct status *status, struct control_client *client,
		   enum control_form form)
{
	if (form == CONTROL_AUDIT)
		audit(status, client);
	else
		print(status, client, form);
}

int status_place(const struct status *status, struct control_place *place, struct err *err)
{
	if (place->worker > 1)
		return err_set(err,
			       "there is no worker %d: this daemon has no monitor (workers = 0)",
			       place->worker);
	if (strcmp(status->state, "starting") == 0)
		return err_set(err, "the daemon is starting");
	*place = (struct control_place){.generation = 1, .worker = 1};
	return 0;
}

static void on_lua(void *data, bool ok, const char *text)
{
	control_print(data, text, strlen(text));
	control_result(data, !ok);
}

void status_lua(const struct status *status, struct control_client *client, enum frame_type type,
		const char *text)
{
	int result = type == FRAME_LUA ? life_eval(status->life, text, on_lua, client)
				       : life_complete(status->life, text, on_lua, client);

	if (result < 0)
		on_lua(client, false, "out of memory");
}
