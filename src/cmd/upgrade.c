#include <signal.h>

#include "cmd/target.h"

int cmd_upgrade(struct daemon *daemon, const struct options *options)
{
	static const struct wish wish = {"upgrade", SIGUSR2, "SIGUSR2", "upgraded"};
	struct target target;
	int code = target_find(daemon, options, &target);

	if (code == EXIT_DONE)
		code = target_wish(&target, &wish);
	target_finish(&target);
	return code;
}
