#include "spec_fixture.h"

#include <string.h>

#include "spec/fields.h"

static void every_row_is_whole_and_named_once(void **state)
{
	(void)state;
	for (const struct field *field = fields; field->name; field++) {
		assert_non_null(field->kind);
		assert_non_null(field->help);
		assert_true(strlen(field->help) > 10 && strlen(field->help) < 90);
		assert_ptr_equal(field_find(field->name), field);
	}
}

static void every_row_has_its_parent(void **state)
{
	(void)state;
	for (const struct field *field = fields; field->name; field++) {
		const char *dot = strrchr(field->name, '.');
		char parent[64] = "";

		if (!dot)
			continue;
		memcpy(parent, field->name, (size_t)(dot - field->name));
		assert_non_null(field_find(parent));
		assert_true(field_is_below(field, parent));
	}
}

/* Each default has to pass the check of its own row. */
static void every_default_is_right(void **state)
{
	struct fixture *fixture = *state;
	const struct spec *spec = fixture_right(
	    fixture, "return { service = { start = function() end },\n"
		     " listen = { a = 'tcp://127.0.0.1:1' }, files = { f = { path = 'f' } } }");
	const struct listen *listen = spec_listen(spec, "a");

	assert_string_equal(spec->name, "main");
	assert_string_equal(spec->description, "");
	assert_string_equal(spec->chdir, "/");
	assert_int_equal(spec->umask, 027);
	assert_int_equal(spec->workers, 0);
	assert_int_equal(spec->timeout_start, 30000);
	assert_int_equal(spec->timeout_drain, 60000);
	assert_int_equal(spec->log.to, SINK_DEFAULT);
	assert_int_equal(spec->log.level, LEVEL_INFO);
	assert_false(spec->log.json);
	assert_true(spec->control_wanted);
	assert_false(spec->folders[DIRECTORY_STATE].wanted);
	assert_int_equal(spec->folders[DIRECTORY_STATE].mode, 0750);
	assert_int_equal(listen->backlog, 511);
	assert_int_equal(listen->mode, 0666);
	assert_int_equal(listen->write_buffer, 256 * 1024);
	assert_int_equal(listen->uid, (uid_t)-1);
	assert_int_equal(spec->files[0].mode, 'r');
	assert_int_equal(spec->files[0].perm, 0640);
}

static void names_are_found_by_the_users_own_words(void **state)
{
	(void)state;
	assert_string_equal(field_find("listen.web.backlog")->name, "listen.NAME.backlog");
	assert_string_equal(field_find("environment.set.TZ")->name, "environment.set.NAME");
	assert_null(field_find("listen.web.nothing"));
	assert_null(field_find("listen."));
	assert_null(field_find(""));
	assert_string_equal(field_nearest("timeouts.stpo"), "timeouts.stop");
	assert_string_equal(field_nearest("facility"), "log.facility");
	assert_null(field_nearest("qqqqqqqqqq"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_row_is_whole_and_named_once),
	    cmocka_unit_test(every_row_has_its_parent),
	    TEST(every_default_is_right),
	    cmocka_unit_test(names_are_found_by_the_users_own_words),
	};

	return cmocka_run_group_tests_name("the field table", tests, NULL, NULL);
}
