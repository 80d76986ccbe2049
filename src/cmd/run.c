#include "cmd/cmd.h"
#include "host/keeper.h"

struct attempt {
	struct daemon *daemon;
	const struct options *options;
};

static int begin(void *data)
{
	const struct attempt *attempt = data;

	return cmd_begin(attempt->daemon, attempt->options, false);
}

int cmd_run(struct daemon *daemon, const struct options *options)
{
	struct attempt attempt = {daemon, options};
	struct err err = {0};

	daemon->watch = options->watch;
	if (!daemon->watch)
		return begin(&attempt);
	if (cmd_source(daemon, options, &err) < 0)
		return cmd_fail(&err);
	return keeper_run(daemon, begin, &attempt);
}
