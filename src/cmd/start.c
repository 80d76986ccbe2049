#include "cmd/cmd.h"
#include "host/launch.h"

static int read_and_plan(struct daemon *daemon, const struct options *options, struct plan *plan)
{
	struct errs errs = {0};
	struct err err = {0};
	int code;

	if (cmd_source(daemon, options, &err) < 0)
		return cmd_fail(&err);
	code = cmd_spec(daemon, daemon->background);
	if (code != EXIT_DONE)
		return code;
	if (machine_probe(daemon, &err) < 0)
		return cmd_fail(&err);
	plan_make(plan, daemon, LAUNCH | MONITOR | WORKER);
	if (plan_check(plan, daemon, &errs) < 0)
		code = cmd_fail_all(&errs);
	errs_finish(&errs);
	return code;
}

int cmd_begin(struct daemon *daemon, const struct options *options, bool background)
{
	struct plan plan;
	int code;

	daemon->background = background;
	daemon->if_stopped = options->if_stopped;
	code = read_and_plan(daemon, options, &plan);
	return code == EXIT_DONE ? launch(daemon, &plan) : code;
}

int cmd_start(struct daemon *daemon, const struct options *options)
{
	return cmd_begin(daemon, options, true);
}
