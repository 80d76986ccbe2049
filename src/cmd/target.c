#include "cmd/target.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "sys/sys.h"

enum {
	STOP_MS = 90000, /* when the daemon itself cannot tell how long it may take */
	END_MS = 10000,  /* from its last word to the end of its process */
	KILL_MS = 5000   /* from a second SIGTERM, which is immediate, to the end */
};

/* --- finding --- */

static int refuse_other(const struct target *target, const char *path, struct err *err)
{
	if (!target->recorded || client_same_path(target->record.path, path))
		return 0;
	return err_set(err, "%s: the daemon of this name is that of '%s', not of '%s'",
		       target->name, target->record.path, path);
}

static int find_by_spec(struct daemon *daemon, struct target *target)
{
	struct errs errs = {0};
	struct err err = {0};
	int code = EXIT_DONE;

	if (spec_load(&daemon->spec, &daemon->source, &errs) < 0) {
		code = cmd_fail_all(&errs);
	} else {
		client_find_name(target, &daemon->source, daemon->spec->name);
		if (refuse_other(target, daemon->source.path, &err) < 0)
			code = cmd_fail(&err);
	}
	errs_finish(&errs);
	return code;
}

/* Two daemons may run from one file, each with a --set name of its own. */
static bool sets_name(const struct options *options)
{
	for (char **set = options->sets; *set; set++)
		if (strncmp(*set, "name=", 5) == 0)
			return true;
	return false;
}

int target_find(struct daemon *daemon, const struct options *options, struct target *target)
{
	struct err err = {0};
	int found;

	*target = (struct target){0};
	if (cmd_source(daemon, options, &err) < 0)
		return cmd_fail(&err);
	if (client_is_name(options->file)) {
		client_find_name(target, &daemon->source, options->file);
		return EXIT_DONE;
	}
	if (sets_name(options))
		return find_by_spec(daemon, target);
	found = client_find_path(target, &daemon->source, &err);
	if (found < 0)
		return cmd_fail(&err);
	return found ? EXIT_DONE : find_by_spec(daemon, target);
}

int target_not_running(const struct target *target, struct err *err)
{
	if (target->running == DAEMON_UNKNOWN)
		return err_set(err, "%s: cannot tell whether it runs: permission denied",
			       target->name);
	err->exit = EXIT_RUNNING;
	return err_set(err, "%s: not running", target->name);
}

/* --- asking --- */

int target_ask(const struct target *target, const char *request,
	       void (*output)(void *data, const char *bytes, size_t length), void *data,
	       int timeout_ms, struct answer *answer, struct err *err)
{
	int fd = client_connect(target, err);
	int result;

	*answer = (struct answer){0};
	if (fd < 0)
		return -1;
	result = client_send(fd, request, err);
	if (result == 0)
		result = client_receive(fd, output, data, timeout_ms, answer, err);
	close(fd);
	if (result == 0 && answer->ended && answer->code != EXIT_DONE) {
		err->exit = answer->code;
		return err_set(err, "%s: %s", target->name, answer->text);
	}
	return result;
}

/* --- a wish with a verdict --- */

/* Without a control socket nobody tells the verdict: better said than guessed. */
static int wish_by_signal(const struct target *target, int number, const char *name)
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

int target_wish(const struct target *target, const struct wish *wish)
{
	struct err err = {0};
	struct answer answer;

	if (target->running != DAEMON_RUNNING) {
		target_not_running(target, &err);
		return cmd_fail(&err);
	}
	if (target->recorded && !*target->record.control)
		return wish_by_signal(target, wish->signal, wish->signal_name);
	if (target_ask(target, wish->request, print, stdout, ANSWER_MS, &answer, &err) < 0)
		return cmd_fail(&err);
	if (!answer.ended) {
		err_set(&err, "%s: has ended before it told the verdict", target->name);
		return cmd_fail(&err);
	}
	printf("%s: %s\n", target->name, *answer.text ? answer.text : wish->done);
	return EXIT_DONE;
}

/* --- stopping --- */

static void no_output(void *data, const char *bytes, size_t length)
{
	(void)data;
	(void)bytes;
	(void)length;
}

/* 1: it is stopping, or has taken longer than it said; 0: it has not answered; -1: refused. */
static int ask_to_stop(const struct target *target, struct err *err)
{
	struct err unheard = {0};
	struct answer answer;

	if (target_ask(target, "stop", no_output, NULL, ANSWER_MS, &answer, &unheard) == 0)
		return 1;
	if (answer.ended) {
		*err = unheard;
		return -1;
	}
	return answer.begun;
}

static int terminate(const struct target *target, int pidfd, struct err *err)
{
	if (sys_pidfd_signal(pidfd, SIGTERM) == 0 || errno == ESRCH)
		return 0;
	return err_sys(err, "%s: cannot send SIGTERM to process %ld", target->name,
		       (long)target->record.pid);
}

static int end_process(const struct target *target, int pidfd, struct err *err)
{
	int asked = ask_to_stop(target, err);

	if (asked < 0)
		return -1;
	if (asked == 0 && terminate(target, pidfd, err) < 0)
		return -1;
	if (client_is_gone(pidfd, asked ? END_MS : STOP_MS))
		return 0;
	if (terminate(target, pidfd, err) < 0)
		return -1;
	if (client_is_gone(pidfd, KILL_MS))
		return 0;
	return err_set(err, "%s: process %ld does not end", target->name, (long)target->record.pid);
}

/* A confined daemon cannot remove what lies outside; nobody else's is touched: record_clean takes
 * the lock and looks at device and inode of each file. */
static void clean_up(const struct target *target)
{
	struct record left;
	struct err err = {0};

	if (record_read(target->home, &left, NULL) < 0)
		return;
	if (left.pid == target->record.pid && left.started == target->record.started &&
	    record_clean(target->home, &left, &err) < 0 && err.code != EWOULDBLOCK)
		cmd_warn(&err);
	record_finish(&left);
}

int target_stop(const struct target *target, struct err *err)
{
	int pidfd = client_process(target, err);
	int result;

	if (pidfd < 0)
		return -1;
	result = end_process(target, pidfd, err);
	close(pidfd);
	if (result == 0)
		clean_up(target);
	return result;
}
