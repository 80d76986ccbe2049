#include <signal.h>

#include "cmd/target.h"

int cmd_reload(struct daemon *daemon, const struct options *options)
{
	static const struct wish wish = {"reload", SIGHUP, "SIGHUP", "reloaded"};
	struct target target;
	int code = target_find(daemon, options, &target);

	if (code == EXIT_DONE)
		code = target_wish(&target, &wish);
	target_finish(&target);
	return code;
}
