#include "host/repeat.h"

#include <stdlib.h>
#include <string.h>

void repeat_finish(struct repeat *repeat)
{
	free(repeat->bytes);
	*repeat = (struct repeat){0};
}

/* Calls visit with each piece of what makes an entry. Lengths are pieces too, so that the same
 * bytes cut differently are another entry. */
static bool each_piece(const struct entry *entry,
		       bool (*visit)(void *data, const void *bytes, size_t length), void *data)
{
	bool on = visit(data, &entry->length, sizeof entry->length) &&
		  visit(data, entry->message, entry->length);

	for (size_t i = 0; on && i < entry->count; i++) {
		const struct log_field *field = &entry->fields[i];

		on = visit(data, field->key, strlen(field->key) + 1) &&
		     visit(data, &field->raw, sizeof field->raw) &&
		     visit(data, &field->length, sizeof field->length) &&
		     visit(data, field->bytes, field->length);
	}
	return on;
}

struct cursor {
	char *bytes;
	size_t at, length;
};

static bool add_length(void *data, const void *bytes, size_t length)
{
	struct cursor *cursor = data;

	(void)bytes;
	cursor->length += length;
	return cursor->length <= REPEAT_MAX;
}

static bool copy(void *data, const void *bytes, size_t length)
{
	struct cursor *cursor = data;

	if (length > 0)
		memcpy(cursor->bytes + cursor->at, bytes, length);
	cursor->at += length;
	return true;
}

static bool same(void *data, const void *bytes, size_t length)
{
	struct cursor *cursor = data;

	if (length > cursor->length - cursor->at ||
	    (length > 0 && memcmp(cursor->bytes + cursor->at, bytes, length) != 0))
		return false;
	cursor->at += length;
	return true;
}

bool repeat_is(struct repeat *repeat, const struct entry *entry, int64_t now)
{
	struct cursor cursor = {repeat->bytes, 0, repeat->length};

	if (!repeat->bytes || now >= repeat->until || entry->level != repeat->level ||
	    !each_piece(entry, same, &cursor) || cursor.at != repeat->length)
		return false;
	repeat->count++;
	return true;
}

void repeat_begin(struct repeat *repeat, const struct entry *entry, int64_t now)
{
	struct cursor cursor = {0};
	char *bytes;

	repeat->count = 0;
	if (!each_piece(entry, add_length, &cursor) ||
	    !(bytes = realloc(repeat->bytes, cursor.length))) {
		repeat_finish(repeat);
		return;
	}
	cursor.bytes = repeat->bytes = bytes;
	repeat->length = cursor.length;
	repeat->level = entry->level;
	repeat->until = now + REPEAT_MS;
	(void)each_piece(entry, copy, &cursor);
}

uint64_t repeat_end(struct repeat *repeat, enum log_level *level)
{
	uint64_t count = repeat->count;

	*level = repeat->level;
	repeat_finish(repeat);
	return count;
}

int64_t repeat_until(const struct repeat *repeat)
{
	return repeat->count > 0 ? repeat->until : -1;
}
