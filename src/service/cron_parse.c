#include "service/cron.h"

#include <string.h>
#include <strings.h>

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELDS };

struct field {
	const char *name;
	unsigned low, high;
	const char *const *names; /* of low and what follows; ends with NULL */
	const char *expected;
};

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
					  "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

static const struct field fields[FIELDS] = {
    [MINUTE] = {"minute", 0, 59, NULL, "0 to 59"},
    [HOUR] = {"hour", 0, 23, NULL, "0 to 23"},
    [DAY] = {"day of month", 1, 31, NULL, "1 to 31"},
    [MONTH] = {"month", 1, 12, month_names, "1 to 12 or jan to dec"},
    [WEEKDAY] = {"day of week", 0, 7, weekday_names, "0 to 7 or sun to sat"},
};

/* A piece of the expression; it ends at end. */
struct piece {
	const char *start, *end;
};

static int wrong(const struct field *field, struct piece piece, const char *expected,
		 struct err *err)
{
	return err_set(err, "cron: %s \"%.*s\": expected %s", field->name,
		       (int)(piece.end - piece.start), piece.start, expected);
}

/* Takes what comes before the mark off the piece; without a mark all of it. */
static struct piece cut(struct piece *piece, char mark)
{
	const char *at = memchr(piece->start, mark, (size_t)(piece->end - piece->start));
	struct piece before = {piece->start, at ? at : piece->end};

	piece->start = at ? at + 1 : piece->end;
	return before;
}

static bool is_number(struct piece piece, unsigned *number)
{
	size_t length = (size_t)(piece.end - piece.start);

	*number = 0;
	for (const char *p = piece.start; p < piece.end; p++) {
		if (*p < '0' || *p > '9')
			return false;
		*number = *number * 10 + (unsigned)(*p - '0');
	}
	return length > 0 && length <= 4; /* four digits are more than any field has */
}

static bool is_name(const struct field *field, struct piece piece, unsigned *number)
{
	for (unsigned i = 0; field->names && field->names[i]; i++) {
		const char *name = field->names[i];

		if ((size_t)(piece.end - piece.start) == strlen(name) &&
		    strncasecmp(piece.start, name, strlen(name)) == 0) {
			*number = field->low + i;
			return true;
		}
	}
	return false;
}

static bool is_value(const struct field *field, struct piece piece, unsigned *value)
{
	return is_name(field, piece, value) ||
	       (is_number(piece, value) && *value >= field->low && *value <= field->high);
}

/* "*", "5" or "1-5". */
static int parse_range(const struct field *field, struct piece piece, unsigned *low, unsigned *high,
		       struct err *err)
{
	struct piece rest = piece, first;
	bool range = memchr(piece.start, '-', (size_t)(piece.end - piece.start)) != NULL;

	*low = field->low;
	*high = field->high;
	if (piece.end - piece.start == 1 && *piece.start == '*')
		return 0;
	first = cut(&rest, '-');
	if (!is_value(field, first, low) || (range && !is_value(field, rest, high)))
		return wrong(field, piece, field->expected, err);
	if (!range)
		*high = *low;
	if (field == &fields[WEEKDAY] && *high == 0 && *low > 0)
		*high = 7; /* "fri-sun" */
	if (*low > *high)
		return wrong(field, piece, "a range from low to high", err);
	return 0;
}

/* An element of the list, "0-30/10". */
static int parse_element(const struct field *field, struct piece piece, uint64_t *set,
			 struct err *err)
{
	struct piece rest = piece, range = cut(&rest, '/');
	bool stepped = range.end < piece.end;
	unsigned low, high, step = 1;

	if (parse_range(field, range, &low, &high, err) < 0)
		return -1;
	if (stepped && (!is_number(rest, &step) || step == 0 || step > field->high))
		return err_set(err, "cron: %s \"%.*s\": expected a step from 1 to %u", field->name,
			       (int)(piece.end - piece.start), piece.start, field->high);
	if (stepped && *range.start != '*' &&
	    !memchr(range.start, '-', (size_t)(range.end - range.start)))
		return wrong(field, piece, "\"*\" or a range before the step", err);
	for (unsigned value = low; value <= high; value += step)
		*set |= UINT64_C(1) << value;
	return 0;
}

static int parse_field(const struct field *field, struct piece piece, uint64_t *set,
		       struct err *err)
{
	const char *end = piece.end;
	struct piece element;

	*set = 0;
	do {
		element = cut(&piece, ',');
		if (parse_element(field, element, set, err) < 0)
			return -1;
	} while (element.end < end);
	return 0;
}

/* Returns how many there are; only FIELDS are kept. */
static unsigned split(const char *text, struct piece pieces[FIELDS])
{
	unsigned count = 0;

	for (const char *p = text + strspn(text, " \t"); *p; p += strspn(p, " \t")) {
		size_t length = strcspn(p, " \t");

		if (count < FIELDS)
			pieces[count] = (struct piece){p, p + length};
		count++;
		p += length;
	}
	return count;
}

static const char *expand(const char *text, struct err *err)
{
	static const struct {
		const char *name, *expression;
	} words[] = {{"@hourly", "0 * * * *"},   {"@daily", "0 0 * * *"},
		     {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
		     {"@monthly", "0 0 1 * *"},  {"@yearly", "0 0 1 1 *"},
		     {"@annually", "0 0 1 1 *"}};

	if (text[0] != '@')
		return text;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(text, words[i].name) == 0)
			return words[i].expression;
	err_set(err,
		"cron: \"%s\": expected @hourly, @daily, @midnight, @weekly, @monthly, @yearly or "
		"@annually",
		text);
	return NULL;
}

static bool ever_comes(const struct cron *cron)
{
	static const unsigned lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (cron->either_day)
		return true;
	for (unsigned month = 1; month <= 12; month++)
		if ((cron->months >> month & 1) &&
		    (cron->days & ((UINT64_C(2) << lengths[month - 1]) - 1)))
			return true;
	return false;
}

int cron_parse(struct cron *cron, const char *text, struct err *err)
{
	uint64_t *const sets[FIELDS] = {&cron->minutes, &cron->hours, &cron->days, &cron->months,
					&cron->weekdays};
	struct piece pieces[FIELDS];
	unsigned count;

	if (strlen(text) > CRON_TEXT_MAX)
		return err_set(err, "cron: expected at most %d bytes, got %zu", CRON_TEXT_MAX,
			       strlen(text));
	text = expand(text, err);
	if (!text)
		return -1;
	count = split(text, pieces);
	if (count != FIELDS)
		return err_set(err, "cron: \"%s\": expected 5 fields, got %u", text, count);
	for (unsigned i = 0; i < FIELDS; i++)
		if (parse_field(&fields[i], pieces[i], sets[i], err) < 0)
			return -1;
	if (cron->weekdays >> 7 & 1)
		cron->weekdays = (cron->weekdays | 1) & 0x7F;
	cron->wildcard = *pieces[MINUTE].start == '*' || *pieces[HOUR].start == '*';
	cron->either_day = *pieces[DAY].start != '*' && *pieces[WEEKDAY].start != '*';
	if (!ever_comes(cron))
		return err_set(err, "cron: \"%s\": this day never comes", text);
	return 0;
}
