#include "service_kit.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A service whose handler is the given text. */
#define HANDLER(text)                                                                              \
	"local net, luvd = require 'luvd.net', require 'luvd'\n"                                   \
	"return { service = { start = function(daemon)\n"                                          \
	"  net.serve(daemon.listeners.web, function(conn)\n" text "\n  end)\n"                     \
	"end } }\n"

static struct kit *serve(const char *text)
{
	struct kit *kit = kit_create(text);

	kit_listen(kit);
	kit_start(kit);
	assert_true(kit->start_ok);
	return kit;
}

static void test_an_echo_server_answers_line_by_line(void **state)
{
	struct kit *kit =
	    serve(HANDLER("for line in conn:lines() do conn:write(line .. '\\n') end"));
	int fd = kit_connect(kit);

	(void)state;
	kit_send(fd, "one\r\ntw");
	assert_string_equal(kit_expect(kit, fd, "\n"), "one\n");
	kit_send(fd, "o\nthree\n");
	assert_string_equal(kit_expect(kit, fd, "three\n"), "two\nthree\n");
	shutdown(fd, SHUT_WR);
	assert_string_equal(kit_expect(kit, fd, NULL), "");
	close(fd);
	kit_stop(kit, false);
	assert_null(kit->log);
	kit_destroy(kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_an_echo_server_answers_line_by_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
