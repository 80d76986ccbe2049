#include <unistd.h>

#include "cmd/cmd.h"
#include "host/launch.h"
#include "sys/sys.h"

/* That nobody was named who is less than root is said at every start; what a confined daemon cannot
 * do is for `check`. */
static void note_root(struct daemon *daemon)
{
	struct errs warnings = {0};

	if (!daemon->spec->user && daemon->spec->source.uid == 0)
		spec_warnings(daemon->spec, daemon->background, &warnings);
	if (warnings.count)
		*errs_add(&daemon->warnings) = warnings.list[0];
	errs_finish(&warnings);
}

static void print_warnings(const struct errs *warnings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		cmd_warn(&warnings->list[i]);
}

int cmd_begin(struct daemon *daemon, const struct options *options, bool background)
{
	struct err err = {0};
	struct plan plan;
	size_t noted;
	int code;

	daemon->background = background;
	daemon->if_stopped = options->if_stopped;
	/* With --watch it is known already. */
	if (!daemon->source.path && cmd_source(daemon, options, &err) < 0)
		return cmd_fail(&err);
	code = cmd_plan_make(daemon, background, &plan);
	if (code != EXIT_DONE)
		return code;
	note_root(daemon);
	noted = daemon->warnings.count;
	if (!background)
		print_warnings(&daemon->warnings, noted);
	code = launch(daemon, &plan);
	/* A start that fails has more to say than this. */
	if (background && code == EXIT_DONE && getpid() == daemon->launcher)
		print_warnings(&daemon->warnings, noted);
	return code;
}

/* Who detaches from process 1 ends it, and with it the container. */
int cmd_start(struct daemon *daemon, const struct options *options)
{
	struct err err = {.exit = EXIT_USAGE};

	if (sys_pid() == 1) {
		err_set(&err, "start: process 1 of a container stays in the foreground: use "
			      "'luvd run'");
		return cmd_fail(&err);
	}
	return cmd_begin(daemon, options, true);
}
