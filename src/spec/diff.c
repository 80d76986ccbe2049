#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/fields.h"
#include "spec/kinds.h"
#include "spec/spec.h"

/* What differs between two specs: each is laid out flat, one entry a key with defaults and every
 * way of writing the same made equal, and then the two lists are compared. */

enum { KEY_MAX = 256 };

struct entry {
	char *key;
	struct value value;
	const struct field *field;
};

struct flat {
	struct entry *entries;
	size_t count;
	bool failed; /* out of memory */
};

static void flat_finish(struct flat *flat)
{
	for (size_t i = 0; i < flat->count; i++) {
		free(flat->entries[i].key);
		value_finish(&flat->entries[i].value);
	}
	free(flat->entries);
}

static void add(struct flat *flat, const char *key, const struct field *field,
		const struct value *value)
{
	struct entry *entries = realloc(flat->entries, (flat->count + 1) * sizeof *flat->entries);
	struct entry *entry;
	int failed;

	if (!entries) {
		flat->failed = true;
		return;
	}
	flat->entries = entries;
	entry = &entries[flat->count++];
	*entry = (struct entry){.key = strdup(key), .field = field};
	failed = field->kind->normal ? field->kind->normal(value, &entry->value)
				     : value_copy(&entry->value, value);
	if (failed || !entry->key)
		flat->failed = true;
}

static void join(char *to, const char *path, const char *key, size_t length)
{
	size_t used = strlen(path);

	memcpy(to, path, used + 1);
	if (used + length + 2 > KEY_MAX)
		return; /* too long to tell: its table is told */
	if (used && length)
		to[used++] = '.';
	memcpy(to + used, key, length);
	to[used + length] = 0;
}

/* config: down to what is not a table of names. */
static void lay_data(struct flat *flat, const char *path, const struct field *field,
		     const struct value *value)
{
	bool named = value->type == VALUE_TABLE && value->as.table.count > 0 &&
		     value->as.table.pairs[0].key.type == VALUE_STRING;

	if (!named) {
		add(flat, path, field, value);
		return;
	}
	for (size_t i = 0; i < value->as.table.count; i++) {
		const struct pair *pair = &value->as.table.pairs[i];
		char below[KEY_MAX];

		join(below, path, pair->key.as.string.bytes, pair->key.as.string.length);
		lay_data(flat, below, field, &pair->value);
	}
}

static void lay_table(struct flat *flat, const char *prefix, const char *path,
		      const char *shorthand, const struct value *table);

/* A map whose names the user chose. Each table in it has an entry of its own name, so that one that
 * comes or goes can be told by it. */
static void lay_map(struct flat *flat, const struct field *field, const char *path,
		    const struct value *map)
{
	static const struct value there = {.type = VALUE_BOOLEAN, .as.boolean = true};
	const struct field *row = field_below(field->name, "NAME");

	for (size_t i = 0; map && map->type == VALUE_TABLE && i < map->as.table.count; i++) {
		const struct pair *pair = &map->as.table.pairs[i];
		const char *name = pair->key.as.string.bytes;
		char below[KEY_MAX];

		if (pair->key.type != VALUE_STRING)
			continue;
		if (field->kind == &kind_signals && strncmp(name, "SIG", 3) == 0)
			name += 3;
		join(below, path, name, strlen(name));
		if (row->kind->group && !row->kind->shorthand)
			add(flat, below, row, &there);
		if (row->kind->group)
			lay_table(flat, row->name, below, row->kind->shorthand, &pair->value);
		else
			add(flat, below, row, &pair->value);
	}
}

static void lay_default(struct flat *flat, const char *path, const struct field *field)
{
	struct value value;

	if (field_default(field, &value) < 0)
		flat->failed = true;
	if (value.type != VALUE_NIL)
		add(flat, path, field, &value);
	value_finish(&value);
}

static void lay_field(struct flat *flat, const struct field *field, const char *path,
		      const struct value *value)
{
	if (field->kind->map)
		lay_map(flat, field, path, value);
	else if (field->kind->group)
		lay_table(flat, field->name, path, field->kind->shorthand, value);
	else if (!value)
		lay_default(flat, path, field);
	else if (field->kind == &kind_config)
		lay_data(flat, path, field, value);
	else
		add(flat, path, field, value);
}

/* The rows below prefix. A plain value stands for shorthand's, whose key is path itself: that is
 * what the user wrote. */
static void lay_table(struct flat *flat, const char *prefix, const char *path,
		      const char *shorthand, const struct value *table)
{
	size_t skip = *prefix ? strlen(prefix) + 1 : 0;
	bool plain = table && table->type != VALUE_TABLE;

	for (const struct field *field = fields; field->name; field++) {
		const char *key = field->name + skip;
		bool stands =
		    shorthand && field_is_below(field, prefix) && strcmp(key, shorthand) == 0;
		char below[KEY_MAX];

		if (!field_is_below(field, prefix) || strcmp(key, "NAME") == 0)
			continue;
		join(below, path, key, stands ? 0 : strlen(key));
		lay_field(flat, field, below,
			  plain   ? (stands ? table : NULL)
			  : table ? value_get(table, key)
				  : NULL);
	}
}

static int order_entries(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

static int lay_out(struct flat *flat, const struct spec *spec)
{
	lay_table(flat, "", "", NULL, &spec->root);
	if (!flat->failed && flat->count)
		qsort(flat->entries, flat->count, sizeof *flat->entries, order_entries);
	return flat->failed ? -1 : 0;
}

static int put(char ***list, size_t *count, const char *key)
{
	char **fresh = realloc(*list, (*count + 2) * sizeof *fresh);

	if (!fresh)
		return -1;
	*list = fresh;
	fresh[*count] = strdup(key);
	if (!fresh[*count])
		return -1;
	fresh[++*count] = NULL;
	return 0;
}

static bool has_reuseport(const struct spec *spec)
{
	for (size_t i = 0; i < spec->listen_count; i++)
		if (spec->listens[i].reuseport)
			return true;
	return false;
}

/* A classic daemon cannot become a monitor, nor the other way round; and to close one of several
 * sockets of a port resets what is queued on it. */
static bool workers_need_restart(const struct spec *before, const struct spec *after)
{
	return (before->workers == 0) != (after->workers == 0) ||
	       (has_reuseport(before) && has_reuseport(after));
}

static enum change_kind change_of(const struct entry *entry, const struct spec *before,
				  const struct spec *after)
{
	if (entry->field->kind == &kind_workers && workers_need_restart(before, after))
		return CHANGE_RESTART;
	return entry->field->change;
}

static int tell(struct change *change, const char *key, enum change_kind kind)
{
	if (put(&change->keys, &change->count, key) < 0)
		return -1;
	switch (kind) {
	case CHANGE_RESTART:
		return put(&change->refused, &change->refused_count, key);
	case CHANGE_GENERATION:
		return put(&change->renewed, &change->renewed_count, key);
	case CHANGE_IN_PLACE:
		break;
	}
	return 0;
}

/* Is it a row whose name the user chose, "listen.NAME"? */
static bool is_chosen(const struct field *field)
{
	const char *dot = field ? strrchr(field->name, '.') : NULL;

	return dot && strcmp(dot, ".NAME") == 0;
}

/* Is key "listen.web.backlog" of a listener that only one side has? Then "listen.web" says it. */
static bool is_part_of_new(const struct change *change, const char *key)
{
	for (char **told = change->keys; *told; told++) {
		size_t length = strlen(*told);

		if (is_chosen(field_find(*told)) && strncmp(key, *told, length) == 0 &&
		    key[length] == '.')
			return true;
	}
	return false;
}

/* What stands in one of the two lists, or in both with different values, each told once. */
static int compare(const struct flat *before, const struct flat *after, const struct spec *specs[2],
		   struct change *change)
{
	size_t i = 0, k = 0;

	while (i < before->count || k < after->count) {
		const struct entry *a = i < before->count ? &before->entries[i] : NULL;
		const struct entry *b = k < after->count ? &after->entries[k] : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(a->key, b->key);
		const struct entry *entry = a && order <= 0 ? a : b;

		i += order <= 0;
		k += order >= 0;
		if (order == 0 && value_equal(&a->value, &b->value))
			continue;
		if (order != 0 && is_part_of_new(change, entry->key))
			continue;
		if (tell(change, entry->key, change_of(entry, specs[0], specs[1])) < 0)
			return -1;
	}
	return 0;
}

/* --- who the service is --- */

static bool same_ids(const struct spec *a, const struct spec *b)
{
	return a->uid == b->uid && a->gid == b->gid && a->gid_count == b->gid_count &&
	       (a->gid_count == 0 || memcmp(a->gids, b->gids, a->gid_count * sizeof *a->gids) == 0);
}

static int order_keys(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The same name may be another user by now: the machine says so, not the daemon file. */
static int compare_ids(const struct spec *before, const struct spec *after, struct change *change)
{
	for (char **key = change->keys; *key; key++)
		if (strcmp(*key, "user") == 0 || strcmp(*key, "group") == 0 ||
		    strcmp(*key, "groups") == 0)
			return 0;
	if (same_ids(before, after))
		return 0;
	if (tell(change, "user", CHANGE_GENERATION) < 0)
		return -1;
	qsort(change->keys, change->count, sizeof *change->keys, order_keys);
	qsort(change->renewed, change->renewed_count, sizeof *change->renewed, order_keys);
	return 0;
}

/* --- code --- */

/* Is this text code of the service? The daemon file and what it includes are only when inline. */
static bool is_code(const struct spec *spec, const struct module *module)
{
	return spec->service_kind == SERVICE_INLINE ||
	       (module->name[0] && strncmp(module->name, "include:", 8) != 0);
}

static bool same_module(const struct module *a, const struct module *b)
{
	if (a->kind != b->kind || strcmp(a->name, b->name) != 0 || strcmp(a->path, b->path) != 0)
		return false;
	return a->kind == MODULE_C ||
	       (a->length == b->length && memcmp(a->text, b->text, a->length) == 0);
}

static bool has_module(const struct spec *spec, const struct module *module)
{
	for (size_t i = 0; i < spec->module_count; i++)
		if (same_module(&spec->modules[i], module))
			return true;
	return false;
}

/* Every text of one that is code is in the other, whatever the order. */
static bool code_within(const struct spec *one, const struct spec *other)
{
	for (size_t i = 0; i < one->module_count; i++)
		if (is_code(one, &one->modules[i]) && !has_module(other, &one->modules[i]))
			return false;
	return true;
}

int spec_diff(const struct spec *before, const struct spec *after, struct change *change)
{
	const struct spec *specs[2] = {before, after};
	struct flat old = {0}, fresh = {0};
	int result = -1;

	*change = (struct change){0};
	change->keys = calloc(1, sizeof *change->keys);
	change->refused = calloc(1, sizeof *change->refused);
	change->renewed = calloc(1, sizeof *change->renewed);
	if (change->keys && change->refused && change->renewed && lay_out(&old, before) == 0 &&
	    lay_out(&fresh, after) == 0)
		result = compare(&old, &fresh, specs, change);
	if (result == 0)
		result = compare_ids(before, after, change);
	change->code = !code_within(before, after) || !code_within(after, before);
	flat_finish(&old);
	flat_finish(&fresh);
	if (result < 0)
		change_finish(change);
	return result;
}

static void free_list(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

void change_finish(struct change *change)
{
	free_list(change->keys);
	free_list(change->refused);
	free_list(change->renewed);
	*change = (struct change){0};
}
