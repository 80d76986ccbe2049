#include <stdlib.h>
#include <string.h>

#include "host/control.h"
#include "host/worker_state.h"

/* What a console asks of this worker: the monitor sends a text in parts, and gets the answer in
 * parts. */

enum {
	SCRIPTS_MAX = CONTROL_CLIENTS_MAX, /* at once: a console has one */
	PARTS_MAX = 192 /* of an answer: more would fill the way to the monitor */
};

/* One question; worker->begun until all of its text has come. */
struct script {
	struct worker *worker;
	int64_t query;
	char *text;
	size_t length;
};

static void script_free(struct script *script)
{
	script->worker->script_count--;
	free(script->text);
	free(script);
}

/* --- the answer --- */

static void tell(const struct script *script, bool failed, const char *text)
{
	struct message message = {.type = MESSAGE_RESULT, .number = {script->query, 0, failed}};
	size_t length = strlen(text);

	for (int part = 1; !message.number[1]; part++) {
		size_t size = length < sizeof message.text ? length : sizeof message.text - 1;

		memcpy(message.text, text, size);
		message.text[size] = 0;
		text += size;
		length -= size;
		message.number[1] = length == 0 || part == PARTS_MAX;
		if (length > 0 && part == PARTS_MAX)
			snprintf(message.text, sizeof message.text, "\n... %zu bytes more\n",
				 length + size);
		courier_send(script->worker->courier, &message);
	}
}

static void on_answer(void *data, bool ok, const char *text)
{
	struct script *script = data;

	tell(script, !ok, text);
	script_free(script);
}

/* --- the question --- */

static struct script *script_make(struct worker *worker, int64_t query)
{
	struct script *script =
	    worker->script_count < SCRIPTS_MAX ? calloc(1, sizeof *script) : NULL;

	if (!script)
		return NULL;
	script->worker = worker;
	script->query = query;
	worker->script_count++;
	return script;
}

static int add(struct script *script, const char *text)
{
	size_t length = strlen(text);
	char *grown = script->length + length <= CONTROL_LUA_MAX
			  ? realloc(script->text, script->length + length + 1)
			  : NULL;

	if (!grown)
		return -1;
	memcpy(grown + script->length, text, length + 1);
	script->text = grown;
	script->length += length;
	return 0;
}

static void refuse(struct script *script, const char *why)
{
	tell(script, true, why);
	script_free(script);
}

typedef int (*asked)(struct life *life, const char *text, life_answer done, void *data);

static void ask(struct script *script, asked question)
{
	struct worker *worker = script->worker;

	if (worker->stage.phase == PHASE_OF_START)
		refuse(script, "the worker is starting");
	else if (question(worker->stage.life, script->text, on_answer, script) < 0)
		refuse(script, "out of memory");
}

/* The one whose text is not yet whole, or a fresh one. A text comes in one go: what another one
 * has followed will not be whole any more. */
static struct script *find(struct worker *worker, int64_t query)
{
	struct script *begun = worker->begun;

	worker->begun = NULL;
	if (begun && begun->query == query)
		return begun;
	if (begun)
		script_free(begun);
	return script_make(worker, query);
}

static void take(struct worker *worker, const struct message *message, bool last, asked question)
{
	struct script *script = find(worker, message->number[0]);

	if (!script) {
		const struct script nothing = {.worker = worker, .query = message->number[0]};

		if (last)
			tell(&nothing, true, "the worker answers too many questions already");
	} else if (add(script, message->text) < 0) {
		refuse(script, "the text is too long");
	} else if (last) {
		ask(script, question);
	} else {
		worker->begun = script;
	}
}

void worker_evaluate(struct worker *worker, const struct message *message)
{
	take(worker, message, message->number[1] != 0, life_eval);
}

void worker_complete(struct worker *worker, const struct message *message)
{
	take(worker, message, true, life_complete);
}

void worker_console_close(struct worker *worker)
{
	if (worker->begun)
		script_free(worker->begun);
	worker->begun = NULL;
}
