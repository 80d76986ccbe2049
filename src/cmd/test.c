#include "cmd/script.h"

/* The runner of busted in a vm for scripts: lua/luvd/test. */
int cmd_test(struct daemon *daemon, const struct options *options)
{
	struct script *script;
	struct err err = {0};
	int code;

	script = cmd_script_create(daemon, "luvd: test", false, &err);
	if (!script)
		return cmd_fail(&err);
	code = script_run_module(script, "luvd.test.runner", options->words);
	fflush(stdout);
	script_destroy(script);
	return code;
}
