#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/courier.h"
#include "host/outbox.h"

static uv_loop_t loop;
static struct courier *courier;
static int ends[2]; /* the courier's, ours */
static int told, malformed, ended, came;
static int64_t last;

static void on_message(void *data, const struct message *message, const int *fds, size_t count)
{
	assert_ptr_equal(data, &loop);
	assert_int_equal(message->number[0], last + 1);
	last = message->number[0];
	told++;
	if (count == 0)
		return;
	assert_int_equal(fcntl(fds[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	came = fds[0];
}

static void on_malformed(void *data)
{
	(void)data;
	malformed++;
}

static void on_ended(void *data)
{
	(void)data;
	ended++;
}

static int setup(void **state)
{
	const struct courier_calls calls = {&loop, on_message, on_malformed, on_ended};
	struct err err = {0};

	(void)state;
	told = malformed = ended = 0;
	last = 0;
	came = -1;
	if (uv_loop_init(&loop) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	courier = courier_create(&loop, ends[0], &calls, &err);
	return courier ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	courier_close(courier);
	uv_run(&loop, UV_RUN_DEFAULT);
	courier_destroy(courier);
	close(ends[0]);
	if (ends[1] >= 0)
		close(ends[1]);
	return uv_loop_close(&loop);
}

static struct message numbered(int64_t number)
{
	return (struct message){.type = MESSAGE_BEAT, .number = {number}};
}

static void say(int64_t number)
{
	struct message message = numbered(number);

	assert_int_equal(channel_send(ends[1], &message), 0);
}

/* Sends until something has to wait; returns how many were sent. */
static int64_t fill(void)
{
	int64_t count = 0;
	struct message message;

	do
		message = numbered(++count);
	while (courier_send_now(courier, &message));
	return count - 1;
}

static void messages_are_told_in_order(void **state)
{
	(void)state;
	for (int i = 1; i <= 100; i++)
		say(i);
	while (told < 100)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(ended, 0);
}

static void what_is_no_message_is_told_and_the_next_one_too(void **state)
{
	(void)state;
	assert_int_equal(write(ends[1], "nonsense", 8), 8);
	say(1);
	uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(malformed, 1);
	assert_int_equal(told, 1);
}

static void descriptors_are_closed_when_the_message_was_told(void **state)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const int both[] = {null, null};
	struct message message = numbered(1);

	(void)state;
	assert_int_equal(channel_send_fds(ends[1], &message, both, 2), 0);
	uv_run(&loop, UV_RUN_ONCE);
	assert_true(came > null);
	assert_int_equal(fcntl(came, F_GETFD), -1);
	close(null);
}

static void the_end_is_told_once_after_all_messages(void **state)
{
	(void)state;
	say(1);
	close(ends[1]);
	ends[1] = -1;
	while (ended == 0)
		uv_run(&loop, UV_RUN_ONCE);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(told, 1);
	assert_int_equal(ended, 1);
	assert_false(courier_send(courier, &(struct message){.type = MESSAGE_BEAT}));
}

static void last_words_of_one_that_has_not_read_all_are_told(void **state)
{
	const struct message unread = numbered(1);

	(void)state;
	assert_true(courier_send_now(courier, &unread));
	say(1);
	say(2);
	close(ends[1]);
	ends[1] = -1;
	while (ended == 0)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(told, 2);
	assert_int_equal(ended, 1);
}

static void what_does_not_fit_waits_in_order_and_not_without_bound(void **state)
{
	struct message message;
	int64_t sent = fill(), expected = 0;

	(void)state;
	for (int i = 0; i < OUTBOX_MAX; i++) {
		message = numbered(++sent);
		assert_true(courier_send(courier, &message));
	}
	assert_false(courier_send(courier, &message));
	while (expected < sent) {
		if (channel_receive(ends[1], &message) > 0)
			assert_int_equal(message.number[0], ++expected);
		else
			uv_run(&loop, UV_RUN_ONCE);
	}
	assert_true(courier_send_now(courier, &message));
}

static void what_is_soon_old_does_not_wait(void **state)
{
	struct message message = numbered(0);

	(void)state;
	fill();
	assert_true(courier_send(courier, &message));
	assert_int_equal(channel_receive(ends[1], &message), 1);
	assert_false(courier_send_now(courier, &message)); /* nor does it pass others by */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(messages_are_told_in_order),
	    TEST(what_is_no_message_is_told_and_the_next_one_too),
	    TEST(descriptors_are_closed_when_the_message_was_told),
	    TEST(the_end_is_told_once_after_all_messages),
	    TEST(last_words_of_one_that_has_not_read_all_are_told),
	    TEST(what_does_not_fit_waits_in_order_and_not_without_bound),
	    TEST(what_is_soon_old_does_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
