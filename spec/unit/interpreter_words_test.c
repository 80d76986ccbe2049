#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "service/interpreter.h"

static char *none[] = {NULL};

static struct interpreter_words read_words(char **list)
{
	struct interpreter_words words = {.program = "lua", .words = list};

	assert_null(interpreter_read(&words));
	return words;
}

#define READ(...) read_words((char *[]){__VA_ARGS__, NULL})

static void the_script_follows_the_options(void **state)
{
	struct interpreter_words words = READ("-i", "-E", "x.lua", "-v");

	(void)state;
	assert_string_equal(*words.script, "x.lua");
	assert_int_equal(words.modes, INTERPRETER_PROMPTS | INTERPRETER_TELLS | INTERPRETER_BARE);
	words = READ("-v", "--", "-x.lua");
	assert_string_equal(*words.script, "-x.lua");
	words = READ("-", "-v");
	assert_string_equal(*words.script, "-");
	assert_int_equal(words.modes, 0);
}

static void without_a_script_it_is_at_the_end(void **state)
{
	struct interpreter_words words = READ("-e", "x = 1");

	(void)state;
	assert_null(*words.script);
	assert_int_equal(words.modes, INTERPRETER_EXECUTES);
	words = read_words(none);
	assert_null(*words.script);
}

static void what_is_executed_comes_in_its_order(void **state)
{
	static const struct {
		char letter;
		const char *value;
	} expected[] = {{'e', "a"}, {'l', "b"}, {'W', NULL}, {'e', "c"}};
	char *list[] = {"-ea", "-i", "-l", "b", "-W", "-e", "c", "--", "-ed", NULL};
	struct interpreter_words words = read_words(list);
	char **at = words.words, *value;

	(void)state;
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		assert_int_equal(interpreter_next(&words, &at, &value), expected[i].letter);
		if (expected[i].value)
			assert_string_equal(value, expected[i].value);
		else
			assert_null(value);
	}
	assert_int_equal(interpreter_next(&words, &at, &value), 0);
}

static void a_wrong_word_is_told(void **state)
{
	static char *const wrong[] = {"-h",  "-Ex", "-vv", "-iv",   "-Wx",
				      "---", "-e",  "-l",  "--help"};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char *list[] = {"-v", wrong[i], NULL};
		struct interpreter_words words = {.program = "lua", .words = list};

		assert_ptr_equal(interpreter_read(&words), wrong[i]);
	}
}

static void an_option_is_no_value(void **state)
{
	char *list[] = {"-e", "-v", NULL};
	struct interpreter_words words = {.program = "lua", .words = list};

	(void)state;
	assert_string_equal(interpreter_read(&words), "-e");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_script_follows_the_options),
	    cmocka_unit_test(without_a_script_it_is_at_the_end),
	    cmocka_unit_test(what_is_executed_comes_in_its_order),
	    cmocka_unit_test(a_wrong_word_is_told),
	    cmocka_unit_test(an_option_is_no_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
