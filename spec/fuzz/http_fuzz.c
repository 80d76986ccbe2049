#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/http/body.h"
#include "service/http/head.h"
#include "service/http/target.h"

/* What stands before a body must be read in one way only, however it is cut into pieces. */

static const struct head_limits limits = {.line = 256, .bytes = 1024, .fields = 16};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int holds)
{
	if (!holds)
		abort();
}

/* --- heads --- */

static size_t count_of(const char *bytes, size_t length, char byte)
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++)
		count += bytes[i] == byte;
	return count;
}

/* What is taken has nothing that another program could read otherwise. */
static void check_head(const struct head *head, const char *bytes)
{
	size_t start = bytes[0] == '\r' ? 2 : 0;

	expect(head->length >= 4 && memcmp(bytes + head->length - 4, "\r\n\r\n", 4) == 0);
	expect(head->length <= limits.bytes && head->count <= limits.fields);
	expect(count_of(bytes + start, head->length - start, '\n') == head->count + 2);
	expect(!memchr(bytes, '\0', head->length));
	for (size_t i = 0; i + 1 < head->length; i++) {
		if (bytes[i] == '\n')
			expect(bytes[i - 1] == '\r' && bytes[i + 1] != ' ' && bytes[i + 1] != '\t');
		if (bytes[i] == '\r')
			expect(bytes[i + 1] == '\n');
	}
	expect(!(head->chunked && head->sized));
	expect(head->hosted || head->minor == 0);
	expect(!head->chunked || head->minor == 1);
}

static void check_target(const char *bytes, size_t length)
{
	struct target target;
	char *out = malloc(length + 1);
	size_t made;

	if (target_split(&target, bytes, length) && (made = target_path(&target, out)) > 0 &&
	    out[0] != '*') {
		expect(out[0] == '/' && made <= target.path_length);
		expect(!memchr(out, '\0', made));
		expect(!memmem(out, made, "//", 2) && !memmem(out, made, "/../", 4) &&
		       !memmem(out, made, "/./", 3));
		expect(made < 3 || memcmp(out + made - 3, "/..", 3) != 0);
	}
	free(out);
}

/* The answer to a head that comes step bytes at a time. */
static int parse_in_steps(struct head *head, const char *bytes, size_t length, size_t step)
{
	size_t scanned = 0, there = 0;
	const char *reason;

	while (there < length) {
		int status;

		there = there + step < length ? there + step : length;
		status = head_wait(bytes, there, &limits, &scanned, &reason);
		if (status == HEAD_WHOLE)
			return head_parse(head, bytes, there, &limits);
		if (status != HEAD_MORE)
			return status;
	}
	return HEAD_MORE;
}

static int check_heads(const char *bytes, size_t length, size_t step, size_t *end)
{
	struct head whole, cut;
	int status = head_parse(&whole, bytes, length, &limits);
	int in_steps = parse_in_steps(&cut, bytes, length, step);

	if (status == HEAD_WHOLE) {
		check_head(&whole, bytes);
		check_target(bytes + whole.target.at, whole.target.length);
		*end = whole.length;
	}
	/* What is wrong may show later, or have no end yet; what is taken is the same. */
	expect((status == HEAD_WHOLE) == (in_steps == HEAD_WHOLE));
	if (status == HEAD_WHOLE)
		expect(memcmp(&whole, &cut,
			      offsetof(struct head, fields) + whole.count * sizeof *whole.fields) ==
		       0);
	return status;
}

/* --- bodies --- */

/* The data of a body that comes step bytes at a time. */
static size_t take(struct body *body, const char *bytes, size_t length, size_t step, char *out,
		   size_t *used)
{
	size_t there = 0, made = 0;

	*used = 0;
	while (there < length) {
		const char *data;
		size_t count, more;

		there = there + step < length ? there + step : length;
		while ((more = body_take(body, bytes + *used, there - *used, &data, &count)) > 0) {
			memcpy(out + made, data, count);
			made += count;
			*used += more;
		}
	}
	return made;
}

static void check_bodies(const char *bytes, size_t length, size_t step)
{
	struct body whole, cut;
	char *first = malloc(length + 1), *second = malloc(length + 1);
	size_t made, used, used_in_steps;

	body_begin(&whole, true, 0);
	body_begin(&cut, true, 0);
	made = take(&whole, bytes, length, length + 1, first, &used);
	expect(take(&cut, bytes, length, step, second, &used_in_steps) == made);
	expect(memcmp(first, second, made) == 0);
	expect(whole.state == cut.state && used == used_in_steps && used <= length);
	if (body_done(&whole))
		expect(used >= 5 && memcmp(bytes + used - 2, "\r\n", 2) == 0);
	free(first);
	free(second);
}

/* The first byte says how long the pieces are. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t step = size > 0 ? (size_t)data[0] + 1 : 1;
	size_t length = size > 0 ? size - 1 : 0, end = 0;
	char *bytes = malloc(length + 1); /* a copy: a read past its end is seen */

	if (length > 0)
		memcpy(bytes, data + 1, length);
	bytes = realloc(bytes, length ? length : 1);
	check_heads(bytes, length, step, &end);
	check_bodies(bytes + end, length - end, step);
	if (!memchr(bytes, '\0', length)) /* heads have none */
		check_target(bytes, length);
	free(bytes);
	return 0;
}
