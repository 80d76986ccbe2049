#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "host/log.h"
#include "host/monitor/query_state.h"
#include "host/page.h"

/* A report and what it points to. */
struct sheet {
	struct report report;
	struct report_listener *listeners;
	struct report_worker *workers;
	struct report_generation *generations;
	struct life_counts *counts; /* a row a worker */
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- generations --- */

static bool has_process(const struct worker_slot *slot)
{
	return slot->state != WORKER_ABSENT;
}

/* The slots come oldest generation first. */
static void add_generation(struct sheet *sheet, const struct crew *crew,
			   const struct worker_slot *slot)
{
	size_t *count = &sheet->report.generation_count;

	if (*count == 0 || sheet->generations[*count - 1].id != slot->generation)
		sheet->generations[(*count)++] = (struct report_generation){
		    slot->generation,
		    generation_state_name(crew_generation(crew, slot->generation)), 0};
	sheet->generations[*count - 1].workers += has_process(slot);
}

/* --- listeners --- */

static size_t find_listener(const struct sheet *sheet, const struct listener *listener)
{
	size_t i = 0;

	while (i < sheet->report.listener_count &&
	       (strcmp(sheet->listeners[i].name, listener->listen->name) != 0 ||
		strcmp(sheet->listeners[i].address, listener->actual) != 0))
		i++;
	return i;
}

/* What an old generation alone still has comes after those of the current one. */
static int add_listeners(struct sheet *sheet, const struct sockets *sockets, int generation)
{
	size_t count, have = sheet->report.listener_count;
	const struct listener *list = sockets_list(sockets, generation, &count);
	struct report_listener *grown =
	    realloc(sheet->listeners, (have + count + 1) * sizeof *grown);

	if (!grown)
		return -1;
	sheet->listeners = grown;
	for (size_t i = 0; i < count; i++)
		if (find_listener(sheet, &list[i]) == sheet->report.listener_count)
			grown[sheet->report.listener_count++] =
			    (struct report_listener){list[i].listen->name, list[i].actual};
	return 0;
}

static int all_listeners(struct sheet *sheet, const struct sockets *sockets)
{
	if (add_listeners(sheet, sockets, sheet->report.generation) < 0)
		return -1;
	for (size_t i = 0; i < sheet->report.generation_count; i++)
		if (add_listeners(sheet, sockets, sheet->generations[i].id) < 0)
			return -1;
	return 0;
}

/* --- workers --- */

static void count(const struct sheet *sheet, const struct sockets *sockets,
		  const struct reply *reply, struct life_counts *counts)
{
	size_t size;
	const struct listener *list = sockets_list(sockets, reply->generation, &size);

	/* The generation may have got others since it was asked: then the indices mean nothing. */
	for (size_t i = 0; size == reply->listener_count && i < size; i++)
		counts[find_listener(sheet, &list[i])] = reply->counts[i];
}

static void add_worker(struct sheet *sheet, const struct question *question,
		       const struct worker_slot *slot, size_t index)
{
	const struct queries *queries = question->queries;
	const struct reply *reply = question_reply(question, slot);
	struct report_worker *worker = &sheet->workers[index];

	*worker = (struct report_worker){
	    .number = slot->number,
	    .generation = slot->generation,
	    .pid = has_process(slot) ? queries->calls.pid(queries->calls.data, slot) : 0,
	    .state = worker_state_name(slot->state),
	    .uptime = has_process(slot) ? now_ms() - slot->started : 0,
	    .restarts = slot->restarts,
	    .lost = slot->lost,
	    .answered = reply && reply->whole,
	    .counts = sheet->counts + index * (sheet->report.listener_count + 1)};
	if (!reply || !reply->whole)
		return;
	worker->totals = reply->totals;
	worker->resident = reply->resident;
	worker->lag = reply->lag;
	count(sheet, queries->view.sockets, reply, worker->counts);
}

/* --- the whole --- */

static void fill(struct sheet *sheet, const struct queries *queries)
{
	const struct queries_view *view = &queries->view;
	struct crew_status status;
	size_t resident = 0;

	crew_status(view->crew, &status);
	(void)uv_resident_set_memory(&resident); /* else it is not known */
	sheet->report = (struct report){.name = view->daemon->spec->name,
					.description = view->daemon->spec->description,
					.state = monitor_state_name(status.state),
					.pid = getpid(),
					.uptime = now_ms() - view->since,
					.monitor = true,
					.resident = resident,
					.generation = status.generation,
					.restarts = status.restarts,
					.text = view->text,
					.reload = view->reload,
					.lines_lost = log_lost(view->daemon->log)};
}

static int collect(struct sheet *sheet, const struct question *question)
{
	const struct queries_view *view = &question->queries->view;
	size_t slots = crew_slots(view->crew);

	fill(sheet, question->queries);
	sheet->workers = calloc(slots + 1, sizeof *sheet->workers);
	sheet->generations = calloc(slots + 1, sizeof *sheet->generations);
	if (!sheet->workers || !sheet->generations)
		return -1;
	for (size_t i = 0; i < slots; i++)
		add_generation(sheet, view->crew, crew_slot(view->crew, i));
	if (all_listeners(sheet, view->sockets) < 0)
		return -1;
	sheet->counts =
	    calloc((slots + 1) * (sheet->report.listener_count + 1), sizeof *sheet->counts);
	if (!sheet->counts)
		return -1;
	for (size_t i = 0; i < slots; i++)
		add_worker(sheet, question, crew_slot(view->crew, i), i);
	sheet->report.listeners = sheet->listeners;
	sheet->report.workers = sheet->workers;
	sheet->report.worker_count = slots;
	sheet->report.generations = sheet->generations;
	return 0;
}

void query_report(const struct question *question)
{
	struct sheet sheet = {0};

	if (collect(&sheet, question) < 0)
		control_end(question->client, EXIT_FAILED, "out of memory");
	else
		page_report(&sheet.report, question->client, question->form);
	free(sheet.listeners);
	free(sheet.workers);
	free(sheet.generations);
	free(sheet.counts);
}
