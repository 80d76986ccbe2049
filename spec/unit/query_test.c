#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/monitor/query.h"
#include "host/page.h"

/* Two workers of generation 2 and one of generation 1 that leaves; each is asked by hand and
 * answered by hand. The control socket's side is this test's own. */

enum { SLOTS = 4, ASKED_MAX = 64 };

struct world {
	uv_loop_t loop;
	struct spec spec;
	struct daemon daemon;
	struct listen listen;
	struct listener listeners[2]; /* of generation 2; generation 1 has the second only */
	struct worker_slot slots[SLOTS];
	struct queries *queries;
	struct {
		const struct worker_slot *slot;
		struct message message;
	} asked[ASKED_MAX];
	size_t asked_count;
	const struct worker_slot *deaf;  /* cannot be asked */
	const struct worker_slot *wrong; /* is not what it shall be */
	struct reload_verdict reload;
};

/* --- what stands around it --- */

struct control_client {
	char text[600000];
	size_t length;
	bool ended, resulted, failed;
	int code;
	char last[256];
};

void control_print(struct control_client *client, const char *bytes, size_t length)
{
	assert_true(client->length + length < sizeof client->text);
	memcpy(client->text + client->length, bytes, length);
	client->length += length;
	client->text[client->length] = 0;
}

void control_end(struct control_client *client, int code, const char *text)
{
	assert_false(client->ended);
	client->ended = true;
	client->code = code;
	snprintf(client->last, sizeof client->last, "%s", text ? text : "");
}

void control_result(struct control_client *client, bool failed)
{
	assert_false(client->resulted);
	client->resulted = true;
	client->failed = failed;
}

uint64_t log_lost(struct log *log)
{
	assert_null(log);
	return 5;
}

/* The crew is the world's slots. */
static struct world *world_of(const struct crew *crew)
{
	return (struct world *)(uintptr_t)crew;
}

void crew_status(const struct crew *crew, struct crew_status *status)
{
	(void)crew;
	*status = (struct crew_status){
	    .state = MONITOR_RUNNING, .generation = 2, .generations = 2, .restarts = 3};
}

size_t crew_slots(const struct crew *crew)
{
	(void)crew;
	return SLOTS;
}

struct worker_slot *crew_slot(const struct crew *crew, size_t index)
{
	return &world_of(crew)->slots[index];
}

enum generation_state crew_generation(const struct crew *crew, int id)
{
	(void)crew;
	return id == 2 ? GENERATION_CURRENT : GENERATION_DRAINING;
}

const char *worker_state_name(enum worker_state state)
{
	static const char *const names[] = {"absent",    "starting", "ready",
					    "reloading", "leaving",  "killed"};

	return names[state];
}

const char *generation_state_name(enum generation_state state)
{
	return state == GENERATION_CURRENT ? "current" : "draining";
}

const char *monitor_state_name(enum monitor_state state)
{
	assert_int_equal(state, MONITOR_RUNNING);
	return "running";
}

const struct listener *sockets_list(const struct sockets *sockets, int generation, size_t *count)
{
	const struct world *world = (const struct world *)sockets;

	*count = generation == 2 ? 2 : 1;
	return &world->listeners[generation == 2 ? 0 : 1];
}

static int ask(void *data, struct worker_slot *slot, const struct message *message)
{
	struct world *world = data;

	if (slot == world->deaf)
		return -1;
	assert_true(world->asked_count < ASKED_MAX);
	world->asked[world->asked_count].slot = slot;
	world->asked[world->asked_count++].message = *message;
	return 0;
}

static pid_t pid_of(void *data, const struct worker_slot *slot)
{
	(void)data;
	return 1000 + slot->generation * 10 + slot->number;
}

static int inspect(void *data, const struct worker_slot *slot, struct err *err)
{
	const struct world *world = data;

	return slot == world->wrong ? err_set(err, "thread 7 has uid 0") : 0;
}

static struct worker_slot slot(int generation, int number, enum worker_state state)
{
	return (struct worker_slot){.generation = generation, .number = number, .state = state};
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	const struct queries_calls calls = {world, ask, pid_of, inspect};
	struct queries_view view = {.daemon = &world->daemon,
				    .crew = (struct crew *)world,
				    .sockets = (struct sockets *)world,
				    .reload = &world->reload,
				    .text = "all is well"};
	struct err err;

	world->spec.name = "echo";
	world->spec.description = "";
	world->daemon.spec = &world->spec;
	world->listen.name = "web";
	world->listeners[0] = (struct listener){.listen = &world->listen};
	world->listeners[1] = world->listeners[0];
	snprintf(world->listeners[0].actual, 160, "tcp://127.0.0.1:1");
	snprintf(world->listeners[1].actual, 160, "tcp://127.0.0.1:2");
	world->slots[0] = slot(1, 1, WORKER_LEAVING);
	world->slots[1] = slot(2, 1, WORKER_READY);
	world->slots[2] = slot(2, 2, WORKER_READY);
	world->slots[3] = slot(2, 3, WORKER_STARTING);
	uv_loop_init(&world->loop);
	world->queries = queries_create(&world->loop, &view, &calls, &err);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	queries_close(world->queries);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	queries_destroy(world->queries);
	if (uv_loop_close(&world->loop) != 0)
		return -1;
	free(world);
	return 0;
}

/* --- answers --- */

static int64_t query_of(const struct world *world, size_t index)
{
	assert_true(index < world->asked_count);
	return world->asked[index].message.number[0];
}

static int listener(struct world *world, size_t asked, int64_t index, int64_t connections,
		    int64_t accepted)
{
	const struct message message = {
	    .type = MESSAGE_LISTENER,
	    .number = {query_of(world, asked), index, connections, accepted}};

	return queries_take(world->queries, world->asked[asked].slot, &message);
}

static int totals(struct world *world, size_t asked, int64_t bytes)
{
	const struct message message = {
	    .type = MESSAGE_TOTALS, .number = {query_of(world, asked), bytes, 2, 1, 4096, 7000}};

	return queries_take(world->queries, world->asked[asked].slot, &message);
}

static int line(struct world *world, size_t asked, bool last, bool wrong, const char *text)
{
	struct message message = {.type = MESSAGE_AUDIT,
				  .number = {query_of(world, asked), last, wrong}};

	snprintf(message.text, sizeof message.text, "%s", text);
	return queries_take(world->queries, world->asked[asked].slot, &message);
}

static int result(struct world *world, size_t asked, bool last, bool failed, const char *text)
{
	struct message message = {.type = MESSAGE_RESULT,
				  .number = {query_of(world, asked), last, failed}};

	snprintf(message.text, sizeof message.text, "%s", text);
	return queries_take(world->queries, world->asked[asked].slot, &message);
}

static struct control_client *client_make(void)
{
	return calloc(1, sizeof(struct control_client));
}

static void assert_has(const struct control_client *client, const char *text)
{
	if (!strstr(client->text, text))
		fail_msg("no '%s' in: %s", text, client->text);
}

/* --- status --- */

static void test_status_is_the_sum_of_what_all_workers_answer(void **state)
{
	struct world *world = *state;
	struct control_client *client = client_make();

	queries_status(world->queries, client, CONTROL_JSON);
	assert_int_equal(world->asked_count, 3); /* not the one that starts */
	assert_int_equal(world->asked[0].message.type, MESSAGE_STATUS);
	assert_int_equal(listener(world, 0, 0, 1, 10), 0); /* generation 1's first is :2 */
	assert_int_equal(totals(world, 0, 100), 0);
	assert_int_equal(listener(world, 1, 0, 2, 20), 0);
	assert_int_equal(listener(world, 1, 1, 3, 30), 0);
	assert_int_equal(totals(world, 1, 200), 0);
	assert_int_equal(listener(world, 2, 1, 4, 40), 0);
	assert_false(client->ended);
	assert_int_equal(totals(world, 2, 300), 0);
	assert_true(client->ended);
	assert_int_equal(client->code, EXIT_DONE);
	assert_has(client, "\"listeners\":[{\"name\":\"web\",\"address\":\"tcp://127.0.0.1:1\","
			   "\"connections\":2,\"accepted\":20},{\"name\":\"web\",\"address\":"
			   "\"tcp://127.0.0.1:2\",\"connections\":8,\"accepted\":80}],");
	assert_has(client, "\"lua\":{\"memory\":600,\"tasks\":6,\"failed\":3},");
	assert_has(client, "\"status\":\"all is well\",\"restarts\":3,\"generation\":2,");
	assert_has(client, "\"generations\":[{\"id\":1,\"state\":\"draining\",\"workers\":1},"
			   "{\"id\":2,\"state\":\"current\",\"workers\":3}],");
	assert_has(client, "{\"number\":2,\"generation\":2,\"pid\":1022,\"state\":\"ready\",");
	assert_has(client, "\"lag\":0.007000,");
	assert_has(client, "{\"number\":3,\"generation\":2,\"pid\":1023,\"state\":\"starting\",");
	assert_has(client, "\"lines_lost\":5,\"reload\":null}\n");
	free(client);
}

static void test_a_worker_that_does_not_answer_is_shown_as_such_in_time(void **state)
{
	struct world *world = *state;
	struct control_client *client = client_make();
	uint64_t began = uv_hrtime();

	queries_status(world->queries, client, CONTROL_TEXT);
	assert_int_equal(totals(world, 0, 100), 0);
	assert_int_equal(totals(world, 1, 100), 0);
	while (!client->ended)
		uv_run(&world->loop, UV_RUN_ONCE);
	assert_true(uv_hrtime() - began >= (uint64_t)QUERIES_MS * 1000000 - 2000000);
	assert_has(client, "2 of generation 2, ready, pid 1022");
	assert_has(client, ", does not answer\n");
	/* What comes too late is no crime, and nobody's. */
	assert_int_equal(totals(world, 2, 100), 0);
	free(client);
}

static void test_nobody_waits_for_a_worker_that_ends_or_cannot_be_asked(void **state)
{
	struct world *world = *state;
	struct control_client *client = client_make();

	world->deaf = &world->slots[0];
	queries_status(world->queries, client, CONTROL_TEXT);
	assert_int_equal(world->asked_count, 2);
	assert_int_equal(totals(world, 0, 100), 0);
	assert_false(client->ended);
	queries_gone(world->queries, &world->slots[2]);
	assert_true(client->ended);
	free(client);
}

static void test_a_client_is_told_when_all_workers_have_come_so_far(void **state)
{
	struct world *world = *state;
	struct control_client *client = client_make();

	queries_settle(world->queries, client, EXIT_UNKNOWN, "generation 2");
	assert_int_equal(world->asked_count, 3);
	assert_int_equal(totals(world, 0, 100), 0);
	assert_int_equal(totals(world, 1, 100), 0);
	assert_false(client->ended);
	queries_gone(world->queries, &world->slots[2]);
	assert_true(client->ended);
	assert_int_equal(client->code, EXIT_UNKNOWN);
	free(client);
}

static void test_nonsense_is_told_from_what_comes_late(void **state)
{
	struct world *world = *state;
	struct control_client *client = client_make();
	struct message message = {.type = MESSAGE_TOTALS};

	queries_status(world->queries, client, CONTROL_METRICS);
	message.number[0] = query_of(world, 0) + 1;
	assert_int_equal(queries_take(world->queries, &world->slots[0], &message), -1);
	message.number[0] = query_of(world, 0);
	assert_int_equal(queries_take(world->queries, &world->slots[3], &message), -1);
	message.number[3] = -1;
	assert_int_equal(queries_take(world->queries, &world->slots[0], &message), -1);
	assert_int_equal(listener(world, 0, 1, 0, 0), -1); /* generation 1 has but one */
	assert_int_equal(listener(world, 1, -1, 0, 0), -1);
	assert_int_equal(listener(world, 1, 0, -1, 0), -1);
	assert_int_equal(line(world, 1, true, false, "ids: fine"), -1);
	assert_int_equal(result(world, 1, true, false, "1"), -1);
	assert_int_equal(totals(world, 1, 1), 0);
	assert_int_equal(totals(world, 1, 1), -1); /* twice */
	queries_close(world->queries);
	assert_int_equal(client->code, EXIT_FAILED);
	assert_string_equal(client->last, "the daemon is stopping");
	free(client);
}

/* An upgrade comes between a question and its answer: the worker has done nothing wrong. */
static void test_an_answer_to_the_image_before_is_late_and_no_other_ones(void **state)
{
	struct world *world = *state;
	const struct queries_calls calls = {world, ask, pid_of, inspect};
	struct queries_view view = {.daemon = &world->daemon,
				    .crew = (struct crew *)world,
				    .sockets = (struct sockets *)world,
				    .reload = &world->reload,
				    .text = ""};
	struct control_client *client = client_make();
	struct message before = {.type = MESSAGE_TOTALS, .number = {0, 1, 2, 1, 4096, 7000}};
	struct err err;

	queries_status(world->queries, client, CONTROL_JSON);
	before.number[0] = query_of(world, 1);
	queries_close(world->queries);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	queries_destroy(world->queries);
	world->queries = queries_create(&world->loop, &view, &calls, &err);
	world->asked_count = 0;
	*client = (struct control_client){0};
	assert_int_equal(queries_take(world->queries, &world->slots[1], &before), 0);
	queries_status(world->queries, client, CONTROL_JSON);
	assert_true(query_of(world, 1) > before.number[0]);
	assert_int_equal(queries_take(world->queries, &world->slots[1], &before), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(totals(world, i, 1000), 0);
	assert_true(client->ended);
	free(client);
}

/* --- audit --- */

static void test_an_audit_shows_what_each_proves_and_what_is_seen_from_outside(void **state)
{
	struct world *world = *state;
	struct control_client *client = client_make();

	queries_status(world->queries, client, CONTROL_AUDIT);
	assert_int_equal(world->asked[0].message.type, MESSAGE_AUDITS);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(line(world, i, false, false, "ids: uid 33, gid 33"), 0);
		assert_int_equal(line(world, i, true, false, ""), 0);
	}
	assert_int_equal(client->code, EXIT_DONE);
	assert_has(client,
		   "worker 1 of generation 1, pid 1011, leaving\n"
		   "  holds  ids           uid 33, gid 33\n"
		   "  holds  outside       the monitor sees every thread as it should be\n");
	assert_has(client, "worker 3 of generation 2, pid 1023, starting\n");
	free(client);
}

static void test_an_audit_that_does_not_hold_fails(void **state)
{
	struct world *world = *state;
	struct control_client *client = client_make();

	world->wrong = &world->slots[1];
	queries_status(world->queries, client, CONTROL_AUDIT);
	assert_int_equal(line(world, 0, true, true, "umask: Umask is 0, expected 27"), 0);
	assert_int_equal(line(world, 1, true, false, ""), 0);
	assert_int_equal(line(world, 2, false, false, "ids: uid 33, gid 33"), 0);
	queries_gone(world->queries, &world->slots[2]);
	assert_int_equal(client->code, EXIT_FAILED);
	assert_string_equal(client->last, "3 proofs do not hold");
	assert_has(client, "  WRONG  umask         Umask is 0, expected 27\n");
	assert_has(client, "  WRONG  outside       thread 7 has uid 0\n");
	assert_has(client, "  WRONG  answer        it has not told everything in time\n");
	free(client);
}

static void test_an_audit_of_too_many_lines_is_nonsense(void **state)
{
	struct world *world = *state;
	struct control_client *client = client_make();

	queries_status(world->queries, client, CONTROL_AUDIT);
	for (int i = 0; i < QUERIES_LINES_MAX; i++)
		assert_int_equal(line(world, 0, false, false, "x: y"), 0);
	assert_int_equal(line(world, 0, false, false, "x: y"), -1);
	queries_close(world->queries);
	free(client);
}

/* --- the console --- */

static void test_a_console_gets_the_first_worker_that_is_ready(void **state)
{
	struct world *world = *state;
	struct control_place place = {0};
	struct err err = {0};

	assert_int_equal(queries_place(world->queries, &place, &err), 0);
	assert_int_equal(place.generation, 2);
	assert_int_equal(place.worker, 1);
	place = (struct control_place){.worker = 2};
	assert_int_equal(queries_place(world->queries, &place, &err), 0);
	assert_int_equal(place.worker, 2);
	place = (struct control_place){.worker = 3};
	assert_int_equal(queries_place(world->queries, &place, &err), -1);
	assert_string_equal(err.what, "there is no worker 3 that is ready");
}

static void test_a_long_text_goes_in_parts_and_so_does_its_result(void **state)
{
	struct world *world = *state;
	struct control_client *client = client_make();
	const struct control_place place = {2, 2};
	char text[2501] = {0}, whole[2501] = {0};

	memset(text, 'x', sizeof text - 1);
	text[1023] = 'y';
	queries_lua(world->queries, client, &place, FRAME_LUA, text, 2500);
	assert_int_equal(world->asked_count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_ptr_equal(world->asked[i].slot, &world->slots[2]);
		assert_int_equal(world->asked[i].message.type, MESSAGE_EVAL);
		assert_int_equal(world->asked[i].message.number[1], i == 2);
		strcat(whole, world->asked[i].message.text);
	}
	assert_string_equal(whole, text);
	assert_int_equal(result(world, 0, false, false, "hello "), 0);
	assert_int_equal(result(world, 0, true, true, "world\n"), 0);
	assert_true(client->resulted && client->failed);
	assert_string_equal(client->text, "hello world\n");
	assert_int_equal(result(world, 0, true, true, "more"), 0); /* late */
	free(client);
}

static void test_of_a_text_to_complete_the_end_matters(void **state)
{
	struct world *world = *state;
	struct control_client *client = client_make();
	const struct control_place place = {2, 1};
	char text[2001] = {0};

	memset(text, 'x', sizeof text - 1);
	memcpy(text + 1995, "io.wr", 5);
	queries_lua(world->queries, client, &place, FRAME_COMPLETE, text, 2000);
	assert_int_equal(world->asked_count, 1);
	assert_int_equal(world->asked[0].message.type, MESSAGE_COMPLETE);
	assert_string_equal(world->asked[0].message.text + 1023 - 5, "io.wr");
	assert_int_equal(result(world, 0, true, false, "io.write\n"), 0);
	assert_false(client->failed);
	free(client);
}

static void assert_refused(const struct control_client *client, const char *text)
{
	assert_true(client->resulted && client->failed);
	assert_string_equal(client->text, text);
}

static void test_a_console_learns_that_its_worker_is_gone(void **state)
{
	struct world *world = *state;
	struct control_client *client = client_make();
	struct control_place place = {2, 2};

	queries_lua(world->queries, client, &place, FRAME_LUA, "x", 1);
	queries_gone(world->queries, &world->slots[2]);
	assert_refused(client, "the worker has ended\n");
	memset(client, 0, sizeof *client);
	world->slots[2].state = WORKER_ABSENT;
	queries_lua(world->queries, client, &place, FRAME_LUA, "x", 1);
	assert_refused(client, "the worker of this console has ended: open a new one\n");
	memset(client, 0, sizeof *client);
	place.worker = 1;
	world->deaf = &world->slots[1];
	queries_lua(world->queries, client, &place, FRAME_LUA, "x", 1);
	assert_refused(client, "the worker takes no questions now\n");
	free(client);
}

static void test_an_endless_result_is_cut(void **state)
{
	struct world *world = *state;
	struct control_client *client = client_make();
	const struct control_place place = {2, 1};
	char part[1001] = {0};

	memset(part, 'z', sizeof part - 1);
	queries_lua(world->queries, client, &place, FRAME_LUA, "x", 1);
	for (int i = 0; i < 600; i++)
		assert_int_equal(result(world, 0, false, false, part), 0);
	assert_int_equal(result(world, 0, true, false, "end"), 0);
	assert_int_equal(client->length, QUERIES_RESULT_MAX + strlen("\n... cut\n"));
	assert_true(client->resulted);
	free(client);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(status_is_the_sum_of_what_all_workers_answer),
	    TEST(a_worker_that_does_not_answer_is_shown_as_such_in_time),
	    TEST(nobody_waits_for_a_worker_that_ends_or_cannot_be_asked),
	    TEST(a_client_is_told_when_all_workers_have_come_so_far),
	    TEST(nonsense_is_told_from_what_comes_late),
	    TEST(an_answer_to_the_image_before_is_late_and_no_other_ones),
	    TEST(an_audit_shows_what_each_proves_and_what_is_seen_from_outside),
	    TEST(an_audit_that_does_not_hold_fails),
	    TEST(an_audit_of_too_many_lines_is_nonsense),
	    TEST(a_console_gets_the_first_worker_that_is_ready),
	    TEST(a_long_text_goes_in_parts_and_so_does_its_result),
	    TEST(of_a_text_to_complete_the_end_matters),
	    TEST(a_console_learns_that_its_worker_is_gone),
	    TEST(an_endless_result_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
