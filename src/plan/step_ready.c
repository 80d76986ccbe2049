#include "plan/step.h"

static void describe(const struct daemon *daemon, FILE *out)
{
	fputs("once start has returned: accept connections", out);
	if (!daemon_is_classic(daemon))
		fputs(", tell the monitor\nonce every worker has: the daemon is ready", out);
	if (daemon->machine.notify_socket[0] || daemon->machine.notify_fd >= 0)
		fputs(", tell the service manager", out);
	if (daemon->background)
		fputs(", tell the command, which ends with 0", out);
}

const struct step step_ready = {
    .name = "ready",
    .roles = WORKER,
    .describe = describe,
};
