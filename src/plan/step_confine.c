#include "plan/step.h"
#include "sys/sys.h"

static void describe(const struct daemon *daemon, FILE *out)
{
	(void)daemon;
	fputs(
	    "forbid core dumps and tracing by others, and new privileges for whatever is executed",
	    out);
}

static int apply(struct daemon *daemon, struct err *err)
{
	(void)daemon;
	if (sys_dumpable(false) < 0)
		return err_sys(err, "cannot forbid core dumps and tracing");
	if (sys_no_new_privs() < 0)
		return err_sys(err, "cannot forbid new privileges");
	return 0;
}

const struct step step_confine = {
    .name = "confine",
    .roles = WORKER,
    .describe = describe,
    .apply = apply,
};
