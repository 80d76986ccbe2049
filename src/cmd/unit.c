#include "unit/unit.h"

#include <limits.h>
#include <stdlib.h>

#include "cmd/cmd.h"
#include "sys/sys.h"

/* The unit is for any machine with this daemon file: this one is not asked what it can. */
static void be_anywhere(struct daemon *daemon)
{
	struct machine *machine = &daemon->machine;

	if (daemon->source.uid == 0) {
		machine_as_root(machine);
		return;
	}
	machine->uid = machine->euid = daemon->source.uid;
	for (size_t i = 0; i < LIMITS_MAX; i++)
		machine->hard[i] = RLIM_INFINITY;
}

/* All or nothing: half a unit is worse than none. */
static int print_whole(const struct unit_form *form, const struct unit *unit, struct err *err)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	int result;

	if (!out)
		return err_set(err, "out of memory");
	result = unit_print(form, unit, out, err);
	if (fclose(out) != 0)
		result = err_sys(err, "cannot write the unit");
	if (result == 0)
		fwrite(text, 1, length, stdout);
	free(text);
	return result;
}

/* Nothing is done; what it prints is for a package or an administrator to put where it belongs. */
int cmd_unit(struct daemon *daemon, const struct options *options)
{
	char program[PATH_MAX];
	struct unit unit = {.daemon = daemon, .program = program};
	struct err err = {0};
	const struct unit_form *form = unit_form_find(options->form, &err);
	int code;

	if (!form || cmd_source(daemon, options, &err) < 0)
		return cmd_fail(&err);
	daemon->background = form->background;
	code = cmd_spec(daemon, form->background);
	if (code != EXIT_DONE)
		return code;
	be_anywhere(daemon);
	if (sys_self_path(program, sizeof program) < 0)
		err_sys(&err, "cannot tell where luvd itself lies");
	else if (print_whole(form, &unit, &err) == 0)
		return EXIT_DONE;
	return cmd_fail(&err);
}
