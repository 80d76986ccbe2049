#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "spec/nearest.h"

static int number(const char *text, int *result)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || end == text || *end || n < 0 || n > 1000000)
		return -1;
	*result = (int)n;
	return 0;
}

static int take_set(struct options *options, const char *value)
{
	size_t n = 0;

	if (!strchr(value, '=') || value[0] == '=')
		return -1;
	while (options->sets[n])
		n++;
	options->sets[n] = (char *)value; /* argv's, which may be written to */
	return 0;
}

static int take_json(struct options *options, const char *value)
{
	(void)value;
	options->json = true;
	return 0;
}

static int take_audit(struct options *options, const char *value)
{
	(void)value;
	options->audit = true;
	return 0;
}

static int take_metrics(struct options *options, const char *value)
{
	(void)value;
	options->metrics = true;
	return 0;
}

static int take_worker(struct options *options, const char *value)
{
	return number(value, &options->worker) < 0 || options->worker < 1 ||
		       options->worker > WORKERS_MAX
		   ? -1
		   : 0;
}

static int take_code(struct options *options, const char *value)
{
	size_t n = 0;

	while (options->codes[n])
		n++;
	options->codes[n] = value;
	return 0;
}

static int take_as(struct options *options, const char *value)
{
	options->as_root = true;
	return strcmp(value, "root") == 0 ? 0 : -1;
}

/* Its words are the unit's business. */
static int take_form(struct options *options, const char *value)
{
	options->form = value;
	return 0;
}

/* A word of the command new. */
static int take_template(struct options *options, const char *value)
{
	options->kind = value;
	return 0;
}

static int take_scratch(struct options *options, const char *value)
{
	options->scratch = value;
	return *value ? 0 : -1;
}

static int take_if_stopped(struct options *options, const char *value)
{
	(void)value;
	options->if_stopped = true;
	return 0;
}

static int take_follow(struct options *options, const char *value)
{
	(void)value;
	options->follow = true;
	return 0;
}

static int take_lines(struct options *options, const char *value)
{
	return number(value, &options->lines);
}

static int take_notify_fd(struct options *options, const char *value)
{
	return number(value, &options->notify_fd) < 0 || options->notify_fd < 3 ? -1 : 0;
}

static int take_watch(struct options *options, const char *value)
{
	(void)value;
	options->watch = true;
	return 0;
}

static const struct option_row rows[] = {
    {"--set", "KEY=VALUE", "change a key of the daemon file; \"KEY=\" removes it", take_set,
     OPTION_SET, 0},
    {"--json", NULL, "print JSON", take_json, OPTION_JSON, 0},
    {"--as", "root", "as if root had asked", take_as, OPTION_AS, 0},
    {"--for", "FORM", "systemd (the default), rc.d, s6, runit or logrotate", take_form, OPTION_FORM,
     0},
    {"--template", "KIND", "http (the default), tcp, udp or timer", take_template, OPTION_TEMPLATE,
     0},
    {"--if-stopped", NULL, "exit 0 when it is running already", take_if_stopped, OPTION_IF_STOPPED,
     0},
    {"--follow", NULL, "go on with new lines", take_follow, OPTION_FOLLOW, 'f'},
    {"--lines", "N", "begin with the last N lines", take_lines, OPTION_LINES, 'n'},
    {"--audit", NULL, "prove once more how it is confined", take_audit, OPTION_AUDIT, 0},
    {"--metrics", NULL, "print metrics in Prometheus' text format", take_metrics, OPTION_METRICS,
     0},
    {"--worker", "N", "of this worker, not the first that is ready", take_worker, OPTION_WORKER, 0},
    {"--execute", "CODE", "evaluate this Lua and leave; may be given again", take_code, OPTION_CODE,
     'e'},
    {"--watch", NULL, "reload when its files change; implies workers = 1 at least", take_watch,
     OPTION_WATCH, 0},
    {"--notify-fd", "N", "write a newline to this descriptor when ready", take_notify_fd,
     OPTION_NOTIFY_FD, 0},
    {"--scratch", "FOLDER",
     "for tests: touch nothing outside this folder, and end with the parent process", take_scratch,
     OPTION_SCRATCH, 0},
};
enum { ROWS = sizeof rows / sizeof *rows };

static const char *nearest_of(const char *word, const char *const *names)
{
	struct nearest nearest;

	nearest_init(&nearest, word);
	for (; *names; names++)
		nearest_try(&nearest, *names);
	return nearest.best;
}

/* "unknown option '--jsn', did you mean '--json'?" */
static int unknown(struct err *err, const char *kind, const char *word, const char *nearest)
{
	err->exit = EXIT_USAGE;
	return err_set(err, "unknown %s '%s'%s%s%s", kind, word, nearest ? ", did you mean '" : "",
		       nearest ? nearest : "", nearest ? "'?" : "");
}

/* --- commands --- */

const struct command *command_find(const char *name, struct err *err)
{
	const char *names[64];
	size_t n = 0;

	for (const struct command *command = commands; command->name; command++) {
		if (strcmp(command->name, name) == 0)
			return command;
		if (command->help && n + 1 < sizeof names / sizeof *names)
			names[n++] = command->name;
	}
	names[n] = NULL;
	if (strlen(name) > 4 && strcmp(name + strlen(name) - 4, ".lua") == 0) {
		err->exit = EXIT_USAGE;
		err_set(err, "which command? to run '%s': luvd run %s", name, name);
		return NULL;
	}
	unknown(err, "command", name, nearest_of(name, names));
	return NULL;
}

const struct option_row *option_at(size_t index)
{
	return index < ROWS ? &rows[index] : NULL;
}

/* --- options --- */

static int wrong(struct err *err, const struct command *command, const char *what, const char *word)
{
	err->exit = EXIT_USAGE;
	return err_set(err, "%s: %s '%s'", command->name, what, word);
}

static int no_such_option(struct err *err, const struct command *command, const char *word)
{
	const char *names[ROWS + 1];
	char kind[48], name[64];
	size_t n = 0;

	for (int i = 0; i < ROWS; i++)
		if (command->options & rows[i].bit)
			names[n++] = rows[i].name;
	names[n] = NULL;
	snprintf(kind, sizeof kind, "%s option", command->name);
	snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
	return unknown(err, kind, word, nearest_of(name, names));
}

/* The value that stands in the option's own word: --lines=5, -n5; NULL: none. -1: not this row. */
static int row_match(const struct option_row *row, char *word, char **value)
{
	size_t length = strlen(row->name);

	*value = NULL;
	if (row->letter && word[1] == row->letter) {
		*value = word[2] ? word + 2 : NULL;
		return *value && !row->value ? -1 : 0;
	}
	if (strncmp(word, row->name, length) != 0)
		return -1;
	if (word[length] == '=' && row->value)
		*value = word + length + 1;
	return *value || !word[length] ? 0 : -1;
}

/* Takes the option at *at and moves *at to its last word. */
static int take_option(struct options *options, const struct command *command, char ***at,
		       struct err *err)
{
	const struct option_row *row = rows;
	char *word = **at, *value = NULL;

	while (row < rows + ROWS && row_match(row, word, &value) < 0)
		row++;
	if (row == rows + ROWS || !(command->options & row->bit))
		return no_such_option(err, command, word);
	if (row->value && !value) {
		value = (*at)[1];
		if (!value)
			return wrong(err, command, "a value is missing after", word);
		(*at)++;
	}
	if (row->take(options, value) == 0)
		return 0;
	err->exit = EXIT_USAGE;
	return err_set(err, "%s: %s: expected %s, got '%s'", command->name, row->name, row->value,
		       value);
}

static int take_word(struct options *options, const struct command *command, const char *word,
		     struct err *err)
{
	const char **place = command->file ? &options->file : &options->topic;

	if (command->options & OPTION_WORDS)
		return 0;
	if (!command->file && !*command->arguments)
		return wrong(err, command, "unexpected argument", word);
	if (*place)
		return wrong(err, command, "unexpected argument", word);
	if (!*word)
		return wrong(err, command, "not a file:", word);
	*place = word;
	return 0;
}

static int missing_file(const struct options *options, const struct command *command,
			struct err *err)
{
	if (!command->file || options->file || options->help)
		return 0;
	err->exit = EXIT_USAGE;
	return err_set(err, "%s: which %s? usage: luvd %s %s", command->name,
		       strncmp(command->arguments, "NAME", 4) == 0 ? "name" : "daemon",
		       command->name, command->arguments);
}

int options_parse(struct options *options, const struct command *command, char **arguments,
		  struct err *err)
{
	bool ended = false;
	size_t count = 0;

	while (arguments[count])
		count++;
	*options = (struct options){
	    .command = command->name, .words = arguments, .lines = -1, .notify_fd = -1};
	if (command->options & OPTION_RAW) {
		options->help = arguments[0] && strcmp(arguments[0], "--help") == 0;
		return 0;
	}
	options->sets = calloc(count + 1, sizeof *options->sets);
	options->codes = calloc(count + 1, sizeof *options->codes);
	if (!options->sets || !options->codes)
		return err_sys(err, "cannot read the arguments");
	for (; *arguments; arguments++) {
		const char *word = *arguments;
		int result = 0;

		if (ended || word[0] != '-' || !word[1])
			result = take_word(options, command, word, err);
		else if (strcmp(word, "--") == 0)
			ended = true;
		else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
			options->help = true;
		else
			result = take_option(options, command, &arguments, err);
		if (result < 0)
			return -1;
	}
	return missing_file(options, command, err);
}

void options_finish(struct options *options)
{
	free(options->sets);
	free(options->codes);
	options->sets = NULL;
	options->codes = NULL;
}
