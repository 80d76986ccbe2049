#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/relay.h"

/* Whatever a worker sends: it is refused, or it is an entry that becomes one line, in which nothing
 * but its last byte is a control character. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Noreturn void broken(const char *promise)
{
	(void)fprintf(stderr, "broken: %s\n", promise);
	abort();
}

static void check_line(const struct entry *entry, enum form form)
{
	const struct format format = {.form = form, .name = "echo", .pid = 4711};
	char *bytes = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&bytes, &length);

	if (!out)
		return;
	format_entry(out, &format, entry);
	if (fclose(out) != 0 || length == 0 || bytes[length - 1] != '\n')
		broken("an entry becomes a line");
	for (size_t i = 0; i + 1 < length; i++)
		if ((unsigned char)bytes[i] < ' ' && (form == FORM_JSON || bytes[i] != '\n'))
			broken("a line has no control characters");
	free(bytes);
}

static void check_entry(void *data, const struct entry *entry)
{
	size_t *told = data;

	if (entry->length > RELAY_RECORD_MAX || entry->count > RELAY_FIELDS_MAX)
		broken("a record has its bounds");
	check_line(entry, FORM_TEXT);
	check_line(entry, FORM_JSON);
	++*told;
}

static int read_all(struct relay_reader *reader, int fd, size_t *told)
{
	int more;

	do {
		errno = 0;
		more = relay_read(reader, fd, check_entry, told);
	} while (more > 0);
	return more;
}

/* The input, cut in two after its first byte's number of bytes: the same is told. */
static size_t feed(const uint8_t *data, size_t size, size_t cut)
{
	struct relay_reader reader = {0};
	size_t told = 0;
	int ends[2], more;

	if (pipe(ends) < 0)
		return 0;
	if (write(ends[1], data, cut) != (ssize_t)cut)
		broken("a pipe has room");
	more = cut ? read_all(&reader, ends[0], &told) : 0;
	if (more == 0 && write(ends[1], data + cut, size - cut) != (ssize_t)(size - cut))
		broken("a pipe has room");
	close(ends[1]);
	if (more == 0 && read_all(&reader, ends[0], &told) != -1)
		broken("the end is told");
	if (errno != 0 && errno != EBADMSG)
		broken("what is no record is refused as such");
	close(ends[0]);
	relay_reader_finish(&reader);
	return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > 32768)
		return 0;
	if (feed(data + 1, size - 1, 0) != feed(data + 1, size - 1, data[0] % size))
		broken("the same is told in any pieces");
	return 0;
}
