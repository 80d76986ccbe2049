#include <inttypes.h>

#include "host/monitor/query_state.h"
#include "host/page.h"

static void look_from_outside(const struct queries *queries, const struct worker_slot *slot,
			      struct page *page)
{
	struct err err = {0};
	char text[ERR_TEXT_MAX], line[ERR_TEXT_MAX + 16];

	if (queries->calls.inspect(queries->calls.data, slot, &err) == 0) {
		page_audit(page, "outside: the monitor sees every thread as it should be", true);
		return;
	}
	snprintf(line, sizeof line, "outside: %s", err_text(&err, text, sizeof text));
	page_audit(page, line, false);
}

static void print(const struct question *question, const struct worker_slot *slot,
		  struct page *page)
{
	const struct queries *queries = question->queries;
	const struct reply *reply = question_reply(question, slot);
	pid_t pid = queries->calls.pid(queries->calls.data, slot);

	fprintf(page->out, "worker %d of generation %d, pid %ld, %s\n", slot->number,
		slot->generation, (long)pid, worker_state_name(slot->state));
	if (!reply)
		return; /* it was not there, or has not met the service */
	for (size_t i = 0; i < reply->line_count; i++)
		page_audit(page, reply->lines[i], !reply->wrong[i]);
	if (!reply->whole)
		page_audit(page, "answer: it has not told everything in time", false);
	if (queries_slot_listens(slot))
		look_from_outside(queries, slot, page);
}

void query_audit(const struct question *question)
{
	struct crew *crew = question->queries->view.crew;
	struct page page;

	if (page_open(&page, question->client) < 0)
		return;
	for (size_t i = 0; i < crew_slots(crew); i++)
		print(question, crew_slot(crew, i), &page);
	page_send(&page);
}
