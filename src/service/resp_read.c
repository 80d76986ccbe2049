#include <string.h>

#include "service/resp.h"

enum resp_state resp_fail(struct resp_reader *r, const char *wrong)
{
	r->wrong = wrong;
	return RESP_WRONG;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Moves *at over the digits. Gives false when they are none, more than most, or begin with a zero
 * that says nothing. */
static bool read_digits(const char **at, const char *end, uint64_t most, uint64_t *number)
{
	const char *first = *at;

	*number = 0;
	for (; *at < end && is_digit(**at); ++*at) {
		uint64_t digit = (uint64_t)(**at - '0');

		if ((*at > first && *number == 0) || *number > (most - digit) / 10)
			return false;
		*number = *number * 10 + digit;
	}
	return *at > first || *at == end;
}

static enum resp_state read_line_end(struct resp_reader *r, const char *at, const char *wrong)
{
	if ((at < r->end && at[0] != '\r') || (r->end - at > 1 && at[1] != '\n'))
		return resp_fail(r, wrong);
	if (r->end - at < 2)
		return RESP_PARTIAL;
	r->at = at + 2;
	return RESP_WHOLE;
}

enum resp_state resp_read_any_integer(struct resp_reader *r, bool plus, int64_t *value,
				      const char *wrong)
{
	const char *at = r->at;
	bool negative = at < r->end && *at == '-';
	uint64_t number, most = (uint64_t)INT64_MAX + negative;

	if (negative || (plus && at < r->end && *at == '+'))
		at++;
	if (!read_digits(&at, r->end, most, &number))
		return resp_fail(r, wrong);
	if (at == r->end)
		return RESP_PARTIAL;
	if (negative && number == 0)
		return resp_fail(r, wrong);
	*value = negative ? (int64_t)(0 - number) : (int64_t)number;
	return read_line_end(r, at, wrong);
}

enum resp_state resp_read_bulk(struct resp_reader *r, size_t length, const char **bytes)
{
	size_t there = (size_t)(r->end - r->at);

	*bytes = r->at;
	r->missing = there < length + 2 ? length + 2 - there : 0;
	if (there < length)
		return RESP_PARTIAL;
	return read_line_end(r, r->at + length, "expected CRLF behind a value");
}
