#include <signal.h>

#include "cmd/target.h"

int cmd_upgrade(struct daemon *daemon, const struct options *options)
{
	return target_verdict(daemon, options, "upgrade", SIGUSR2, "SIGUSR2");
}
