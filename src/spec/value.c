#include "spec/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_STRING_MAX = 60, SHOWN_PAIRS_MAX = 6, SHOWN_DEPTH_MAX = 2 };

int value_order(const struct value *a, const struct value *b)
{
	size_t shorter;
	int order;

	if (a->type != b->type)
		return a->type == VALUE_INTEGER ? -1 : 1;
	if (a->type == VALUE_INTEGER)
		return (a->as.integer > b->as.integer) - (a->as.integer < b->as.integer);
	shorter =
	    a->as.string.length < b->as.string.length ? a->as.string.length : b->as.string.length;
	order = memcmp(a->as.string.bytes, b->as.string.bytes, shorter);
	if (order)
		return order;
	return (a->as.string.length > b->as.string.length) -
	       (a->as.string.length < b->as.string.length);
}

static int order_pairs(const void *a, const void *b)
{
	return value_order(&((const struct pair *)a)->key, &((const struct pair *)b)->key);
}

void value_sort(struct value *table)
{
	if (table->as.table.count > 1)
		qsort(table->as.table.pairs, table->as.table.count, sizeof(struct pair),
		      order_pairs);
}

/* The first position whose key is not before key. */
static size_t place_of(const struct value *table, const struct value *key)
{
	size_t low = 0, high = table->as.table.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (value_order(&table->as.table.pairs[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool found_at(const struct value *table, size_t place, const struct value *key)
{
	return place < table->as.table.count &&
	       value_order(&table->as.table.pairs[place].key, key) == 0;
}

static const struct value *find(const struct value *table, const struct value *key)
{
	size_t place;

	if (!table || table->type != VALUE_TABLE)
		return NULL;
	place = place_of(table, key);
	return found_at(table, place, key) ? &table->as.table.pairs[place].value : NULL;
}

static const struct value *find_bytes(const struct value *table, const char *bytes, size_t length)
{
	struct value key = {.type = VALUE_STRING};

	key.as.string.bytes = (char *)bytes; /* only read */
	key.as.string.length = length;
	return find(table, &key);
}

const struct value *value_get(const struct value *table, const char *key)
{
	return find_bytes(table, key, strlen(key));
}

const struct value *value_at(const struct value *table, int64_t index)
{
	struct value key = {.type = VALUE_INTEGER, .as.integer = index};

	return find(table, &key);
}

const struct value *value_path(const struct value *root, const char *path)
{
	while (root && *path) {
		size_t length = strcspn(path, ".");
		const struct value *next = find_bytes(root, path, length);
		char *end;
		long long index = strtoll(path, &end, 10);

		if (!next && length && end == path + length)
			next = value_at(root, index);
		root = next;
		path += length + (path[length] == '.');
	}
	return root;
}

int value_string(struct value *value, const char *bytes, size_t length)
{
	char *copy = malloc(length + 1);

	if (!copy)
		return -1;
	if (length)
		memcpy(copy, bytes, length);
	copy[length] = 0;
	value->type = VALUE_STRING;
	value->as.string.bytes = copy;
	value->as.string.length = length;
	return 0;
}

struct value *value_put(struct value *table, const struct value *key)
{
	size_t place = place_of(table, key);
	size_t count = table->as.table.count;
	struct pair fresh = {0};
	struct pair *pairs;

	if (found_at(table, place, key))
		return &table->as.table.pairs[place].value;
	if (value_copy(&fresh.key, key) < 0)
		return NULL;
	pairs = realloc(table->as.table.pairs, (count + 1) * sizeof *pairs);
	if (!pairs) {
		value_finish(&fresh.key);
		return NULL;
	}
	memmove(&pairs[place + 1], &pairs[place], (count - place) * sizeof *pairs);
	pairs[place] = fresh;
	table->as.table.pairs = pairs;
	table->as.table.count = count + 1;
	return &pairs[place].value;
}

void value_remove(struct value *table, const struct value *key)
{
	size_t place = place_of(table, key);
	struct pair *pairs = table->as.table.pairs;

	if (!found_at(table, place, key))
		return;
	value_finish(&pairs[place].key);
	value_finish(&pairs[place].value);
	table->as.table.count--;
	memmove(&pairs[place], &pairs[place + 1], (table->as.table.count - place) * sizeof *pairs);
}

static bool tables_equal(const struct value *a, const struct value *b)
{
	if (a->as.table.count != b->as.table.count)
		return false;
	for (size_t i = 0; i < a->as.table.count; i++)
		if (!value_equal(&a->as.table.pairs[i].key, &b->as.table.pairs[i].key) ||
		    !value_equal(&a->as.table.pairs[i].value, &b->as.table.pairs[i].value))
			return false;
	return true;
}

bool value_equal(const struct value *a, const struct value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case VALUE_NIL:
	case VALUE_FUNCTION:
		return true;
	case VALUE_BOOLEAN:
		return a->as.boolean == b->as.boolean;
	case VALUE_INTEGER:
		return a->as.integer == b->as.integer;
	case VALUE_NUMBER:
		return a->as.number == b->as.number;
	case VALUE_STRING:
		return a->as.string.length == b->as.string.length &&
		       memcmp(a->as.string.bytes, b->as.string.bytes, a->as.string.length) == 0;
	case VALUE_TABLE:
		return tables_equal(a, b);
	}
	return false;
}

static int copy_table(struct value *to, const struct value *from)
{
	size_t count = from->as.table.count;
	struct pair *pairs = calloc(count ? count : 1, sizeof *pairs);

	if (!pairs)
		return -1;
	to->as.table.pairs = pairs;
	to->as.table.count = count;
	for (size_t i = 0; i < count; i++)
		if (value_copy(&pairs[i].key, &from->as.table.pairs[i].key) < 0 ||
		    value_copy(&pairs[i].value, &from->as.table.pairs[i].value) < 0)
			return -1;
	return 0;
}

int value_copy(struct value *to, const struct value *from)
{
	int failed = 0;

	*to = *from;
	if (from->type == VALUE_STRING) {
		to->type = VALUE_NIL;
		failed = value_string(to, from->as.string.bytes, from->as.string.length);
	} else if (from->type == VALUE_TABLE) {
		to->as.table.pairs = NULL;
		to->as.table.count = 0;
		failed = copy_table(to, from);
	}
	if (failed)
		value_finish(to);
	return failed;
}

void value_finish(struct value *value)
{
	if (value->type == VALUE_STRING)
		free(value->as.string.bytes);
	if (value->type == VALUE_TABLE) {
		for (size_t i = 0; i < value->as.table.count; i++) {
			value_finish(&value->as.table.pairs[i].key);
			value_finish(&value->as.table.pairs[i].value);
		}
		free(value->as.table.pairs);
	}
	*value = (struct value){0};
}

int64_t value_list(const struct value *value)
{
	const struct pair *pairs = value->as.table.pairs;
	size_t count = value->as.table.count;

	if (value->type != VALUE_TABLE)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (pairs[i].key.type != VALUE_INTEGER || pairs[i].key.as.integer != (int64_t)i + 1)
			return -1;
	return (int64_t)count;
}

static void show_string(FILE *out, const char *bytes, size_t length)
{
	size_t shown = length < SHOWN_STRING_MAX ? length : SHOWN_STRING_MAX;

	/* Never half a character of UTF-8. */
	while (shown < length && shown > 0 && ((unsigned char)bytes[shown] & 0xC0) == 0x80)
		shown--;
	fputc('"', out);
	for (size_t i = 0; i < shown; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c == '\n')
			fputs("\\n", out);
		else if (c < 0x20 || c == 0x7F)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
	fputs(shown < length ? "...\"" : "\"", out);
}

static void show(FILE *out, const struct value *value, int depth);

static void show_table(FILE *out, const struct value *value, int depth)
{
	size_t count = value->as.table.count;
	int64_t next = 1;

	if (count == 0 || depth >= SHOWN_DEPTH_MAX) {
		fputs(count ? "{ ... }" : "{}", out);
		return;
	}
	for (size_t i = 0; i < count && i < SHOWN_PAIRS_MAX; i++) {
		const struct pair *pair = &value->as.table.pairs[i];

		fputs(i ? ", " : "{ ", out);
		if (pair->key.type == VALUE_STRING)
			fprintf(out, "%s = ", pair->key.as.string.bytes);
		else if (pair->key.as.integer != next++)
			fprintf(out, "[%" PRId64 "] = ", pair->key.as.integer);
		show(out, &pair->value, depth + 1);
	}
	fputs(count > SHOWN_PAIRS_MAX ? ", ... }" : " }", out);
}

static void show_number(FILE *out, double number)
{
	if (isfinite(number) && floor(number) == number && fabs(number) < 1e15)
		fprintf(out, "%.1f", number);
	else
		fprintf(out, "%.14g", number);
}

static void show(FILE *out, const struct value *value, int depth)
{
	switch (value->type) {
	case VALUE_NIL:
		fputs("nil", out);
		break;
	case VALUE_BOOLEAN:
		fputs(value->as.boolean ? "true" : "false", out);
		break;
	case VALUE_INTEGER:
		fprintf(out, "%" PRId64, value->as.integer);
		break;
	case VALUE_NUMBER:
		show_number(out, value->as.number);
		break;
	case VALUE_STRING:
		show_string(out, value->as.string.bytes, value->as.string.length);
		break;
	case VALUE_TABLE:
		show_table(out, value, depth);
		break;
	case VALUE_FUNCTION:
		fputs("a function", out);
		break;
	}
}

const char *value_show(const struct value *value, char *text, size_t size)
{
	FILE *out = fmemopen(text, size, "w");

	text[0] = 0;
	if (!out)
		return text;
	setvbuf(out, NULL, _IONBF, 0); /* what does not fit is cut, the rest stays */
	show(out, value, 0);
	fclose(out);
	text[size - 1] = 0;
	return text;
}
