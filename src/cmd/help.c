#include <string.h>

#include "cmd/cmd.h"
#include "spec/fields.h"

static void print_row(const char *key, const char *text)
{
	printf("  %-10s %s\n", key, text);
}

/* What it takes to change a key of a daemon that runs. */
static const char *change_text(enum change_kind kind)
{
	switch (kind) {
	case CHANGE_RESTART:
		return "changes by a restart only";
	case CHANGE_GENERATION:
		return "changes by new workers; a daemon with workers = 0 has to be restarted";
	case CHANGE_IN_PLACE:
		break;
	}
	return "may change in a running daemon";
}

static bool is_one_with_its_keys(const struct field *group)
{
	for (const struct field *field = fields; field->name; field++)
		if (field_is_below(field, group->name) && !field->later &&
		    field->change != group->change)
			return false;
	return true;
}

static void print_field(const struct field *field)
{
	printf("%s\n  %s\n\n", field->name, field->help);
	print_row("type", field->kind->name);
	print_row("default", field->fallback ? field->fallback : "none");
	if (field->later)
		print_row("yet", "not supported by this version");
	else if (is_one_with_its_keys(field))
		print_row("reload", change_text(field->change));
	else
		print_row("reload", "as each key below it says: luvd help KEY");
}

static void print_below(const char *key)
{
	bool first = true;

	for (const struct field *field = fields; field->name; field++) {
		if (!field_is_below(field, key))
			continue;
		fputs(first ? "\nkeys below it:\n" : "", stdout);
		printf("  %-28s %s\n", field->name, field->help);
		first = false;
	}
}

static int print_key(const char *key)
{
	const struct field *field = field_find(key);
	const char *nearest = field ? NULL : field_nearest(key);
	struct err err = {.exit = EXIT_USAGE};

	if (!field) {
		err_set(&err, "help: unknown key '%s'%s%s%s", key,
			nearest ? ", did you mean '" : "", nearest ? nearest : "",
			nearest ? "'?" : "");
		return cmd_fail(&err);
	}
	print_field(field);
	print_below(field->name);
	return EXIT_DONE;
}

/* The keys that stand at the top of a daemon file. */
static void print_keys(void)
{
	fputs("\nkeys of a daemon file:\n", stdout);
	for (const struct field *field = fields; field->name; field++)
		if (!strchr(field->name, '.'))
			printf("  %-13s %s\n", field->name, field->help);
}

static const struct command *command_of(const char *name)
{
	for (const struct command *command = commands; command->name; command++)
		if (command->help && strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

static int print_all_json(const char *topic)
{
	struct err err = {.exit = EXIT_USAGE};

	if (topic) {
		err_set(&err, "help: --json tells of all keys and commands: leave out '%s'", topic);
		return cmd_fail(&err);
	}
	help_print_json(stdout);
	return EXIT_DONE;
}

int cmd_help(struct daemon *daemon, const struct options *options)
{
	const char *topic = options->topic;

	(void)daemon;
	if (options->json)
		return print_all_json(topic);
	if (topic && !field_find(topic) && command_of(topic)) {
		command_print(command_of(topic), stdout);
		return EXIT_DONE;
	}
	if (topic)
		return print_key(topic);
	commands_print(stdout);
	print_keys();
	return EXIT_DONE;
}
