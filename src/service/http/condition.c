#include "service/http/condition.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- entity tags --- */

size_t condition_tag(const struct condition *condition, char out[CONDITION_TAG_MAX])
{
	uint64_t time = (uint64_t)condition->modified.tv_sec * 1000000000U +
			(uint64_t)condition->modified.tv_nsec;

	return (size_t)snprintf(out, CONDITION_TAG_MAX, "W/\"%" PRIx64 "-%" PRIx64 "\"",
				condition->size, time);
}

/* Takes the next tag of a list, without its W/; false: no more, or none. */
static bool take_tag(struct condition_field *list, struct condition_field *tag)
{
	const char *at = list->bytes, *end = at + list->length, *close;

	while (at < end && (*at == ',' || *at == ' ' || *at == '\t'))
		at++;
	if (end - at > 2 && at[0] == 'W' && at[1] == '/')
		at += 2;
	if (end - at < 2 || *at != '"')
		return false;
	close = memchr(at + 1, '"', (size_t)(end - at - 1));
	if (!close)
		return false;
	*tag = (struct condition_field){at, (size_t)(close + 1 - at)};
	*list = (struct condition_field){close + 1, (size_t)(end - close - 1)};
	return true;
}

/* The weak comparison, RFC 9110 8.8.3.2. */
static bool none_match_holds(const struct condition *condition)
{
	struct condition_field list = condition->none_match, tag;
	char own[CONDITION_TAG_MAX];
	size_t length = condition_tag(condition, own) - 2;

	if (list.length == 1 && list.bytes[0] == '*')
		return false;
	while (take_tag(&list, &tag))
		if (tag.length == length && memcmp(tag.bytes, own + 2, length) == 0)
			return false;
	return true;
}

/* --- dates --- */

static int month_of(const char *name)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++)
		if (memcmp(months + 3 * (size_t)i, name, 3) == 0)
			return i;
	return -1;
}

/* The year of two digits is at most 50 years ahead. */
static int full_year(int year, time_t now)
{
	struct tm tm;
	int century;

	gmtime_r(&now, &tm);
	century = (tm.tm_year + 1900) / 100 * 100;
	year += century;
	return year > tm.tm_year + 1950 ? year - 100 : year;
}

/* Digits, as many; a space may stand for the first when padded. -1: they are none. */
static int take_digits(const char **at, size_t count, bool padded)
{
	int number = 0;

	for (size_t i = 0; i < count; i++) {
		char byte = *(*at)++;

		if (padded && i == 0 && byte == ' ')
			continue;
		if (byte < '0' || byte > '9') {
			(*at)--;
			return -1;
		}
		number = number * 10 + (byte - '0');
	}
	return number;
}

static int take_month(const char **at)
{
	int month = strlen(*at) >= 3 ? month_of(*at) : -1;

	*at += month >= 0 ? 3 : 0;
	return month;
}

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* A sign of a form at *at: "w" a weekday, "d" and "e" its day, "b", "Y", "y", "H", "M", "S" as in
 * strftime(3); another stands for itself. */
static bool take_sign(const char **at, char sign, struct tm *tm)
{
	switch (sign) {
	case 'w':
		while (is_letter(**at))
			(*at)++;
		return true; /* which day it is follows from the date */
	case 'd':
		return (tm->tm_mday = take_digits(at, 2, false)) > 0;
	case 'e':
		return (tm->tm_mday = take_digits(at, 2, true)) > 0;
	case 'b':
		return (tm->tm_mon = take_month(at)) >= 0;
	case 'Y':
		return (tm->tm_year = take_digits(at, 4, false)) >= 0;
	case 'y':
		tm->tm_year = take_digits(at, 2, false);
		if (tm->tm_year < 0)
			return false;
		tm->tm_year = full_year(tm->tm_year, time(NULL));
		return true;
	case 'H':
		return (tm->tm_hour = take_digits(at, 2, false)) >= 0;
	case 'M':
		return (tm->tm_min = take_digits(at, 2, false)) >= 0;
	case 'S':
		return (tm->tm_sec = take_digits(at, 2, false)) >= 0;
	default:
		return *(*at)++ == sign;
	}
}

static bool matches(const char *text, const char *form, struct tm *tm)
{
	/* "G" to "T" of the zone are no signs. */
	size_t zone = strlen(form) > 4 && strcmp(form + strlen(form) - 4, " GMT") == 0 ? 4 : 0;
	size_t length = strlen(form) - zone;

	for (size_t i = 0; i < length; i++)
		if (!take_sign(&text, form[i], tm))
			return false;
	return strcmp(text, form + length) == 0;
}

static bool in_range(const struct tm *tm)
{
	return tm->tm_mday <= 31 && tm->tm_hour <= 23 && tm->tm_min <= 59 && tm->tm_sec <= 60;
}

bool condition_date(struct condition_field field, time_t *time)
{
	/* RFC 1123, RFC 850, asctime(3) */
	static const char *const forms[] = {"w, d b Y H:M:S GMT", "w, d-b-y H:M:S GMT",
					    "w b e H:M:S Y"};
	char text[64];

	if (!field.bytes || field.length >= sizeof text)
		return false;
	memcpy(text, field.bytes, field.length);
	text[field.length] = '\0';
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		struct tm tm = {0};

		if (!matches(text, forms[i], &tm) || !in_range(&tm))
			continue;
		tm.tm_year -= 1900;
		*time = timegm(&tm);
		return true;
	}
	return false;
}

/* --- ranges --- */

enum range { RANGE_IGNORED, RANGE_GOOD, RANGE_BEYOND };

/* Digits at *at; false: there are none, or too many. */
static bool take_number(const char **at, const char *end, uint64_t *number)
{
	const char *start = *at;

	*number = 0;
	while (*at < end && **at >= '0' && **at <= '9') {
		if (*number > (UINT64_MAX - 9) / 10)
			return false;
		*number = *number * 10 + (uint64_t)(*(*at)++ - '0');
	}
	return *at > start;
}

/* "-500": the last bytes. */
static enum range read_suffix(const char *at, const char *end, uint64_t size, uint64_t *first,
			      uint64_t *last)
{
	uint64_t count;

	if (!take_number(&at, end, &count) || at < end)
		return RANGE_IGNORED;
	if (count == 0 || size == 0)
		return RANGE_BEYOND;
	*first = count < size ? size - count : 0;
	*last = size - 1;
	return RANGE_GOOD;
}

/* "bytes=0-499", "bytes=500-", "bytes=-500" */
static enum range read_range(struct condition_field field, uint64_t size, uint64_t *first,
			     uint64_t *last)
{
	const char *at = field.bytes, *end = at + field.length;

	if (field.length < 7 || memcmp(at, "bytes=", 6) != 0)
		return RANGE_IGNORED;
	at += 6;
	if (*at == '-')
		return read_suffix(at + 1, end, size, first, last);
	if (!take_number(&at, end, first) || at == end || *at++ != '-')
		return RANGE_IGNORED;
	if (at == end)
		*last = UINT64_MAX;
	else if (!take_number(&at, end, last) || at < end || *last < *first)
		return RANGE_IGNORED;
	if (*first >= size)
		return RANGE_BEYOND;
	if (*last >= size)
		*last = size - 1;
	return RANGE_GOOD;
}

/* Is what the client has a part of this very file? Our tags are weak, which never do; a date does
 * when the file could not have changed again within its second, RFC 9110 8.8.2.2. */
static bool if_range_holds(const struct condition *condition)
{
	time_t date;

	return !condition->if_range.bytes ||
	       (condition_date(condition->if_range, &date) && date == condition->modified.tv_sec &&
		condition->now > date + 1);
}

/* --- the order of RFC 9110 13.2.2 --- */

int condition_status(const struct condition *condition, uint64_t *first, uint64_t *last)
{
	time_t date;

	if (condition->none_match.bytes) {
		if (!none_match_holds(condition))
			return 304;
	} else if (condition_date(condition->modified_since, &date) &&
		   condition->modified.tv_sec <= date) {
		return 304;
	}
	if (!condition->range.bytes || !if_range_holds(condition))
		return 200;
	switch (read_range(condition->range, condition->size, first, last)) {
	case RANGE_GOOD:
		return 206;
	case RANGE_BEYOND:
		return 416;
	default:
		return 200;
	}
}
