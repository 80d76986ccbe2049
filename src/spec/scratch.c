#include "spec/scratch.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spec/address.h"
#include "spec/arena.h"
#include "spec/trust.h"

/* Has --set given this key itself? */
static bool is_given(const struct spec *spec, const char *key)
{
	const struct value *value = value_path(&spec->root, key);

	return value && value->file == VALUE_FROM_SET;
}

static char *below(const struct spec *spec, const char *folder, const char *name)
{
	return arena_format(spec->arena, "%s/%s%s%s", spec->source.scratch, folder,
			    *name ? "/" : "", name);
}

/* --- listeners --- */

static void to_loopback(struct arena *arena, struct address *address)
{
	const char *scheme = address->kind == ADDRESS_UDP ? "udp" : "tcp";

	if (address->socket.ss_family == AF_INET) {
		struct sockaddr_in *four = (struct sockaddr_in *)&address->socket;

		four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		four->sin_port = 0;
		address->text = arena_format(arena, "%s://127.0.0.1:0", scheme);
	} else {
		struct sockaddr_in6 *six = (struct sockaddr_in6 *)&address->socket;

		six->sin6_addr = in6addr_loopback;
		six->sin6_port = 0;
		address->text = arena_format(arena, "%s://[::1]:0", scheme);
	}
}

/* An abstract name gets the folder in front, too: it is the machine's, not a folder's. */
static int to_folder(struct spec *spec, struct address *address, const char *name, struct err *err)
{
	const char *sign = address->kind == ADDRESS_ABSTRACT ? "@" : "";
	const char *path = arena_format(spec->arena, "%s/%s", spec->source.scratch, name);
	struct address parts[ADDRESS_PARTS_MAX];
	const char *expected;

	if (address_parse(spec->arena, "/", arena_format(spec->arena, "unix:%s%s", sign, path),
			  parts, &expected) != 1)
		return err_set(err, "expected %s, got '%s'", expected, path);
	*address = parts[0];
	return 0;
}

static void move_listen(struct spec *spec, struct listen *listen, struct errs *errs)
{
	char key[160], name[128];
	struct err err = {.exit = EXIT_FAILED};

	snprintf(key, sizeof key, "listen.%s", listen->name);
	if (value_path(&spec->root, key) && value_path(&spec->root, key)->type == VALUE_TABLE)
		snprintf(key, sizeof key, "listen.%s.address", listen->name);
	if (is_given(spec, key))
		return;
	for (size_t i = 0; i < listen->address_count; i++) {
		struct address *address = &listen->addresses[i];

		snprintf(name, sizeof name, i ? "%s.%zu.socket" : "%s.socket", listen->name, i + 1);
		if (address->kind == ADDRESS_TCP || address->kind == ADDRESS_UDP)
			to_loopback(spec->arena, address);
		else if (to_folder(spec, address, name, spec_blame(spec, key, &err)) < 0)
			*errs_add(errs) = err;
	}
}

/* --- the rest --- */

static void move_files(struct spec *spec)
{
	char key[160];

	for (size_t i = 0; i < spec->file_count; i++) {
		struct file *file = &spec->files[i];

		snprintf(key, sizeof key, "files.%s.path", file->name);
		if (file->mode != 'r' && !is_given(spec, key) &&
		    !is_given(spec, arena_format(spec->arena, "files.%s", file->name)))
			file->path = arena_format(spec->arena, "%s/%s.file", spec->source.scratch,
						  file->name);
	}
}

static void move_log(struct spec *spec)
{
	const struct value *log = value_get(&spec->root, "log");

	if (is_given(spec, "log.to") || (log && log->type == VALUE_STRING && is_given(spec, "log")))
		return;
	spec->log.to = SINK_STDERR;
	spec->log.path = NULL;
}

void scratch_move(struct spec *spec, struct errs *errs)
{
	for (size_t i = 0; i < spec->listen_count; i++)
		move_listen(spec, &spec->listens[i], errs);
	move_files(spec);
	move_log(spec);
	if (!is_given(spec, "pidfile")) {
		if (spec->pidfile || !spec->pidfile_given)
			spec->pidfile = below(spec, "pid", "");
		spec->pidfile_given = true;
	}
	spec->control_wanted = true;
	spec->control = NULL; /* in the home folder */
	spec->console = true;
}

void scratch_resolve(struct spec *spec)
{
	static const char *const names[DIRECTORIES] = {"runtime", "state", "cache", "logs"};

	for (int i = 0; i < DIRECTORIES; i++)
		spec->folders[i].path = below(spec, names[i], "");
	spec->home_folder = below(spec, "run", spec->name);
}

/* --- the sets of a reload --- */

static int add(struct source *source, const char *line, size_t length)
{
	size_t count = 0;
	char **grown;

	while (source->sets && source->sets[count])
		count++;
	grown = realloc(source->sets, (count + 2) * sizeof *grown);
	if (!grown)
		return -1;
	source->sets = grown;
	grown[count] = strndup(line, length);
	grown[count + 1] = NULL;
	return grown[count] ? 0 : -1;
}

int scratch_read_sets(struct source *source, struct err *err)
{
	struct stamp stamp;
	char *path, *text = NULL, *line;
	size_t length;
	int result = -1;

	if (asprintf(&path, "%s/sets", source->scratch) < 0)
		return err_set(err, "out of memory");
	if ((access(path, F_OK) < 0 && errno == ENOENT) ||
	    trust_read(source, path, &text, &length, &stamp, err) == 0)
		result = 0;
	for (line = text; result == 0 && line && *line;) {
		size_t n = strcspn(line, "\n");

		if (n && add(source, line, n) < 0)
			result = err_set(err, "out of memory");
		line += n + (line[n] == '\n');
	}
	free(text);
	free(path);
	return result;
}
