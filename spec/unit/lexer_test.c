#include "spec_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/lexer.h"
#include "spec/places.h"

/* "name:line name?:line" of every literal require; "?" when it may fail. */
static const char *required(const char *text)
{
	static char found[256];
	struct lexer lexer;
	struct required one;
	size_t used = 0;

	found[0] = 0;
	lexer_init(&lexer, text, strlen(text));
	while (lexer_require(&lexer, &one) > 0) {
		used +=
		    (size_t)snprintf(found + used, sizeof found - used, "%s%s%s:%d",
				     used ? " " : "", one.name, one.optional ? "?" : "", one.line);
		free(one.name);
	}
	return found;
}

static void every_form_of_a_literal_require_is_found(void **state)
{
	(void)state;
	assert_string_equal(required("require 'a'\nlocal b = require(\"b.c\")\nrequire[[d]]"),
			    "a:1 b.c:2 d:3");
	assert_string_equal(required("require [==[x]==] require('\\x61\\98\\z\n  c')"),
			    "x:1 abc:1");
	assert_string_equal(required("local ok, m = pcall(require, 'm') pcall ( require , \"n\" )"),
			    "m?:1 n?:1");
}

static void what_only_looks_like_a_require_is_not(void **state)
{
	(void)state;
	assert_string_equal(required("-- require 'a'\n--[[ require 'b'\n]] x.require 'c'"), "");
	assert_string_equal(required("local s = \"require 'a'\" y:require('b')"), "");
	assert_string_equal(required("require(name) require('a' .. n) require(f('x'))"), "");
	assert_string_equal(required("function require(x) end pcall(f, 'x')"), "");
	assert_string_equal(required(""), "");
	assert_string_equal(required("require"), "");
}

static void lines_count_through_comments_and_long_strings(void **state)
{
	(void)state;
	assert_string_equal(required("#!/usr/bin/luvd\n--[==[\n]]\n]==]\nx = [[\n\n]]\n"
				     "y = 'a\\\nb'\nrequire 'z'"),
			    "z:10");
}

/* The lexer is not Lua: it has to end, whatever it gets. */
static void any_bytes_come_to_an_end(void **state)
{
	static const char *const texts[] = {"[[",       "\"\\", "'\\x",    "\"\\u{",
					    "--[==[",   "[=",   "0x",      "..",
					    "\x80\xff", "{[",   "'\\999'", "'\\u{fffffffff}'"};
	struct places places;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct arena *arena = arena_create();

		required(texts[i]);
		places_find(&places, arena, texts[i], strlen(texts[i]));
		arena_destroy(arena);
	}
}

static void a_cut_text_comes_to_an_end_wherever_it_is_cut(void **state)
{
	static const char text[] =
	    "local base = include('b') local t = { [1] = {2, a = f(x), ['k'] = function(a, b)\n"
	    "if a then return { 1 } end end }, } base.x.y = 5 t.z = { 'q\\n' }\n"
	    "return { a = t, b = { c = base, 7; 8 }, [\"d\"] = 1 }";

	(void)state;
	for (size_t length = 0; length < sizeof text; length++) {
		struct arena *arena = arena_create();
		char *cut = malloc(length ? length : 1); /* exact, so that ASan sees one more */
		struct places places;

		memcpy(cut, text, length);
		places_find(&places, arena, cut, length);
		arena_destroy(arena);
		free(cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_form_of_a_literal_require_is_found),
	    cmocka_unit_test(what_only_looks_like_a_require_is_not),
	    cmocka_unit_test(lines_count_through_comments_and_long_strings),
	    cmocka_unit_test(any_bytes_come_to_an_end),
	    cmocka_unit_test(a_cut_text_comes_to_an_end_wherever_it_is_cut),
	};

	return cmocka_run_group_tests_name("the lexer", tests, NULL, NULL);
}
