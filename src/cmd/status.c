#include <stdio.h>
#include <string.h>

#include "cmd/target.h"
#include "host/report.h"
#include "text.h"

/* What is known of a daemon without its answer. */
struct verdict {
	int code;
	const char *state; /* as JSON says it */
	const char *text;  /* as people read it */
};

static const struct verdict verdicts[] = {
    [DAEMON_ABSENT] = {EXIT_RUNNING, "stopped", "not running"},
    [DAEMON_RUNNING] = {EXIT_DONE, "running", "running"},
    [DAEMON_DEAD] = {EXIT_FAILED, "dead", "dead, its record is left (luvd stop removes it)"},
    [DAEMON_UNKNOWN] = {EXIT_UNKNOWN, "unknown", "cannot tell: permission denied"},
};

static void print_json(const struct target *target, const struct verdict *verdict, long pid)
{
	fputs("{\"name\":", stdout);
	text_json(stdout, target->name, strlen(target->name));
	printf(",\"state\":\"%s\"", verdict->state);
	if (pid)
		printf(",\"pid\":%ld", pid);
	fputs("}\n", stdout);
}

static void print_verdict(const struct target *target, enum control_form form,
			  const struct verdict *verdict)
{
	long pid = target->recorded ? (long)target->record.pid : 0;

	if (form == CONTROL_JSON) {
		print_json(target, verdict, pid);
		return;
	}
	if (form == CONTROL_METRICS) {
		report_metrics_down(target->name, stdout);
		return;
	}
	printf("%s: %s", target->name, verdict->text);
	if (pid)
		printf(", pid %ld", pid);
	fputc('\n', stdout);
}

static int tell(const struct target *target, enum control_form form, const struct verdict *verdict)
{
	print_verdict(target, form, verdict);
	return verdict->code;
}

static void print(void *data, const char *bytes, size_t length)
{
	fwrite(bytes, 1, length, data);
}

/* It holds its lock, so it runs; it just does not say how. */
static int tell_silent(const struct target *target, enum control_form form)
{
	static const struct verdict starting = {EXIT_UNKNOWN, "starting", "starting"};
	static const struct verdict silent = {EXIT_UNKNOWN, "silent", "running, does not answer"};

	if (!target->recorded || !record_is_alive(&target->record))
		return tell(target, form, &starting);
	/* control = false: nothing more can be known. */
	if (!*target->record.control)
		return tell(target, form, &verdicts[DAEMON_RUNNING]);
	return tell(target, form, &silent);
}

/* Asks a running daemon. Its answer's exit code; -1 when it gave none. */
static int ask(const struct target *target, enum control_form form)
{
	static const char *const requests[] = {[CONTROL_TEXT] = "status",
					       [CONTROL_JSON] = "status json",
					       [CONTROL_METRICS] = "status metrics",
					       [CONTROL_AUDIT] = "status audit"};
	struct err err = {0};
	struct answer answer;

	if (target_ask(target, requests[form], print, stdout, ANSWER_MS, &answer, &err) == 0)
		return answer.ended ? EXIT_DONE : -1;
	if (!answer.ended)
		return -1;
	/* Proofs that do not hold are told; nothing is unknown. */
	if (form == CONTROL_AUDIT && answer.code == EXIT_FAILED)
		return cmd_fail(&err);
	if (form == CONTROL_JSON || form == CONTROL_METRICS)
		print_verdict(target, form, &verdicts[DAEMON_UNKNOWN]);
	cmd_fail(&err);
	return EXIT_UNKNOWN; /* whatever it refuses for: it is not dead */
}

static int status(struct target *target, const struct source *source, enum control_form form)
{
	char name[sizeof target->name];
	int code = -1;

	if (target->running == DAEMON_RUNNING) {
		code = ask(target, form);
		if (code >= 0)
			return code;
		/* It may have ended just now. */
		snprintf(name, sizeof name, "%s", target->name);
		target_finish(target);
		client_find_name(target, source, name);
	}
	if (target->running == DAEMON_RUNNING)
		return tell_silent(target, form);
	return tell(target, form, &verdicts[target->running]);
}

static int form_of(const struct options *options, enum control_form *form, struct err *err)
{
	if (options->json + options->audit + options->metrics > 1) {
		err->exit = EXIT_USAGE;
		return err_set(err, "status: --json, --audit and --metrics exclude each other");
	}
	*form = options->json      ? CONTROL_JSON
		: options->audit   ? CONTROL_AUDIT
		: options->metrics ? CONTROL_METRICS
				   : CONTROL_TEXT;
	return 0;
}

int cmd_status(struct daemon *daemon, const struct options *options)
{
	struct target target;
	struct err err = {0};
	enum control_form form = CONTROL_TEXT;
	int code;

	if (form_of(options, &form, &err) < 0)
		return cmd_fail(&err);
	code = target_find(daemon, options, &target);
	if (code == EXIT_DONE)
		code = status(&target, &daemon->source, form);
	else if (code == EXIT_FAILED)
		code = EXIT_UNKNOWN; /* 1 says that it is dead */
	target_finish(&target);
	return code;
}
