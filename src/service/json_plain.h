#ifndef LUVD_SERVICE_JSON_PLAIN_H
#define LUVD_SERVICE_JSON_PLAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Characters of a JSON string that stand for themselves and need no look: ASCII without control
 * characters, quote and backslash. Most text is of them, so they are met eight at a time. */

static inline bool plain_char(char c)
{
	return (signed char)c >= 0x20 && c != '"' && c != '\\';
}

/* Whether all eight are plain. Each term sets the high bit of a byte that is not; a borrow can
 * set one too many only above one that is right. */
static inline bool plain_word(uint64_t word)
{
	const uint64_t each = UINT64_MAX / 0xFF;
	uint64_t quote = word ^ each * '"', backslash = word ^ each * '\\';
	uint64_t found = word | (word - each * 0x20) | (quote - each) | (backslash - each);

	return (found & each * 0x80) == 0;
}

/* The first character from text on that is not plain, or end. */
static inline const char *plain_skip(const char *text, const char *end)
{
	uint64_t word;

	for (; end - text >= (int)sizeof word; text += sizeof word) {
		memcpy(&word, text, sizeof word);
		if (!plain_word(word))
			break;
	}
	while (text < end && plain_char(*text))
		text++;
	return text;
}

/* The same, and copies what it passes to *to. */
static inline const char *plain_copy(const char *text, const char *end, char **to)
{
	char *p = *to;
	uint64_t word;

	for (; end - text >= (int)sizeof word; text += sizeof word, p += sizeof word) {
		memcpy(&word, text, sizeof word);
		if (!plain_word(word))
			break;
		memcpy(p, &word, sizeof word);
	}
	while (text < end && plain_char(*text))
		*p++ = *text++;
	*to = p;
	return text;
}

#endif
