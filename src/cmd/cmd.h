#ifndef LUVD_CMD_CMD_H
#define LUVD_CMD_CMD_H

#include <stdbool.h>

#include "plan/daemon.h"

/* What the user typed, read from argv alone: nothing is opened for it. */
struct options {
	const char *command;
	const char *file;  /* FILE or NAME; NULL when not given */
	char **sets;       /* NULL-terminated, points into argv */
	bool json;         /* --json */
	bool as_root;      /* --as root */
	bool if_stopped;   /* --if-stopped */
	bool follow;       /* --follow, -f */
	int lines;         /* --lines N, -n N; -1: not given */
	int notify_fd;     /* --notify-fd N; -1 */
	const char *topic; /* help KEY */
};

/* Which options a command takes; anything else is wrong usage (exit 2), named. */
enum option {
	OPTION_SET = 1,
	OPTION_JSON = 2,
	OPTION_AS = 4,
	OPTION_IF_STOPPED = 8,
	OPTION_FOLLOW = 16,
	OPTION_LINES = 32,
	OPTION_NOTIFY_FD = 64
};

struct command {
	const char *name;
	const char *arguments; /* "FILE [--set key=value ...]" */
	const char *help;      /* one line */
	unsigned options;
	bool file;    /* needs FILE */
	bool context; /* takes the row context in main: only run and start */
	int (*run)(struct daemon *daemon, const struct options *options);
};

extern const struct command commands[]; /* main.c; ends with a NULL name */

int cmd_run(struct daemon *daemon, const struct options *options);
int cmd_start(struct daemon *daemon, const struct options *options);
int cmd_stop(struct daemon *daemon, const struct options *options);
int cmd_reload(struct daemon *daemon, const struct options *options);
int cmd_restart(struct daemon *daemon, const struct options *options);
int cmd_status(struct daemon *daemon, const struct options *options);
int cmd_check(struct daemon *daemon, const struct options *options);
int cmd_plan(struct daemon *daemon, const struct options *options);
int cmd_logs(struct daemon *daemon, const struct options *options);
int cmd_help(struct daemon *daemon, const struct options *options);
int cmd_version(struct daemon *daemon, const struct options *options);
int cmd_loader(struct daemon *daemon,
	       const struct options *options); /* hidden: reads a spec for a reload */

/* Prints "luvd: " and the text of each error on stderr; returns the exit code they ask for. */
int cmd_fail(const struct err *err);
int cmd_fail_all(const struct errs *errs);
/* Fills daemon->source (path made absolute, sets, environment copy unless context has made it,
 * hostname, cpus, ids). */
int cmd_source(struct daemon *daemon, const struct options *options, struct err *err);
/* spec_load and spec_resolve with daemon->source; prints and returns the exit code, 0 when right.
 */
int cmd_spec(struct daemon *daemon, bool background);

#endif
