#include <signal.h>

#include "cmd/target.h"

int cmd_reload(struct daemon *daemon, const struct options *options)
{
	return target_verdict(daemon, options, "reload", SIGHUP, "SIGHUP");
}
