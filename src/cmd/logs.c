#include <stdio.h>

#include "cmd/target.h"

enum { FOLLOW_LINES = 10 }; /* that --follow begins with */

static void print(void *data, const char *bytes, size_t length)
{
	(void)data;
	fwrite(bytes, 1, length, stdout);
	fflush(stdout);
}

static void request_of(const struct options *options, char *text, size_t size)
{
	int lines = options->lines < 0 && options->follow ? FOLLOW_LINES : options->lines;

	if (lines < 0)
		snprintf(text, size, "logs");
	else
		snprintf(text, size, "logs %s%d", options->follow ? "follow " : "", lines);
}

static int logs(const struct target *target, const struct options *options)
{
	struct err err = {0};
	struct answer answer;
	char request[64];

	if (target->running != DAEMON_RUNNING) {
		target_not_running(target, &err);
		return cmd_fail(&err);
	}
	if (target->recorded && !*target->record.control) {
		err_set(&err, "%s: has no control socket; its log is %s", target->name,
			target->record.log);
		return cmd_fail(&err);
	}
	request_of(options, request, sizeof request);
	/* With --follow the end of the daemon is the end of the lines. */
	if (target_ask(target, request, print, NULL, options->follow ? -1 : ANSWER_MS, &answer,
		       &err) < 0)
		return cmd_fail(&err);
	return EXIT_DONE;
}

int cmd_logs(struct daemon *daemon, const struct options *options)
{
	struct target target;
	int code = target_find(daemon, options, &target);

	if (code == EXIT_DONE)
		code = logs(&target, options);
	target_finish(&target);
	return code;
}
