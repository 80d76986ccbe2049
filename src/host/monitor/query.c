#include "host/monitor/query.h"

#include <stdlib.h>
#include <string.h>

#include "host/monitor/query_state.h"

/* --- questions --- */

static void reply_finish(struct reply *reply)
{
	for (size_t i = 0; i < reply->line_count; i++)
		free(reply->lines[i]);
	free(reply->counts);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct question *question = handle->data;
	struct question **link = &question->queries->questions;

	while (*link != question)
		link = &(*link)->next;
	*link = question->next;
	for (size_t i = 0; i < question->reply_count; i++)
		reply_finish(&question->replies[i]);
	free(question->replies);
	free(question->settled);
	free(question);
}

void question_end(struct question *question)
{
	if (question->answered)
		return;
	question->answered = true;
	uv_close((uv_handle_t *)&question->timer, on_timer_closed);
}

static void answer(struct question *question)
{
	if (question->answered)
		return;
	if (question->lua)
		query_lua_failed(question, "no answer within a minute: it goes on in the worker");
	else if (question->settled)
		control_end(question->client, question->code, question->settled);
	else if (question->form == CONTROL_AUDIT)
		query_audit(question);
	else
		query_report(question);
	question_end(question);
}

static void on_time(uv_timer_t *timer)
{
	answer(timer->data);
}

static void tell_no_memory(struct control_client *client, bool lua)
{
	static const char text[] = "out of memory\n";

	if (!lua) {
		control_end(client, EXIT_FAILED, "out of memory");
		return;
	}
	control_print(client, text, sizeof text - 1);
	control_result(client, true);
}

struct question *question_make(struct queries *queries, struct control_client *client, bool lua,
			       size_t replies)
{
	struct question *question = calloc(1, sizeof *question);

	if (question)
		question->replies = calloc(replies + 1, sizeof *question->replies);
	if (!question || !question->replies) {
		free(question);
		tell_no_memory(client, lua);
		return NULL;
	}
	question->queries = queries;
	question->client = client;
	question->lua = lua;
	question->id = ++queries->last;
	uv_timer_init(queries->loop, &question->timer); /* cannot fail */
	question->timer.data = question;
	uv_timer_start(&question->timer, on_time, lua ? QUERIES_LUA_MS : QUERIES_MS, 0);
	question->next = queries->questions;
	queries->questions = question;
	return question;
}

struct reply *question_expect(struct question *question, const struct worker_slot *slot)
{
	struct reply *reply = &question->replies[question->reply_count++];

	reply->generation = slot->generation;
	reply->worker = slot->number;
	return reply;
}

static struct reply *find(const struct question *question, const struct worker_slot *slot)
{
	for (size_t i = 0; i < question->reply_count; i++) {
		struct reply *reply = &question->replies[i];

		if (reply->generation == slot->generation && reply->worker == slot->number)
			return reply;
	}
	return NULL;
}

const struct reply *question_reply(const struct question *question, const struct worker_slot *slot)
{
	return find(question, slot);
}

/* Nobody is awaited any more: there is no reason to wait. */
static void look(struct question *question)
{
	if (question->lua || question->answered)
		return;
	for (size_t i = 0; i < question->reply_count; i++)
		if (!question->replies[i].over)
			return;
	answer(question);
}

bool queries_slot_listens(const struct worker_slot *slot)
{
	return slot->state == WORKER_READY || slot->state == WORKER_RELOADING ||
	       slot->state == WORKER_LEAVING;
}

/* --- asking all --- */

/* Room for what it may tell of each listener of its generation. */
static int prepare(const struct queries *queries, struct reply *reply)
{
	(void)sockets_list(queries->view.sockets, reply->generation, &reply->listener_count);
	reply->counts = calloc(reply->listener_count + 1, sizeof *reply->counts);
	return reply->counts ? 0 : -1;
}

static void ask_one(struct question *question, struct worker_slot *slot)
{
	const struct queries *queries = question->queries;
	struct message message = {.type = question->form == CONTROL_AUDIT ? MESSAGE_AUDITS
									  : MESSAGE_STATUS,
				  .number = {question->id}};
	struct reply *reply = question_expect(question, slot);

	reply->over = prepare(queries, reply) < 0 ||
		      queries->calls.ask(queries->calls.data, slot, &message) < 0;
}

static void ask_all(struct question *question)
{
	struct crew *crew = question->queries->view.crew;

	for (size_t i = 0; i < crew_slots(crew); i++)
		if (queries_slot_listens(crew_slot(crew, i)))
			ask_one(question, crew_slot(crew, i));
	look(question);
}

void queries_status(struct queries *queries, struct control_client *client, enum control_form form)
{
	struct question *question =
	    question_make(queries, client, false, crew_slots(queries->view.crew));

	if (!question)
		return;
	question->form = form;
	ask_all(question);
}

/* What a worker is sent it takes in order: who answers has done all before. */
void queries_settle(struct queries *queries, struct control_client *client, int code,
		    const char *text)
{
	char *settled = strdup(text);
	struct question *question =
	    settled ? question_make(queries, client, false, crew_slots(queries->view.crew)) : NULL;

	if (!question) {
		if (!settled)
			control_end(client, code, text);
		free(settled);
		return;
	}
	question->settled = settled;
	question->code = code;
	ask_all(question);
}

/* --- what comes --- */

static int take_listener(const struct question *question, struct reply *reply,
			 const int64_t number[MESSAGE_NUMBERS])
{
	if (question->form == CONTROL_AUDIT || number[1] < 0 ||
	    (size_t)number[1] >= reply->listener_count || number[2] < 0 || number[3] < 0)
		return -1;
	reply->counts[number[1]] = (struct life_counts){(uint64_t)number[2], (uint64_t)number[3]};
	return 0;
}

static int take_totals(const struct question *question, struct reply *reply,
		       const int64_t number[MESSAGE_NUMBERS])
{
	for (int i = 1; i < MESSAGE_NUMBERS; i++)
		if (number[i] < 0)
			return -1;
	if (question->form == CONTROL_AUDIT)
		return -1;
	reply->totals = (struct life_totals){.lua_bytes = (size_t)number[1],
					     .tasks = (uint64_t)number[2],
					     .failed = (uint64_t)number[3]};
	reply->resident = (uint64_t)number[4];
	reply->lag = number[5];
	reply->whole = reply->over = true;
	return 0;
}

static int take_line(const struct question *question, struct reply *reply,
		     const struct message *message)
{
	if (question->form != CONTROL_AUDIT || reply->line_count == QUERIES_LINES_MAX)
		return -1;
	reply->wrong[reply->line_count] = message->number[2] != 0;
	reply->lines[reply->line_count] = *message->text ? strdup(message->text) : NULL;
	if (reply->lines[reply->line_count])
		reply->line_count++;
	reply->whole = reply->over = message->number[1] != 0;
	return 0;
}

static int take(struct question *question, struct reply *reply, const struct message *message)
{
	if (question->lua)
		return message->type == MESSAGE_RESULT ? query_result(question, reply, message)
						       : -1;
	switch (message->type) {
	case MESSAGE_LISTENER:
		return take_listener(question, reply, message->number);
	case MESSAGE_TOTALS:
		return take_totals(question, reply, message->number);
	case MESSAGE_AUDIT:
		return take_line(question, reply, message);
	default:
		return -1;
	}
}

int queries_take(struct queries *queries, const struct worker_slot *slot,
		 const struct message *message)
{
	struct question *question = queries->questions;
	struct reply *reply;
	int result;

	if (message->number[0] < 1 || message->number[0] > queries->last)
		return -1;
	while (question && question->id != message->number[0])
		question = question->next;
	if (!question || question->answered)
		return 0; /* too late */
	reply = find(question, slot);
	if (!reply || reply->over)
		return -1;
	result = take(question, reply, message);
	look(question);
	return result;
}

void queries_gone(struct queries *queries, const struct worker_slot *slot)
{
	struct question *next;

	for (struct question *question = queries->questions; question; question = next) {
		struct reply *reply = find(question, slot);

		next = question->next;
		if (!reply || reply->over)
			continue;
		reply->over = true;
		if (question->lua)
			query_lua_failed(question, "the worker has ended");
		look(question);
	}
}

/* --- create, close --- */

struct queries *queries_create(uv_loop_t *loop, const struct queries_view *view,
			       const struct queries_calls *calls, struct err *err)
{
	struct queries *queries = calloc(1, sizeof *queries);

	if (!queries) {
		err_sys(err, "cannot answer on the control socket");
		return NULL;
	}
	queries->loop = loop;
	queries->view = *view;
	queries->calls = *calls;
	/* Workers may still answer what another image of this process has asked: no question of
	 * ours has the number of one of its. Nobody asks once a microsecond. */
	queries->last = (int64_t)(uv_hrtime() / 1000);
	return queries;
}

void queries_close(struct queries *queries)
{
	if (!queries)
		return;
	for (struct question *question = queries->questions; question; question = question->next) {
		if (question->answered)
			continue;
		if (question->lua)
			query_lua_failed(question, "the daemon is stopping");
		else
			control_end(question->client, EXIT_FAILED, "the daemon is stopping");
		question_end(question);
	}
}

void queries_destroy(struct queries *queries)
{
	free(queries);
}
