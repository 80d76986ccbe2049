#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "colour.h"
#include "plan/step.h"

/* A daemon file and what it is read with. */
enum { SPEC = OPTION_SET };

const struct command commands[] = {
    {"run", "FILE [--set KEY=VALUE ...] [--watch]", "run the daemon in the foreground",
     SPEC | OPTION_NOTIFY_FD | OPTION_SCRATCH | OPTION_WATCH, true, true, cmd_run},
    {"start", "FILE [--set KEY=VALUE ...] [--if-stopped]",
     "start the daemon in the background, return when it is ready",
     SPEC | OPTION_IF_STOPPED | OPTION_NOTIFY_FD, true, true, cmd_start},
    {"stop", "FILE|NAME", "stop it, return when it is gone", 0, true, false, cmd_stop},
    {"reload", "FILE|NAME", "read the daemon file again, tell the verdict", 0, true, false,
     cmd_reload},
    {"upgrade", "FILE|NAME",
     "let the running daemon go on with the installed luvd, tell the verdict", 0, true, false,
     cmd_upgrade},
    {"restart", "FILE|NAME [--set KEY=VALUE ...]", "check the daemon file, stop, start", SPEC, true,
     true, cmd_restart},
    {"status", "FILE|NAME [--json|--metrics|--audit]", "tell whether it runs, and how",
     OPTION_JSON | OPTION_METRICS | OPTION_AUDIT, true, false, cmd_status},
    {"check", "FILE [--set KEY=VALUE ...]", "tell whether the daemon file is right", SPEC, true,
     false, cmd_check},
    {"plan", "FILE [--set KEY=VALUE ...] [--json] [--as root]",
     "tell what start would do here, in order, and do none of it", SPEC | OPTION_JSON | OPTION_AS,
     true, false, cmd_plan},
    {"logs", "FILE|NAME [--follow] [--lines N]", "print its last log lines",
     OPTION_FOLLOW | OPTION_LINES, true, false, cmd_logs},
    {"console", "FILE|NAME [--worker N] [-e CODE ...]", "evaluate Lua inside the running daemon",
     OPTION_WORKER | OPTION_CODE, true, false, cmd_console},
    {"unit", "FILE [--for FORM] [--set KEY=VALUE ...] [--as root]",
     "print what starts it elsewhere: a unit of systemd, a script, a logrotate stanza",
     SPEC | OPTION_FORM | OPTION_AS, true, false, cmd_unit},
    {"lua", "[-eilvEW] [SCRIPT [ARGUMENT ...]]",
     "run a Lua script, or what is typed, with luvd's modules and luv", OPTION_RAW, false, false,
     cmd_lua},
    {"new", "NAME [--template KIND]",
     "make a folder with a daemon file, its service and their tests", OPTION_TEMPLATE, true, false,
     cmd_new},
    {"test",
     "[--watch] [--coverage[=FILE]] [--time-limit DURATION] [--no-leaks] [BUSTED'S OPTION|FILE "
     "...]",
     "run tests with busted; one that leaves something behind fails", OPTION_RAW, false, false,
     cmd_test},
    {"help", "[KEY] [--json]", "tell what a key of the daemon file means", OPTION_JSON, false,
     false, cmd_help},
    {"version", "", "print the version", 0, false, false, cmd_version},
    {"loader", "", NULL, OPTION_WORDS, false, false, cmd_loader},
    {"monitor", "", NULL, OPTION_WORDS, false, false, cmd_monitor},
    {"worker", "", NULL, OPTION_WORDS, false, false, cmd_worker},
    {NULL, NULL, NULL, 0, false, false, NULL},
};

static int take_row(struct daemon *daemon, const struct step *step, struct err *err)
{
	snprintf(err->step, sizeof err->step, "%s", step->name);
	return step->apply(daemon, err) == STEP_DONE ? 0 : -1;
}

/* What is printed and lost is a failure of a command that only prints. */
static int flushed(int code)
{
	if (fflush(stdout) == 0 || code != EXIT_DONE)
		return code;
	perror("luvd: cannot write to standard output");
	return EXIT_FAILED;
}

/* The row context comes before anything is read from files, and after argv: it keeps the
 * descriptor of --notify-fd. */
static int run(struct daemon *daemon, const struct command *command, const struct options *options)
{
	struct err err = {0};
	int code;

	if (options->help) {
		command_print(command, stdout);
		return flushed(EXIT_DONE);
	}
	daemon->machine.notify_fd = options->notify_fd;
	if (command->context && take_row(daemon, &step_context, &err) < 0)
		return cmd_fail(&err);
	if (command->context)
		colour_keep(daemon->source.environment);
	code = command->run(daemon, options);
	return command->context ? code : flushed(code);
}

/* `luvd --help` and `luvd --version` are the commands of these names. */
static const char *word_of_command(const char *word)
{
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return "help";
	return strcmp(word, "--version") == 0 ? "version" : word;
}

/* Called as luvd-lua it is an interpreter, which #! and busted's --lua can name. */
static bool is_interpreter(const char *program)
{
	const char *slash = strrchr(program, '/');

	return strcmp(slash ? slash + 1 : program, "luvd-lua") == 0;
}

static int dispatch(struct daemon *daemon, char **arguments)
{
	struct options options = {0};
	struct err err = {0};
	const struct command *command;
	int code;

	if (arguments[0] && is_interpreter(arguments[0])) {
		options.words = arguments + 1;
		return run(daemon, command_find("lua", &err), &options);
	}
	if (!arguments[0] || !arguments[1]) {
		fputs("luvd: which command?\n\n", stderr);
		commands_print(stderr);
		return EXIT_USAGE;
	}
	command = command_find(word_of_command(arguments[1]), &err);
	if (!command)
		return cmd_fail(&err);
	if (options_parse(&options, command, arguments + 2, &err) < 0)
		code = cmd_fail(&err);
	else
		code = run(daemon, command, &options);
	options_finish(&options);
	return code;
}

int main(int argc, char **argv)
{
	struct daemon daemon;
	struct err err = {0};
	int code;

	daemon_init(&daemon);
	(void)argc;
	daemon.arguments = argv;
	daemon.launcher = getpid();
	daemon.parent = getppid();
	if (take_row(&daemon, &step_stdio, &err) < 0)
		code = cmd_fail(&err);
	else
		code = dispatch(&daemon, argv);
	daemon_finish(&daemon);
	return code;
}
