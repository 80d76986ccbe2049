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

#include "host/channel.h"

struct pair {
	int daemon, launcher;
};

static int open_pair(void **state)
{
	static struct pair pair;
	int ends[2];

	assert_int_equal(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
	pair = (struct pair){ends[0], ends[1]};
	*state = &pair;
	return 0;
}

static int close_pair(void **state)
{
	struct pair *pair = *state;

	if (pair->daemon >= 0)
		close(pair->daemon);
	if (pair->launcher >= 0)
		close(pair->launcher);
	return 0;
}

static void close_end(int *fd)
{
	close(*fd);
	*fd = -1;
}

static void a_message_arrives_with_all_its_parts(void **state)
{
	struct pair *pair = *state;
	struct message sent = {.type = MESSAGE_FAILED, .pid = 4711, .text = "text"};
	struct message got;

	sent.err = (struct err){.exit = EXIT_USAGE,
				.code = EACCES,
				.step = "listen",
				.where = "echo.lua:12",
				.key = "listen.web",
				.what = "cannot bind tcp://0.0.0.0:80"};
	assert_int_equal(0, channel_send(pair->daemon, &sent));
	assert_int_equal(1, channel_receive(pair->launcher, &got));
	assert_int_equal(MESSAGE_FAILED, got.type);
	assert_int_equal(4711, got.pid);
	assert_int_equal(EXIT_USAGE, got.err.exit);
	assert_int_equal(EACCES, got.err.code);
	assert_string_equal("listen", got.err.step);
	assert_string_equal("echo.lua:12", got.err.where);
	assert_string_equal("listen.web", got.err.key);
	assert_string_equal("cannot bind tcp://0.0.0.0:80", got.err.what);
	assert_string_equal("text", got.text);
}

static void full_strings_are_cut_not_overrun(void **state)
{
	struct pair *pair = *state;
	struct message sent = {.type = MESSAGE_READY};
	struct message got;

	memset(sent.err.what, 'w', sizeof sent.err.what);
	memset(sent.text, 't', sizeof sent.text);
	assert_int_equal(0, channel_send(pair->daemon, &sent));
	assert_int_equal(1, channel_receive(pair->launcher, &got));
	assert_int_equal(sizeof sent.err.what - 1, strlen(got.err.what));
	assert_int_equal(sizeof sent.text - 1, strlen(got.text));
}

static void messages_keep_their_order(void **state)
{
	struct pair *pair = *state;
	struct message message = {.type = MESSAGE_STEP};

	for (int i = 0; i < 10; i++) {
		message.pid = i;
		assert_int_equal(0, channel_send(pair->daemon, &message));
	}
	for (int i = 0; i < 10; i++) {
		assert_int_equal(1, channel_receive(pair->launcher, &message));
		assert_int_equal(i, message.pid);
	}
}

static void a_whole_start_fits_without_a_reader(void **state)
{
	struct pair *pair = *state;
	struct message message = {.type = MESSAGE_STEP, .err = {.step = "directories"}};

	for (int i = 0; i < 100; i++)
		assert_int_equal(0, channel_send(pair->daemon, &message));
}

static void a_full_channel_does_not_block(void **state)
{
	struct pair *pair = *state;
	struct message message = {.type = MESSAGE_STEP};
	int sent = 0;

	while (channel_send(pair->daemon, &message) == 0)
		sent++;
	assert_int_equal(EAGAIN, errno);
	assert_true(sent > 100);
}

static void no_message_is_eagain(void **state)
{
	struct pair *pair = *state;
	struct message message;

	assert_int_equal(-1, channel_receive(pair->launcher, &message));
	assert_int_equal(EAGAIN, errno);
}

static void what_was_sent_before_the_end_still_arrives(void **state)
{
	struct pair *pair = *state;
	struct message message = {.type = MESSAGE_PID, .pid = 7};

	assert_int_equal(0, channel_send(pair->daemon, &message));
	close_end(&pair->daemon);
	assert_int_equal(1, channel_receive(pair->launcher, &message));
	assert_int_equal(7, message.pid);
	assert_int_equal(0, channel_receive(pair->launcher, &message));
}

static void what_was_sent_by_one_that_has_not_read_all_still_arrives(void **state)
{
	struct pair *pair = *state;
	struct message sent = {.type = MESSAGE_READY, .text = "the last word"};
	struct message got;

	assert_int_equal(0, channel_send(pair->launcher, &sent));
	assert_int_equal(0, channel_send(pair->daemon, &sent));
	close_end(&pair->daemon);
	assert_int_equal(1, channel_receive(pair->launcher, &got));
	assert_string_equal("the last word", got.text);
	assert_int_equal(0, channel_receive(pair->launcher, &got));
}

static void a_launcher_that_is_gone_is_epipe(void **state)
{
	struct pair *pair = *state;
	struct message message = {.type = MESSAGE_PID, .pid = 7};

	assert_int_equal(0, channel_send(pair->daemon, &message));
	close_end(&pair->launcher); /* with the message unread: the kernel says ECONNRESET */
	assert_int_equal(0, channel_receive(pair->daemon, &message));
	assert_int_equal(-1, channel_send(pair->daemon, &message));
	assert_int_equal(EPIPE, errno);
}

static void numbers_arrive(void **state)
{
	struct pair *pair = *state;
	struct message sent = {.type = MESSAGE_TOTALS,
			       .number = {7, -1, INT64_MAX, INT64_MIN, 0, 9}};
	struct message got;

	assert_int_equal(0, channel_send(pair->daemon, &sent));
	assert_int_equal(1, channel_receive(pair->launcher, &got));
	assert_memory_equal(sent.number, got.number, sizeof sent.number);
}

static size_t open_descriptors(void)
{
	size_t count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void descriptors_come_with_a_message(void **state)
{
	struct pair *pair = *state;
	struct message message = {.type = MESSAGE_REOPEN, .number = {3}};
	int sent[2], got[MESSAGE_FDS];
	size_t count;
	char byte = 0;

	assert_int_equal(0, pipe(sent));
	assert_int_equal(0, channel_send_fds(pair->daemon, &message, sent, 2));
	assert_int_equal(1, channel_receive_fds(pair->launcher, &message, got, &count));
	assert_int_equal(2, count);
	assert_int_equal(3, message.number[0]);
	assert_int_equal(FD_CLOEXEC, fcntl(got[0], F_GETFD));
	assert_int_equal(1, write(got[1], "x", 1));
	assert_int_equal(1, read(sent[0], &byte, 1));
	assert_int_equal('x', byte);
	for (size_t i = 0; i < 2; i++) {
		close(sent[i]);
		close(got[i]);
	}
}

static void as_many_descriptors_as_fit_and_no_more(void **state)
{
	struct pair *pair = *state;
	struct message message = {.type = MESSAGE_REOPEN};
	int sent[MESSAGE_FDS + 1], got[MESSAGE_FDS];
	size_t before = open_descriptors(), count;

	for (size_t i = 0; i < MESSAGE_FDS + 1; i++)
		sent[i] = pair->daemon;
	assert_int_equal(-1, channel_send_fds(pair->daemon, &message, sent, MESSAGE_FDS + 1));
	assert_int_equal(EINVAL, errno);
	assert_int_equal(0, channel_send_fds(pair->daemon, &message, sent, MESSAGE_FDS));
	assert_int_equal(1, channel_receive_fds(pair->launcher, &message, got, &count));
	assert_int_equal(MESSAGE_FDS, count);
	for (size_t i = 0; i < count; i++)
		close(got[i]);
	assert_int_equal(before, open_descriptors());
}

static void descriptors_that_nobody_asked_for_are_closed(void **state)
{
	struct pair *pair = *state;
	struct message message = {.type = MESSAGE_READY};
	size_t before = open_descriptors();

	assert_int_equal(0, channel_send_fds(pair->daemon, &message, &pair->daemon, 1));
	assert_int_equal(1, channel_receive(pair->launcher, &message));
	assert_int_equal(before, open_descriptors());
}

static void refuses(struct pair *pair, const void *bytes, size_t length)
{
	struct message message;

	assert_int_equal((ssize_t)length, send(pair->daemon, bytes, length, 0));
	assert_int_equal(-1, channel_receive(pair->launcher, &message));
	assert_int_equal(EBADMSG, errno);
}

/* The bytes of a good message as the channel has them. */
static size_t good(struct pair *pair, unsigned char *bytes, size_t size)
{
	struct message message = {.type = MESSAGE_WARNING,
				  .err = {.step = "notify", .what = "cannot reach"}};

	assert_int_equal(0, channel_send(pair->daemon, &message));
	return (size_t)recv(pair->launcher, bytes, size, 0);
}

static void a_truncated_message_counts_as_none(void **state)
{
	struct pair *pair = *state;
	unsigned char bytes[4096];
	size_t length = good(pair, bytes, sizeof bytes);

	for (size_t n = 1; n < length; n++)
		refuses(pair, bytes, n);
}

static void bytes_after_a_message_are_malformed(void **state)
{
	struct pair *pair = *state;
	unsigned char bytes[8192] = {0};
	size_t length = good(pair, bytes, sizeof bytes);

	refuses(pair, bytes, length + 1);
	refuses(pair, bytes, sizeof bytes);
}

static void an_unknown_type_is_malformed(void **state)
{
	struct pair *pair = *state;
	unsigned char bytes[4096];
	size_t length = good(pair, bytes, sizeof bytes);
	static const uint32_t types[] = {0, MESSAGE_TYPES, UINT32_MAX};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		memcpy(bytes, &types[i], sizeof types[i]);
		refuses(pair, bytes, length);
	}
}

/* Where the five lengths are in a datagram: behind type, pid, exit, code and the numbers. */
enum { LENGTHS = 16 + 8 * MESSAGE_NUMBERS };

static void a_length_that_lies_is_malformed(void **state)
{
	struct pair *pair = *state;
	unsigned char bytes[4096];
	size_t length = good(pair, bytes, sizeof bytes);
	uint32_t huge = UINT32_MAX;

	for (size_t at = LENGTHS; at < LENGTHS + 20; at += 4) {
		unsigned char copy[sizeof bytes];

		memcpy(copy, bytes, sizeof bytes);
		memcpy(copy + at, &huge, sizeof huge);
		refuses(pair, copy, length);
	}
}

static void a_zero_inside_a_string_is_malformed(void **state)
{
	struct pair *pair = *state;
	unsigned char bytes[4096];
	size_t length = good(pair, bytes, sizeof bytes);

	bytes[length - 3] = 0;
	refuses(pair, bytes, length);
}

#define CHANNEL_TEST(f) cmocka_unit_test_setup_teardown(f, open_pair, close_pair)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CHANNEL_TEST(a_message_arrives_with_all_its_parts),
	    CHANNEL_TEST(full_strings_are_cut_not_overrun),
	    CHANNEL_TEST(messages_keep_their_order),
	    CHANNEL_TEST(a_whole_start_fits_without_a_reader),
	    CHANNEL_TEST(a_full_channel_does_not_block),
	    CHANNEL_TEST(no_message_is_eagain),
	    CHANNEL_TEST(what_was_sent_before_the_end_still_arrives),
	    CHANNEL_TEST(what_was_sent_by_one_that_has_not_read_all_still_arrives),
	    CHANNEL_TEST(a_launcher_that_is_gone_is_epipe),
	    CHANNEL_TEST(numbers_arrive),
	    CHANNEL_TEST(descriptors_come_with_a_message),
	    CHANNEL_TEST(as_many_descriptors_as_fit_and_no_more),
	    CHANNEL_TEST(descriptors_that_nobody_asked_for_are_closed),
	    CHANNEL_TEST(a_truncated_message_counts_as_none),
	    CHANNEL_TEST(bytes_after_a_message_are_malformed),
	    CHANNEL_TEST(an_unknown_type_is_malformed),
	    CHANNEL_TEST(a_length_that_lies_is_malformed),
	    CHANNEL_TEST(a_zero_inside_a_string_is_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
