#include <inttypes.h>

#include "unit/lines.h"
#include "unit/unit.h"

/* Run scripts of supervisors: luvd stays in the foreground, under the pid of the script. Its log is
 * standard error, which goes where standard output goes: to the supervisor's logger. */

static const char unwrapped[] = "exec 2>&1\n";

int unit_s6(const struct unit *unit, FILE *out, struct err *err)
{
	const struct spec *spec = unit->daemon->spec;

	(void)err;
	fputs("#!/bin/sh\n"
	      "# `run` in a service directory of s6, mode 0755. Beside it lie:\n"
	      "#   notification-fd  echo 3: luvd tells there that it is ready (s6-svwait -U)\n",
	      out);
	if (spec->timeout_stop > 0)
		fprintf(out,
			"#   timeout-kill     echo %" PRId64 ": after timeouts.stop, and 5 s, "
			"nothing else helps\n",
			spec->timeout_stop + 5000);
	fputs("#   finish           a script, mode 0755: a daemon file that is wrong is not tried "
	      "again\n"
	      "#                      #!/bin/sh\n"
	      "#                      [ \"$1\" -ne 2 ] || exit 125\n",
	      out);
	fputs(unwrapped, out);
	fputs("exec ", out);
	line_shell(unit, "run --notify-fd 3", true, out);
	fputc('\n', out);
	return 0;
}

int unit_runit(const struct unit *unit, FILE *out, struct err *err)
{
	const struct spec *spec = unit->daemon->spec;

	(void)err;
	fputs("#!/bin/sh\n"
	      "# `run` in a service directory of runit, mode 0755. Beside it lies `check`, mode\n"
	      "# 0755, by which `sv start` waits until the daemon is ready:\n"
	      "#   #!/bin/sh\n"
	      "#   ",
	      out);
	line_shell(unit, "status", false, out);
	fputs(" >/dev/null\n", out);
	if (spec->timeout_stop > 0)
		fprintf(out,
			"# A stop takes as long as timeouts.stop allows: sv -w %" PRId64 " stop.\n",
			(spec->timeout_stop + 999) / 1000 + 5);
	fputs(unwrapped, out);
	fputs("exec ", out);
	line_shell(unit, "run", true, out);
	fputc('\n', out);
	return 0;
}
