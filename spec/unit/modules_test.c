#include "spec_fixture.h"

#include <stdlib.h>
#include <string.h>

static const struct module *find(const struct spec *spec, const char *name)
{
	for (size_t i = 1; i < spec->module_count; i++)
		if (strcmp(spec->modules[i].name, name) == 0)
			return &spec->modules[i];
	return NULL;
}

static void a_service_brings_what_it_requires(void **state)
{
	struct fixture *fixture = *state;
	struct spec *spec;

	fixture_write(fixture, "room.lua",
		      "require 'util.text' require 'luvd.net' require 'uv'\n"
		      "pcall(require, 'not.there') return {}");
	fixture_write(fixture, "util/text.lua", "require('util') return {}");
	fixture_write(fixture, "util/init.lua", "require 'util.text' return {}");
	spec = fixture_right(fixture, "return { service = './room.lua' }");
	assert_int_equal(spec->service_kind, SERVICE_FILE);
	assert_int_equal(spec->module_count, 4);
	assert_string_equal(find(spec, "./room.lua")->path, spec->service);
	assert_non_null(find(spec, "util"));
	assert_non_null(find(spec, "util.text")->text);
}

static void a_service_by_name_is_searched_beside_the_daemon_file_and_in_lua_path(void **state)
{
	struct fixture *fixture = *state;
	struct spec *spec;

	fixture_write(fixture, "lib/room.lua", "return {}");
	fixture_write(fixture, "more/x-extra.lua", "return {}");
	spec = fixture_right(fixture,
			     "return { service = 'room',\n"
			     "lua = { path = { 'lib', 'more/x-?.lua' }, preload = { 'extra' } } }");
	assert_int_equal(spec->service_kind, SERVICE_MODULE);
	assert_string_equal(spec->service, "room");
	assert_true(strstr(find(spec, "room")->path, "/lib/room.lua") != NULL);
	assert_true(strstr(find(spec, "extra")->path, "/more/x-extra.lua") != NULL);
	fixture_write(fixture, "room.lua", "return {}");
	spec = fixture_right(fixture, "return { service = 'room', lua = { path = 'lib' } }");
	assert_null(strstr(find(spec, "room")->path, "/lib/"));
}

static void the_daemon_file_asks_for_modules_only_when_inline(void **state)
{
	struct fixture *fixture = *state;

	fixture_write(fixture, "room.lua", "return {}");
	fixture_right(fixture, "local absent = require 'absent'\nreturn { service = 'room' }");
	fixture_write(fixture, "part.lua", "local x = require 'found' return {}");
	fixture_write(fixture, "found.lua", "return {}");
	assert_non_null(
	    find(fixture_right(fixture, "include 'part.lua'\n"
					"return { service = { start = function() end } }"),
		 "found"));
}

static void a_module_must_compile_and_is_never_run(void **state)
{
	struct fixture *fixture = *state;

	fixture_write(fixture, "room.lua", "error('run') while true do end");
	fixture_right(fixture, "return { service = 'room' }");
	fixture_write(fixture, "room.lua", "local x =\n= 5");
	fixture_wrong(fixture, "return { service = 'room' }",
		      "room.lua:2: unexpected symbol near '='");
	fixture_write(fixture, "room.lua", "\x1bLua");
	fixture_wrong(fixture, "return { service = 'room' }",
		      "room.lua: attempt to load a binary chunk (mode is 't')");
}

static void a_file_may_begin_with_a_line_for_the_shell(void **state)
{
	struct fixture *fixture = *state;

	fixture_write(fixture, "room.lua", "#!/usr/bin/env lua\nreturn {}");
	fixture_right(fixture, "#!/usr/bin/env luvd\nreturn { service = 'room' }");
	fixture_wrong(fixture, "#!/usr/bin/env luvd\nerror 'x'", "main.lua:2: x");
}

static void a_module_that_is_missing_is_blamed_on_its_line(void **state)
{
	struct fixture *fixture = *state;
	const char *what;

	fixture_write(fixture, "room.lua", "\n\nrequire 'a.b'");
	fixture_write(fixture, "main.lua", "return { service = 'room' }");
	assert_int_equal(fixture_load(fixture, NULL), -1);
	assert_string_equal(fixture->errs.list[0].where, "room.lua:3");
	what = fixture->errs.list[0].what;
	assert_true(strncmp(what, "cannot find module \"a.b\": looked for '", 38) == 0);
	assert_non_null(strstr(what, "/a/b.lua', '"));
	assert_non_null(strstr(what, "/a/b/init.lua'"));
	assert_non_null(strstr(what, "'/usr/share/lua/5.4/a/b.lua'"));
	assert_non_null(strstr(what, "/a.so'"));
}

static void too_large_a_file_is_refused(void **state)
{
	struct fixture *fixture = *state;
	char *text = malloc((2 << 20) + 1);

	memset(text, ' ', 2 << 20);
	text[2 << 20] = 0;
	fixture_write(fixture, "main.lua", text);
	free(text);
	assert_int_equal(fixture_load(fixture, NULL), -1);
	assert_non_null(strstr(fixture->errs.list[0].what, "is larger than 1 MiB"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_service_brings_what_it_requires),
	    TEST(a_service_by_name_is_searched_beside_the_daemon_file_and_in_lua_path),
	    TEST(the_daemon_file_asks_for_modules_only_when_inline),
	    TEST(a_module_must_compile_and_is_never_run),
	    TEST(a_file_may_begin_with_a_line_for_the_shell),
	    TEST(a_module_that_is_missing_is_blamed_on_its_line),
	    TEST(too_large_a_file_is_refused),
	};

	return cmocka_run_group_tests_name("the modules of a bundle", tests, NULL, NULL);
}
