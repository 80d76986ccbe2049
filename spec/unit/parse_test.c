#include "spec_fixture.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "spec/address.h"
#include "spec/nearest.h"
#include "spec/parse.h"

static void durations_have_a_unit(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} right[] = {{"250ms", 250},    {"10s", 10000}, {"5m", 300000}, {"2h", 7200000},
		     {"7d", 604800000}, {"1.5s", 1500}, {"0s", 0}};
	static const char *const wrong[] = {"",     "10",  "s",     "10 s", "-1s", "1e3s",
					    "0x1s", "1.s", "1..2s", "10ss", "1w",  "99999999999d"};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
		assert_true(parse_duration(right[i].text, &ms));
		assert_int_equal(ms, right[i].ms);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_false(parse_duration(wrong[i], &ms));
}

static void sizes_are_binary(void **state)
{
	uint64_t bytes;

	(void)state;
	assert_true(parse_size("64KiB", &bytes));
	assert_int_equal(bytes, 65536);
	assert_true(parse_size("1.5MiB", &bytes));
	assert_int_equal(bytes, 1572864);
	assert_true(parse_size("12B", &bytes));
	assert_false(parse_size("64KB", &bytes));
	assert_false(parse_size("64", &bytes));
	assert_false(parse_size("99999999TiB", &bytes));
}

static void modes_names_and_ids_are_exact(void **state)
{
	mode_t mode;
	uint32_t id;

	(void)state;
	assert_true(parse_octal("027", &mode));
	assert_int_equal(mode, 027);
	assert_true(parse_octal("1777", &mode));
	assert_false(parse_octal("8", &mode));
	assert_false(parse_octal("", &mode));
	assert_false(parse_octal("17777", &mode));
	assert_true(parse_name("a.b-c_1"));
	assert_false(parse_name(".a"));
	assert_false(parse_name("a/b"));
	assert_true(parse_id("0", &id));
	assert_false(parse_id("4294967295", &id));
	assert_false(parse_id("-1", &id));
}

static int parse(const char *text, struct address *parts)
{
	struct arena *arena = arena_create();
	const char *expected;
	int count = address_parse(arena, "/srv", text, parts, &expected);
	static char texts[2][160];

	for (int i = 0; i < count; i++) {
		snprintf(texts[i], sizeof texts[i], "%s", parts[i].text);
		parts[i].text = texts[i];
	}
	arena_destroy(arena);
	return count;
}

static void addresses_are_numbers_and_paths(void **state)
{
	struct address parts[ADDRESS_PARTS_MAX];
	const struct sockaddr_un *un = (struct sockaddr_un *)&parts[0].socket;

	(void)state;
	assert_int_equal(parse("tcp://127.0.0.1:80", parts), 1);
	assert_int_equal(((struct sockaddr_in *)&parts[0].socket)->sin_port, htons(80));
	assert_int_equal(parse("tcp://[0:0::1]:80", parts), 1);
	assert_string_equal(parts[0].text, "tcp://[::1]:80");
	assert_int_equal(parse("tcp://*:80", parts), 2);
	assert_string_equal(parts[0].text, "tcp://0.0.0.0:80");
	assert_string_equal(parts[1].text, "tcp://[::]:80");
	assert_int_equal(parse("unix:./run/s", parts), 1);
	assert_string_equal(parts[0].text, "unix:/srv/run/s");
	assert_int_equal(parse("udp://[::1]:53", parts), 1);
	assert_int_equal(parts[0].kind, ADDRESS_UDP);
	assert_string_equal(parts[0].text, "udp://[::1]:53");
	assert_int_equal(parse("udp://*:53", parts), 2);
	assert_int_equal(parse("unix:@luvd", parts), 1);
	assert_int_equal(parts[0].kind, ADDRESS_ABSTRACT);
	assert_int_equal(parts[0].length, offsetof(struct sockaddr_un, sun_path) + 5);
	assert_memory_equal(un->sun_path, "\0luvd", 5);
}

static void other_addresses_are_refused(void **state)
{
	static const char *const wrong[] = {"",
					    "tcp://",
					    "tcp://:80",
					    "tcp://127.0.0.1",
					    "tcp://a.example:80",
					    "tcp://1.2.3:80",
					    "tcp://::1:80",
					    "tcp://[::1]",
					    "tcp://[::1:80",
					    "tcp://127.0.0.1:",
					    "tcp://127.0.0.1:65536",
					    "tcp://[fe80::1%eth0]:80",
					    "tcp://[*]:80",
					    "udp://localhost:1",
					    "udp://127.0.0.1",
					    "unix:",
					    "unix:@",
					    "http://127.0.0.1:80"};
	struct address parts[ADDRESS_PARTS_MAX];
	char path[200] = "unix:/";

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(parse(wrong[i], parts), 0);
	memset(path + 6, 'x', 120);
	assert_int_equal(parse(path, parts), 0);
}

static void the_nearest_word_is_near(void **state)
{
	struct nearest nearest;

	(void)state;
	assert_int_equal(nearest_distance("usre", "user"), 1);
	assert_int_equal(nearest_distance("", "abc"), 3);
	assert_int_equal(nearest_distance("UMASK", "umask"), 0);
	nearest_init(&nearest, "chrot");
	nearest_try(&nearest, "group");
	nearest_try(&nearest, "chroot");
	assert_string_equal(nearest.best, "chroot");
	nearest_init(&nearest, "xyzzy");
	nearest_try(&nearest, "user");
	assert_null(nearest.best);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(durations_have_a_unit),
	    cmocka_unit_test(sizes_are_binary),
	    cmocka_unit_test(modes_names_and_ids_are_exact),
	    cmocka_unit_test(addresses_are_numbers_and_paths),
	    cmocka_unit_test(other_addresses_are_refused),
	    cmocka_unit_test(the_nearest_word_is_near),
	};

	return cmocka_run_group_tests_name("what texts mean", tests, NULL, NULL);
}
