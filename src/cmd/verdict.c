#include <stdio.h>
#include <unistd.h>

#include "cmd/target.h"
#include "sys/sys.h"

/* Without a control socket nobody tells the verdict: better said than guessed. */
static int by_signal(const struct target *target, int number, const char *name)
{
	struct err err = {0};
	int pidfd = client_process(target, &err);

	if (pidfd < 0)
		return cmd_fail(&err);
	if (sys_pidfd_signal(pidfd, number) < 0) {
		err_sys(&err, "%s: cannot send %s to process %ld", target->name, name,
			(long)target->record.pid);
		close(pidfd);
		return cmd_fail(&err);
	}
	close(pidfd);
	err_set(&err, "%s: has no control socket: %s is sent, the verdict is in its log (%s)",
		target->name, name, target->record.log);
	cmd_warn(&err);
	return EXIT_DONE;
}

static void print(void *data, const char *bytes, size_t length)
{
	fwrite(bytes, 1, length, data);
}

static int ask(const struct target *target, const char *request, int number, const char *name)
{
	struct err err = {0};
	struct answer answer;

	if (target->running != DAEMON_RUNNING) {
		target_not_running(target, &err);
		return cmd_fail(&err);
	}
	if (target->recorded && !*target->record.control)
		return by_signal(target, number, name);
	if (target_ask(target, request, print, stdout, ANSWER_MS, &answer, &err) < 0)
		return cmd_fail(&err);
	if (!answer.ended) {
		err_set(&err, "%s: has ended before it told the verdict", target->name);
		return cmd_fail(&err);
	}
	printf("%s: %s\n", target->name, answer.text);
	return EXIT_DONE;
}

int target_verdict(struct daemon *daemon, const struct options *options, const char *request,
		   int number, const char *name)
{
	struct target target;
	int code = target_find(daemon, options, &target);

	if (code == EXIT_DONE)
		code = ask(&target, request, number, name);
	target_finish(&target);
	return code;
}
