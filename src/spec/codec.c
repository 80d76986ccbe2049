#include "spec/codec.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Stands for the length of a text that is NULL. */
static const uint32_t NO_TEXT = UINT32_MAX;

void codec_bytes(struct codec *codec, void *bytes, size_t length)
{
	if (!codec->reading) {
		if (length && fwrite(bytes, 1, length, codec->out) != length)
			codec->failed = true;
		return;
	}
	if (codec->failed || length > codec->left) {
		codec->failed = true;
		memset(bytes, 0, length);
		return;
	}
	if (length)
		memcpy(bytes, codec->in, length);
	codec->in += length;
	codec->left -= length;
}

void codec_u8(struct codec *codec, uint8_t *number)
{
	codec_bytes(codec, number, 1);
}

static void codec_number(struct codec *codec, uint64_t *number, size_t size)
{
	unsigned char bytes[8] = {0};

	for (size_t i = 0; i < size && !codec->reading; i++)
		bytes[i] = (unsigned char)(*number >> 8 * i);
	codec_bytes(codec, bytes, size);
	if (!codec->reading)
		return;
	*number = 0;
	for (size_t i = 0; i < size; i++)
		*number |= (uint64_t)bytes[i] << 8 * i;
}

void codec_u32(struct codec *codec, uint32_t *number)
{
	uint64_t wide = *number;

	codec_number(codec, &wide, 4);
	*number = (uint32_t)wide;
}

void codec_u64(struct codec *codec, uint64_t *number)
{
	codec_number(codec, number, 8);
}

void codec_bool(struct codec *codec, bool *answer)
{
	uint8_t byte = *answer;

	codec_u8(codec, &byte);
	if (byte > 1)
		codec->failed = true;
	*answer = byte == 1;
}

void codec_i64(struct codec *codec, int64_t *number, int64_t least)
{
	uint64_t bits = (uint64_t)*number;

	codec_u64(codec, &bits);
	*number = (int64_t)bits;
	if (*number < least)
		codec->failed = true;
	if (codec->failed && codec->reading)
		*number = 0;
}

void codec_int(struct codec *codec, int *number, int least, int most)
{
	int64_t wide = *number;

	codec_i64(codec, &wide, least);
	if (wide > most)
		codec->failed = true;
	*number = codec->failed && codec->reading ? 0 : (int)wide;
}

void codec_size(struct codec *codec, size_t *size)
{
	uint64_t wide = *size;

	codec_u64(codec, &wide);
	*size = (size_t)wide;
}

/* Reading: room for size bytes and a closing 0. */
static char *room(struct codec *codec, size_t size, bool owned)
{
	char *bytes = NULL;

	if (!codec->failed && size <= codec->left)
		bytes = owned ? calloc(1, size + 1) : arena_try(codec->arena, size + 1);
	if (!bytes)
		codec->failed = true;
	return bytes;
}

static void code_text(struct codec *codec, char **text, bool owned)
{
	uint32_t length = codec->reading || !*text ? NO_TEXT : (uint32_t)strlen(*text);

	codec_u32(codec, &length);
	if (codec->reading)
		*text = NULL;
	if (length == NO_TEXT || codec->failed)
		return;
	if (codec->reading)
		*text = room(codec, length, owned);
	if (!*text)
		return;
	codec_bytes(codec, *text, length);
	if (strlen(*text) != length)
		codec->failed = true;
}

void codec_text(struct codec *codec, char **text)
{
	code_text(codec, text, false);
}

void codec_owned_text(struct codec *codec, char **text)
{
	code_text(codec, text, true);
}

void codec_owned_bytes(struct codec *codec, char **bytes, size_t *length)
{
	bool present = *bytes != NULL;

	codec_bool(codec, &present);
	codec_size(codec, length);
	if (codec->reading)
		*bytes = present ? room(codec, *length, true) : NULL;
	if (*bytes)
		codec_bytes(codec, *bytes, *length);
}

static void code_array(struct codec *codec, void **array, size_t *count, size_t size, size_t least,
		       bool owned)
{
	uint32_t number = (uint32_t)*count;

	codec_u32(codec, &number);
	if (!codec->reading)
		return;
	*array = NULL;
	*count = 0;
	if (codec->failed || number > codec->left / least) {
		codec->failed = true;
		return;
	}
	/* One more than needed: a list ends with NULL, and no array is of no bytes. */
	*array = owned ? calloc(number + (size_t)1, size)
		       : arena_try(codec->arena, (number + (size_t)1) * size);
	if (*array)
		*count = number;
	else
		codec->failed = true;
}

void codec_array(struct codec *codec, void **array, size_t *count, size_t size, size_t least)
{
	code_array(codec, array, count, size, least, false);
}

void codec_owned_array(struct codec *codec, void **array, size_t *count, size_t size, size_t least)
{
	code_array(codec, array, count, size, least, true);
}

static void code_list(struct codec *codec, char ***list, bool owned)
{
	bool present = *list != NULL;
	void *array = *list;
	size_t count = 0;

	while (!codec->reading && *list && (*list)[count])
		count++;
	codec_bool(codec, &present);
	if (codec->reading)
		*list = NULL;
	if (!present)
		return;
	code_array(codec, &array, &count, sizeof **list, 4, owned);
	*list = array;
	for (size_t i = 0; i < count; i++) {
		code_text(codec, &(*list)[i], owned);
		if (!(*list)[i])
			codec->failed = true; /* a NULL inside would end the list */
		if (codec->failed)
			return;
	}
}

void codec_list(struct codec *codec, char ***list)
{
	code_list(codec, list, false);
}

void codec_owned_list(struct codec *codec, char ***list)
{
	code_list(codec, list, true);
}

static void code_value(struct codec *codec, struct value *value, int depth);

static void code_table(struct codec *codec, struct value *value, int depth)
{
	void *pairs = value->as.table.pairs;
	size_t count = value->as.table.count;

	if (depth >= VALUE_DEPTH_MAX)
		codec->failed = true;
	codec_owned_array(codec, &pairs, &count, sizeof(struct pair), 2);
	value->as.table.pairs = pairs;
	value->as.table.count = count;
	for (size_t i = 0; i < count && !codec->failed; i++) {
		struct pair *pair = &value->as.table.pairs[i];

		code_value(codec, &pair->key, depth + 1);
		if (pair->key.type != VALUE_INTEGER && pair->key.type != VALUE_STRING)
			codec->failed = true;
		/* value_get relies on the order. */
		if (!codec->failed && i && value_order(&pair[-1].key, &pair->key) >= 0)
			codec->failed = true;
		if (!codec->failed)
			code_value(codec, &pair->value, depth + 1);
	}
}

static void code_content(struct codec *codec, struct value *value, int depth)
{
	uint64_t bits = 0;

	switch (value->type) {
	case VALUE_NIL:
	case VALUE_FUNCTION:
		break;
	case VALUE_BOOLEAN:
		codec_bool(codec, &value->as.boolean);
		break;
	case VALUE_INTEGER:
		codec_i64(codec, &value->as.integer, INT64_MIN);
		break;
	case VALUE_NUMBER:
		memcpy(&bits, &value->as.number, sizeof bits);
		codec_u64(codec, &bits);
		memcpy(&value->as.number, &bits, sizeof bits);
		break;
	case VALUE_STRING:
		codec_owned_bytes(codec, &value->as.string.bytes, &value->as.string.length);
		break;
	case VALUE_TABLE:
		code_table(codec, value, depth);
		break;
	}
}

static void code_value(struct codec *codec, struct value *value, int depth)
{
	int type = (int)value->type;

	codec_int(codec, &type, VALUE_NIL, VALUE_FUNCTION);
	codec_int(codec, &value->line, 0, INT_MAX);
	codec_int(codec, &value->file, VALUE_FROM_SET, INT_MAX);
	if (codec->failed)
		return;
	value->type = (enum value_type)type;
	code_content(codec, value, depth);
	if (codec->reading && value->type == VALUE_STRING && !value->as.string.bytes) {
		value->type = VALUE_NIL; /* nothing to free, nothing to look at */
		codec->failed = true;
	}
}

void codec_value(struct codec *codec, struct value *value)
{
	code_value(codec, value, 0);
}
