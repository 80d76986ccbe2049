#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "host/keeper.h"
#include "say.h"
#include "spec/quote.h"
#include "spec/trust.h"
#include "sys/sys.h"

int cmd_fail(const struct err *err)
{
	say(STDERR_FILENO, NULL, SAY_ERROR, err, NULL);
	return err->exit ? err->exit : EXIT_FAILED;
}

int cmd_fail_all(const struct errs *errs)
{
	for (size_t i = 0; i < errs->count; i++)
		say(STDERR_FILENO, NULL, SAY_ERROR, &errs->list[i],
		    errs->quotes ? errs->quotes[i] : NULL);
	if (errs->dropped)
		fprintf(stderr, "luvd: and %zu more error%s\n", errs->dropped,
			errs->dropped == 1 ? "" : "s");
	return errs->count && errs->list[0].exit ? errs->list[0].exit : EXIT_FAILED;
}

void cmd_warn(const struct err *err)
{
	say(STDERR_FILENO, NULL, SAY_WARNING, err, NULL);
}

/* Takes "." and empty components out of an absolute path, in place. */
static void clean(char *path)
{
	char *out = path;

	for (char *in = path; *in;) {
		size_t n;

		while (*in == '/')
			in++;
		n = strcspn(in, "/");
		if (n && !(n == 1 && in[0] == '.')) {
			*out++ = '/';
			memmove(out, in, n);
			out += n;
		}
		in += n;
	}
	*out = 0;
}

/* ".." cannot be taken out by its letters (it may follow a link): there the folder is asked for
 * its real name, so that the path equals the one in the record of a running daemon. */
static char *without_parents(char *path)
{
	char *slash = strrchr(path, '/');
	char *folder, *result = NULL;

	if (!strstr(path, "/../") || !slash)
		return path;
	*slash = 0;
	folder = realpath(path, NULL);
	*slash = '/';
	if (folder && asprintf(&result, "%s%s", strcmp(folder, "/") == 0 ? "" : folder, slash) < 0)
		result = NULL;
	free(folder);
	if (!result)
		return path;
	free(path);
	return result;
}

/* Links stay as they are: a link that is moved to the next release and a reload is how many
 * people deploy. */
static char *path_absolute(const char *file, struct err *err)
{
	char folder[PATH_MAX] = "";
	char *path;

	if (file[0] != '/' && !getcwd(folder, sizeof folder)) {
		err_sys(err, "cannot tell the working directory for '%s'", file);
		return NULL;
	}
	if (asprintf(&path, "%s/%s", folder, file) < 0) {
		err_set(err, "out of memory");
		return NULL;
	}
	clean(path);
	return without_parents(path);
}

/* Only a folder that is there: what is mistyped must not fill another one. */
static int take_scratch(struct source *source, const char *folder, struct err *err)
{
	struct stat stat;

	if (!folder)
		return 0;
	err->exit = EXIT_USAGE;
	if (sys_stat_at(AT_FDCWD, folder, &stat) < 0)
		return err_sys(err, "cannot look at the folder '%s' of --scratch", folder);
	if (!S_ISDIR(stat.st_mode))
		return err_set(err, "--scratch: '%s' is not a folder", folder);
	err->exit = EXIT_DONE;
	source->scratch = path_absolute(folder, err);
	return source->scratch ? 0 : -1;
}

int cmd_source(struct daemon *daemon, const struct options *options, struct err *err)
{
	struct source *source = &daemon->source;
	char host[256] = "localhost";

	source->path = path_absolute(options->file, err);
	if (!source->path)
		return -1;
	gethostname(host, sizeof host - 1);
	source->shown = strdup(options->file);
	source->hostname = strdup(host);
	source->sets = strings_copy(options->sets);
	if (!source->environment)
		source->environment = strings_copy(environ);
	if (!source->shown || !source->hostname || !source->sets || !source->environment)
		return err_set(err, "out of memory");
	if (take_scratch(source, options->scratch, err) < 0)
		return -1;
	source->cpus = sys_cpus();
	source->uid = options->as_root ? 0 : geteuid();
	source->owner = getuid();
	return 0;
}

void cmd_warnings(const struct daemon *daemon)
{
	struct errs warnings = {0};

	spec_warnings(daemon->spec, true, &warnings);
	for (size_t i = 0; i < warnings.count; i++)
		cmd_warn(&warnings.list[i]);
	errs_finish(&warnings);
}

/* What could not be loaded has its quotes already. */
static int fail_quoting(const struct daemon *daemon, struct errs *errs)
{
	const struct spec *spec = daemon->spec;

	if (spec)
		quote_all(&spec->source, spec->modules, spec->module_count, errs);
	return cmd_fail_all(errs);
}

/* Only a monitor can start workers with new code: a classic daemon that is watched becomes one. */
static int add_workers(struct source *source)
{
	size_t count = 0;
	char **sets;

	while (source->sets[count])
		count++;
	sets = realloc(source->sets, (count + 2) * sizeof *sets);
	if (!sets)
		return -1;
	source->sets = sets;
	sets[count] = strdup("workers=1");
	sets[count + 1] = NULL;
	return sets[count] ? 0 : -1;
}

static int load(struct daemon *daemon, struct errs *errs)
{
	struct spec **spec = &daemon->spec;

	trust_clock(&daemon->read_at);
	if (spec_load(spec, &daemon->source, errs) < 0)
		return -1;
	if (!daemon->watch || (*spec)->workers != 0)
		return 0;
	spec_destroy(*spec);
	*spec = NULL;
	if (add_workers(&daemon->source) == 0)
		return spec_load(spec, &daemon->source, errs);
	err_set(errs_add(errs), "out of memory");
	return -1;
}

static void tell_keeper(struct daemon *daemon, const struct errs *errs)
{
	const struct spec *spec = daemon->spec;

	keeper_files(daemon, errs->seen);
	for (size_t i = 0; spec && i < spec->module_count; i++) {
		char *paths[] = {spec->modules[i].path, NULL};

		keeper_files(daemon, paths);
	}
}

int cmd_spec(struct daemon *daemon, bool background)
{
	struct errs errs = {0};
	int code = 0, result = load(daemon, &errs);

	tell_keeper(daemon, &errs);
	if (result < 0 || spec_resolve(daemon->spec, background, &errs) < 0)
		code = fail_quoting(daemon, &errs);
	errs_finish(&errs);
	return code;
}

int cmd_plan_make(struct daemon *daemon, bool background, struct plan *plan)
{
	struct errs errs = {0};
	struct err err = {0};
	int code = cmd_spec(daemon, background);

	if (code != EXIT_DONE)
		return code;
	if (machine_probe(daemon, &err) < 0)
		return cmd_fail(&err);
	plan_make(plan, daemon, LAUNCH | MONITOR | WORKER);
	if (plan_check(plan, daemon, &errs) < 0)
		code = fail_quoting(daemon, &errs);
	errs_finish(&errs);
	return code;
}
