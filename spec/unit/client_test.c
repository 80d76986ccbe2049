#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/client.h"
#include "host/frame.h"

/* The test plays the daemon: ends[1] is its side of the connection. */
struct talk {
	int ends[2];
	struct answer answer;
	struct err err;
	char output[256];
};

static int setup(void **state)
{
	struct talk *talk = calloc(1, sizeof *talk);

	*state = talk;
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, talk->ends);
}

static int teardown(void **state)
{
	struct talk *talk = *state;

	close(talk->ends[0]);
	if (talk->ends[1] >= 0)
		close(talk->ends[1]);
	free(talk);
	return 0;
}

static void answer_with(struct talk *talk, enum frame_type type, const char *payload, size_t length)
{
	unsigned char head[FRAME_HEAD];

	frame_head(head, type, length);
	assert_int_equal(write(talk->ends[1], head, sizeof head), sizeof head);
	assert_int_equal(write(talk->ends[1], payload, length), length);
}

static void hang_up(struct talk *talk)
{
	close(talk->ends[1]);
	talk->ends[1] = -1;
}

static void take(void *data, const char *bytes, size_t length)
{
	strncat(data, bytes, length);
}

static int receive(struct talk *talk, int timeout_ms)
{
	return client_receive(talk->ends[0], take, talk->output, timeout_ms, &talk->answer,
			      &talk->err);
}

static void test_a_request_is_one_frame(void **state)
{
	struct talk *talk = *state;
	unsigned char bytes[64];
	char long_request[300];

	assert_int_equal(client_send(talk->ends[0], "status", &talk->err), 0);
	assert_int_equal(read(talk->ends[1], bytes, sizeof bytes), 11);
	assert_memory_equal(bytes, "\0\0\0\7Qstatus", 11);
	memset(long_request, 'x', sizeof long_request - 1);
	long_request[sizeof long_request - 1] = 0;
	assert_int_equal(client_send(talk->ends[0], long_request, &talk->err), -1);
}

static void test_output_comes_until_the_end_with_its_code_and_text(void **state)
{
	struct talk *talk = *state;

	answer_with(talk, FRAME_OUTPUT, "one ", 4);
	answer_with(talk, FRAME_OUTPUT, "two", 3);
	answer_with(talk, FRAME_END, "\1because", 8);
	assert_int_equal(receive(talk, 10000), 0);
	assert_string_equal(talk->output, "one two");
	assert_true(talk->answer.ended);
	assert_int_equal(talk->answer.code, 1);
	assert_string_equal(talk->answer.text, "because");
}

static void test_a_connection_that_just_ends_is_no_error(void **state)
{
	struct talk *talk = *state;

	answer_with(talk, FRAME_WITHIN, "1000", 4);
	hang_up(talk);
	assert_int_equal(receive(talk, 10000), 0);
	assert_true(talk->answer.begun);
	assert_false(talk->answer.ended);
}

static void test_silence_is_an_error_after_the_time_given(void **state)
{
	struct talk *talk = *state;

	assert_int_equal(receive(talk, 1), -1);
	assert_int_equal(talk->err.code, ETIMEDOUT);
	assert_false(talk->answer.begun);
}

static void test_the_daemon_may_ask_for_more_time_or_less(void **state)
{
	struct talk *talk = *state;

	answer_with(talk, FRAME_WITHIN, "1", 1);
	assert_int_equal(receive(talk, 3600000), -1);
	assert_int_equal(talk->err.code, ETIMEDOUT);
	assert_true(talk->answer.begun);
}

static void test_what_is_no_frame_is_refused(void **state)
{
	struct talk *talk = *state;

	assert_int_equal(write(talk->ends[1], "HTTP/1.0 200 OK\r\n", 17), 17);
	assert_int_equal(receive(talk, 10000), -1);
	assert_int_equal(talk->err.code, 0);
}

static void test_a_frame_of_the_largest_size_is_taken(void **state)
{
	struct talk *talk = *state;
	static char payload[FRAME_PAYLOAD_MAX];

	answer_with(talk, FRAME_OUTPUT, payload, sizeof payload);
	answer_with(talk, FRAME_END, "\0", 1);
	assert_int_equal(receive(talk, 10000), 0);
	assert_true(talk->answer.ended);
}

static void test_a_name_has_no_slash_and_no_lua(void **state)
{
	(void)state;
	assert_true(client_is_name("echo"));
	assert_true(client_is_name("echo.lua.1"));
	assert_false(client_is_name("echo.lua"));
	assert_false(client_is_name("./echo"));
}

static void test_a_file_is_the_same_through_a_link_and_after_it_is_gone(void **state)
{
	char folder[] = "/tmp/client-test-XXXXXX", link[64], one[96], other[96];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(link, sizeof link, "%s.link", folder);
	assert_int_equal(symlink(folder, link), 0);
	snprintf(one, sizeof one, "%s/gone.lua", folder);
	snprintf(other, sizeof other, "%s/gone.lua", link);
	assert_true(client_same_path(one, other));
	snprintf(other, sizeof other, "%s/other.lua", link);
	assert_false(client_same_path(one, other));
	unlink(link);
	rmdir(folder);
	assert_true(client_same_path(one, one)); /* its folder is gone too */
	assert_false(client_same_path(one, other));
}

static void test_a_name_that_nobody_has_or_may_have_is_absent(void **state)
{
	static const char *const names[] = {"client-test-nobody", "..", ".", "", "a/b", "-x"};
	struct source source = {0};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct target target;

		client_find_name(&target, &source, names[i]);
		assert_int_equal(target.running, DAEMON_ABSENT);
		assert_false(target.recorded);
		assert_string_equal(target.name, names[i]);
	}
}

static int dial(int type, const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | type, 0);

	if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0)
		return fd;
	close(fd);
	return -1;
}

/* 'S': it sleeps; 'Z': it has ended. */
static void await_rest(pid_t pid)
{
	char path[64], text[256] = "";

	snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	while (!strstr(text, ") S ") && !strstr(text, ") Z ")) {
		FILE *stat = fopen(path, "r");

		assert_non_null(stat);
		assert_non_null(fgets(text, sizeof text, stat));
		fclose(stat);
	}
}

/* Whoever may connect may fill the queue: the others wait for their turn. */
static void test_a_queue_that_is_full_is_waited_in(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct target target = {.name = "full", .recorded = true};
	struct err err = {0};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), status, others = 0;
	pid_t child;

	(void)state;
	snprintf(address.sun_path, sizeof address.sun_path, "/tmp/client-test-%ld", (long)getpid());
	target.record.control = address.sun_path;
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(fd, 1), 0);
	while (dial(SOCK_NONBLOCK, &address) >= 0)
		others++;
	child = fork();
	if (child == 0)
		_exit(client_connect(&target, &err) < 0);
	await_rest(child);
	for (int i = 0; i < others; i++)
		close(accept(fd, NULL, NULL));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	unlink(address.sun_path);
	close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_request_is_one_frame),
	    TEST(output_comes_until_the_end_with_its_code_and_text),
	    TEST(a_connection_that_just_ends_is_no_error),
	    TEST(silence_is_an_error_after_the_time_given),
	    TEST(the_daemon_may_ask_for_more_time_or_less),
	    TEST(what_is_no_frame_is_refused),
	    TEST(a_frame_of_the_largest_size_is_taken),
	    TEST(a_name_has_no_slash_and_no_lua),
	    TEST(a_file_is_the_same_through_a_link_and_after_it_is_gone),
	    TEST(a_name_that_nobody_has_or_may_have_is_absent),
	    TEST(a_queue_that_is_full_is_waited_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
