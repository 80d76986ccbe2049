#include "cmd/cmd.h"

/* Stops after spec_load: it gives the same answer for anybody, on any machine. */
int cmd_check(struct daemon *daemon, const struct options *options)
{
	struct errs errs = {0};
	struct err err = {0};
	int code = EXIT_DONE;

	if (cmd_source(daemon, options, &err) < 0)
		return cmd_fail(&err);
	if (spec_load(&daemon->spec, &daemon->source, &errs) < 0) {
		code = cmd_fail_all(&errs);
	} else {
		cmd_warnings(daemon);
		printf("%s: the daemon file is right\n", daemon->spec->name);
	}
	errs_finish(&errs);
	return code;
}
