#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/fresh.h"
#include "cmd/template.h"
#include "spec/kinds.h"
#include "spec/parse.h"
#include "sys/sys.h"

/* Where luvd's types for editors lie, seen from the folder of the program: installed, and built. */
static const char *const places[] = {"../share/luvd/lua", "share/luvd/lua", NULL};

static bool check_name(const char *name, struct err *err)
{
	size_t length = strlen(name);

	err->exit = EXIT_USAGE;
	if (strchr(name, '/'))
		err_set(err,
			"new: expected a name, got the path '%s': the folder of this name is made "
			"where you are",
			name);
	else if (!parse_name(name))
		err_set(err, "new: expected %s, got '%s'", kind_name.expected, name);
	else if (length > 4 && strcmp(name + length - 4, ".lua") == 0)
		err_set(err, "new: expected a name without \".lua\", got '%s': luvd new %.*s", name,
			(int)length - 4, name);
	else if (strcmp(name, "service") == 0)
		err_set(err,
			"new: 'service' is taken: service.lua is the file beside the daemon file");
	else
		return true;
	return false;
}

/* The folder with luvd/types.lua in it, to be freed; NULL: it is not beside this program. */
static char *find_types(void)
{
	char program[PATH_MAX], path[2 * PATH_MAX];
	char *slash;

	if (sys_self_path(program, sizeof program) < 0 || !(slash = strrchr(program, '/')))
		return NULL;
	*slash = 0;
	for (int i = 0; places[i]; i++) {
		snprintf(path, sizeof path, "%s/%s/luvd/types.lua", program, places[i]);
		if (access(path, R_OK) < 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", program, places[i]);
		return realpath(path, NULL);
	}
	return NULL;
}

static int make_file(struct fresh *fresh, const struct embedded *file, const struct blanks *blanks,
		     struct err *err)
{
	char *path = template_path(file, blanks, err);
	char *text = NULL;
	int result = *err->what ? -1 : 0;

	if (path) {
		text = template_text((const char *)file->bytes, file->length, blanks, err);
		result = text ? fresh_file(fresh, path, text, err) : -1;
	}
	free(text);
	free(path);
	return result;
}

/* All of them, or none. */
static int make(const struct blanks *blanks, struct err *err)
{
	struct fresh fresh;
	int result = fresh_folder(&fresh, blanks->name, err);

	for (const struct embedded *file = template_files; result == 0 && file->name; file++)
		result = make_file(&fresh, file, blanks, err);
	if (result < 0)
		fresh_undo(&fresh);
	fresh_finish(&fresh);
	return result;
}

enum { WIDTH = 28 }; /* of what stands before an explanation */

/* "  greet.lua                   what the daemon is" */
static void print_row(const char *before, const char *name, const char *after, const char *about)
{
	int used = printf("  %s%s%s", before, name, after);

	printf("%*s%s\n", used < WIDTH ? WIDTH - used : 2, "", about);
}

/* What was made, and what to do with it. */
static int report(const struct blanks *blanks, struct err *err)
{
	const struct template *template = blanks->template;
	const char *name = blanks->name;
	char *attempt = template_text(template->attempt, strlen(template->attempt), blanks, err);

	if (!attempt)
		return -1;
	printf("made the folder %s: a daemon that %s\n\n", name, template->about);
	print_row("", name, ".lua", "what the daemon is");
	print_row("service.lua", "", "", "what it does");
	print_row("spec/", name, "_spec.lua", "its tests");
	printf("\nnow:\n\n  cd %s\n", name);
	print_row("luvd test", "", "", "# runs its tests");
	print_row("luvd start ", name, ".lua", "# returns when it is ready");
	printf("  %s\n", attempt);
	print_row("luvd reload ", name, "", "# after each change");
	printf("  luvd stop %s\n", name);
	free(attempt);
	return 0;
}

static void warn_of_types(void)
{
	struct err err = {0};

	err_set(&err, "new: luvd's types are not installed beside it: in .luarc.json, name the "
		      "folder that has luvd/types.lua, and editors complete luvd's functions");
	cmd_warn(&err);
}

int cmd_new(struct daemon *daemon, const struct options *options)
{
	struct blanks blanks = {.name = options->file};
	struct err err = {0};
	char *types;
	int code = EXIT_DONE;

	(void)daemon;
	blanks.template = template_find(options->kind, &err);
	if (!blanks.template || !check_name(options->file, &err))
		return cmd_fail(&err);
	blanks.types = types = find_types();
	err = (struct err){0};
	if (make(&blanks, &err) < 0) {
		snprintf(err.step, sizeof err.step, "new");
		code = cmd_fail(&err);
	} else if (report(&blanks, &err) < 0) {
		code = cmd_fail(&err);
	} else if (!types) {
		warn_of_types();
	}
	free(types);
	return code;
}
