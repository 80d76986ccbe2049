#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/control_client.h"
#include "host/control_keep.h"
#include "plan/sink.h"

/* The log writes to /dev/null and is not opened anew here. */
int sink_reopen(const struct daemon *daemon, struct sink *sink, struct err *err)
{
	(void)daemon;
	(void)sink;
	return err_set(err, "there is no other sink");
}

struct world {
	uv_loop_t loop;
	struct spec spec;
	struct daemon daemon;
	struct control *control;
	char path[64];
	struct control_client *waiting; /* asked for stop, reload or Lua */
	struct control_place place;     /* of the last Lua, its kind and text */
	enum frame_type type;
	char lua[CONTROL_LUA_MAX + 1];
	bool later;   /* status is not answered at once */
	bool monitor; /* can be upgraded */
	char *sets[3];
};

static void on_status(void *data, struct control_client *client, enum control_form form)
{
	static const char *const texts[] = {"fine\n", "{}\n", "up 1\n", "all holds\n"};

	struct world *world = data;

	world->waiting = client;
	if (world->later)
		return;
	control_print(client, texts[form], strlen(texts[form]));
	control_end(client, EXIT_DONE, NULL);
}

static void on_wait(void *data, struct control_client *client)
{
	struct world *world = data;

	world->waiting = client;
}

static int on_place(void *data, struct control_place *place, struct err *err)
{
	(void)data;
	if (place->worker > 2)
		return err_set(err, "there is no worker %d", place->worker);
	place->generation = 7;
	place->worker = place->worker ? place->worker : 1;
	return 0;
}

static void on_lua(void *data, struct control_client *client, const struct control_place *place,
		   enum frame_type type, const char *text, size_t length)
{
	struct world *world = data;

	world->waiting = client;
	world->place = *place;
	world->type = type;
	assert_int_equal(strlen(text), length);
	snprintf(world->lua, sizeof world->lua, "%s", text);
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 64) < 0)
		return -1;
	return fd;
}

static int serve(struct world *world)
{
	struct control_calls calls = {.data = world,
				      .status = on_status,
				      .reload = on_wait,
				      .stop = on_wait,
				      .upgrade = world->monitor ? on_wait : NULL,
				      .place = on_place,
				      .lua = on_lua};
	struct err err = {0};

	world->control =
	    control_create(&world->loop, &world->daemon, world->daemon.log, &calls, &err);
	return world->control ? 0 : -1;
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	struct err err;

	snprintf(world->path, sizeof world->path, "/tmp/control-test-%ld", (long)getpid());
	world->spec.name = (char *)(uintptr_t) "echo";
	world->spec.timeout_stop = world->spec.timeout_reload = 1000;
	world->spec.uid = geteuid();
	world->daemon.spec = &world->spec;
	world->daemon.source.owner = geteuid();
	world->daemon.source.sets = world->sets;
	world->daemon.output_fd = -1;
	world->daemon.sink =
	    (struct sink){SINK_FILE, open("/dev/null", O_WRONLY | O_CLOEXEC), false};
	world->daemon.control_fd = listen_at(world->path);
	uv_loop_init(&world->loop);
	world->daemon.log = log_create(&world->daemon, &err);
	*state = world;
	return serve(world);
}

static int teardown(void **state)
{
	struct world *world = *state;

	control_close(world->control);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	control_destroy(world->control);
	log_destroy(world->daemon.log);
	close(world->daemon.control_fd);
	close(world->daemon.sink.fd);
	unlink(world->path);
	if (uv_loop_close(&world->loop) != 0)
		return -1;
	free(world);
	return 0;
}

/* --- a client --- */

/* Its socket is watched by the server's loop, so that uv_run waits for both. */
struct peer {
	uv_poll_t poll;
	int fd;
	unsigned char bytes[262144];
	size_t have;
	bool ended; /* the connection */
};

static void peer_read(struct peer *peer)
{
	ssize_t n = recv(peer->fd, peer->bytes + peer->have, sizeof peer->bytes - peer->have, 0);

	peer->ended = n == 0;
	peer->have += n > 0 ? (size_t)n : 0;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	peer_read(poll->data);
}

static struct peer *peer_open(struct world *world)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct peer *peer = calloc(1, sizeof *peer);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", world->path);
	peer->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(connect(peer->fd, (struct sockaddr *)&address, sizeof address), 0);
	uv_poll_init(&world->loop, &peer->poll, peer->fd);
	peer->poll.data = peer;
	return peer;
}

static void on_peer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void peer_close(struct peer *peer)
{
	uv_poll_stop(&peer->poll);
	close(peer->fd);
	uv_close((uv_handle_t *)&peer->poll, on_peer_closed);
}

static void peer_send(struct peer *peer, const void *bytes, size_t length)
{
	assert_int_equal(send(peer->fd, bytes, length, MSG_NOSIGNAL), length);
}

static void peer_ask(struct peer *peer, const char *request)
{
	unsigned char head[FRAME_HEAD];

	frame_head(head, FRAME_REQUEST, strlen(request));
	peer_send(peer, head, sizeof head);
	peer_send(peer, request, strlen(request));
}

/* Waits until something happens. */
static void turn(struct world *world, struct peer *peer)
{
	uv_poll_start(&peer->poll, UV_READABLE | UV_DISCONNECT, on_readable);
	uv_run(&world->loop, UV_RUN_ONCE);
	uv_poll_stop(&peer->poll);
}

/* Takes the next frame; its payload as a string. */
static enum frame_type next_frame(struct world *world, struct peer *peer, char *text, size_t size)
{
	struct frame frame;
	ssize_t length;

	while ((length = frame_parse(&frame, peer->bytes, peer->have, CONTROL_FRAME_MAX)) == 0) {
		assert_false(peer->ended);
		turn(world, peer);
	}
	assert_true(length > 0 && frame.length < size);
	memcpy(text, frame.payload, frame.length);
	text[frame.length] = 0;
	peer->have -= (size_t)length;
	memmove(peer->bytes, peer->bytes + length, peer->have);
	return frame.type;
}

static void assert_output(struct world *world, struct peer *peer, const char *expected)
{
	char text[65536];

	assert_int_equal(next_frame(world, peer, text, sizeof text), FRAME_OUTPUT);
	assert_string_equal(text, expected);
}

static void assert_end(struct world *world, struct peer *peer, int code, const char *expected)
{
	char text[4096];

	assert_int_equal(next_frame(world, peer, text, sizeof text), FRAME_END);
	assert_int_equal(text[0], code);
	assert_string_equal(text + 1, expected);
	while (!peer->ended)
		turn(world, peer);
	peer_close(peer);
}

static void say(struct world *world, const char *text)
{
	log_write(world->daemon.log, LEVEL_ERROR, text, strlen(text), NULL, 0);
}

/* --- requests --- */

static void test_status_is_answered_as_text_and_as_json(void **state)
{
	struct world *world = *state;
	struct peer *peer = peer_open(world);

	peer_ask(peer, "status");
	assert_output(world, peer, "fine\n");
	assert_end(world, peer, EXIT_DONE, "");
	peer = peer_open(world);
	peer_ask(peer, "status json");
	assert_output(world, peer, "{}\n");
	assert_end(world, peer, EXIT_DONE, "");
}

static void test_a_request_may_come_byte_by_byte(void **state)
{
	struct world *world = *state;
	struct peer *peer = peer_open(world);
	static const unsigned char request[] = "\0\0\0\7Qstatus";

	for (size_t i = 0; i < sizeof request - 1; i++) {
		peer_send(peer, request + i, 1);
		uv_run(&world->loop, UV_RUN_NOWAIT);
	}
	assert_output(world, peer, "fine\n");
	assert_end(world, peer, EXIT_DONE, "");
}

static void test_nonsense_is_refused_as_wrong_usage(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *text;
	} cases[] = {
	    {"\0\0\0\7Qfly me", 11, "unknown request"},
	    {"\0\0\0\7Ostatus", 11, "malformed request"},
	    {"\0\0\0\7Xstatus", 11, "malformed request"},
	    {"\0\0\0\7Qsta\0us", 11, "malformed request"},
	    {"\0\0\0\7Qstatus\0\0\0\7Qstatus", 22, "malformed request"},
	    {"\0\0\0\0", 4, "malformed request"},
	    {"\0\1\0\0", 4, "malformed request"},
	    {"\377\377\377\377Q", 5, "malformed request"},
	    {"GET / HTTP/1.0\r\n\r\n", 18, "malformed request"},
	    {"\0\0\0\13Qstatus xml", 15, "expected: status [json|metrics|audit]"},
	    {"\0\0\0\12Qlogs -1 x", 14, "expected: logs [follow] [N]"},
	};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct peer *peer = peer_open(world);

		peer_send(peer, cases[i].bytes, cases[i].length);
		assert_end(world, peer, EXIT_USAGE, cases[i].text);
	}
}

static void test_a_reload_waits_for_its_verdict(void **state)
{
	struct world *world = *state;
	struct peer *peer = peer_open(world);
	char text[64];

	peer_ask(peer, "reload");
	assert_int_equal(next_frame(world, peer, text, sizeof text), FRAME_WITHIN);
	assert_true(atoi(text) > 1000);
	assert_non_null(world->waiting);
	control_end(world->waiting, EXIT_FAILED, "because");
	assert_end(world, peer, EXIT_FAILED, "because");
}

static void test_the_verdict_for_a_client_that_is_gone_is_nobodys(void **state)
{
	struct world *world = *state;
	struct peer *peer = peer_open(world);
	char text[64];

	peer_ask(peer, "reload");
	next_frame(world, peer, text, sizeof text);
	peer_close(peer);
	for (int i = 0; i < 10; i++)
		uv_run(&world->loop, UV_RUN_NOWAIT);
	control_end(world->waiting, EXIT_DONE, "done");
}

static void test_the_end_of_the_process_answers_a_stop(void **state)
{
	struct world *world = *state;
	struct peer *peer = peer_open(world);
	char text[64];

	peer_ask(peer, "stop");
	assert_int_equal(next_frame(world, peer, text, sizeof text), FRAME_WITHIN);
	control_close(world->control);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	peer_read(peer);
	assert_false(peer->ended); /* open until the process is gone */
	peer_close(peer);
}

static void test_sets_are_told_one_by_one(void **state)
{
	struct world *world = *state;
	struct peer *peer = peer_open(world);

	world->sets[0] = (char *)(uintptr_t) "config.x=5";
	world->sets[1] = (char *)(uintptr_t) "user=";
	peer_ask(peer, "sets");
	assert_output(world, peer, "config.x=5");
	assert_output(world, peer, "user=");
	assert_end(world, peer, EXIT_DONE, "");
}

static void test_status_may_be_answered_later_to_who_only_listens(void **state)
{
	struct world *world = *state;
	struct peer *peer = peer_open(world);

	world->later = true;
	peer_ask(peer, "status metrics");
	shutdown(peer->fd, SHUT_WR);
	while (!world->waiting)
		uv_run(&world->loop, UV_RUN_ONCE);
	for (int i = 0; i < 5; i++)
		uv_run(&world->loop, UV_RUN_NOWAIT);
	control_print(world->waiting, "late\n", 5);
	control_end(world->waiting, EXIT_DONE, NULL);
	assert_output(world, peer, "late\n");
	assert_end(world, peer, EXIT_DONE, "");
}

static void test_a_daemon_without_a_monitor_cannot_be_upgraded(void **state)
{
	struct world *world = *state;
	struct peer *peer = peer_open(world);

	peer_ask(peer, "upgrade");
	assert_end(world, peer, EXIT_FAILED,
		   "this daemon cannot be upgraded: it has no monitor (workers = 0)");
}

/* --- the console --- */

static void peer_say(struct peer *peer, enum frame_type type, const char *text, size_t length)
{
	unsigned char head[FRAME_HEAD];

	frame_head(head, type, length);
	peer_send(peer, head, sizeof head);
	peer_send(peer, text, length);
}

static void assert_result(struct world *world, struct peer *peer, int code)
{
	char text[16];

	assert_int_equal(next_frame(world, peer, text, sizeof text), FRAME_RESULT);
	assert_int_equal(text[0], code);
}

static struct peer *console_open(struct world *world, const char *request, const char *greeting)
{
	struct peer *peer = peer_open(world);

	world->spec.console = true;
	peer_ask(peer, request);
	assert_output(world, peer, greeting);
	assert_result(world, peer, 0);
	return peer;
}

static void evaluate(struct world *world, struct peer *peer, const char *text, size_t length)
{
	world->waiting = NULL;
	peer_say(peer, FRAME_LUA, text, length);
	while (!world->waiting)
		uv_run(&world->loop, UV_RUN_ONCE);
}

static void test_a_console_is_refused_unless_the_daemon_file_allows_it(void **state)
{
	struct world *world = *state;
	struct peer *peer = peer_open(world);

	peer_ask(peer, "console");
	assert_end(world, peer, EXIT_FAILED,
		   "the daemon file does not allow a console: it needs console = true");
	world->spec.console = true;
	peer = peer_open(world);
	peer_ask(peer, "console 3");
	assert_end(world, peer, EXIT_FAILED, "there is no worker 3");
	peer = peer_open(world);
	peer_ask(peer, "console first");
	assert_end(world, peer, EXIT_USAGE, "expected: console [N], N of a worker");
}

static void test_a_console_evaluates_one_text_after_the_other(void **state)
{
	struct world *world = *state;
	struct peer *peer = console_open(world, "console 2", "echo: worker 2 of generation 7\n");

	evaluate(world, peer, "return 1", 8);
	assert_string_equal(world->lua, "return 1");
	assert_int_equal(world->type, FRAME_LUA);
	assert_int_equal(world->place.worker, 2);
	assert_int_equal(world->place.generation, 7);
	control_print(world->waiting, "1\n", 2);
	control_result(world->waiting, false);
	assert_output(world, peer, "1\n");
	assert_result(world, peer, 0);
	evaluate(world, peer, "", 0);
	assert_string_equal(world->lua, "");
	control_print(world->waiting, "no\n", 3);
	control_result(world->waiting, true);
	assert_output(world, peer, "no\n");
	assert_result(world, peer, 1);
	peer_close(peer);
}

static void test_the_log_tells_who_has_evaluated_what(void **state)
{
	struct world *world = *state;
	struct peer *peer = console_open(world, "console", "echo: worker 1 of generation 7\n");
	char long_text[1000], lines[16384], expected[128];
	uint64_t position = 0, lost;
	size_t length;

	memset(long_text, 'x', sizeof long_text);
	evaluate(world, peer, "print 'hello'", 13);
	control_result(world->waiting, false);
	assert_result(world, peer, 0);
	evaluate(world, peer, long_text, sizeof long_text);
	control_result(world->waiting, false);
	assert_result(world, peer, 0);
	length = log_read(world->daemon.log, &position, lines, sizeof lines - 1, &lost);
	lines[length] = 0;
	snprintf(expected, sizeof expected,
		 "console of pid %ld (uid %lu), worker 1 of generation 7: opened\n", (long)getpid(),
		 (unsigned long)geteuid());
	assert_non_null(strstr(lines, expected));
	assert_non_null(strstr(lines, "generation 7: print 'hello'\n"));
	assert_non_null(strstr(lines, "xxx...\n"));
	assert_true(length < 1500);
	peer_close(peer);
}

static void test_a_console_that_talks_out_of_turn_is_ended(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *text;
	} cases[] = {
	    {"\0\0\0\2Lx\0\0\0\2Lx", 12, "malformed request"},
	    {"\0\0\0\3L\0x", 7, "malformed request"},
	    {"\0\0\0\7Qstatus", 11, "malformed request"},
	    {"\0\0\100\2L", 5, "malformed request"},
	};
	struct world *world = *state;
	struct peer *peer;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		peer = console_open(world, "console", "echo: worker 1 of generation 7\n");
		peer_send(peer, cases[i].bytes, cases[i].length);
		assert_end(world, peer, EXIT_USAGE, cases[i].text);
	}
	peer = console_open(world, "console", "echo: worker 1 of generation 7\n");
	evaluate(world, peer, "x", 1);
	peer_say(peer, FRAME_LUA, "y", 1);
	assert_end(world, peer, EXIT_USAGE, "one text at a time");
	control_result(world->waiting, false); /* nobody's any more */
}

static void test_a_console_takes_a_text_of_the_greatest_length(void **state)
{
	struct world *world = *state;
	struct peer *peer = console_open(world, "console", "echo: worker 1 of generation 7\n");
	static char text[CONTROL_LUA_MAX];

	memset(text, 'y', sizeof text);
	evaluate(world, peer, text, sizeof text);
	assert_int_equal(strlen(world->lua), CONTROL_LUA_MAX);
	control_result(world->waiting, false);
	assert_result(world, peer, 0);
	peer_close(peer);
}

static void test_the_result_for_a_console_that_is_gone_is_nobodys(void **state)
{
	struct world *world = *state;
	struct peer *peer = console_open(world, "console", "echo: worker 1 of generation 7\n");

	evaluate(world, peer, "x", 1);
	peer_close(peer);
	for (int i = 0; i < 10; i++)
		uv_run(&world->loop, UV_RUN_NOWAIT);
	control_print(world->waiting, "x", 1);
	control_result(world->waiting, true);
}

static void test_a_console_is_told_the_end_of_the_daemon(void **state)
{
	struct world *world = *state;
	struct peer *peer = console_open(world, "console", "echo: worker 1 of generation 7\n");

	evaluate(world, peer, "x", 1); /* its answer never comes */
	control_close(world->control);
	assert_end(world, peer, EXIT_FAILED, "the daemon has stopped");
}

/* --- another image --- */

enum { KEPT_MAX = 8 };

/* As execution does it: descriptors stay, all else of the old image is gone without a word. Returns
 * how many were kept; the last that somebody must answer is in *owed. */
static size_t cross(struct world *world, struct control_client **owed)
{
	struct control_kept kept[KEPT_MAX];
	size_t count = control_keep(world->control, kept, KEPT_MAX);

	for (size_t i = 0; i < count; i++)
		kept[i].fd = fcntl(kept[i].fd, F_DUPFD_CLOEXEC, 3);
	control_dismiss(world->control);
	for (struct control_client *it = world->control->clients; it; it = it->next)
		it->state = CLIENT_ENDED;
	control_close(world->control);
	for (int i = 0; i < 5; i++)
		uv_run(&world->loop, UV_RUN_NOWAIT);
	control_destroy(world->control);
	world->waiting = NULL;
	world->monitor = true;
	assert_int_equal(serve(world), 0);
	for (size_t i = 0; i < count; i++) {
		struct control_client *client = control_adopt(world->control, &kept[i]);

		if (kept[i].wait == CONTROL_WAIT_UPGRADE || kept[i].wait == CONTROL_WAIT_RELOAD)
			*owed = client;
	}
	return count;
}

static void turn_a_few(struct world *world)
{
	for (int i = 0; i < 5; i++)
		uv_run(&world->loop, UV_RUN_NOWAIT);
}

static void test_who_waits_for_a_verdict_gets_it_from_the_other_image(void **state)
{
	static const char *const requests[] = {"upgrade", "reload"};
	struct world *world = *state;
	struct control_client *owed = NULL;
	char text[64];

	cross(world, &owed);
	for (int i = 0; i < 2; i++) {
		struct peer *peer = peer_open(world);

		peer_ask(peer, requests[i]);
		assert_int_equal(next_frame(world, peer, text, sizeof text), FRAME_WITHIN);
		assert_int_equal(cross(world, &owed), 1);
		turn_a_few(world);
		control_end(owed, EXIT_DONE, "a verdict");
		assert_end(world, peer, EXIT_DONE, "a verdict");
	}
}

static void test_who_has_not_asked_yet_asks_the_other_image(void **state)
{
	struct world *world = *state;
	struct peer *peer = peer_open(world);

	turn_a_few(world);
	peer_ask(peer, "status"); /* unread by the old one */
	assert_int_equal(cross(world, NULL), 1);
	assert_output(world, peer, "fine\n");
	assert_end(world, peer, EXIT_DONE, "");
}

static void test_what_was_asked_and_not_answered_is_asked_anew(void **state)
{
	struct world *world = *state;
	struct peer *peer = peer_open(world);

	world->later = true;
	peer_ask(peer, "status json");
	while (!world->waiting)
		uv_run(&world->loop, UV_RUN_ONCE);
	world->later = false;
	assert_int_equal(cross(world, NULL), 1);
	assert_output(world, peer, "{}\n");
	assert_end(world, peer, EXIT_DONE, "");
}

static void test_half_a_request_and_a_console_stay_behind(void **state)
{
	static const char why[] = "the daemon is being upgraded: ask again";
	struct world *world = *state;
	struct peer *console = console_open(world, "console", "echo: worker 1 of generation 7\n");
	struct peer *half = peer_open(world);

	peer_send(half, "\0\0", 2);
	turn_a_few(world);
	assert_int_equal(cross(world, NULL), 0);
	assert_end(world, half, EXIT_FAILED, why);
	assert_end(world, console, EXIT_FAILED, why);
}

/* --- logs --- */

static void assert_lines(struct world *world, struct peer *peer, const char *first,
			 const char *last)
{
	char text[65536];
	size_t length;

	assert_int_equal(next_frame(world, peer, text, sizeof text), FRAME_OUTPUT);
	length = strlen(text);
	assert_non_null(strstr(text, first));
	assert_true(strchr(text, '\n') >= strstr(text, first));
	assert_true(length >= strlen(last));
	assert_string_equal(text + length - strlen(last), last);
}

static void test_logs_tells_the_last_lines(void **state)
{
	struct world *world = *state;
	struct peer *peer = peer_open(world);

	say(world, "one");
	say(world, "two");
	say(world, "three");
	peer_ask(peer, "logs 2");
	assert_lines(world, peer, ": two\n", ": three\n");
	assert_end(world, peer, EXIT_DONE, "");
	peer = peer_open(world);
	peer_ask(peer, "logs");
	assert_lines(world, peer, ": one\n", ": three\n");
	assert_end(world, peer, EXIT_DONE, "");
}

static void test_a_follower_gets_new_lines_until_the_daemon_ends(void **state)
{
	struct world *world = *state;
	struct peer *peer = peer_open(world);

	say(world, "one");
	peer_ask(peer, "logs follow 1");
	assert_lines(world, peer, ": one\n", ": one\n");
	say(world, "two");
	assert_lines(world, peer, ": two\n", ": two\n");
	control_close(world->control);
	assert_end(world, peer, EXIT_DONE, "");
}

static void test_a_follower_goes_on_where_it_was_in_the_other_image(void **state)
{
	struct world *world = *state;
	struct peer *peer = peer_open(world);

	say(world, "one");
	peer_ask(peer, "logs follow 1");
	assert_lines(world, peer, ": one\n", ": one\n");
	assert_int_equal(cross(world, NULL), 1);
	say(world, "two");
	assert_lines(world, peer, ": two\n", ": two\n");
	control_close(world->control);
	assert_end(world, peer, EXIT_DONE, "");
}

/* The client sleeps while much more is logged than its connection and the ring hold. */
static void test_a_follower_that_reads_slowly_learns_what_it_missed(void **state)
{
	struct world *world = *state;
	struct peer *peer = peer_open(world);
	char line[1001], text[65536];
	unsigned long long lost = 0, lines = 0;

	memset(line, 'x', 1000);
	line[1000] = 0;
	say(world, "first");
	peer_ask(peer, "logs follow");
	assert_lines(world, peer, ": first\n", ": first\n");
	for (int i = 0; i < 2000; i++) {
		say(world, line);
		uv_run(&world->loop, UV_RUN_NOWAIT);
	}
	say(world, "last");
	while (lost + lines < 2001) {
		unsigned long long here;

		assert_int_equal(next_frame(world, peer, text, sizeof text), FRAME_OUTPUT);
		if (sscanf(text, "%llu line", &here) == 1 && strstr(text, "lost\n"))
			lost += here;
		else
			for (char *p = text; (p = strchr(p, '\n')); p++)
				lines++;
	}
	assert_int_equal(lost + lines, 2001);
	assert_true(lost > 1000);
	assert_non_null(strstr(text, ": last\n"));
	peer_close(peer);
}

/* --- who may, and how many --- */

static void assert_rights(struct world *world, int status, int logs, int stop)
{
	static const char *const requests[] = {"status", "logs", "stop",
					       "reload", "sets", "upgrade"};
	const int codes[] = {status, logs, stop, stop, stop, stop};
	char text[4096];

	for (size_t i = 0; i < 6; i++) {
		struct peer *peer = peer_open(world);
		enum frame_type type = FRAME_OUTPUT;

		peer_ask(peer, requests[i]);
		while (type == FRAME_OUTPUT)
			type = next_frame(world, peer, text, sizeof text);
		assert_int_equal(type, FRAME_END);
		assert_int_equal(text[0], codes[i]);
		peer_close(peer);
	}
}

static void assert_no_console(struct world *world)
{
	struct peer *peer = peer_open(world);

	peer_ask(peer, "console");
	assert_end(world, peer, EXIT_FAILED,
		   "permission denied: console is for root and the daemon's own user");
}

static void test_others_may_nothing_and_the_daemons_user_may_look(void **state)
{
	struct world *world = *state;

	if (geteuid() == 0)
		skip(); /* root may everything */
	world->daemon.source.owner = 1;
	world->spec.console = true;
	assert_rights(world, EXIT_DONE, EXIT_DONE, EXIT_FAILED);
	peer_close(console_open(world, "console", "echo: worker 1 of generation 7\n"));
	world->spec.uid = 1;
	assert_rights(world, EXIT_UNKNOWN, EXIT_FAILED, EXIT_FAILED);
	assert_no_console(world);
}

/* The starter, who may stop the daemon, is not who may look into its memory. */
static void test_the_starter_has_no_console_of_another_users_daemon(void **state)
{
	struct world *world = *state;

	if (geteuid() == 0)
		skip(); /* root may everything */
	world->spec.console = true;
	world->spec.uid = 1;
	assert_no_console(world);
}

static size_t count_clients(const struct world *world)
{
	size_t count = 0;

	for (const struct control_client *client = world->control->clients; client;
	     client = client->next)
		count++;
	return count;
}

static void test_many_that_connect_at_once_do_not_keep_the_loop(void **state)
{
	struct world *world = *state;
	struct peer *peers[24];
	char text[64];

	for (int i = 0; i < 24; i++)
		peers[i] = peer_open(world);
	uv_run(&world->loop, UV_RUN_NOWAIT);
	assert_int_equal(count_clients(world), 16);
	for (int i = 16; i < 24; i++) {
		assert_int_equal(next_frame(world, peers[i], text, sizeof text), FRAME_END);
		assert_string_equal(text + 1, "too many clients");
	}
	for (int i = 0; i < 24; i++)
		peer_close(peers[i]);
}

static void test_too_many_clients_are_told_so_and_places_come_free(void **state)
{
	struct world *world = *state;
	struct peer *peers[CONTROL_OWNERS_MAX], *peer;

	for (int i = 0; i < CONTROL_OWNERS_MAX; i++) {
		peers[i] = peer_open(world);
		uv_run(&world->loop, UV_RUN_NOWAIT);
	}
	peer = peer_open(world);
	assert_end(world, peer, EXIT_FAILED, "too many clients");
	for (int i = 0; i < CONTROL_OWNERS_MAX; i++)
		peer_close(peers[i]);
	for (int i = 0; i < 10; i++)
		uv_run(&world->loop, UV_RUN_NOWAIT);
	peer = peer_open(world);
	peer_ask(peer, "status");
	assert_output(world, peer, "fine\n");
	assert_end(world, peer, EXIT_DONE, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(status_is_answered_as_text_and_as_json),
	    TEST(a_request_may_come_byte_by_byte),
	    TEST(nonsense_is_refused_as_wrong_usage),
	    TEST(a_reload_waits_for_its_verdict),
	    TEST(the_verdict_for_a_client_that_is_gone_is_nobodys),
	    TEST(the_end_of_the_process_answers_a_stop),
	    TEST(sets_are_told_one_by_one),
	    TEST(status_may_be_answered_later_to_who_only_listens),
	    TEST(a_daemon_without_a_monitor_cannot_be_upgraded),
	    TEST(a_console_is_refused_unless_the_daemon_file_allows_it),
	    TEST(a_console_evaluates_one_text_after_the_other),
	    TEST(the_log_tells_who_has_evaluated_what),
	    TEST(a_console_that_talks_out_of_turn_is_ended),
	    TEST(a_console_takes_a_text_of_the_greatest_length),
	    TEST(the_result_for_a_console_that_is_gone_is_nobodys),
	    TEST(a_console_is_told_the_end_of_the_daemon),
	    TEST(who_waits_for_a_verdict_gets_it_from_the_other_image),
	    TEST(who_has_not_asked_yet_asks_the_other_image),
	    TEST(what_was_asked_and_not_answered_is_asked_anew),
	    TEST(half_a_request_and_a_console_stay_behind),
	    TEST(a_follower_goes_on_where_it_was_in_the_other_image),
	    TEST(logs_tells_the_last_lines),
	    TEST(a_follower_gets_new_lines_until_the_daemon_ends),
	    TEST(a_follower_that_reads_slowly_learns_what_it_missed),
	    TEST(others_may_nothing_and_the_daemons_user_may_look),
	    TEST(the_starter_has_no_console_of_another_users_daemon),
	    TEST(many_that_connect_at_once_do_not_keep_the_loop),
	    TEST(too_many_clients_are_told_so_and_places_come_free),
	};

	signal(SIGPIPE, SIG_IGN); /* as the host does: libuv writes without MSG_NOSIGNAL */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
