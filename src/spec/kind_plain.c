#include <math.h>
#include <stdio.h>
#include <string.h>

#include "spec/check.h"
#include "spec/kinds.h"
#include "spec/parse.h"

#define AT(type, base, field) ((type *)((char *)(base) + (field)->offset))

static void put_text(struct check *check, const struct field *field, const char *path, void *base,
		     const struct value *value)
{
	const char *text = check_text(value);

	if (!text) {
		check_expected(check, path, value, field->kind->expected, NULL);
		return;
	}
	*AT(char *, base, field) = arena_text(check->arena, text);
}

static void put_name(struct check *check, const struct field *field, const char *path, void *base,
		     const struct value *value)
{
	const char *text = check_text(value);

	if (!text || !parse_name(text)) {
		check_expected(check, path, value, field->kind->expected, NULL);
		return;
	}
	*AT(char *, base, field) = arena_text(check->arena, text);
}

static void put_count(struct check *check, const struct field *field, const char *path, void *base,
		      const struct value *value)
{
	if (value->type != VALUE_INTEGER || value->as.integer < field->least ||
	    value->as.integer > field->most) {
		char wanted[80];

		snprintf(wanted, sizeof wanted, "a whole number from %lld to %lld",
			 (long long)field->least, (long long)field->most);
		check_expected(check, path, value, wanted, NULL);
		return;
	}
	*AT(int, base, field) = (int)value->as.integer;
}

static void put_octal(struct check *check, const struct field *field, const char *path, void *base,
		      const struct value *value)
{
	const char *text = check_text(value);

	if (!text || !parse_octal(text, AT(mode_t, base, field)))
		check_expected(check, path, value, field->kind->expected, NULL);
}

static bool read_duration(const struct value *value, int64_t *ms)
{
	double number = 0;

	if (value->type == VALUE_STRING)
		return check_text(value) && parse_duration(check_text(value), ms);
	if (value->type == VALUE_INTEGER)
		number = (double)value->as.integer;
	else if (value->type == VALUE_NUMBER)
		number = value->as.number;
	else
		return false;
	if (!(number >= 0 && number * 1000 <= (double)DURATION_MAX))
		return false;
	*ms = llround(number * 1000);
	return true;
}

static void put_duration(struct check *check, const struct field *field, const char *path,
			 void *base, const struct value *value)
{
	int64_t ms;

	if (!read_duration(value, &ms))
		check_expected(check, path, value, field->kind->expected, NULL);
	else if (ms < field->least)
		check_expected(check, path, value, "a duration above 0", NULL);
	else
		*AT(int64_t, base, field) = ms;
}

static bool read_size(const struct value *value, uint64_t *bytes)
{
	if (value->type == VALUE_STRING)
		return check_text(value) && parse_size(check_text(value), bytes);
	if (value->type != VALUE_INTEGER || value->as.integer < 0)
		return false;
	*bytes = (uint64_t)value->as.integer;
	return true;
}

static void put_size(struct check *check, const struct field *field, const char *path, void *base,
		     const struct value *value)
{
	uint64_t bytes;
	char wanted[96];

	if (!read_size(value, &bytes)) {
		check_expected(check, path, value, field->kind->expected, NULL);
	} else if (bytes < (uint64_t)field->least || bytes > (uint64_t)field->most) {
		snprintf(wanted, sizeof wanted, "a size from %lld to %lld bytes",
			 (long long)field->least, (long long)field->most);
		check_expected(check, path, value, wanted, NULL);
	} else {
		*AT(size_t, base, field) = (size_t)bytes;
	}
}

static int normal_integer(struct value *to, int64_t number)
{
	*to = (struct value){.type = VALUE_INTEGER, .as.integer = number};
	return 0;
}

static int normal_duration(const struct value *value, struct value *to)
{
	int64_t ms;

	return read_duration(value, &ms) ? normal_integer(to, ms) : value_copy(to, value);
}

static int normal_size(const struct value *value, struct value *to)
{
	uint64_t bytes;

	return read_size(value, &bytes) ? normal_integer(to, (int64_t)bytes)
					: value_copy(to, value);
}

static int normal_octal(const struct value *value, struct value *to)
{
	const char *text = check_text(value);
	mode_t mode;

	return text && parse_octal(text, &mode) ? normal_integer(to, mode) : value_copy(to, value);
}

/* config stays where it is, in root: it only has to be plain data all the way down. */
static void check_plain(struct check *check, const char *path, const struct value *value)
{
	char below[PATH_SHOWN_MAX];

	if (value->type == VALUE_FUNCTION)
		check_fail(check, path, value, "expected plain data, got a function");
	if (value->type == VALUE_NUMBER && !isfinite(value->as.number))
		check_fail(check, path, value, "expected a finite number, got %s",
			   isnan(value->as.number) ? "nan"
			   : value->as.number > 0  ? "inf"
						   : "-inf");
	for (size_t i = 0; value->type == VALUE_TABLE && i < value->as.table.count; i++) {
		const struct pair *pair = &value->as.table.pairs[i];

		check_plain(check, check_join(below, path, &pair->key), &pair->value);
	}
}

static void put_config(struct check *check, const struct field *field, const char *path, void *base,
		       const struct value *value)
{
	(void)base;
	if (value->type != VALUE_TABLE)
		check_expected(check, path, value, field->kind->expected, NULL);
	else
		check_plain(check, path, value);
}

static void put_boolean(struct check *check, const struct field *field, const char *path,
			void *base, const struct value *value)
{
	if (value->type != VALUE_BOOLEAN)
		check_expected(check, path, value, field->kind->expected, NULL);
	else
		*AT(bool, base, field) = value->as.boolean;
}

static void put_later(struct check *check, const struct field *field, const char *path, void *base,
		      const struct value *value)
{
	char shown[96];

	(void)field;
	(void)base;
	check_fail(check, path, value, "not supported yet, got %s",
		   value_show(value, shown, sizeof shown));
}

void kind_put_group(struct check *check, const struct field *field, const char *path, void *base,
		    const struct value *value)
{
	struct pair pair = {.key.type = VALUE_STRING};
	struct value table = {.type = VALUE_TABLE, .as.table = {&pair, 1}};
	const struct field *child;

	if (value->type == VALUE_TABLE) {
		check_table(check, field->name, path, base, value);
		return;
	}
	if (!field->kind->shorthand || (value->type != VALUE_STRING && !field->kind->map)) {
		check_expected(check, path, value, field->kind->expected, NULL);
		check_defaults(check, field->name, path, base, NULL);
		return;
	}
	pair.key.as.string.bytes = (char *)field->kind->shorthand; /* only read */
	pair.key.as.string.length = strlen(field->kind->shorthand);
	pair.value = *value;
	check_defaults(check, field->name, path, base, &table);
	child = field_below(field->name, field->kind->shorthand);
	child->kind->put(check, child, path, base, value);
}

bool kind_is_map(struct check *check, const struct field *field, const char *path,
		 const struct value *value)
{
	bool right = value->type == VALUE_TABLE;

	for (size_t i = 0; right && i < value->as.table.count; i++)
		right = value->as.table.pairs[i].key.type == VALUE_STRING;
	if (!right)
		check_expected(check, path, value, field->kind->expected, NULL);
	return right;
}

char **kind_strings(struct check *check, const struct field *field, const char *path,
		    const struct value *value, bool (*right)(const char *text))
{
	int64_t count = value->type == VALUE_STRING ? 1 : value_list(value);
	char **texts;
	bool failed = false;

	if (count < 0) {
		check_expected(check, path, value, field->kind->expected, NULL);
		return NULL;
	}
	texts = arena_alloc(check->arena, ((size_t)count + 1) * sizeof *texts);
	for (int64_t i = 0; i < count; i++) {
		const struct value *item =
		    value->type == VALUE_STRING ? value : &value->as.table.pairs[i].value;
		const char *text = check_text(item);

		if (!text || !*text || (right && !right(text))) {
			char below[PATH_SHOWN_MAX];
			bool one = item == value;

			check_expected(check,
				       one ? path
					   : check_join(below, path, &value->as.table.pairs[i].key),
				       item, field->kind->expected, NULL);
			failed = true;
		}
		texts[i] = arena_text(check->arena, text ? text : "");
	}
	return failed ? NULL : texts;
}

int kind_normal_list(const struct value *value, struct value *to)
{
	struct value table = {.type = VALUE_TABLE};
	struct value key = {.type = VALUE_INTEGER, .as.integer = 1};
	struct pair pair = {.key = key, .value = *value};

	table.as.table.pairs = &pair;
	table.as.table.count = 1;
	return value_copy(to, value->type == VALUE_TABLE ? value : &table);
}

static void put_names(struct check *check, const struct field *field, const char *path, void *base,
		      const struct value *value)
{
	*AT(char **, base, field) = kind_strings(check, field, path, value, NULL);
}

const struct kind kind_text = {.name = "text", .expected = "a text of one line", .put = put_text};
const struct kind kind_name = {
    .name = "name",
    .expected =
	"a name of letters, digits, \"_\", \".\" and \"-\" that starts with a letter or digit",
    .put = put_name,
};
const struct kind kind_count = {.name = "number", .expected = "a whole number", .put = put_count};
const struct kind kind_octal = {
    .name = "octal string",
    .expected = "an octal string such as \"027\"",
    .put = put_octal,
    .normal = normal_octal,
};
const struct kind kind_duration = {
    .name = "duration",
    .expected = "a duration such as \"250ms\", \"10s\", \"5m\", \"2h\", \"7d\" or seconds",
    .put = put_duration,
    .normal = normal_duration,
};
const struct kind kind_size = {
    .name = "size",
    .expected = "a size such as \"64KiB\", \"4MiB\", \"1GiB\" or bytes",
    .put = put_size,
    .normal = normal_size,
};
const struct kind kind_config = {
    .name = "table of plain data", .expected = "a table of plain data", .put = put_config};
const struct kind kind_boolean = {
    .name = "boolean", .expected = "true or false", .put = put_boolean};
const struct kind kind_group = {
    .name = "table", .expected = "a table", .put = kind_put_group, .group = true};
const struct kind kind_later = {.name = "not supported yet", .expected = "", .put = put_later};
const struct kind kind_names = {.name = "list of strings",
				.expected = "a list of strings",
				.put = put_names,
				.normal = kind_normal_list};
