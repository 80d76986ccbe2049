#ifndef LUVD_SPEC_CODEC_H
#define LUVD_SPEC_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "spec/arena.h"
#include "spec/value.h"

/* Plain bytes out of data and back, little endian. One function describes a struct for both ways,
 * so that writer and reader cannot disagree. A reader checks every bound: what does not fit sets
 * failed, after which every call leaves zero. */
struct codec {
	bool reading, failed;
	FILE *out;               /* writing */
	const unsigned char *in; /* reading: what is left */
	size_t left;
	struct arena *arena; /* reading: where texts and arrays live */
};

void codec_u8(struct codec *codec, uint8_t *number);
void codec_u32(struct codec *codec, uint32_t *number);
void codec_u64(struct codec *codec, uint64_t *number);
void codec_bool(struct codec *codec, bool *answer);
/* An int from least to most. */
void codec_int(struct codec *codec, int *number, int least, int most);
void codec_i64(struct codec *codec, int64_t *number, int64_t least);
void codec_size(struct codec *codec, size_t *size);
void codec_bytes(struct codec *codec, void *bytes, size_t length);
/* A text without 0 bytes, or NULL. */
void codec_text(struct codec *codec, char **text);
void codec_list(struct codec *codec, char ***list); /* NULL-terminated, or NULL */
/* The same in memory of malloc(3). */
void codec_owned_text(struct codec *codec, char **text);
void codec_owned_list(struct codec *codec, char ***list);
/* Bytes of malloc(3), closed by a 0, or NULL. */
void codec_owned_bytes(struct codec *codec, char **bytes, size_t *length);
/* The count of an array and, reading, room for it. Each element takes at least least bytes when it
 * is written, which bounds the count. */
void codec_array(struct codec *codec, void **array, size_t *count, size_t size, size_t least);
/* The same in memory of malloc(3). */
void codec_owned_array(struct codec *codec, void **array, size_t *count, size_t size, size_t least);
void codec_value(struct codec *codec, struct value *value);

#endif
