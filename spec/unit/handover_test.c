#include "host/monitor/handover.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one image leaves to the next, as bytes and back. */

static struct handover_generation generations[] = {{3, 20}, {4, 21}};
static struct handover_member members[] = {
    {3, 1, 4711, 30, 31, 32, 33, "part of a record", 16, 12, 300, "ready", "serves 5",
     "luvd.echo.3.1.4000-1"},
    {4, 2, 4712, -1, 34, 35, -1, NULL, 0, 0, 0, "", "", ""},
};
static struct control_kept clients[] = {
    {.fd = 40, .wait = CONTROL_WAIT_LOOK, .text = "status json"},
    {.fd = 41, .wait = CONTROL_WAIT_LINES, .position = 99},
};
static int strangers[] = {77, 78};
static char *lines[] = {"one", "two\n  and its second line", "", NULL};
static char *environment[] = {"PATH=/usr/bin", "LANG=C.UTF-8", NULL};

static void fill_daemon(struct daemon *daemon)
{
	daemon_init(daemon);
	daemon->source = (struct source){.path = "/etc/echo.lua",
					 .shown = "echo.lua",
					 .hostname = "box",
					 .environment = environment,
					 .owner = 1000};
	daemon->program = "/usr/bin/luvd";
	daemon->background = true;
	daemon->pid = daemon->launcher = 4000;
	daemon->machine.capabilities = 0x1ff;
	daemon->machine.watchdog_usec = 2000000;
	daemon->machine.inherited_count = 1;
	daemon->machine.inherited[0] = (struct inherited){22, "web", "tcp://127.0.0.1:80"};
	snprintf(daemon->machine.notify_socket, sizeof daemon->machine.notify_socket, "@notify");
	daemon->self_fd = 10;
	daemon->null_fd = 11;
	daemon->lock_fd = 12;
	daemon->pidfile_fd = 13;
	daemon->pidfile_inode = 77;
	daemon->sink = (struct sink){SINK_FILE, 14, false};
	daemon->control_fd = 15;
	daemon->folders_made_count = 1;
	daemon->folders_made[0] = (struct made_folder){"/run/luvd/echo", {1, 2}};
	daemon->control_made = (struct made){3, 4};
	daemon->environment = environment;
}

static void fill(struct handover *handover)
{
	*handover = (struct handover){
	    .version = "0.1.0",
	    .since = 1000,
	    .begun = 5000,
	    .current = 4,
	    .crew = "crew",
	    .crew_length = 4,
	    .sockets = "so\0ck",
	    .sockets_length = 5,
	    .generations = generations,
	    .generation_count = 2,
	    .members = members,
	    .member_count = 2,
	    .clients = clients,
	    .client_count = 2,
	    .lines = lines,
	    .next_line = 42,
	    .reload_at = 1700000000,
	    .reload_done = true,
	    .reload_text = "config.banner",
	    .status = "fine",
	    .strangers = strangers,
	    .stranger_count = 2,
	};
	fill_daemon(&handover->daemon);
}

static unsigned char *encode(const struct handover *handover, size_t *length)
{
	struct err err = {0};
	unsigned char *bytes = NULL;

	assert_int_equal(handover_encode(handover, &bytes, length, &err), 0);
	return bytes;
}

static void same_members(const struct handover *back)
{
	assert_int_equal(back->member_count, 2);
	assert_int_equal(back->members[0].pid, 4711);
	assert_int_equal(back->members[0].output_fd, 33);
	assert_int_equal(back->members[0].rest_length, 16);
	assert_memory_equal(back->members[0].rest, "part of a record", 16);
	assert_int_equal(back->members[0].lag, 300);
	assert_string_equal(back->members[0].step, "ready");
	assert_string_equal(back->members[0].text, "serves 5");
	assert_string_equal(back->members[0].cgroup, "luvd.echo.3.1.4000-1");
	assert_string_equal(back->members[1].cgroup, "");
	assert_int_equal(back->members[1].generation, 4);
	assert_int_equal(back->members[1].number, 2);
	assert_int_equal(back->members[1].pidfd, -1);
	assert_null(back->members[1].rest);
}

static void same_daemon(const struct daemon *back)
{
	assert_string_equal(back->program, "/usr/bin/luvd");
	assert_string_equal(back->source.path, "/etc/echo.lua");
	assert_int_equal(back->source.owner, 1000);
	assert_true(back->background);
	assert_int_equal(back->pid, 4000);
	assert_int_equal(back->machine.capabilities, 0x1ff);
	assert_int_equal(back->machine.inherited_count, 1);
	assert_string_equal(back->machine.inherited[0].name, "web");
	assert_string_equal(back->machine.notify_socket, "@notify");
	assert_int_equal(back->lock_fd, 12);
	assert_int_equal(back->witness_fd, -1);
	assert_int_equal(back->sink.kind, SINK_FILE);
	assert_int_equal(back->sink.fd, 14);
	assert_int_equal(back->pidfile_inode, 77);
	assert_string_equal(back->folders_made[0].path, "/run/luvd/echo");
	assert_int_equal(back->folders_made[0].made.inode, 2);
	assert_int_equal(back->control_made.inode, 4);
	assert_int_equal(back->record_made.inode, 0);
	assert_string_equal(back->environment[1], "LANG=C.UTF-8");
	assert_null(back->environment[2]);
}

static void everything_arrives(void **state)
{
	struct handover handover, back;
	struct err err = {0};
	size_t length;
	unsigned char *bytes;

	(void)state;
	fill(&handover);
	bytes = encode(&handover, &length);
	assert_int_equal(handover_decode(&back, bytes, length, &err), 0);
	free(bytes);
	assert_string_equal(back.version, "0.1.0");
	assert_int_equal(back.since, 1000);
	assert_int_equal(back.begun, 5000);
	assert_int_equal(back.current, 4);
	assert_int_equal(back.crew_length, 4);
	assert_memory_equal(back.sockets, "so\0ck", 5);
	assert_int_equal(back.generation_count, 2);
	assert_int_equal(back.generations[1].bundle_fd, 21);
	same_members(&back);
	same_daemon(&back.daemon);
	assert_int_equal(back.client_count, 2);
	assert_int_equal(back.clients[0].wait, CONTROL_WAIT_LOOK);
	assert_string_equal(back.clients[0].text, "status json");
	assert_int_equal(back.stranger_count, 2);
	assert_int_equal(back.strangers[1], 78);
	assert_int_equal(back.clients[1].position, 99);
	assert_string_equal(back.lines[1], "two\n  and its second line");
	assert_null(back.lines[3]);
	assert_int_equal(back.next_line, 42);
	assert_true(back.reload_done);
	assert_string_equal(back.reload_text, "config.banner");
	assert_string_equal(back.status, "fine");
	handover_finish(&back);
}

static void every_descriptor_is_named_once(void **state)
{
	static const int expected[] = {10, 11, 12, 13, 15, 14, 20, 21,
				       30, 31, 32, 33, 34, 35, 40, 41};
	struct handover handover;
	int list[32], few[3];

	(void)state;
	fill(&handover);
	assert_int_equal(handover_descriptors(&handover, list, 32), 16);
	assert_memory_equal(list, expected, sizeof expected);
	assert_int_equal(handover_descriptors(&handover, few, 3), 16);
	assert_memory_equal(few, expected, sizeof few);
}

/* Of exactly that size, so that ASan sees a read behind it. */
static int try(const unsigned char *bytes, size_t length)
{
	unsigned char *copy = malloc(length ? length : 1);
	struct handover back;
	struct err err = {0};
	int result;

	memcpy(copy, bytes, length);
	result = handover_decode(&back, copy, length, &err);
	if (result == 0)
		handover_finish(&back);
	else
		assert_string_equal(err.what,
				    "the daemon's state is not of this version, cut or damaged");
	free(copy);
	return result;
}

static void what_is_cut_is_refused_wherever_it_is_cut(void **state)
{
	struct handover handover;
	size_t length;
	unsigned char *bytes;

	(void)state;
	fill(&handover);
	bytes = encode(&handover, &length);
	for (size_t cut = 0; cut < length; cut++)
		assert_int_equal(try(bytes, cut), -1);
	bytes = realloc(bytes, length + 1);
	bytes[length] = 0;
	assert_int_equal(try(bytes, length + 1), -1);
	free(bytes);
}

static void what_is_damaged_does_no_harm(void **state)
{
	static const unsigned char masks[] = {0x01, 0x80, 0xFF, 0x10};
	struct handover handover;
	size_t length;
	unsigned char *bytes;

	(void)state;
	fill(&handover);
	bytes = encode(&handover, &length);
	for (size_t i = 0; i < length; i++)
		for (size_t k = 0; k < sizeof masks; k++) {
			bytes[i] ^= masks[k];
			(void)try(bytes, length);
			bytes[i] ^= masks[k];
		}
	assert_int_equal(try(bytes, length), 0);
	free(bytes);
}

/* A head that is right, then bytes of chance: what a length or a count may claim. */
static void what_is_chance_does_no_harm(void **state)
{
	struct handover handover;
	size_t length;
	unsigned char *bytes;
	uint64_t seed = 0x9E3779B97F4A7C15;

	(void)state;
	fill(&handover);
	bytes = encode(&handover, &length);
	for (int round = 0; round < 3000; round++) {
		unsigned char *copy = malloc(length);
		size_t at = 21 + (size_t)round % (length - 21);

		memcpy(copy, bytes, length);
		for (size_t i = at; i < length; i++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			copy[i] =
			    (unsigned char)(seed >> 32) & (unsigned char)(round % 3 ? 0xFF : 3);
		}
		(void)try(copy, length);
		free(copy);
	}
	free(bytes);
}

static void another_version_is_refused(void **state)
{
	struct handover handover;
	size_t length;
	unsigned char *bytes;

	(void)state;
	fill(&handover);
	bytes = encode(&handover, &length);
	bytes[8]++;
	assert_int_equal(try(bytes, length), -1);
	free(bytes);
}

/* Each is refused where it is written, so that no image is tried with it. */
static void what_cannot_be_is_not_written(void **state)
{
	struct handover handover;
	struct err err = {0};
	unsigned char *bytes;
	size_t length;

	(void)state;
	fill(&handover);
	handover.daemon.lock_fd = -1;
	assert_int_equal(handover_encode(&handover, &bytes, &length, &err), -1);
	fill(&handover);
	handover.daemon.control_fd = 2;
	assert_int_equal(handover_encode(&handover, &bytes, &length, &err), -1);
	fill(&handover);
	handover.daemon.program = NULL;
	assert_int_equal(handover_encode(&handover, &bytes, &length, &err), -1);
	fill(&handover);
	generations[0].bundle_fd = -1;
	assert_int_equal(handover_encode(&handover, &bytes, &length, &err), -1);
	generations[0].bundle_fd = 20;
	assert_null(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(everything_arrives),
	    cmocka_unit_test(every_descriptor_is_named_once),
	    cmocka_unit_test(what_is_cut_is_refused_wherever_it_is_cut),
	    cmocka_unit_test(what_is_damaged_does_no_harm),
	    cmocka_unit_test(what_is_chance_does_no_harm),
	    cmocka_unit_test(another_version_is_refused),
	    cmocka_unit_test(what_cannot_be_is_not_written),
	};

	return cmocka_run_group_tests_name("what one image leaves to the next", tests, NULL, NULL);
}
