#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "host/loader.h"
#include "host/restrain.h"
#include "spec/quote.h"
#include "spec/scratch.h"

enum {
	SOURCE_MAX = 16 * 1024 * 1024,
	SEEN_BYTES_MAX = 16 * 1024 /* of names of files: the daemon reads no more than 64 KiB */
};

/* Everything up to the end of standard input, at most SOURCE_MAX bytes. */
static unsigned char *read_all(size_t *length, struct err *err)
{
	size_t size = 65536, used = 0;
	unsigned char *bytes = malloc(size);

	while (bytes) {
		ssize_t n = read(STDIN_FILENO, bytes + used, size - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			*length = used;
			if (n == 0)
				return bytes;
			err_sys(err, "cannot read the source");
			free(bytes);
			return NULL;
		}
		used += (size_t)n;
		if (used == size) {
			unsigned char *more = size < SOURCE_MAX ? realloc(bytes, size * 2) : NULL;

			if (!more)
				break;
			bytes = more;
			size *= 2;
		}
	}
	free(bytes);
	err_set(err, "the source is too long");
	return NULL;
}

static int write_all(const unsigned char *bytes, size_t length, struct err *err)
{
	while (length) {
		ssize_t n = write(STDOUT_FILENO, bytes, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "cannot write the bundle");
		bytes += n;
		length -= (size_t)n;
	}
	return 0;
}

static int read_source(struct source *source, struct err *err)
{
	size_t length;
	unsigned char *bytes = read_all(&length, err);
	int result;

	if (!bytes)
		return -1;
	result = source_decode(source, bytes, length, err);
	free(bytes);
	return result;
}

static int write_bundle(const struct spec *spec, struct err *err)
{
	unsigned char *bytes;
	size_t length;
	int result;

	if (bundle_encode(spec, &bytes, &length, err) < 0)
		return -1;
	result = write_all(bytes, length, err);
	free(bytes);
	return result;
}

/* `luvd loader resolve`: a monitor asks, whose view of users and folders is still that of the
 * start. Who runs confined keeps what it was told then, and may have no right to ask again. */
static bool resolves(const struct daemon *daemon)
{
	const char *word = daemon->arguments[1] ? daemon->arguments[2] : NULL;

	return word && strcmp(word, "resolve") == 0;
}

static int load(struct daemon *daemon, struct errs *errs)
{
	struct err err = {.exit = EXIT_USAGE};

	if (daemon->source.scratch && scratch_read_sets(&daemon->source, &err) < 0) {
		*errs_add(errs) = err;
		return -1;
	}
	if (spec_load(&daemon->spec, &daemon->source, errs) < 0)
		return -1;
	return resolves(daemon) ? spec_resolve(daemon->spec, true, errs) : 0;
}

/* Lines that begin with a mark, which texts of errors cannot have. */
static void tell_lines(char mark, const char *text)
{
	while (*text) {
		int length = (int)strcspn(text, "\n");

		fprintf(stderr, "%c%.*s\n", mark, length, text);
		text += length + (text[length] == '\n');
	}
}

/* The daemon shows the quotes to people, and may watch the files. */
static int fail(struct daemon *daemon, struct errs *errs)
{
	const struct spec *spec = daemon->spec;
	char **quotes;
	size_t told = 0;

	if (spec)
		quote_all(&spec->source, spec->modules, spec->module_count, errs);
	quotes = errs->quotes;
	errs->quotes = NULL;
	for (size_t i = 0; i < errs->count; i++) {
		struct errs one = {.list = &errs->list[i], .count = 1};

		(void)cmd_fail_all(&one);
		if (quotes && quotes[i])
			tell_lines(QUOTE_MARK, quotes[i]);
	}
	errs->quotes = quotes;
	for (char **path = errs->seen; path && *path && told < SEEN_BYTES_MAX; path++) {
		tell_lines(LOADER_SEEN, *path);
		told += strlen(*path) + 2;
	}
	return errs->count && errs->list[0].exit ? errs->list[0].exit : EXIT_FAILED;
}

int cmd_loader(struct daemon *daemon, const struct options *options)
{
	struct errs errs = {0};
	struct err err = {.exit = EXIT_USAGE};
	int code = EXIT_DONE;

	(void)options;
	if (isatty(STDIN_FILENO) || isatty(STDOUT_FILENO)) {
		err_set(&err, "loader: only a daemon that reloads uses this command; "
			      "you may mean 'check' or 'reload'");
		return cmd_fail(&err);
	}
	if (restrain(&err) < 0 || read_source(&daemon->source, &err) < 0)
		return cmd_fail(&err);
	if (load(daemon, &errs) < 0)
		code = fail(daemon, &errs);
	else if (write_bundle(daemon->spec, &err) < 0)
		code = cmd_fail(&err);
	errs_finish(&errs);
	return code;
}
