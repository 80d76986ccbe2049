#include <string.h>

#include "cmd/cmd.h"
#include "cmd/manual.h"

enum { WIDTH = 80, OPTION_WIDTH = 21 };

static void print_blanks(FILE *out, size_t count)
{
	fprintf(out, "%*s", (int)count, "");
}

/* Paragraphs, broken between words; the first line goes on at column, the others begin at indent.
 */
static void print_text(FILE *out, const char *text, size_t indent, size_t column)
{
	bool first = true;

	while (*text) {
		size_t length = strcspn(text, " \n");

		if (!first && column + 1 + length > WIDTH) {
			fputc('\n', out);
			print_blanks(out, indent);
			column = indent;
		} else if (!first) {
			fputc(' ', out);
			column++;
		}
		fwrite(text, 1, length, out);
		column += length;
		text += length;
		first = false;
		if (strncmp(text, "\n\n", 2) == 0) {
			fputs("\n\n", out);
			print_blanks(out, indent);
			column = indent;
			first = true;
		}
		text += strspn(text, " \n");
	}
	fputc('\n', out);
}

/* "  left                right" */
static void print_row(FILE *out, const char *left, size_t width, const char *right)
{
	fprintf(out, "  %-*s  ", (int)width, left);
	print_text(out, right, width + 4, strlen(left) > width ? strlen(left) + 4 : width + 4);
}

static void print_option(FILE *out, char letter, const char *name, const char *value,
			 const char *help)
{
	char before[8] = "", left[64];

	if (letter)
		snprintf(before, sizeof before, "-%c, ", letter);
	snprintf(left, sizeof left, "%s%s%s%s", before, name, value ? " " : "", value ? value : "");
	print_row(out, left, OPTION_WIDTH, help);
}

static void print_options(FILE *out, const struct command *command)
{
	fputs("\noptions:\n", out);
	for (const struct own_option *own = own_options; own->command; own++)
		if (strcmp(own->command, command->name) == 0)
			print_option(out, 0, own->name, own->value, own->help);
	for (const struct option_row *row = option_rows; row->name; row++)
		if (command->options & row->bit)
			print_option(out, row->letter, row->name, row->value, row->help);
	print_row(out, command->options & OPTION_RAW ? "--help" : "-h, --help", OPTION_WIDTH,
		  "print this");
}

static void print_manual(FILE *out, const struct manual *manual)
{
	fputs("\nexit codes:\n", out);
	for (const struct exit_meaning *code = manual->codes; code->means; code++) {
		char number[16];

		snprintf(number, sizeof number, "%d", code->code);
		print_row(out, number, 1, code->means);
	}
	fputs("\nexamples:\n", out);
	for (const struct example *example = manual->examples; example->line; example++) {
		fprintf(out, "  %s\n      ", example->line);
		print_text(out, example->does, 6, 6);
	}
}

void command_print(const struct command *command, FILE *out)
{
	const struct manual *manual = manual_find(command->name);

	fprintf(out, "usage: luvd %s%s%s\n\n", command->name, *command->arguments ? " " : "",
		command->arguments);
	print_text(out, manual ? manual->text : "For luvd's own use.", 0, 0);
	print_options(out, command);
	if (manual)
		print_manual(out, manual);
}

void commands_print(FILE *out)
{
	fputs("usage: luvd COMMAND FILE [--set KEY=VALUE ...]\n\n"
	      "FILE is a daemon file, or the name of a running daemon.\n\n",
	      out);
	for (const struct command *command = commands; command->name; command++)
		if (command->help)
			fprintf(out, "  %-8s  %s\n", command->name, command->help);
	fputs("\n`luvd COMMAND --help` tells a command's options, `luvd help KEY` what a key of\n"
	      "the daemon file means.\n",
	      out);
}
