#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "service/peers.h"

static struct conn_peer four(uint32_t number)
{
	struct conn_peer peer = {.family = AF_INET, .port = (in_port_t)rand()};

	memcpy(peer.host, &number, sizeof number);
	return peer;
}

static struct conn_peer six(const char *host)
{
	struct conn_peer peer = {.family = AF_INET6};

	memcpy(peer.host, host, sizeof peer.host);
	return peer;
}

static void test_a_peer_gets_as_many_as_it_may_whatever_its_port(void **state)
{
	struct peers peers = {0};
	struct conn_peer one = four(1), same = four(1), other = four(2);

	(void)state;
	assert_true(peers_enter(&peers, &one, 2));
	assert_true(peers_enter(&peers, &same, 2));
	assert_false(peers_enter(&peers, &one, 2));
	assert_true(peers_enter(&peers, &other, 2));
	peers_leave(&peers, &same);
	assert_true(peers_enter(&peers, &one, 2));
	assert_false(peers_enter(&peers, &one, 2));
	peers_finish(&peers);
}

static void test_a_64_of_ipv6_is_one_peer_and_a_mapped_address_is_ipv4(void **state)
{
	struct peers peers = {0};
	struct conn_peer one = six("\x20\1\0\0\0\0\0\1aaaaaaaa");
	struct conn_peer near = six("\x20\1\0\0\0\0\0\1bbbbbbbb");
	struct conn_peer far = six("\x20\1\0\0\0\0\0\2aaaaaaaa");
	struct conn_peer mapped = six("\0\0\0\0\0\0\0\0\0\0\xff\xff\1\0\0\0");
	struct conn_peer plain = {.family = AF_INET, .host = {1}};

	(void)state;
	assert_true(peers_enter(&peers, &one, 1));
	assert_false(peers_enter(&peers, &near, 1));
	assert_true(peers_enter(&peers, &far, 1));
	assert_true(peers_enter(&peers, &mapped, 1));
	assert_false(peers_enter(&peers, &plain, 1));
	peers_finish(&peers);
}

static void test_local_users_are_told_apart_by_uid_and_from_addresses(void **state)
{
	struct peers peers = {0};
	struct conn_peer root = {.family = AF_UNIX}, ann = {.family = AF_UNIX, .extra = 7};
	struct conn_peer seven = four(7);

	(void)state;
	assert_true(peers_enter(&peers, &root, 1));
	assert_true(peers_enter(&peers, &ann, 1));
	assert_true(peers_enter(&peers, &seven, 1));
	assert_false(peers_enter(&peers, &ann, 1));
	peers_finish(&peers);
}

/* Against the simplest model: a count for each peer. */
static void test_entries_are_found_while_others_come_and_go(void **state)
{
	enum { PEERS = 500, MOST = 3 };
	unsigned counts[PEERS] = {0};
	struct peers peers = {0};
	size_t open = 0;

	(void)state;
	srand(1);
	for (int turn = 0; turn < 100000; turn++) {
		unsigned which = (unsigned)rand() % PEERS;
		struct conn_peer peer = four(which);

		if (rand() % 2 && counts[which] > 0) {
			peers_leave(&peers, &peer);
			open -= --counts[which] == 0;
		} else {
			assert_int_equal(peers_enter(&peers, &peer, MOST), counts[which] < MOST);
			open += counts[which] == 0;
			counts[which] += counts[which] < MOST;
		}
		assert_int_equal(peers.used, open);
	}
	for (unsigned which = 0; which < PEERS; which++)
		for (struct conn_peer peer = four(which); counts[which] > 0; counts[which]--)
			peers_leave(&peers, &peer);
	assert_int_equal(peers.used, 0);
	assert_true(peers.room <= 1024);
	peers_finish(&peers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_peer_gets_as_many_as_it_may_whatever_its_port),
	    cmocka_unit_test(test_a_64_of_ipv6_is_one_peer_and_a_mapped_address_is_ipv4),
	    cmocka_unit_test(test_local_users_are_told_apart_by_uid_and_from_addresses),
	    cmocka_unit_test(test_entries_are_found_while_others_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
