#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd/target.h"
#include "sys/sys.h"

/* Without a control socket nobody tells the verdict: better said than guessed. */
static int by_signal(const struct target *target)
{
	struct err err = {0};
	int pidfd = client_process(target, &err);

	if (pidfd < 0)
		return cmd_fail(&err);
	if (sys_pidfd_signal(pidfd, SIGUSR2) < 0) {
		err_sys(&err, "%s: cannot send SIGUSR2 to process %ld", target->name,
			(long)target->record.pid);
		close(pidfd);
		return cmd_fail(&err);
	}
	close(pidfd);
	err_set(&err, "%s: has no control socket: SIGUSR2 is sent, the verdict is in its log (%s)",
		target->name, target->record.log);
	cmd_warn(&err);
	return EXIT_DONE;
}

static void print(void *data, const char *bytes, size_t length)
{
	fwrite(bytes, 1, length, data);
}

/* The connection outlives the daemon's image: the END is the new one's. */
static int upgrade(const struct target *target)
{
	struct err err = {0};
	struct answer answer;

	if (target->running != DAEMON_RUNNING) {
		target_not_running(target, &err);
		return cmd_fail(&err);
	}
	if (target->recorded && !*target->record.control)
		return by_signal(target);
	if (target_ask(target, "upgrade", print, stdout, ANSWER_MS, &answer, &err) < 0)
		return cmd_fail(&err);
	if (!answer.ended) {
		err_set(&err, "%s: has ended before it told the verdict", target->name);
		return cmd_fail(&err);
	}
	printf("%s: %s\n", target->name, answer.text);
	return EXIT_DONE;
}

int cmd_upgrade(struct daemon *daemon, const struct options *options)
{
	struct target target;
	int code = target_find(daemon, options, &target);

	if (code == EXIT_DONE)
		code = upgrade(&target);
	target_finish(&target);
	return code;
}
