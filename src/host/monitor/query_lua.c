#include <string.h>

#include "host/monitor/query_state.h"

/* --- where --- */

static bool fits(const struct queries *queries, const struct worker_slot *slot, int worker)
{
	struct crew_status status;

	crew_status(queries->view.crew, &status);
	return slot->generation == status.generation && queries_slot_listens(slot) &&
	       (worker == 0 || worker == slot->number);
}

int queries_place(const struct queries *queries, struct control_place *place, struct err *err)
{
	struct crew *crew = queries->view.crew;

	for (size_t i = 0; i < crew_slots(crew); i++) {
		const struct worker_slot *slot = crew_slot(crew, i);

		if (!fits(queries, slot, place->worker))
			continue;
		*place = (struct control_place){slot->generation, slot->number};
		return 0;
	}
	return place->worker ? err_set(err, "there is no worker %d that is ready", place->worker)
			     : err_set(err, "no worker is ready");
}

static struct worker_slot *slot_of(const struct queries *queries, const struct control_place *place)
{
	struct crew *crew = queries->view.crew;

	for (size_t i = 0; i < crew_slots(crew); i++) {
		struct worker_slot *slot = crew_slot(crew, i);

		if (slot->generation == place->generation && slot->number == place->worker)
			return queries_slot_listens(slot) ? slot : NULL;
	}
	return NULL;
}

/* --- what --- */

static int send_part(const struct question *question, struct worker_slot *slot,
		     struct message *message, const char *text, size_t length)
{
	const struct queries_calls *calls = &question->queries->calls;

	memcpy(message->text, text, length);
	message->text[length] = 0;
	return calls->ask(calls->data, slot, message);
}

static int send_code(const struct question *question, struct worker_slot *slot, const char *text,
		     size_t length)
{
	struct message message = {.type = MESSAGE_EVAL, .number = {question->id}};

	do {
		size_t part = length < sizeof message.text ? length : sizeof message.text - 1;

		message.number[1] = part == length;
		if (send_part(question, slot, &message, text, part) < 0)
			return -1;
		text += part;
		length -= part;
	} while (length > 0);
	return 0;
}

/* Only the end of it matters. */
static int send_prefix(const struct question *question, struct worker_slot *slot, const char *text,
		       size_t length)
{
	struct message message = {.type = MESSAGE_COMPLETE, .number = {question->id}};
	size_t part = length < sizeof message.text ? length : sizeof message.text - 1;

	return send_part(question, slot, &message, text + length - part, part);
}

static void refuse(struct control_client *client, const char *why)
{
	control_print(client, why, strlen(why));
	control_print(client, "\n", 1);
	control_result(client, true);
}

void queries_lua(struct queries *queries, struct control_client *client,
		 const struct control_place *place, enum frame_type type, const char *text,
		 size_t length)
{
	struct worker_slot *slot = slot_of(queries, place);
	struct question *question;

	if (!slot) {
		refuse(client, "the worker of this console has ended: open a new one");
		return;
	}
	question = question_make(queries, client, true, 1);
	if (!question)
		return;
	(void)question_expect(question, slot);
	if ((type == FRAME_LUA ? send_code : send_prefix)(question, slot, text, length) < 0)
		query_lua_failed(question, "the worker takes no questions now");
}

/* --- the result --- */

static void print(struct question *question, const char *text)
{
	size_t length = strlen(text), room = QUERIES_RESULT_MAX - question->printed;

	if (length <= room) {
		control_print(question->client, text, length);
		question->printed += length;
	} else if (room > 0) {
		control_print(question->client, text, room);
		control_print(question->client, "\n... cut\n", 9);
		question->printed = QUERIES_RESULT_MAX;
	}
}

int query_result(struct question *question, struct reply *reply, const struct message *message)
{
	print(question, message->text);
	if (!message->number[1])
		return 0;
	reply->over = reply->whole = true;
	control_result(question->client, message->number[2] != 0);
	question_end(question);
	return 0;
}

void query_lua_failed(struct question *question, const char *why)
{
	refuse(question->client, why);
	question_end(question);
}
