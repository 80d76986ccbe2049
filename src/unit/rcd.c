#include "unit/lines.h"
#include "unit/unit.h"
#include "unit/words.h"

/* A script for /usr/local/etc/rc.d of FreeBSD, rc.subr(8). What it does is luvd's business: each
 * command is one of luvd, with its exit code. */

/* rc.subr makes names of variables of it: letters, digits and _ only, and no digit first. */
static void variable(FILE *out, const char *name)
{
	if (*name >= '0' && *name <= '9')
		fputs("luvd_", out);
	for (; *name; name++)
		fputc(*name == '.' || *name == '-' ? '_' : *name, out);
}

static void head(const struct spec *spec, FILE *out)
{
	fprintf(out, "#!/bin/sh\n\n# PROVIDE: ");
	variable(out, spec->name);
	fputs("\n# REQUIRE: DAEMON NETWORKING\n# KEYWORD: shutdown\n\n# In /etc/rc.conf:\n#   ",
	      out);
	variable(out, spec->name);
	fputs("_enable=\"YES\"\n\n. /etc/rc.subr\n\nname=", out);
	variable(out, spec->name);
	fputs("\ndesc=\"", out);
	words_plain(out, *spec->description ? spec->description : spec->name);
	fputs("\"\nrcvar=", out);
	variable(out, spec->name);
	fputs("_enable\n", out);
}

static const struct {
	const char *verb, *command;
	bool sets; /* takes --set */
} verbs[] = {
    {"start", "start --if-stopped", true}, {"stop", "stop", false},
    {"restart", "restart", true}, /* keeps the old daemon when the new one is wrong */
    {"reload", "reload", false},           {"status", "status", false},
};
enum { VERBS = sizeof verbs / sizeof *verbs };

int unit_rcd(const struct unit *unit, FILE *out, struct err *err)
{
	const struct spec *spec = unit->daemon->spec;

	(void)err;
	head(spec, out);
	fputs("command=", out);
	words_shell(out, unit->program);
	if (spec->pidfile) {
		fputs("\npidfile=", out);
		words_shell(out, spec->pidfile);
	}
	fputs("\nextra_commands=\"reload status\"\n", out);
	for (int i = 0; i < VERBS; i++) {
		fprintf(out, "%s_cmd=", verbs[i].verb);
		variable(out, spec->name);
		fprintf(out, "_%s\n", verbs[i].verb);
	}
	for (int i = 0; i < VERBS; i++) {
		fputc('\n', out);
		variable(out, spec->name);
		fprintf(out, "_%s()\n{\n\t", verbs[i].verb);
		line_shell(unit, verbs[i].command, verbs[i].sets, out);
		fputs("\n}\n", out);
	}
	fputs("\nload_rc_config \"$name\"\n: \"${", out);
	variable(out, spec->name);
	fputs("_enable:=NO}\"\nrun_rc_command \"$1\"\n", out);
	return 0;
}
