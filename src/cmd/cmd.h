#ifndef LUVD_CMD_CMD_H
#define LUVD_CMD_CMD_H

#include <stdbool.h>
#include <stdio.h>

#include "plan/plan.h"

/* What the user typed, read from argv alone: nothing is opened for it. */
struct options {
	const char *command;
	const char *file;    /* FILE or NAME; NULL when not given */
	char **sets;         /* NULL-terminated, points into argv */
	const char *form;    /* --for FORM; NULL: not given */
	const char *kind;    /* new --template KIND; NULL: not given */
	bool json;           /* --json */
	bool audit;          /* --audit */
	bool metrics;        /* --metrics */
	int worker;          /* --worker N; 0: not given */
	const char **codes;  /* -e CODE, NULL-terminated, points into argv */
	bool as_root;        /* --as root */
	bool if_stopped;     /* --if-stopped */
	bool follow;         /* --follow, -f */
	int lines;           /* --lines N, -n N; -1: not given */
	int notify_fd;       /* --notify-fd N; -1 */
	const char *topic;   /* help KEY */
	bool watch;          /* --watch */
	bool help;           /* --help, -h after the command */
	char **words;        /* OPTION_RAW: all that follows the command; NULL-terminated */
	const char *scratch; /* --scratch FOLDER; NULL: not given */
};

/* Which options a command takes; anything else is wrong usage (exit 2), named. */
enum option {
	OPTION_SET = 1,
	OPTION_JSON = 2,
	OPTION_AS = 4,
	OPTION_IF_STOPPED = 8,
	OPTION_FOLLOW = 16,
	OPTION_LINES = 32,
	OPTION_NOTIFY_FD = 64,
	OPTION_WORDS = 128, /* any words that are no options: the command reads them itself */
	OPTION_AUDIT = 256,
	OPTION_METRICS = 512,
	OPTION_WORKER = 1024,
	OPTION_CODE = 2048,
	OPTION_FORM = 4096,
	OPTION_RAW = 8192, /* all that follows is left in words, but for --help as the first */
	OPTION_TEMPLATE = 16384,
	OPTION_WATCH = 32768,
	OPTION_SCRATCH = 65536
};

struct command {
	const char *name;
	const char *arguments; /* "FILE [--set key=value ...]" */
	const char *help;      /* one line; NULL: hidden, for luvd's own use */
	unsigned options;
	bool file;    /* needs FILE */
	bool context; /* takes the row context in main: what starts a daemon */
	int (*run)(struct daemon *daemon, const struct options *options);
};

extern const struct command commands[]; /* main.c; ends with a NULL name */

/* The row of a command; NULL with err (the nearest name in it) when there is none. */
const struct command *command_find(const char *name, struct err *err);
/* Reads what follows the command. arguments is argv after the command's name. Returns -1 with
 * EXIT_USAGE. options_finish frees the lists, not what they point to. */
int options_parse(struct options *options, const struct command *command, char **arguments,
		  struct err *err);
void options_finish(struct options *options);

/* One option as it may be typed. */
struct option_row {
	const char *name;
	const char *value; /* what it expects, NULL: no value */
	const char *help;
	int (*take)(struct options *options, const char *value); /* -1: not one of its values */
	enum option bit;
	char letter; /* 0: none */
};

extern const struct option_row option_rows[]; /* option_rows.c; ends with a NULL name */

/* `luvd COMMAND --help`: usage, help, options, exit codes and examples of one command. */
void command_print(const struct command *command, FILE *out);
/* `luvd --help`: all commands. */
void commands_print(FILE *out);
/* `luvd help --json`: commands, options and keys of the daemon file, for what is made of them. */
void help_print_json(FILE *out);
int cmd_run(struct daemon *daemon, const struct options *options);
int cmd_start(struct daemon *daemon, const struct options *options);
int cmd_stop(struct daemon *daemon, const struct options *options);
int cmd_upgrade(struct daemon *daemon, const struct options *options);
int cmd_reload(struct daemon *daemon, const struct options *options);
int cmd_restart(struct daemon *daemon, const struct options *options);
int cmd_status(struct daemon *daemon, const struct options *options);
int cmd_check(struct daemon *daemon, const struct options *options);
int cmd_plan(struct daemon *daemon, const struct options *options);
int cmd_logs(struct daemon *daemon, const struct options *options);
int cmd_console(struct daemon *daemon, const struct options *options);
int cmd_lua(struct daemon *daemon, const struct options *options);
int cmd_test(struct daemon *daemon, const struct options *options);
int cmd_help(struct daemon *daemon, const struct options *options);
int cmd_unit(struct daemon *daemon, const struct options *options);
int cmd_new(struct daemon *daemon, const struct options *options);
int cmd_version(struct daemon *daemon, const struct options *options);
/* Hidden: reads a daemon file for a reload. Standard input: source_encode's bytes; standard output:
 * bundle_encode's; what is wrong goes to standard error as everywhere. */
int cmd_loader(struct daemon *daemon, const struct options *options);
/* Hidden: what a monitor executes, with arguments and descriptors of its own. */
int cmd_worker(struct daemon *daemon, const struct options *options);
/* Hidden: the same of another binary, to try it out or in the monitor's own place. */
int cmd_monitor(struct daemon *daemon, const struct options *options);

/* Prints "luvd: " and the text of each error on stderr; returns the exit code they ask for. */
int cmd_fail(const struct err *err);
int cmd_fail_all(const struct errs *errs);
/* "luvd: warning: TEXT" on stderr. */
void cmd_warn(const struct err *err);
/* Fills daemon->source (path made absolute, sets, environment copy unless context has made it,
 * hostname, cpus, ids). */
int cmd_source(struct daemon *daemon, const struct options *options, struct err *err);
/* spec_load and spec_resolve with daemon->source; prints and returns the exit code, 0 when right.
 */
int cmd_spec(struct daemon *daemon, bool background);
/* cmd_spec, the machine and the plan of the classic daemon, with all that is known to be in its
 * way; prints and returns like cmd_spec. */
int cmd_plan_make(struct daemon *daemon, bool background, struct plan *plan);
/* Prints spec_warnings of what start would run: for check. */
void cmd_warnings(const struct daemon *daemon);
/* run and start from FILE on: reads, plans, launches. Returns the exit code. */
int cmd_begin(struct daemon *daemon, const struct options *options, bool background);

#endif
