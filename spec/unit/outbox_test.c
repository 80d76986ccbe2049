#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/outbox.h"
#include "sys/sys.h"

static int ends[2];
static struct outbox outbox;

static int setup(void **state)
{
	(void)state;
	outbox = (struct outbox){0};
	return sys_channel(ends);
}

static int teardown(void **state)
{
	(void)state;
	outbox_finish(&outbox);
	close(ends[0]);
	return ends[1] >= 0 ? close(ends[1]) : 0;
}

static int send_number(int64_t number)
{
	struct message message = {.type = MESSAGE_BEAT, .number = {number}};

	return outbox_send(&outbox, ends[0], &message, NULL, 0);
}

/* Until something waits; returns how many were sent. */
static int64_t fill(void)
{
	int64_t count = 0;

	while (!outbox.first)
		assert_int_equal(send_number(++count), 0);
	return count;
}

static void what_waits_keeps_its_order_and_its_descriptors(void **state)
{
	struct message message = {.type = MESSAGE_REOPEN};
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), fds[MESSAGE_FDS] = {-1};
	int64_t sent = fill(), expected = 0;
	size_t count = 0;

	(void)state;
	message.number[0] = ++sent;
	assert_int_equal(outbox_send(&outbox, ends[0], &message, &null, 1), 0);
	close(null); /* it was the sender's */
	while (expected < sent) {
		outbox_flush(&outbox, ends[0]);
		assert_int_equal(channel_receive_fds(ends[1], &message, fds, &count), 1);
		assert_int_equal(message.number[0], ++expected);
	}
	assert_int_equal(message.type, MESSAGE_REOPEN);
	assert_int_equal(count, 1);
	assert_int_equal(close(fds[0]), 0);
	assert_null(outbox.first);
}

static void too_much_is_refused(void **state)
{
	struct message message = {.type = MESSAGE_BEAT};

	(void)state;
	fill();
	for (int i = 1; i < OUTBOX_MAX; i++)
		assert_int_equal(send_number(i), 0);
	assert_int_equal(send_number(0), -1);
	assert_int_equal(errno, ENOBUFS);
	assert_int_equal(outbox_send_now(&outbox, ends[0], &message), -1);
	assert_int_equal(errno, EAGAIN);
}

static void nothing_is_kept_for_one_that_is_gone(void **state)
{
	(void)state;
	fill();
	close(ends[1]);
	ends[1] = -1;
	outbox_flush(&outbox, ends[0]);
	assert_null(outbox.first);
	assert_int_equal(send_number(0), -1);
	assert_int_equal(errno, EPIPE);
}

static void descriptors_can_be_refused(void **state)
{
	struct message message = {.type = MESSAGE_BEAT};
	int now = -1;
	socklen_t length = sizeof now;

	(void)state;
	sys_refuse_descriptors(ends[1]);
	if (getsockopt(ends[1], SOL_SOCKET, 83 /* SO_PASSRIGHTS */, &now, &length) < 0)
		skip(); /* before Linux 6.16 */
	assert_int_equal(channel_send_fds(ends[0], &message, ends, 1), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(channel_send(ends[0], &message), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_waits_keeps_its_order_and_its_descriptors),
	    TEST(too_much_is_refused),
	    TEST(nothing_is_kept_for_one_that_is_gone),
	    TEST(descriptors_can_be_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
