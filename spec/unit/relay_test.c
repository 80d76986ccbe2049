#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/relay.h"
#include "host/relay_form.h"
#include "in_valgrind.h"

/* A relay and its reader, with a pipe between them. */
struct world {
	int ends[2];
	struct relay *relay;
	struct relay_reader reader;
	unsigned lines;
	uint64_t lost;   /* lines that an entry tells of */
	char text[8192]; /* what was told: as text lines, without their heads */
};

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	struct err err;

	signal(SIGPIPE, SIG_IGN);
	if (!world || pipe(world->ends) < 0)
		return -1;
	world->relay = relay_create(world->ends[1], &err);
	*state = world;
	return world->relay ? 0 : -1;
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int teardown(void **state)
{
	struct world *world = *state;

	relay_destroy(world->relay);
	relay_reader_finish(&world->reader);
	shut(&world->ends[0]);
	shut(&world->ends[1]);
	free(world);
	return 0;
}

/* Everything of the entry is looked at: what lies outside of the record would be found. */
static void tell(void *data, const struct entry *entry)
{
	static const char head[] = "2026-11-22T13:40:05.123Z info  echo[4711]: ";
	const struct format format = {.form = FORM_TEXT, .name = "echo", .pid = 4711};
	struct world *world = data;
	char *bytes;
	size_t length, have = strlen(world->text);
	FILE *out = open_memstream(&bytes, &length);

	format_entry(out, &format, entry);
	fclose(out);
	snprintf(world->text + have, sizeof world->text - have, "%s", bytes + strlen(head));
	free(bytes);
	world->lines++;
	world->lost += entry->lines;
}

/* What the last relay_read said, after all that is there was read. */
static int read_all(struct world *world)
{
	int more;

	while ((more = relay_read(&world->reader, world->ends[0], tell, world)) > 0)
		;
	return more;
}

static struct entry entry_of(const char *message)
{
	return (struct entry){.time = {1795354805, 123456789},
			      .level = LEVEL_INFO,
			      .message = message,
			      .length = strlen(message)};
}

static void say(struct world *world, const char *message)
{
	struct entry entry = entry_of(message);

	relay_put(world->relay, &entry);
}

/* --- lines --- */

static void copy_entry(void *data, const struct entry *entry)
{
	const struct log_field *fields = entry->fields;
	int *told = data;

	assert_int_equal(entry->time.tv_sec, 1795354805);
	assert_int_equal(entry->time.tv_nsec, 123456789);
	assert_int_equal(entry->level, LEVEL_ERROR);
	assert_int_equal(entry->length, 7);
	assert_memory_equal(entry->message, "a\0b\nc\xff!", 7);
	assert_int_equal(entry->count, 3);
	assert_string_equal(fields[0].key, "peer");
	assert_false(fields[0].raw);
	assert_int_equal(fields[0].length, 2);
	assert_memory_equal(fields[0].bytes, "\0x", 2);
	assert_string_equal(fields[1].key, "");
	assert_true(fields[1].raw);
	assert_memory_equal(fields[1].bytes, "{\"n\": [1, 2]}", 13);
	assert_int_equal(fields[2].length, 0);
	assert_int_equal(entry->cut, 0);
	assert_int_equal(entry->pid, 0);
	++*told;
}

static void test_an_entry_comes_as_it_was(void **state)
{
	struct world *world = *state;
	struct log_field fields[] = {
	    {"peer", false, "\0x", 2}, {"", true, "{\"n\": [1, 2]}", 13}, {"empty", false, "", 0}};
	struct entry entry = entry_of("");
	int told = 0;

	entry.level = LEVEL_ERROR;
	entry.message = "a\0b\nc\xff!";
	entry.length = 7;
	entry.fields = fields;
	entry.count = 3;
	relay_put(world->relay, &entry);
	assert_true(relay_flush(world->relay));
	assert_int_equal(relay_read(&world->reader, world->ends[0], copy_entry, &told), 1);
	assert_int_equal(told, 1);
	assert_int_equal(relay_read(&world->reader, world->ends[0], copy_entry, &told), 0);
}

static void test_the_end_of_the_pipe_is_told(void **state)
{
	struct world *world = *state;

	say(world, "last");
	shut(&world->ends[1]);
	assert_int_equal(read_all(world), -1);
	assert_int_equal(errno, 0);
	assert_string_equal(world->text, "last\n");
}

static void test_a_long_message_is_cut_and_says_so(void **state)
{
	struct world *world = *state;
	static char message[100001];

	memset(message, 'x', sizeof message - 1);
	say(world, message);
	read_all(world);
	assert_int_equal(world->lines, 1);
	assert_true(strlen(world->text) >= sizeof world->text - 1);
	world->text[0] = 0;
	message[ENTRY_SHOWN_MAX] = 0;
	say(world, message);
	read_all(world);
	assert_int_equal(world->lines, 2);
}

static void assert_cut(void *data, const struct entry *entry)
{
	assert_int_equal(entry->length, ENTRY_SHOWN_MAX);
	assert_int_equal(entry->cut, *(size_t *)data - ENTRY_SHOWN_MAX);
	*(size_t *)data = 0;
}

static void test_how_much_was_cut_is_known(void **state)
{
	struct world *world = *state;
	static char message[20001];
	size_t length = sizeof message - 1;

	memset(message, 'x', length);
	say(world, message);
	while (relay_read(&world->reader, world->ends[0], assert_cut, &length) > 0)
		;
	assert_int_equal(length, 0);
}

static void assert_fields(void *data, const struct entry *entry)
{
	size_t total = sizeof(struct relay_head) + entry->length;

	assert_true(entry->count == 5);
	for (size_t i = 0; i < entry->count; i++) {
		assert_string_equal(entry->fields[i].key, "key");
		/* What is cut is JSON no more. */
		assert_int_equal(entry->fields[i].raw, entry->fields[i].length == 16000);
		total += entry->fields[i].length;
	}
	assert_true(total <= RELAY_RECORD_MAX);
	++*(int *)data;
}

static void test_fields_that_do_not_fit_are_cut_or_left_out(void **state)
{
	struct world *world = *state;
	static char json[16000];
	struct log_field fields[100];
	struct entry entry = entry_of("message");
	int told = 0;

	memset(json, '1', sizeof json);
	for (size_t i = 0; i < 100; i++)
		fields[i] = (struct log_field){"key", true, json, sizeof json};
	entry.fields = fields;
	entry.count = 100;
	relay_put(world->relay, &entry);
	while (relay_read(&world->reader, world->ends[0], assert_fields, &told) > 0)
		relay_flush(world->relay);
	assert_int_equal(told, 1);
}

static void test_at_most_64_fields_come_and_long_keys_are_cut(void **state)
{
	struct world *world = *state;
	char key[301] = "";
	struct log_field fields[100];
	struct entry entry = entry_of("");
	size_t keys = 0;

	memset(key, 'k', 300);
	for (size_t i = 0; i < 100; i++)
		fields[i] = (struct log_field){key, false, "", 0};
	entry.fields = fields;
	entry.count = 100;
	relay_put(world->relay, &entry);
	while (relay_read(&world->reader, world->ends[0], tell, world) > 0)
		relay_flush(world->relay);
	assert_int_equal(world->lines, 1);
	for (const char *p = world->text; (p = strstr(p, "k=")); p++)
		keys++;
	assert_true(keys > 20); /* as many as the text has room for */
}

/* --- JSON that is none --- */

static void test_what_is_no_json_becomes_a_string(void **state)
{
	struct world *world = *state;
	static const char forged[] = "1\n2026-11-22T13:40:05.123Z error echo[1]: forged";
	struct log_field fields[] = {{"a", true, forged, sizeof forged - 1},
				     {"b", true, "1,\"level\":\"error\"", 17},
				     {"c", true, "[1, 2]", 6}};
	struct entry entry = entry_of("line");

	entry.fields = fields;
	entry.count = 3;
	relay_put(world->relay, &entry);
	read_all(world);
	assert_string_equal(world->text,
			    "line a=\"1\\n2026-11-22T13:40:05.123Z error echo[1]: forged\""
			    " b=\"1,\\\"level\\\":\\\"error\\\"\" c=[1, 2]\n");
}

/* --- a reader that does not read --- */

enum { FLOOD = 20000 };

/* Returns how many were put. */
static void flood(struct world *world, int from, int to)
{
	char text[128];

	for (int i = from; i < to; i++) {
		snprintf(text, sizeof text, "line %d %*s", i, 60, "");
		say(world, text);
	}
}

struct order {
	int next;
	uint64_t lost;
};

static void check_order(void *data, const struct entry *entry)
{
	struct order *order = data;
	int number;

	if (entry->lines) {
		assert_int_equal(entry->level, LEVEL_WARN);
		assert_non_null(memmem(entry->message, entry->length, " lost: ", 7));
		order->next += (int)entry->lines;
		order->lost += entry->lines;
		return;
	}
	assert_int_equal(sscanf(entry->message, "line %d", &number), 1);
	assert_int_equal(number, order->next++);
}

static void read_in_order(struct world *world, struct order *order)
{
	int more;

	do {
		relay_flush(world->relay);
		more = relay_read(&world->reader, world->ends[0], check_order, order);
	} while (more > 0 || !relay_flush(world->relay));
	assert_int_equal(more, 0);
}

static void test_losses_are_told_in_the_place_of_what_is_lost(void **state)
{
	struct world *world = *state;
	struct order order = {0};

	flood(world, 0, FLOOD);
	assert_false(relay_flush(world->relay));
	read_in_order(world, &order);
	assert_int_equal(order.next, FLOOD);
	assert_true(order.lost > FLOOD / 2); /* a pipe and the queue have room for a few thousand */
	flood(world, FLOOD, FLOOD + 10);
	read_in_order(world, &order);
	assert_int_equal(order.next, FLOOD + 10);
}

static void test_a_slow_reader_gets_every_line_or_its_loss_in_order(void **state)
{
	struct world *world = *state;
	struct order order = {0};

	for (int i = 0; i < 100; i++) {
		flood(world, i * 400, (i + 1) * 400);
		(void)relay_read(&world->reader, world->ends[0], check_order, &order);
	}
	read_in_order(world, &order);
	assert_int_equal(order.next, 40000);
	assert_true(order.lost > 0 && order.lost < 40000);
}

static void test_what_waits_is_not_lost_while_the_queue_has_room(void **state)
{
	struct world *world = *state;
	struct order order = {0};

	flood(world, 0, 2000); /* some 260 KB: more than the pipe, less than pipe and queue */
	assert_false(relay_flush(world->relay));
	read_in_order(world, &order);
	assert_int_equal(order.next, 2000);
	assert_int_equal(order.lost, 0);
}

static void test_finish_waits_no_longer_than_it_may(void **state)
{
	struct world *world = *state;

	flood(world, 0, 2000);
	relay_finish(world->relay, 20);
	assert_false(relay_flush(world->relay));
}

static void test_a_reader_that_is_gone_is_no_reason_to_wait(void **state)
{
	struct world *world = *state;

	flood(world, 0, 2000);
	shut(&world->ends[0]);
	flood(world, 2000, 2010);
	assert_true(relay_flush(world->relay));
	relay_finish(world->relay, 10000);
}

/* --- bytes that are no record --- */

static size_t sample(struct world *world, unsigned char *bytes, size_t size)
{
	struct log_field fields[] = {{"peer", false, "1.2.3.4", 7}, {"n", true, "[17]", 4}};
	struct entry entry = entry_of("a message");
	ssize_t n;

	entry.fields = fields;
	entry.count = 2;
	relay_put(world->relay, &entry);
	n = read(world->ends[0], bytes, size);
	assert_true(n > 0);
	return (size_t)n;
}

static void feed(struct world *world, const void *bytes, size_t length)
{
	assert_int_equal(write(world->ends[1], bytes, length), length);
}

static int feed_anew(struct world *world, const void *bytes, size_t length)
{
	relay_reader_finish(&world->reader);
	world->lines = 0;
	world->text[0] = 0;
	if (length > 0)
		feed(world, bytes, length);
	errno = 0;
	return read_all(world);
}

static void test_a_record_may_come_in_any_pieces(void **state)
{
	struct world *world = *state;
	unsigned char bytes[512];
	size_t length = sample(world, bytes, sizeof bytes);

	for (size_t cut = 0; cut < length; cut++) {
		assert_int_equal(feed_anew(world, bytes, cut), 0);
		assert_int_equal(world->lines, 0);
		feed(world, bytes + cut, length - cut);
		assert_int_equal(read_all(world), 0);
		assert_int_equal(world->lines, 1);
		assert_string_equal(world->text, "a message peer=1.2.3.4 n=[17]\n");
	}
}

/* The record says it is shorter than what it has. */
static void test_a_record_that_is_shorter_than_its_parts_is_none(void **state)
{
	struct world *world = *state;
	unsigned char bytes[512];
	uint32_t length = (uint32_t)sample(world, bytes, sizeof bytes);

	for (uint32_t less = 0; less < length; less++) {
		memcpy(bytes, &less, sizeof less);
		assert_int_equal(feed_anew(world, bytes, length), -1);
		assert_int_equal(errno, EBADMSG);
		assert_int_equal(world->lines, 0);
	}
}

static struct relay_head head_of(enum relay_kind kind)
{
	return (struct relay_head){.length = sizeof(struct relay_head),
				   .version = RELAY_VERSION,
				   .kind = (uint8_t)kind,
				   .level = LEVEL_INFO};
}

static void assert_none(struct world *world, const struct relay_head *head)
{
	assert_int_equal(feed_anew(world, head, sizeof *head), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(world->lines, 0);
}

static void test_each_number_of_a_head_has_its_bounds(void **state)
{
	struct world *world = *state;
	struct relay_head head = head_of(RELAY_LINE);

	assert_int_equal(feed_anew(world, &head, sizeof head), 0);
	assert_int_equal(world->lines, 1);
#define WRONG(kind, member, value)                                                                 \
	head = head_of(kind);                                                                      \
	head.member = (value);                                                                     \
	assert_none(world, &head)
	WRONG(RELAY_LINE, length, RELAY_RECORD_MAX + 1);
	WRONG(RELAY_LINE, length, UINT32_MAX);
	WRONG(RELAY_LINE, version, RELAY_VERSION + 1);
	WRONG(RELAY_LINE, kind, 0);
	WRONG(RELAY_LINE, kind, RELAY_KINDS);
	WRONG(RELAY_LINE, level, LEVEL_ERROR + 1);
	WRONG(RELAY_LINE, fields, 1);
	WRONG(RELAY_LINE, fields, RELAY_FIELDS_MAX + 1);
	WRONG(RELAY_LINE, seconds, -1);
	WRONG(RELAY_LINE, seconds, INT64_MAX);
	WRONG(RELAY_LINE, nanoseconds, 1000000000);
	WRONG(RELAY_LINE, message, 1);
	WRONG(RELAY_LINE, message, UINT32_MAX);
	WRONG(RELAY_LOST, cut, 0);
	WRONG(RELAY_LOST, message, 1);
#undef WRONG
}

static void test_a_key_ends_where_it_says(void **state)
{
	struct world *world = *state;
	unsigned char bytes[512];
	size_t length = sample(world, bytes, sizeof bytes);
	unsigned char *key = memmem(bytes, length, "peer", 5);

	assert_non_null(key);
	key[2] = 0;
	assert_int_equal(feed_anew(world, bytes, length), -1);
	key[2] = 'e';
	key[4] = 'x';
	assert_int_equal(feed_anew(world, bytes, length), -1);
	key[4] = 0;
	assert_int_equal(feed_anew(world, bytes, length), 0);
}

/* Whatever comes: what is told is an entry that can be shown, or it is no record. */
static void test_random_bytes_do_no_harm(void **state)
{
	struct world *world = *state;
	unsigned char bytes[512], copy[512];
	size_t length = sample(world, bytes, sizeof bytes);
	unsigned seeds = in_valgrind() ? 1000 : 20000;
	unsigned refused = 0;

	for (unsigned seed = 0; seed < seeds; seed++) {
		unsigned random = seed;
		int more;

		memcpy(copy, bytes, length);
		for (int i = 0; i < 1 + (int)(seed % 4); i++)
			copy[(size_t)rand_r(&random) % length] = (unsigned char)rand_r(&random);
		more = feed_anew(world, copy, length);
		if (more < 0 && errno != EBADMSG)
			fail_msg("seed %u: errno %d", seed, errno);
		refused += more < 0;
	}
	assert_true(refused > seeds / 20 && refused < seeds);
}

static void test_a_reader_goes_on_where_another_ended(void **state)
{
	struct world *world = *state;
	unsigned char bytes[512];
	size_t length = sample(world, bytes, sizeof bytes);
	struct relay_reader before;

	assert_int_equal(feed_anew(world, bytes, length - 5), 0);
	before = world->reader;
	world->reader = (struct relay_reader){0};
	assert_int_equal(relay_reader_begin(&world->reader, before.bytes, before.have), 0);
	relay_reader_finish(&before);
	feed(world, bytes + length - 5, 5);
	assert_int_equal(read_all(world), 0);
	assert_string_equal(world->text, "a message peer=1.2.3.4 n=[17]\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	    TEST(an_entry_comes_as_it_was),
	    TEST(the_end_of_the_pipe_is_told),
	    TEST(a_long_message_is_cut_and_says_so),
	    TEST(how_much_was_cut_is_known),
	    TEST(fields_that_do_not_fit_are_cut_or_left_out),
	    TEST(at_most_64_fields_come_and_long_keys_are_cut),
	    TEST(what_is_no_json_becomes_a_string),
	    TEST(losses_are_told_in_the_place_of_what_is_lost),
	    TEST(a_slow_reader_gets_every_line_or_its_loss_in_order),
	    TEST(what_waits_is_not_lost_while_the_queue_has_room),
	    TEST(finish_waits_no_longer_than_it_may),
	    TEST(a_reader_that_is_gone_is_no_reason_to_wait),
	    TEST(a_record_may_come_in_any_pieces),
	    TEST(a_record_that_is_shorter_than_its_parts_is_none),
	    TEST(each_number_of_a_head_has_its_bounds),
	    TEST(a_key_ends_where_it_says),
	    TEST(random_bytes_do_no_harm),
	    TEST(a_reader_goes_on_where_another_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
