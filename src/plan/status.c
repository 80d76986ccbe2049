#include "plan/status.h"

#include <stdlib.h>
#include <string.h>

static const char *find(const char *text, const char *field)
{
	size_t length = strlen(field);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, field, length) == 0 && line[length] == ':')
			return line + length + 1;
	}
	return NULL;
}

int status_numbers(const char *text, const char *field, int base, uint64_t *numbers, size_t count)
{
	const char *at = find(text, field);
	size_t found = 0;

	if (!at)
		return -1;
	for (;;) {
		char *end;

		at += strspn(at, " \t");
		if (*at == '\n' || *at == '\0')
			return (int)found;
		if (found == count)
			return (int)found + 1; /* more than the caller can take */
		numbers[found++] = strtoull(at, &end, base);
		if (end == at)
			return -1;
		at = end;
	}
}

bool status_number(const char *text, const char *field, int base, uint64_t *number)
{
	return status_numbers(text, field, base, number, 1) == 1;
}
