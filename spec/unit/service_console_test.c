#include "service_kit.h"

#include <stdlib.h>
#include <string.h>

#include "service/console.h"
#include "service/life_state.h"
#include "service/vm.h"

static const char service[] =
    "local luvd = require 'luvd'\n"
    "visits = 7\n"
    "local Point = { x = 0, __name = 'Point' }\n"
    "Point.__index = Point\n"
    "function Point:move() end\n"
    "function Point.new() end\n"
    "state = { open = 1, names = { 'a', 'b' }, point = setmetatable({ y = 2 }, Point),\n"
    "  trap = setmetatable({}, { __index = function() error 'called' end,\n"
    "    __pairs = error, __tostring = error }) }\n"
    "return { service = { start = function() state.ready = true end } }\n";

struct told {
	struct kit *kit;
	int count;
	bool ok;
	char *text;
};

static void on_answer(void *data, bool ok, const char *text)
{
	struct told *told = data;

	told->count++;
	told->ok = ok;
	free(told->text);
	told->text = strdup(text);
	uv_stop(&told->kit->loop);
}

static void begin(struct told *told)
{
	*told = (struct told){.kit = kit_create(service)};
	kit_start(told->kit);
	assert_true(told->kit->start_ok);
}

static void end(struct told *told)
{
	kit_stop(told->kit, false);
	kit_destroy(told->kit);
	free(told->text);
}

static const char *ask(struct told *told, const char *text)
{
	told->count = 0;
	assert_int_equal(life_eval(told->kit->life, text, on_answer, told), 0);
	assert_int_equal(told->count, 0); /* never from inside the call */
	kit_wait(told->kit, &told->count);
	assert_int_equal(told->count, 1);
	return told->text;
}

static void assert_answer(struct told *told, const char *text, const char *expected)
{
	assert_string_equal(ask(told, text), expected);
	assert_true(told->ok);
}

static void assert_names(struct told *told, const char *text, const char *expected)
{
	told->count = 0;
	assert_int_equal(life_complete(told->kit->life, text, on_answer, told), 0);
	assert_int_equal(told->count, 0);
	kit_wait(told->kit, &told->count);
	assert_true(told->ok);
	assert_string_equal(told->text, expected);
}

/* --- evaluating --- */

static void test_an_expression_is_answered_with_its_values(void **state)
{
	struct told told;

	(void)state;
	begin(&told);
	assert_answer(&told, "1 + 1, 2^53, 1.5, nil, true",
		      "2\n9.007199254741e+15\n1.5\nnil\ntrue\n");
	assert_answer(&told, "visits", "7\n");
	assert_answer(&told, "", "");
	assert_answer(&told, "local x = 1", "");
	end(&told);
}

static void test_a_start_that_uses_no_global_is_no_matter(void **state)
{
	struct told told = {.kit = kit_create("return { service = { start = function() end } }\n")};

	(void)state;
	kit_start(told.kit);
	assert_answer(&told, "x = 1", "");
	assert_answer(&told, "x, type(print), type(service.start)",
		      "1\n\"function\"\n\"function\"\n");
	end(&told);
}

static void test_statements_are_run_and_what_they_assign_is_kept(void **state)
{
	struct told told;

	(void)state;
	begin(&told);
	assert_answer(&told, "x = 5; local y = x", "");
	assert_answer(&told, "local z, w = x + 1, 2", "");
	assert_answer(&told, "local function twice(n) return 2 * n end", "");
	assert_answer(&told, "return twice(z), w, y", "12\n2\nnil\n");
	assert_answer(&told, "local c <const> = 1; return c", "1\n");
	end(&told);
}

static void test_the_services_globals_are_read_and_not_overwritten(void **state)
{
	struct told told;

	(void)state;
	begin(&told);
	assert_answer(&told, "visits = 8", "");
	assert_answer(&told, "visits, state.ready, string.rep('a', 3)", "8\ntrue\n\"aaa\"\n");
	assert_answer(&told, "_G.visits, type(daemon), type(service.start)",
		      "nil\n\"table\"\n\"function\"\n");
	end(&told);
}

static void test_tables_are_readable(void **state)
{
	struct told told;

	(void)state;
	begin(&told);
	assert_answer(
	    &told, "{ 1, 'two', c = { d = false }, b = -0.0, ['e f'] = 1, [10] = 2, [true] = 3 }",
	    "{ 1, \"two\", [10] = 2, b = -0.0, c = { d = false }, [\"e f\"] = 1, [true] = 3 }\n");
	assert_answer(&told, "{}, { {} }", "{}\n{ {} }\n");
	assert_answer(&told, "{ first = ('x'):rep(50), second = { 1, 2 }, third = ('y'):rep(50) }",
		      "{\n  first = \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\",\n"
		      "  second = { 1, 2 },\n"
		      "  third = \"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\"\n}\n");
	assert_answer(&told, "state.point", "{ y = 2 }\n");
	assert_answer(&told, "state.trap", "{}\n");
	ask(&told, "print, state.point.move, io.stdout, coroutine.create(print)");
	assert_non_null(
	    strstr(told.text, "function: built in\nfunction: /srv/kit/kit.lua:5\nFILE*: 0x"));
	assert_non_null(strstr(told.text, "\nthread: 0x"));
	end(&told);
}

static void test_strings_are_quoted(void **state)
{
	struct told told;

	(void)state;
	begin(&told);
	assert_answer(&told, "'a\"b\\\\\\n\\t\\0\\xff\\127', 'gr\xc3\xbc\xc3\x9f'",
		      "\"a\\\"b\\\\\\n\\t\\x00\\xFF\\x7F\"\n\"gr\xc3\xbc\xc3\x9f\"\n");
	end(&told);
}

static void test_depth_size_and_cycles_are_bounded(void **state)
{
	struct told told;

	(void)state;
	begin(&told);
	assert_answer(&told, "(function() local t = {} t.t = t return t end)()",
		      "{ t = { itself } }\n");
	assert_answer(&told, "{{{{{{{}}}}}}}", "{ { { { { { ... } } } } } }\n");
	ask(&told, "(function() local t = {} for i = 1, 1000 do t[i] = i end return t end)()");
	assert_non_null(strstr(told.text, "  500,\n  ... 500 more\n}\n"));
	ask(&told,
	    "(function() local t = {} for i = 1, 1000 do t['k' .. i] = i end return t end)()");
	assert_non_null(strstr(told.text, ",\n  ... 500 more\n}\n"));
	ask(&told, "{ ('x'):rep(5000) }");
	assert_non_null(strstr(told.text, "xxx\"... (5000 bytes)\n}\n"));
	ask(&told, "('x'):rep(1 << 20)");
	assert_in_range(strlen(told.text), 256 * 1024, 256 * 1024 + 100);
	assert_non_null(strstr(told.text, "xxx\n(the rest is left out)\n"));
	end(&told);
}

static void test_print_goes_to_the_answer(void **state)
{
	struct told told;

	(void)state;
	begin(&told);
	assert_answer(&told, "print('a', 1, nil) return 2", "a\t1\tnil\n2\n");
	assert_answer(&told, "coroutine.wrap(function() print 'inside' end)()", "inside\n");
	assert_answer(&told, "print '\\0'", "\\0\n");
	end(&told);
}

static void test_errors_come_with_their_traceback(void **state)
{
	struct told told;

	(void)state;
	begin(&told);
	ask(&told, "(function() error 'oh' end)()");
	assert_false(told.ok);
	assert_non_null(strstr(told.text, "console:1: oh\nstack traceback:\n"));
	assert_string_equal(ask(&told, "x = = 1"), "console:1: unexpected symbol near '='");
	assert_false(told.ok);
	assert_non_null(strstr(ask(&told, "for i = 1, 2 do"), "near <eof>"));
	ask(&told, "error(setmetatable({}, { __tostring = function() error 'again' end }))");
	assert_false(told.ok);
	assert_int_equal(told.kit->life->vm->failed, 0); /* not of the service */
	end(&told);
}

static void test_a_text_may_wait_and_others_meanwhile(void **state)
{
	struct told told;
	struct told other;

	(void)state;
	begin(&told);
	other = (struct told){.kit = told.kit};
	life_eval(told.kit->life, "while not go do require 'luvd'.sleep '1ms' end return 'gone'",
		  on_answer, &told);
	life_eval(told.kit->life, "go = true", on_answer, &other);
	kit_wait(told.kit, &told.count);
	assert_string_equal(told.text, "\"gone\"\n");
	assert_int_equal(other.count, 1);
	free(other.text);
	end(&told);
}

static void test_a_text_that_waits_too_long_is_cancelled(void **state)
{
	struct told told;
	struct vm *vm;
	struct eval *eval;

	(void)state;
	begin(&told);
	vm = told.kit->life->vm;
	life_eval(told.kit->life,
		  "local _ <close> = setmetatable({}, { __close = function() "
		  "print 'closed' end }) print 'first' require 'luvd'.sleep '1h'",
		  on_answer, &told);
	eval = LIST_ENTRY(vm->evals.next, struct eval, all);
	assert_true(eval->alarm.due >= uv_now(vm->loop) + 29000);
	alarm_set(&vm->alarms, &eval->alarm, uv_now(vm->loop) + 5);
	kit_wait(told.kit, &told.count);
	assert_false(told.ok);
	assert_string_equal(told.text, "first\nclosed\ncancelled: no result within 30s");
	assert_true(list_empty(&vm->evals));
	end(&told);
}

static void test_what_a_text_spawns_outlives_it(void **state)
{
	struct told told;

	(void)state;
	begin(&told);
	assert_answer(&told,
		      "daemon:spawn(function() require 'luvd'.sleep '5ms' "
		      "require 'luvd.log':info 'later' end) return 1",
		      "1\n");
	kit_wait_log(told.kit, "INFO later");
	end(&told);
}

static void test_os_exit_ends_the_text(void **state)
{
	struct told told;

	(void)state;
	begin(&told);
	assert_string_equal(ask(&told, "os.exit(3)"), "cancelled");
	assert_false(told.ok);
	kit_wait(told.kit, &told.kit->stopped);
	assert_int_equal(told.kit->stop_code, 3);
	kit_destroy(told.kit);
	free(told.text);
}

static void test_a_text_that_waits_is_answered_when_the_service_stops(void **state)
{
	struct told told;

	(void)state;
	begin(&told);
	life_eval(told.kit->life, "require 'luvd'.sleep '1h'", on_answer, &told);
	uv_run(&told.kit->loop, UV_RUN_NOWAIT);
	kit_stop(told.kit, true);
	assert_int_equal(told.count, 1);
	assert_string_equal(told.text, "cancelled");
	assert_string_equal(ask(&told, "1"), "the service does not run");
	life_eval(told.kit->life, "1", on_answer, &told);
	told.count = 0;
	kit_destroy(told.kit);
	assert_int_equal(told.count, 1);
	free(told.text);
}

static void test_a_text_that_never_ends_is_aborted(void **state)
{
	struct told told = {.kit = kit_create(service)};

	(void)state;
	told.kit->daemon.spec->lua_abort = 20;
	kit_start(told.kit);
	ask(&told, "while true do end");
	assert_false(told.ok);
	assert_non_null(strstr(told.text, "console:1: aborted: Lua has run for 20ms"));
	end(&told);
}

/* --- completing --- */

static void test_globals_are_completed(void **state)
{
	struct told told;

	(void)state;
	begin(&told);
	assert_names(&told, "vis", "visits\n");
	assert_names(&told, "print(stri", "string\n");
	assert_names(&told, "x = da", "daemon\n");
	assert_names(&told, "nothing_of_that_name", "");
	end(&told);
}

static void test_fields_and_methods_are_completed(void **state)
{
	struct told told;

	(void)state;
	begin(&told);
	assert_names(&told, "state.",
		     "state.names\nstate.open\nstate.point\nstate.ready\nstate.trap\n");
	assert_names(&told, "f(state.point.",
		     "state.point.move\nstate.point.new\nstate.point.x\nstate.point.y\n");
	assert_names(&told, "state.point:", "state.point:move\nstate.point:new\n");
	assert_names(&told, "state.point.__n", "state.point.__name\n");
	assert_names(&told, "state.names[1].", "");
	assert_names(&told, "state.absent.", "");
	assert_names(&told, "a:b:", "");
	assert_answer(&told, "text = 'abc'", "");
	assert_names(&told, "text:fo", "text:format\n");
	end(&told);
}

static void test_completing_calls_nothing(void **state)
{
	struct told told;

	(void)state;
	begin(&told);
	assert_names(&told, "state.trap.", "");
	assert_names(&told, "state.trap.x.y", "");
	end(&told);
}

static void test_at_most_a_hundred_names_come_the_first_ones(void **state)
{
	struct told told;

	(void)state;
	begin(&told);
	assert_answer(&told, "many = {} for i = 1000, 1999 do many['k' .. i] = i end", "");
	told.count = 0;
	life_complete(told.kit->life, "many.", on_answer, &told);
	kit_wait(told.kit, &told.count);
	assert_int_equal(strlen(told.text), 100 * strlen("many.k1000\n"));
	assert_non_null(strstr(told.text, "many.k1000\n"));
	assert_non_null(strstr(told.text, "many.k1099\n"));
	end(&told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_an_expression_is_answered_with_its_values),
	    cmocka_unit_test(test_a_start_that_uses_no_global_is_no_matter),
	    cmocka_unit_test(test_statements_are_run_and_what_they_assign_is_kept),
	    cmocka_unit_test(test_the_services_globals_are_read_and_not_overwritten),
	    cmocka_unit_test(test_tables_are_readable),
	    cmocka_unit_test(test_strings_are_quoted),
	    cmocka_unit_test(test_depth_size_and_cycles_are_bounded),
	    cmocka_unit_test(test_print_goes_to_the_answer),
	    cmocka_unit_test(test_errors_come_with_their_traceback),
	    cmocka_unit_test(test_a_text_may_wait_and_others_meanwhile),
	    cmocka_unit_test(test_a_text_that_waits_too_long_is_cancelled),
	    cmocka_unit_test(test_what_a_text_spawns_outlives_it),
	    cmocka_unit_test(test_os_exit_ends_the_text),
	    cmocka_unit_test(test_a_text_that_waits_is_answered_when_the_service_stops),
	    cmocka_unit_test(test_a_text_that_never_ends_is_aborted),
	    cmocka_unit_test(test_globals_are_completed),
	    cmocka_unit_test(test_fields_and_methods_are_completed),
	    cmocka_unit_test(test_completing_calls_nothing),
	    cmocka_unit_test(test_at_most_a_hundred_names_come_the_first_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
