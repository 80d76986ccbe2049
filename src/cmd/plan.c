#include "plan/plan.h"
#include "cmd/cmd.h"

/* Prints the rows, then what is known to be in the way of them. */
int cmd_plan(struct daemon *daemon, const struct options *options)
{
	struct errs errs = {0};
	struct err err = {0};
	struct plan plan;
	int code;

	daemon->background = true;
	if (cmd_source(daemon, options, &err) < 0)
		return cmd_fail(&err);
	code = cmd_spec(daemon, true);
	if (code != EXIT_DONE)
		return code;
	if (machine_probe(daemon, &err) < 0)
		return cmd_fail(&err);
	if (options->as_root)
		machine_as_root(&daemon->machine);
	plan_make(&plan, daemon, LAUNCH | MONITOR | WORKER);
	plan_print(&plan, daemon, options->json, stdout);
	if (plan_check(&plan, daemon, &errs) < 0) {
		fflush(stdout);
		code = cmd_fail_all(&errs);
	}
	errs_finish(&errs);
	return code;
}
