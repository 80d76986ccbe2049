#include "spec/parse.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_LENGTH_MAX = 64 };

struct unit {
	const char *name;
	double factor;
};

/* Digits with at most one point in between, then one of units; -1: not of that form. */
static double measure(const char *text, const struct unit *units, double most)
{
	size_t digits = strspn(text, "0123456789");
	char *end;
	double number;

	if (digits == 0 || digits > 15)
		return -1;
	if (text[digits] == '.' && !isdigit((unsigned char)text[digits + 1]))
		return -1;
	if (text[digits] == '.')
		digits += 1 + strspn(text + digits + 1, "0123456789");
	number = strtod(text, &end);
	if (end != text + digits)
		return -1; /* an exponent, or a hexadecimal number */
	for (; units->name; units++)
		if (strcmp(end, units->name) == 0 && number * units->factor <= most)
			return number * units->factor;
	return -1;
}

bool parse_duration(const char *text, int64_t *to)
{
	static const struct unit units[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
					    {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
	double ms = measure(text, units, (double)DURATION_MAX);

	if (ms < 0)
		return false;
	*to = llround(ms);
	return true;
}

bool parse_size(const char *text, uint64_t *to)
{
	static const struct unit units[] = {{"B", 1},        {"KiB", 0x1p10}, {"MiB", 0x1p20},
					    {"GiB", 0x1p30}, {"TiB", 0x1p40}, {NULL, 0}};
	double bytes = measure(text, units, 0x1p53 - 1);

	if (bytes < 0 || bytes != floor(bytes))
		return false;
	*to = (uint64_t)bytes;
	return true;
}

bool parse_octal(const char *text, mode_t *to)
{
	size_t length = strlen(text);

	if (length < 1 || length > 5 || strspn(text, "01234567") != length)
		return false;
	if (strtoul(text, NULL, 8) > 07777)
		return false;
	*to = (mode_t)strtoul(text, NULL, 8);
	return true;
}

bool parse_name(const char *text)
{
	size_t length = strlen(text);

	if (length < 1 || length > NAME_LENGTH_MAX || !isalnum((unsigned char)text[0]))
		return false;
	for (size_t i = 1; i < length; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("_.-", text[i]))
			return false;
	return true;
}

bool parse_id(const char *text, uint32_t *to)
{
	size_t length = strlen(text);
	unsigned long long number;

	if (length < 1 || length > 10 || strspn(text, "0123456789") != length)
		return false;
	number = strtoull(text, NULL, 10);
	if (number >= UINT32_MAX) /* (uid_t)-1 means "leave it" to the kernel */
		return false;
	*to = (uint32_t)number;
	return true;
}
