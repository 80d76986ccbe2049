#include "marks.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *slurp(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 1 << 16);

	if (!file || !text || fread(text, 1, (1 << 16) - 1, file) == 0)
		abort();
	fclose(file);
	return text;
}

/* The last of the three words in the comment, which ends with the mark. */
static enum mark read_mark(const char *comment, const char *end)
{
	static const char *const words[] = {"required:", "optional:", "ignored:"};
	enum mark mark = MARK_NONE;
	const char *best = comment;

	for (int i = 0; i < 3; i++)
		for (const char *at = comment; (at = strstr(at, words[i])) && at < end; at++)
			if (at >= best) {
				best = at;
				mark = (enum mark)(i + 1);
			}
	return mark;
}

static const char *read_name(const char *at, char name[64])
{
	size_t length = 0;

	while ((isalnum((unsigned char)at[length]) || at[length] == '_') && length < 63)
		length++;
	memcpy(name, at, length);
	name[length] = '\0';
	return at + length;
}

void mark_each(void (*tell)(const char *name, enum mark mark))
{
	char *text = slurp(LUVD_SOURCE_DIR "/src/sys/sys.h");
	enum mark mark = MARK_NONE;

	for (const char *at = text; *at;) {
		char name[64];

		if (strncmp(at, "/*", 2) == 0) {
			const char *end = strstr(at, "*/");

			if (read_mark(at, end) != MARK_NONE || strncmp(at, "/* ---", 6) == 0)
				mark = read_mark(at, end);
			at = end + 2;
		} else if (strncmp(at, "sys_", 4) == 0 && (at[-1] == ' ' || at[-1] == '*')) {
			at = read_name(at, name);
			if (*at == '(')
				tell(name, mark);
		} else {
			at++;
		}
	}
	free(text);
}

static const char *wanted;
static enum mark found;

static void compare(const char *name, enum mark mark)
{
	if (strcmp(name, wanted) == 0)
		found = mark;
}

enum mark mark_of(const char *name)
{
	wanted = name;
	found = MARK_NONE;
	mark_each(compare);
	return found;
}
