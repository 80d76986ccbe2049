#include "spec_fixture.h"

#include <string.h>

static const char text[] =
    "return {\n"
    "  service = { start = function() end },\n"
    "  listen = { web = 'tcp://127.0.0.1:80',\n"
    "    two = { address = { 'tcp://127.0.0.1:81', 'tcp://127.0.0.1:82' } } },\n"
    "  user = 'nobody', config = { a = 1 },\n"
    "}\n";

#define SETS(...)                                                                                  \
	(char *[])                                                                                 \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

static struct spec *set(struct fixture *fixture, char **sets)
{
	char told[ERR_TEXT_MAX];

	fixture_write(fixture, "main.lua", text);
	if (fixture_load(fixture, sets) < 0)
		fail_msg("%s", err_text(&fixture->errs.list[0], told, sizeof told));
	return fixture->spec;
}

static const struct value *value(struct fixture *fixture, char *argument, const char *path)
{
	return value_path(&set(fixture, SETS(argument))->root, path);
}

static void a_lua_literal_means_its_value(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(value(fixture, "config.x=5", "config.x")->as.integer, 5);
	assert_int_equal(value(fixture, "config.x=-5", "config.x")->as.integer, -5);
	assert_true(value(fixture, "config.x=1.5", "config.x")->as.number == 1.5);
	assert_int_equal(value(fixture, "config.x={ -1, a = -2 }", "config.x.a")->as.integer, -2);
	assert_int_equal(value(fixture, "config.x= 7 ", "config.x")->as.integer, 7);
	assert_false(value(fixture, "config.x=false", "config.x")->as.boolean);
	assert_string_equal(value(fixture, "config.x='5\\n'", "config.x")->as.string.bytes, "5\n");
	assert_int_equal(value(fixture, "config.x={1,y={2}}", "config.x.y.1")->as.integer, 2);
	assert_null(value(fixture, "config.a=nil", "config.a"));
}

static void anything_else_is_a_string(void **state)
{
	static char *const strings[] = {"config.x=echo",       "config.x=tcp://127.0.0.1:80",
					"config.x=5m",         "config.x={1,",
					"config.x=1+1",        "config.x=os.exit()",
					"config.x='open",      "config.x=# 5",
					"config.x=a=b",        "config.x=5-3",
					"config.x=2026-11-22", "config.x=1,2",
					"config.x=5 --x",      "config.x=5;",
					"config.x={1}--",      "config.x={5-3}",
					"config.x={x}",        "config.x=x=5"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
		const struct value *found = value(fixture, strings[i], "config.x");

		assert_int_equal(found->type, VALUE_STRING);
		assert_string_equal(found->as.string.bytes, strings[i] + strlen("config.x="));
	}
}

static void nothing_removes_a_key(void **state)
{
	struct fixture *fixture = *state;
	struct spec *spec = set(fixture, SETS("user=", "config.nothing="));

	assert_null(spec->user);
	assert_null(value_get(&spec->root, "user"));
}

static void a_key_below_a_plain_address_unfolds_it(void **state)
{
	struct fixture *fixture = *state;
	struct spec *spec =
	    set(fixture, SETS("listen.web.backlog=7", "listen.two.address.2=tcp://127.0.0.1:90",
			      "log=syslog", "log.level=debug"));
	const struct listen *two = spec_listen(spec, "two");

	assert_int_equal(spec_listen(spec, "web")->backlog, 7);
	assert_string_equal(spec_listen(spec, "web")->addresses[0].text, "tcp://127.0.0.1:80");
	assert_string_equal(two->addresses[1].text, "tcp://127.0.0.1:90");
	assert_int_equal(spec->log.to, SINK_SYSLOG);
	assert_int_equal(spec->log.level, LEVEL_DEBUG);
}

static void the_last_one_counts(void **state)
{
	struct spec *spec = set(*state, SETS("listen=", "listen.new=tcp://127.0.0.1:1",
					     "listen.new=tcp://127.0.0.1:2"));

	assert_int_equal(spec->listen_count, 1);
	assert_string_equal(spec->listens[0].addresses[0].text, "tcp://127.0.0.1:2");
}

static void errors_name_the_argument(void **state)
{
	struct fixture *fixture = *state;

	fixture->source.sets = SETS("umask=22");
	fixture_wrong(fixture, text,
		      "--set umask: umask: expected an octal string such as \"027\", got 22");
	fixture->source.sets = SETS("config.a.b=1");
	fixture_wrong(fixture, text,
		      "--set config.a.b: config.a: expected a table to set a key of, got 1");
	fixture->source.sets = SETS("user");
	fixture_wrong(fixture, text,
		      "--set user: expected KEY=VALUE such as config.port=80, got \"user\"");
	fixture->source.sets = SETS("=5");
	fixture_wrong(fixture, text,
		      "--set : expected KEY=VALUE such as config.port=80, got \"=5\"");
	fixture->source.sets = NULL;
}

static void blame_names_the_argument_of_a_right_value(void **state)
{
	struct err err = {0};
	struct spec *spec = set(*state, SETS("listen.web=tcp://127.0.0.1:8081"));

	assert_string_equal(spec_blame(spec, "listen.web", &err)->where, "--set listen.web");
	assert_string_equal(spec_blame(spec, "listen.two", &err)->where, "main.lua:4");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_lua_literal_means_its_value),
	    TEST(anything_else_is_a_string),
	    TEST(nothing_removes_a_key),
	    TEST(a_key_below_a_plain_address_unfolds_it),
	    TEST(the_last_one_counts),
	    TEST(errors_name_the_argument),
	    TEST(blame_names_the_argument_of_a_right_value),
	};

	return cmocka_run_group_tests_name("--set", tests, NULL, NULL);
}
