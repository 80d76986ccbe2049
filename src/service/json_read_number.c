#include "service/json_number.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* What strtod(3) takes for the point depends on the locale. */
static double convert(const char *from, const char *end)
{
	char copy[NUMBER_READ_MAX + 32];
	const char *point = localeconv()->decimal_point;
	size_t length = 0, width = strlen(point);

	for (; from < end; from++) {
		if (*from != '.') {
			copy[length++] = *from;
		} else if (width < 16) {
			memcpy(copy + length, point, width);
			length += width;
		}
	}
	copy[length] = '\0';
	return strtod(copy, NULL);
}

/* The parts of a number as they are met. */
struct parts {
	const char *at, *end;
	uint64_t digits; /* all of them, when they are at most 19 */
	int count;       /* without leading zeros */
	int exponent;
	bool real;
};

static const char *read_digits(struct parts *parts)
{
	const char *from = parts->at, *at = from, *end = parts->end, *first;
	uint64_t digits = parts->digits;

	if (parts->count == 0)
		while (at < end && *at == '0')
			at++;
	for (first = at; at < end && is_digit(*at); at++)
		digits = digits * 10 + (uint64_t)(*at - '0');
	if (at - from > NUMBER_READ_MAX)
		return "a number of too many digits"; /* before the counts overflow */
	parts->count += (int)(at - first);
	parts->digits = digits;
	parts->at = at;
	return at > from ? NULL : "expected a digit";
}

static const char *read_fraction(struct parts *parts)
{
	const char *from = ++parts->at, *wrong = read_digits(parts);

	parts->real = true;
	parts->exponent -= (int)(parts->at - from);
	return wrong;
}

static const char *read_exponent(struct parts *parts)
{
	bool minus = false;
	int exponent = 0;
	const char *at = parts->at + 1;

	if (at < parts->end && (*at == '-' || *at == '+'))
		minus = *at++ == '-';
	parts->at = at;
	if (at == parts->end || !is_digit(*at))
		return "expected a digit";
	for (; at < parts->end && is_digit(*at); at++)
		if (exponent < 100000)
			exponent = exponent * 10 + (*at - '0');
	parts->at = at;
	parts->real = true;
	parts->exponent += minus ? -exponent : exponent;
	return NULL;
}

static const char *read_parts(struct parts *parts)
{
	const char *wrong = NULL;

	if (parts->at < parts->end && *parts->at == '0')
		parts->at++; /* no digit may follow: what does is not of this number */
	else
		wrong = read_digits(parts);
	if (!wrong && parts->at < parts->end && *parts->at == '.')
		wrong = read_fraction(parts);
	if (!wrong && parts->at < parts->end && (*parts->at | 0x20) == 'e')
		wrong = read_exponent(parts);
	return wrong;
}

/* Both numbers are exact, so their product or quotient is rounded once, as it should be. */
static bool quick(const struct parts *parts, double *real)
{
	int exponent = parts->exponent;

	if (parts->count > 19 || parts->digits > UINT64_C(1) << 53 || exponent <= -NUMBER_TENS ||
	    exponent >= NUMBER_TENS)
		return false;
	*real = exponent < 0 ? (double)parts->digits / number_tens[-exponent]
			     : (double)parts->digits * number_tens[exponent];
	return true;
}

enum number_kind number_read(const char **at, const char *end, struct number *number)
{
	const char *from = *at;
	bool minus = *from == '-';
	struct parts parts = {.at = from + minus, .end = end};
	uint64_t most = (uint64_t)INT64_MAX + minus;

	number->wrong = read_parts(&parts);
	*at = parts.at;
	if (number->wrong)
		return NUMBER_WRONG;
	if (!parts.real && parts.count <= 19 && parts.digits <= most &&
	    !(minus && parts.digits == 0)) {
		number->integer = (int64_t)(minus ? 0 - parts.digits : parts.digits);
		return NUMBER_INTEGER;
	}
	if (quick(&parts, &number->real)) {
		number->real = minus ? -number->real : number->real;
		return NUMBER_REAL;
	}
	*at = from;
	number->wrong = "a number of too many digits";
	if (parts.at - from > NUMBER_READ_MAX)
		return NUMBER_WRONG;
	number->real = convert(from, parts.at);
	number->wrong = "a number too large";
	if (isinf(number->real))
		return NUMBER_WRONG;
	*at = parts.at;
	return NUMBER_REAL;
}
