#include "cmd/cmd.h"

int cmd_run(struct daemon *daemon, const struct options *options)
{
	return cmd_begin(daemon, options, false);
}
