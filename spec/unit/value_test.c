#include "spec_fixture.h"

#include <math.h>
#include <string.h>

#include "spec/value.h"

static struct value *put(struct value *table, const char *name, int64_t index)
{
	struct value key = {.type = VALUE_INTEGER, .as.integer = index};

	if (name) {
		key.type = VALUE_STRING;
		key.as.string.bytes = (char *)name;
		key.as.string.length = strlen(name);
	}
	return value_put(table, &key);
}

static void a_table_keeps_integers_before_names_and_finds_both(void **state)
{
	struct value table = {.type = VALUE_TABLE};

	(void)state;
	assert_int_equal(value_string(put(&table, "b", 0), "x", 1), 0);
	*put(&table, NULL, 7) = (struct value){.type = VALUE_BOOLEAN, .as.boolean = true};
	*put(&table, "a", 0) = (struct value){.type = VALUE_INTEGER, .as.integer = 5};
	*put(&table, NULL, -1) = (struct value){.type = VALUE_NUMBER, .as.number = 0.5};
	assert_int_equal(table.as.table.count, 4);
	assert_int_equal(table.as.table.pairs[0].key.as.integer, -1);
	assert_int_equal(value_get(&table, "a")->as.integer, 5);
	assert_true(value_at(&table, 7)->as.boolean);
	assert_null(value_get(&table, "c"));
	assert_null(value_at(&table, 1));
	assert_null(value_get(NULL, "a"));
	value_finish(&table);
	assert_int_equal(table.type, VALUE_NIL);
}

static void a_copy_is_equal_and_independent(void **state)
{
	struct value table = {.type = VALUE_TABLE, .line = 3}, copy;
	struct value *inner = put(&table, "inner", 0);

	(void)state;
	*inner = (struct value){.type = VALUE_TABLE};
	assert_int_equal(value_string(put(inner, "text", 0), "a\0b", 3), 0);
	assert_int_equal(value_copy(&copy, &table), 0);
	copy.line = 9;
	assert_true(value_equal(&copy, &table));
	value_finish(put(inner, "text", 0));
	assert_false(value_equal(&copy, &table));
	assert_int_equal(value_path(&copy, "inner.text")->as.string.length, 3);
	value_finish(&table);
	value_finish(&copy);
}

static void a_path_goes_through_names_and_list_items(void **state)
{
	struct value root = {.type = VALUE_TABLE};
	struct value *list = put(&root, "list", 0);

	(void)state;
	*list = (struct value){.type = VALUE_TABLE};
	*put(list, NULL, 2) = (struct value){.type = VALUE_INTEGER, .as.integer = 42};
	assert_int_equal(value_path(&root, "list.2")->as.integer, 42);
	assert_null(value_path(&root, "list.3"));
	assert_null(value_path(&root, "list.2.x"));
	assert_int_equal(value_list(list), -1);
	value_remove(&root, &root.as.table.pairs[0].key);
	assert_int_equal(root.as.table.count, 0);
	assert_int_equal(value_list(&root), 0);
	value_finish(&root);
}

static void shows(const struct value *value, const char *expected)
{
	char text[80];

	assert_string_equal(value_show(value, text, sizeof text), expected);
}

static void a_value_is_shown_as_it_would_be_written(void **state)
{
	struct value table = {.type = VALUE_TABLE}, text = {0};
	struct value number = {.type = VALUE_NUMBER, .as.number = 3};
	char cut[8];

	(void)state;
	shows(&table, "{}");
	*put(&table, NULL, 1) = (struct value){.type = VALUE_INTEGER, .as.integer = 1};
	*put(&table, "x", 0) = (struct value){.type = VALUE_BOOLEAN, .as.boolean = false};
	shows(&table, "{ 1, x = false }");
	assert_string_equal(value_show(&table, cut, sizeof cut), "{ 1, x ");
	shows(&number, "3.0");
	assert_int_equal(value_string(&text, "a\"\n\x01", 4), 0);
	shows(&text, "\"a\\\"\\n\\x01\"");
	value_finish(&text);
	value_finish(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_table_keeps_integers_before_names_and_finds_both),
	    cmocka_unit_test(a_copy_is_equal_and_independent),
	    cmocka_unit_test(a_path_goes_through_names_and_list_items),
	    cmocka_unit_test(a_value_is_shown_as_it_would_be_written),
	};

	return cmocka_run_group_tests_name("a value", tests, NULL, NULL);
}
