#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "service/hosts.h"

/* The texts of /etc/hosts and /etc/resolv.conf. */

static const char hosts[] = "# names\n"
			    "127.0.0.1\tlocalhost  here # not.this\n"
			    "\n"
			    "::1 localhost\r\n"
			    "10.0.0.1 db db.example.org\n"
			    "10.0.0.2 DB\n"
			    "10.0.0 broken\n"
			    "nonsense\n"
			    "10.0.0.9 last";

static const char *find(const char *name, size_t which)
{
	static char text[INET6_ADDRSTRLEN];
	struct sockaddr_storage found[8];
	size_t count = hosts_find(hosts, name, found, 8);
	const void *host = &((struct sockaddr_in *)&found[which])->sin_addr;

	if (which >= count)
		return NULL;
	if (found[which].ss_family == AF_INET6)
		host = &((struct sockaddr_in6 *)&found[which])->sin6_addr;
	return inet_ntop(found[which].ss_family, host, text, sizeof text);
}

static void test_a_name_has_all_its_lines(void **state)
{
	(void)state;
	assert_string_equal(find("db", 0), "10.0.0.1");
	assert_string_equal(find("db", 1), "10.0.0.2");
	assert_null(find("db", 2));
	assert_string_equal(find("localhost", 0), "127.0.0.1");
	assert_string_equal(find("localhost", 1), "::1");
	assert_string_equal(find("last", 0), "10.0.0.9");
}

static void test_names_are_compared_whole_and_without_case(void **state)
{
	(void)state;
	assert_string_equal(find("Db.Example.ORG", 0), "10.0.0.1");
	assert_null(find("db.example", 0));
	assert_null(find("b", 0));
	assert_null(find("", 0));
}

static void test_comments_and_wrong_lines_are_passed_over(void **state)
{
	(void)state;
	assert_null(find("not.this", 0));
	assert_null(find("broken", 0));
	assert_null(find("nonsense", 0));
}

static void test_localhost_is_there_without_a_file(void **state)
{
	struct sockaddr_storage found[8];

	(void)state;
	assert_int_equal(hosts_find(NULL, "LocalHost", found, 8), 2);
	assert_int_equal(hosts_find(NULL, "localhost", found, 1), 1);
	assert_int_equal(hosts_find("", "other", found, 8), 0);
}

static void test_no_more_are_found_than_there_is_room_for(void **state)
{
	struct sockaddr_storage found[1];

	(void)state;
	assert_int_equal(hosts_find(hosts, "db", found, 1), 1);
}

static void test_the_resolver_is_asked_as_its_file_says(void **state)
{
	struct resolver_settings settings;

	(void)state;
	resolver_settings("; comment\nnameserver 10.0.0.1\nnameserver ::1 # second\n"
			  "nameserver none\nsearch a.example b.example\n"
			  "options ndots:3 timeout:2 attempts:9 rotate ndots:\n",
			  &settings);
	assert_string_equal(settings.servers, "10.0.0.1:53,[::1]:53");
	assert_int_equal(settings.search_count, 2);
	assert_string_equal(settings.search[1], "b.example");
	assert_int_equal(settings.ndots, 3);
	assert_int_equal(settings.timeout, 2);
	assert_int_equal(settings.attempts, 5);
}

static void test_the_last_search_or_domain_wins(void **state)
{
	struct resolver_settings settings;

	(void)state;
	resolver_settings("search a b c\ndomain d\n", &settings);
	assert_int_equal(settings.search_count, 1);
	assert_string_equal(settings.search[0], "d");
}

static void test_without_a_file_the_machine_itself_is_asked(void **state)
{
	struct resolver_settings settings;

	(void)state;
	resolver_settings(NULL, &settings);
	assert_string_equal(settings.servers, "127.0.0.1:53");
	assert_int_equal(settings.search_count, 0);
	assert_int_equal(settings.ndots, 1);
}

static void test_only_the_first_three_servers_are_asked(void **state)
{
	struct resolver_settings settings;

	(void)state;
	resolver_settings("nameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3\n"
			  "nameserver 4.4.4.4\n",
			  &settings);
	assert_string_equal(settings.servers, "1.1.1.1:53,2.2.2.2:53,3.3.3.3:53");
}

static void test_a_server_may_have_a_port(void **state)
{
	struct resolver_settings settings;

	(void)state;
	resolver_settings("nameserver [10.0.0.1]:5353\nnameserver [::1]:1\n"
			  "nameserver [10.0.0.2]:0\nnameserver [10.0.0.2]:65536\n"
			  "nameserver [10.0.0.2\nnameserver [10.0.0.2]\nnameserver [10.0.0.2]:x\n",
			  &settings);
	assert_string_equal(settings.servers, "10.0.0.1:5353,[::1]:1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_name_has_all_its_lines),
	    cmocka_unit_test(test_names_are_compared_whole_and_without_case),
	    cmocka_unit_test(test_comments_and_wrong_lines_are_passed_over),
	    cmocka_unit_test(test_localhost_is_there_without_a_file),
	    cmocka_unit_test(test_no_more_are_found_than_there_is_room_for),
	    cmocka_unit_test(test_the_resolver_is_asked_as_its_file_says),
	    cmocka_unit_test(test_the_last_search_or_domain_wins),
	    cmocka_unit_test(test_without_a_file_the_machine_itself_is_asked),
	    cmocka_unit_test(test_only_the_first_three_servers_are_asked),
	    cmocka_unit_test(test_a_server_may_have_a_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
