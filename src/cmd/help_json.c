#include <inttypes.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/manual.h"
#include "spec/fields.h"
#include "text.h"

static void string(FILE *out, const char *before, const char *key, const char *text)
{
	fprintf(out, "%s\"%s\":", before, key);
	if (text)
		text_json(out, text, strlen(text));
	else
		fputs("null", out);
}

static const char *truth(bool is)
{
	return is ? "true" : "false";
}

static void print_manual(FILE *out, const struct manual *manual)
{
	string(out, ",", "text", manual->text);
	fputs(",\"codes\":[", out);
	for (const struct exit_meaning *code = manual->codes; code->means; code++) {
		fprintf(out, "%s{\"code\":%d", code == manual->codes ? "" : ",", code->code);
		string(out, ",", "means", code->means);
		fputc('}', out);
	}
	fputs("],\"examples\":[", out);
	for (const struct example *example = manual->examples; example->line; example++) {
		string(out, example == manual->examples ? "{" : ",{", "line", example->line);
		string(out, ",", "does", example->does);
		fputc('}', out);
	}
	fputc(']', out);
}

/* Like a row of the options, within its command. */
static void print_own(FILE *out, const char *command)
{
	const char *comma = "";

	fputs(",\"own\":[", out);
	for (const struct own_option *own = own_options; own->command; own++) {
		if (strcmp(own->command, command) != 0)
			continue;
		fprintf(out, "%s{", comma);
		string(out, "", "name", own->name);
		string(out, ",", "value", own->value);
		string(out, ",", "help", own->help);
		fputc('}', out);
		comma = ",";
	}
	fputc(']', out);
}

static void print_command(FILE *out, const struct command *command)
{
	const struct manual *manual = manual_find(command->name);
	const char *comma = "";

	string(out, "{", "name", command->name);
	string(out, ",", "arguments", command->arguments);
	string(out, ",", "help", command->help);
	fputs(",\"options\":[", out);
	for (const struct option_row *row = option_rows; row->name; row++) {
		if (!(command->options & row->bit))
			continue;
		fprintf(out, "%s\"%s\"", comma, row->name);
		comma = ",";
	}
	fputc(']', out);
	print_own(out, command->name);
	if (manual)
		print_manual(out, manual);
	fputc('}', out);
}

static void print_option(FILE *out, const struct option_row *row)
{
	const char letter[] = {row->letter, '\0'};

	string(out, "{", "name", row->name);
	string(out, ",", "letter", row->letter ? letter : NULL);
	string(out, ",", "value", row->value);
	string(out, ",", "choices", manual_choices(row->name));
	string(out, ",", "help", row->help);
	fputc('}', out);
}

static const char *change_name(enum change_kind kind)
{
	switch (kind) {
	case CHANGE_RESTART:
		return "restart";
	case CHANGE_GENERATION:
		return "workers";
	case CHANGE_IN_PLACE:
		break;
	}
	return "reload";
}

static void print_key(FILE *out, const struct field *field)
{
	const struct kind *kind = field->kind;

	string(out, "{", "name", field->name);
	string(out, ",", "type", kind->name);
	string(out, ",", "expected", kind->expected);
	string(out, ",", "shorthand", kind->shorthand);
	fprintf(out, ",\"group\":%s,\"map\":%s", truth(kind->group), truth(kind->map));
	string(out, ",", "default", field->fallback);
	string(out, ",", "change", change_name(field->change));
	fprintf(out, ",\"later\":%s,\"least\":%" PRId64 ",\"most\":%" PRId64, truth(field->later),
		field->least, field->most);
	string(out, ",", "help", field->help);
	fputc('}', out);
}

void help_print_json(FILE *out)
{
	string(out, "{", "version", LUVD_VERSION);
	fputs(",\n\"commands\":[", out);
	for (const struct command *command = commands; command->name; command++) {
		if (!command->help)
			continue;
		fputs(command == commands ? "\n" : ",\n", out);
		print_command(out, command);
	}
	fputs("],\n\"options\":[", out);
	for (const struct option_row *row = option_rows; row->name; row++) {
		fputs(row == option_rows ? "\n" : ",\n", out);
		print_option(out, row);
	}
	fputs("],\n\"keys\":[", out);
	for (const struct field *field = fields; field->name; field++) {
		fputs(field == fields ? "\n" : ",\n", out);
		print_key(out, field);
	}
	fputs("]}\n", out);
}
