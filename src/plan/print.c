#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"
#include "text.h"

enum { NAME_WIDTH = 8 }; /* of the longest step */

static int describe(const struct step *step, const struct daemon *daemon, char **text,
		    size_t *length)
{
	FILE *out = open_memstream(text, length);

	if (!out)
		return -1;
	step->describe(daemon, out);
	return fclose(out);
}

/* Every line of a description below its first one. */
static void print_text(size_t number, const struct step *step, char *text, FILE *out)
{
	char *rest = text, *line = strtok_r(rest, "\n", &rest);

	fprintf(out, "%2zu  %-*s  ", number, NAME_WIDTH, step->name);
	for (; line; line = strtok_r(rest, "\n", &rest)) {
		if (line != text)
			fprintf(out, "%*s", 2 + 2 + NAME_WIDTH + 2, "");
		text_line(out, line, strlen(line));
		fputc('\n', out);
	}
}

static void print_roles(unsigned roles, FILE *out)
{
	static const struct {
		unsigned role;
		const char *name;
	} names[] = {{LAUNCH, "launch"}, {MONITOR, "monitor"}, {WORKER, "worker"}};
	const char *separator = "";

	fputc('[', out);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (!(roles & names[i].role))
			continue;
		fprintf(out, "%s\"%s\"", separator, names[i].name);
		separator = ", ";
	}
	fputc(']', out);
}

static void print_json(size_t number, const struct step *step, const char *text, size_t length,
		       FILE *out)
{
	fprintf(out, "%s\n    {\"step\": \"%s\", \"does\": ", number > 1 ? "," : "", step->name);
	text_json(out, text, length);
	fputs(", \"roles\": ", out);
	print_roles(step->roles, out);
	fputc('}', out);
}

void plan_print(const struct plan *plan, const struct daemon *daemon, bool json, FILE *out)
{
	if (json) {
		fputs("{\n  \"name\": ", out);
		text_json(out, daemon->spec->name, strlen(daemon->spec->name));
		fputs(",\n  \"steps\": [", out);
	}
	for (size_t i = 0; i < plan->count; i++) {
		const struct step *step = plan->rows[i];
		char *text = NULL;
		size_t length = 0;

		if (describe(step, daemon, &text, &length) == 0 && json)
			print_json(i + 1, step, text, length, out);
		else if (text)
			print_text(i + 1, step, text, out);
		free(text);
	}
	if (json)
		fputs("\n  ]\n}\n", out);
}
