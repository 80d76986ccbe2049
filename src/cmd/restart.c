#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/target.h"
#include "host/launch.h"

/* --- the same --set again --- */

/* NULL-terminated, bounded. */
struct sets {
	char **list;
	size_t count;
	bool failed;
};

enum { SETS_MAX = 1024 };

static void take_set(void *data, const char *bytes, size_t length)
{
	struct sets *sets = data;
	char **list = realloc(sets->list, (sets->count + 2) * sizeof *list);

	if (list)
		sets->list = list;
	if (!list || sets->count == SETS_MAX || !(list[sets->count] = strndup(bytes, length))) {
		sets->failed = true;
		return;
	}
	list[++sets->count] = NULL;
}

/* What the running daemon was started with holds until somebody says otherwise, as it does for a
 * reload. */
static int keep_sets(struct daemon *daemon, const struct target *target,
		     const struct options *options, struct err *err)
{
	struct sets sets = {0};
	struct answer answer;

	if (options->sets[0])
		return 0;
	if (target->recorded && !*target->record.control) {
		err_set(err,
			"%s: has no control socket: --set values that it was started with, if "
			"any, are not used again",
			target->name);
		cmd_warn(err);
		return 0;
	}
	if (target_ask(target, "sets", take_set, &sets, ANSWER_MS, &answer, err) < 0 ||
	    !answer.ended || sets.failed) {
		strings_free(sets.list);
		if (!answer.ended || sets.failed)
			err_set(err,
				"%s: does not tell the --set values that it was started with: "
				"give them, or stop and start it",
				target->name);
		return -1;
	}
	if (!sets.list)
		return 0;
	strings_free(daemon->source.sets);
	daemon->source.sets = sets.list;
	return 0;
}

/* `luvd restart NAME` means the file that it was started from. */
static int name_file(struct daemon *daemon, const struct target *target,
		     const struct options *options, struct err *err)
{
	struct source *source = &daemon->source;

	if (!client_is_name(options->file))
		return 0;
	if (!target->recorded)
		return target_not_running(target, err);
	free(source->path);
	free(source->shown);
	source->path = strdup(target->record.path);
	source->shown = strdup(target->record.path);
	return source->path && source->shown ? 0 : err_set(err, "out of memory");
}

/* --- check, stop, start --- */

static int check(struct daemon *daemon, struct plan *plan)
{
	spec_destroy(daemon->spec); /* target_find may have read it, without these --set */
	daemon->spec = NULL;
	return cmd_plan_make(daemon, true, plan);
}

static int prepare(struct daemon *daemon, const struct target *target,
		   const struct options *options)
{
	struct err err = {0};

	if (name_file(daemon, target, options, &err) < 0)
		return cmd_fail(&err);
	if (target->running == DAEMON_RUNNING && keep_sets(daemon, target, options, &err) < 0)
		return cmd_fail(&err);
	return EXIT_DONE;
}

int cmd_restart(struct daemon *daemon, const struct options *options)
{
	struct target target;
	struct err err = {0};
	struct plan plan;
	int code = target_find(daemon, options, &target);

	daemon->background = true;
	if (code == EXIT_DONE)
		code = prepare(daemon, &target, options);
	/* Whatever is wrong is told while the old one still serves. */
	if (code == EXIT_DONE)
		code = check(daemon, &plan);
	if (code == EXIT_DONE && target.running == DAEMON_RUNNING && target_stop(&target, &err) < 0)
		code = cmd_fail(&err);
	target_finish(&target);
	return code == EXIT_DONE ? launch(daemon, &plan) : code;
}
