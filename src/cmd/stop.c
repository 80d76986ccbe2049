#include <stdio.h>

#include "cmd/target.h"

static int clean_dead(const struct target *target)
{
	struct err err = {0};

	if (record_clean(target->home, &target->record, &err) < 0)
		return cmd_fail(&err);
	err.exit = EXIT_RUNNING;
	err_set(&err, "%s: not running; what process %ld had left is removed", target->name,
		(long)target->record.pid);
	return cmd_fail(&err);
}

static int stop(const struct target *target)
{
	struct err err = {0};

	if (target->running == DAEMON_DEAD)
		return clean_dead(target);
	if (target->running != DAEMON_RUNNING) {
		target_not_running(target, &err);
		return cmd_fail(&err);
	}
	if (target_stop(target, &err) < 0)
		return cmd_fail(&err);
	printf("%s: stopped\n", target->name);
	return EXIT_DONE;
}

int cmd_stop(struct daemon *daemon, const struct options *options)
{
	struct target target;
	int code = target_find(daemon, options, &target);

	if (code == EXIT_DONE)
		code = stop(&target);
	target_finish(&target);
	return code;
}
