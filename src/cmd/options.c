#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "spec/nearest.h"

enum { NAMES_MAX = 64 }; /* of commands, of options: what is typed may mean one of them */

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
	const char *names[NAMES_MAX + 1];
	size_t n = 0;

	for (const struct command *command = commands; command->name; command++) {
		if (strcmp(command->name, name) == 0)
			return command;
		if (command->help && n < NAMES_MAX)
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

/* --- options --- */

static int wrong(struct err *err, const struct command *command, const char *what, const char *word)
{
	err->exit = EXIT_USAGE;
	return err_set(err, "%s: %s '%s'", command->name, what, word);
}

static int no_such_option(struct err *err, const struct command *command, const char *word)
{
	const char *names[NAMES_MAX + 1];
	char kind[48], name[64];
	size_t n = 0;

	for (const struct option_row *row = option_rows; row->name; row++)
		if (command->options & row->bit && n < NAMES_MAX)
			names[n++] = row->name;
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
	const struct option_row *row = option_rows;
	char *word = **at, *value = NULL;

	while (row->name && row_match(row, word, &value) < 0)
		row++;
	if (!row->name || !(command->options & row->bit))
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
