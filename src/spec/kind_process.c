#include <cap-ng.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/check.h"
#include "spec/kinds.h"
#include "spec/nearest.h"
#include "spec/parse.h"
#include "spec/words.h"

enum { CPUS_MAX = 1024, CAPABILITY_MAX = 64 };

/* --- users and groups: a name, or a number as string or integer --- */

static char *read_account(struct check *check, const struct value *value)
{
	const char *text = check_text(value);

	if (value->type == VALUE_INTEGER && value->as.integer >= 0 &&
	    value->as.integer < UINT32_MAX)
		return arena_format(check->arena, "%lld", (long long)value->as.integer);
	return text && *text ? arena_text(check->arena, text) : NULL;
}

static void put_account(struct check *check, const struct field *field, const char *path,
			void *base, const struct value *value)
{
	char *account = read_account(check, value);

	if (!account)
		check_expected(check, path, value, field->kind->expected, NULL);
	*(char **)((char *)base + field->offset) = account;
}

static void put_accounts(struct check *check, const struct field *field, const char *path,
			 void *base, const struct value *value)
{
	int64_t count = value_list(value);
	char **accounts;

	if (count < 0) {
		check_expected(check, path, value, field->kind->expected, NULL);
		return;
	}
	accounts = arena_alloc(check->arena, ((size_t)count + 1) * sizeof *accounts);
	*(char ***)((char *)base + field->offset) = accounts;
	for (int64_t i = 0; i < count; i++) {
		const struct pair *pair = &value->as.table.pairs[i];
		char below[PATH_SHOWN_MAX];

		accounts[i] = read_account(check, &pair->value);
		if (!accounts[i])
			check_expected(check, check_join(below, path, &pair->key), &pair->value,
				       kind_account.expected, NULL);
	}
}

static int normal_account(const struct value *value, struct value *to)
{
	char text[24];

	if (value->type != VALUE_INTEGER)
		return value_copy(to, value);
	snprintf(text, sizeof text, "%lld", (long long)value->as.integer);
	return value_string(to, text, strlen(text));
}

/* --- limits --- */

static void put_limits(struct check *check, const struct field *field, const char *path, void *base,
		       const struct value *value)
{
	const struct field *row = field_below(field->name, "NAME");
	struct spec *spec = base;
	char below[PATH_SHOWN_MAX];

	if (!kind_is_map(check, field, path, value))
		return;
	spec->limits =
	    arena_alloc(check->arena, (value->as.table.count + 1) * sizeof *spec->limits);
	for (size_t i = 0; i < value->as.table.count; i++) {
		const struct pair *pair = &value->as.table.pairs[i];
		const char *name = check_text(&pair->key);
		const struct word *word = name ? word_find(words_limit, name) : NULL;

		check_join(below, path, &pair->key);
		if (!word) {
			check_unknown(check, below, &pair->value, "limit",
				      name ? word_nearest(words_limit, name) : NULL);
			continue;
		}
		spec->limits[spec->limit_count].name = arena_text(check->arena, word->name);
		spec->limits[spec->limit_count].resource = word->number;
		row->kind->put(check, row, below, &spec->limits[spec->limit_count++], &pair->value);
	}
}

static void put_limit(struct check *check, const struct field *field, const char *path, void *base,
		      const struct value *value)
{
	struct limit *limit = base;
	const char *text = check_text(value);
	bool size = word_limit_is_size(limit->resource);
	uint64_t bytes;

	(void)field;
	if (value->type == VALUE_INTEGER && value->as.integer >= 0)
		limit->value = (rlim_t)value->as.integer;
	else if (text && strcmp(text, "unlimited") == 0)
		limit->value = RLIM_INFINITY;
	else if (text && size && parse_size(text, &bytes))
		limit->value = (rlim_t)bytes;
	else
		check_expected(check, path, value,
			       size ? "a size such as \"64MiB\" or \"unlimited\""
				    : "a whole number or \"unlimited\"",
			       NULL);
}

static int normal_limit(const struct value *value, struct value *to)
{
	const char *text = check_text(value);
	uint64_t bytes;

	if (!text || !parse_size(text, &bytes))
		return value_copy(to, value);
	*to = (struct value){.type = VALUE_INTEGER, .as.integer = (int64_t)bytes};
	return 0;
}

/* --- priority --- */

static void put_nice(struct check *check, const struct field *field, const char *path, void *base,
		     const struct value *value)
{
	kind_count.put(check, field, path, base, value);
	check->spec->nice_given = true;
}

static void put_oom(struct check *check, const struct field *field, const char *path, void *base,
		    const struct value *value)
{
	kind_count.put(check, field, path, base, value);
	check->spec->oom_given = true;
}

static int order_ints(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

/* Sorted, each number once. */
static size_t sort_unique(int *numbers, size_t count)
{
	size_t kept = 0;

	qsort(numbers, count, sizeof *numbers, order_ints);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || numbers[kept - 1] != numbers[i])
			numbers[kept++] = numbers[i];
	return kept;
}

static void put_cpus(struct check *check, const struct field *field, const char *path, void *base,
		     const struct value *value)
{
	struct spec *spec = base;
	int64_t count = value_list(value);
	char below[PATH_SHOWN_MAX];

	if (count < 1) {
		check_expected(check, path, value, field->kind->expected, NULL);
		return;
	}
	spec->cpus = arena_alloc(check->arena, (size_t)count * sizeof *spec->cpus);
	for (int64_t i = 0; i < count; i++) {
		const struct pair *pair = &value->as.table.pairs[i];

		if (pair->value.type != VALUE_INTEGER || pair->value.as.integer < 0 ||
		    pair->value.as.integer >= CPUS_MAX)
			check_expected(check, check_join(below, path, &pair->key), &pair->value,
				       "the number of a CPU, from 0", NULL);
		else
			spec->cpus[spec->cpu_count++] = (int)pair->value.as.integer;
	}
	spec->cpu_count = sort_unique(spec->cpus, spec->cpu_count);
}

static void put_ioprio(struct check *check, const struct field *field, const char *path, void *base,
		       const struct value *value)
{
	struct spec *spec = base;
	const char *text = check_text(value), *colon = text ? strchr(text, ':') : NULL;
	char class[16];
	const struct word *word;
	bool level;

	snprintf(class, sizeof class, "%.*s", colon ? (int)(colon - text) : 15, text ? text : "");
	word = word_find(words_ioprio, class);
	level = colon && colon[1] >= '0' && colon[1] <= '7' && !colon[2];
	/* Only idle has no levels. */
	if (!word || level == (strcmp(class, "idle") == 0) || (colon && !level)) {
		check_expected(check, path, value, field->kind->expected,
			       text && !word ? word_nearest(words_ioprio, class) : NULL);
		return;
	}
	spec->ioprio_class = word->number;
	spec->ioprio_level = level ? colon[1] - '0' : 0;
}

/* --- capabilities --- */

/* "net_bind_service", "CAP_NET_BIND_SERVICE": its number, or -1. */
static int capability_number(const char *text)
{
	if (strncasecmp(text, "cap_", 4) == 0)
		text += 4;
	return capng_name_to_capability(text);
}

static const char *capability_nearest(const char *text)
{
	struct nearest nearest;

	nearest_init(&nearest, strncasecmp(text, "cap_", 4) == 0 ? text + 4 : text);
	for (unsigned i = 0; i < CAPABILITY_MAX; i++)
		if (capng_capability_to_name(i))
			nearest_try(&nearest, capng_capability_to_name(i));
	return nearest.best;
}

static void put_capabilities(struct check *check, const struct field *field, const char *path,
			     void *base, const struct value *value)
{
	struct spec *spec = base;
	int64_t count = value->type == VALUE_STRING ? 1 : value_list(value);
	char below[PATH_SHOWN_MAX];

	spec->capabilities_given = true;
	if (count < 0) {
		check_expected(check, path, value, field->kind->expected, NULL);
		return;
	}
	spec->capabilities =
	    arena_alloc(check->arena, ((size_t)count + 1) * sizeof *spec->capabilities);
	for (int64_t i = 0; i < count; i++) {
		const struct pair *pair =
		    value->type == VALUE_STRING ? NULL : &value->as.table.pairs[i];
		const struct value *item = pair ? &pair->value : value;
		const char *text = check_text(item);
		int number = text ? capability_number(text) : -1;

		if (number >= 0)
			spec->capabilities[spec->capability_count++] = number;
		else
			check_expected(check, pair ? check_join(below, path, &pair->key) : path,
				       item,
				       "the name of a capability such as \"net_bind_service\"",
				       text ? capability_nearest(text) : NULL);
	}
	spec->capability_count = sort_unique(spec->capabilities, spec->capability_count);
}

/* --- environment.set --- */

static bool is_variable(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || isdigit((unsigned char)name[0]))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '_')
			return false;
	return true;
}

static void put_keep(struct check *check, const struct field *field, const char *path, void *base,
		     const struct value *value)
{
	((struct spec *)base)->environment_keep =
	    kind_strings(check, field, path, value, is_variable);
}

static char *read_variable(struct check *check, const char *name, const struct value *value)
{
	if (value->type == VALUE_INTEGER)
		return arena_format(check->arena, "%s=%lld", name, (long long)value->as.integer);
	/* A value may hold newlines and tabs, never a 0 byte. */
	if (value->type != VALUE_STRING ||
	    strlen(value->as.string.bytes) != value->as.string.length)
		return NULL;
	return arena_format(check->arena, "%s=%s", name, value->as.string.bytes);
}

static void put_variables(struct check *check, const struct field *field, const char *path,
			  void *base, const struct value *value)
{
	struct spec *spec = base;
	char below[PATH_SHOWN_MAX];

	if (!kind_is_map(check, field, path, value))
		return;
	spec->environment_set =
	    arena_alloc(check->arena, (value->as.table.count + 1) * sizeof(char *));
	for (size_t i = 0, kept = 0; i < value->as.table.count; i++) {
		const struct pair *pair = &value->as.table.pairs[i];
		const char *name = check_text(&pair->key);
		char *entry;

		check_join(below, path, &pair->key);
		if (!name || !is_variable(name)) {
			check_expected(check, below, &pair->key,
				       "a variable's name of letters, digits and \"_\"", NULL);
			continue;
		}
		entry = read_variable(check, name, &pair->value);
		if (entry)
			spec->environment_set[kept++] = entry;
		else
			check_expected(check, below, &pair->value, "a string", NULL);
	}
}

const struct kind kind_account = {
    .name = "name or number",
    .expected = "a name or number",
    .put = put_account,
    .normal = normal_account,
};
const struct kind kind_accounts = {.name = "list of names or numbers",
				   .expected = "a list of names or numbers",
				   .put = put_accounts};
const struct kind kind_limits = {
    .name = "table of limits",
    .expected = "a table such as { nofile = 4096 }",
    .put = put_limits,
    .map = true,
};
const struct kind kind_limit = {
    .name = "number, size or \"unlimited\"",
    .expected = "a number, a size or \"unlimited\"",
    .put = put_limit,
    .normal = normal_limit,
};
const struct kind kind_nice = {.name = "number", .expected = "a whole number", .put = put_nice};
const struct kind kind_oom = {.name = "number", .expected = "a whole number", .put = put_oom};
const struct kind kind_cpus = {.name = "list of numbers",
			       .expected = "a list of CPU numbers such as { 0, 1 }",
			       .put = put_cpus};
const struct kind kind_ioprio = {
    .name = "I/O priority",
    .expected = "\"idle\", \"best-effort:0\" to \"best-effort:7\" or \"realtime:0\" to "
		"\"realtime:7\"",
    .put = put_ioprio,
};
const struct kind kind_capabilities = {
    .name = "list of capabilities",
    .expected = "a list of capabilities such as { \"net_bind_service\" }",
    .put = put_capabilities,
    .normal = kind_normal_list,
};
const struct kind kind_keep = {
    .name = "list of variables",
    .expected = "a list of variables' names such as { \"TZ\" }",
    .put = put_keep,
    .normal = kind_normal_list,
};
const struct kind kind_variables = {
    .name = "table of variables",
    .expected = "a table such as { TZ = \"Europe/Zurich\" }",
    .put = put_variables,
    .map = true,
};
const struct kind kind_variable = {
    .name = "text", .expected = "a string", .normal = normal_account};
