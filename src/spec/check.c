#include "spec/check.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "spec/kinds.h"
#include "spec/nearest.h"
#include "spec/parse.h"
#include "spec/words.h"

const char *check_join(char *to, const char *path, const struct value *key)
{
	char number[24];
	const char *name = key->as.string.bytes;

	if (key->type == VALUE_INTEGER) {
		snprintf(number, sizeof number, "%" PRId64, key->as.integer);
		name = number;
	}
	snprintf(to, PATH_SHOWN_MAX, "%s%s%s", path, *path ? "." : "", name);
	return to;
}

struct err *check_at(struct check *check, const char *path, const struct value *value)
{
	struct err *err = spec_blame(check->spec, path, errs_add(check->errs));

	if (value && value->line)
		spec_where(&check->spec->source, check->spec->modules, check->spec->module_count,
			   value, err->where, sizeof err->where);
	err->exit = EXIT_USAGE;
	return err;
}

void check_fail(struct check *check, const char *path, const struct value *value,
		const char *format, ...)
{
	struct err *err = check_at(check, path, value);
	va_list args;

	va_start(args, format);
	vsnprintf(err->what, sizeof err->what, format, args);
	va_end(args);
}

static void suggest(struct err *err, const char *nearest)
{
	size_t length = strlen(err->what);

	if (nearest)
		snprintf(err->what + length, sizeof err->what - length, "; did you mean \"%s\"?",
			 nearest);
}

void check_expected(struct check *check, const char *path, const struct value *value,
		    const char *wanted, const char *nearest)
{
	struct err *err;
	char shown[160];

	if (value->type == VALUE_NIL)
		return; /* it could not be read, which has been told */
	err = check_at(check, path, value);
	err_set(err, "expected %s, got %s", wanted, value_show(value, shown, sizeof shown));
	suggest(err, nearest);
}

void check_unknown(struct check *check, const char *path, const struct value *value,
		   const char *what, const char *nearest)
{
	struct err *err = check_at(check, path, value);
	char shown[160];

	err_set(err, "no such %s, got %s", what, value_show(value, shown, sizeof shown));
	suggest(err, nearest);
}

const char *check_text(const struct value *value)
{
	if (value->type != VALUE_STRING)
		return NULL;
	for (size_t i = 0; i < value->as.string.length; i++)
		if (iscntrl((unsigned char)value->as.string.bytes[i]))
			return NULL;
	return value->as.string.bytes;
}

char *check_path(struct check *check, const char *path)
{
	if (path[0] == '/')
		return arena_text(check->arena, path);
	while (strncmp(path, "./", 2) == 0)
		path += 2;
	return arena_format(check->arena, "%s%s%s", check->folder,
			    strcmp(check->folder, "/") == 0 ? "" : "/", path);
}

/* The nearest key of the same table, else one that has its place elsewhere. */
static const char *nearest_key(const char *prefix, const char *key, char limit[PATH_SHOWN_MAX])
{
	size_t skip = *prefix ? strlen(prefix) + 1 : 0;
	struct nearest nearest;

	nearest_init(&nearest, key);
	for (const struct field *field = fields; field->name; field++)
		if (field_is_below(field, prefix))
			nearest_try(&nearest, field->name + skip);
	if (nearest.best || !word_find(words_limit, key))
		return nearest.best ? nearest.best : field_nearest(key);
	snprintf(limit, PATH_SHOWN_MAX, "limits.%s", key);
	return limit;
}

static void check_pair(struct check *check, const char *prefix, const char *path, void *base,
		       const struct pair *pair)
{
	const struct field *field = NULL;
	char below[PATH_SHOWN_MAX], limit[PATH_SHOWN_MAX], shown[96];
	const char *key = check_text(&pair->key);

	check_join(below, path, &pair->key);
	if (pair->key.type != VALUE_STRING) {
		check_fail(check, below, &pair->value, "expected keys with names, got the item %s",
			   value_show(&pair->value, shown, sizeof shown));
		return;
	}
	if (key)
		field = field_below(prefix, key);
	if (!field)
		check_unknown(check, below, &pair->value, "key",
			      key ? nearest_key(prefix, key, limit) : NULL);
	else if (pair->value.type != VALUE_NIL)
		field->kind->put(check, field, below, base, &pair->value);
}

void check_defaults(struct check *check, const char *prefix, const char *path, void *base,
		    const struct value *table)
{
	size_t skip = *prefix ? strlen(prefix) + 1 : 0;

	for (const struct field *field = fields; field->name; field++) {
		const char *key = field->name + skip;
		struct value value;

		if (!field_is_below(field, prefix) || strcmp(key, "NAME") == 0 ||
		    (table && value_get(table, key)))
			continue;
		if (field->kind->group)
			check_defaults(check, field->name, path, base, NULL);
		if (field_default(field, &value) < 0 || value.type == VALUE_NIL)
			continue;
		field->kind->put(check, field, path, base, &value);
		value_finish(&value);
	}
}

void check_table(struct check *check, const char *prefix, const char *path, void *base,
		 const struct value *table)
{
	/* First, so that what is given stands over what is not. */
	check_defaults(check, prefix, path, base, table);
	for (size_t i = 0; i < table->as.table.count; i++)
		check_pair(check, prefix, path, base, &table->as.table.pairs[i]);
}

/* The file's base name without ".lua". */
static void default_name(struct check *check)
{
	const char *path = check->spec->source.path, *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t length = strlen(base);

	if (length > 4 && strcmp(base + length - 4, ".lua") == 0)
		length -= 4;
	check->spec->name = arena_format(check->arena, "%.*s", (int)length, base);
	if (!parse_name(check->spec->name))
		check_fail(check, "name", NULL,
			   "expected %s, got the file's base name \"%s\": give one",
			   kind_name.expected, check->spec->name);
}

/* `luvd start service.lua`: one thing is wrong, not each of its keys. */
static bool is_a_service(struct check *check)
{
	const struct value *root = &check->spec->root, *start = value_get(root, "start");
	const char *path = check->spec->source.path, *slash = strrchr(path, '/');

	if (value_get(root, "service") || !start || start->type != VALUE_FUNCTION)
		return false;
	check_fail(check, "start", start,
		   "this file is a service; luvd wants the daemon file, which names it: "
		   "service = \"./%s\"",
		   slash ? slash + 1 : path);
	return true;
}

void check_spec(struct check *check)
{
	struct spec *spec = check->spec;

	spec->control_wanted = true;
	spec->log.to = SINK_DEFAULT;
	if (is_a_service(check))
		return;
	check_table(check, "", "", spec, &spec->root);
	if (!value_get(&spec->root, "name"))
		default_name(check);
	if (!value_get(&spec->root, "service"))
		check_fail(check, "service", NULL,
			   "missing: a module's name, a path such as \"./room.lua\" or a table "
			   "with the function start");
	kind_check_addresses(check);
	kind_check_workers(check);
}

int check_word(struct check *check, const struct field *field, const char *path,
	       const struct value *value, const struct word *words)
{
	const char *text = check_text(value);
	const struct word *word = text ? word_find(words, text) : NULL;

	if (!word)
		check_expected(check, path, value, field->kind->expected,
			       text ? word_nearest(words, text) : NULL);
	return word ? word->number : -1;
}
