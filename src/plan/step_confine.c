#include "plan/step.h"
#include "sys/sys.h"

static void describe(const struct daemon *daemon, FILE *out)
{
	fputs(
	    "forbid core dumps and tracing by others, and new privileges for whatever is executed",
	    out);
	if (!daemon_is_classic(daemon))
		fputs("\nbe told to end when the monitor is gone", out);
}

/* Here and not before: setresuid(2) clears it. A monitor that went a moment before is none that
 * the kernel would still tell of. */
static int tie_to_monitor(const struct daemon *daemon, struct err *err)
{
	if (sys_parent_death_signal(SIGTERM) < 0)
		return err_sys(err, "cannot ask for a signal at the monitor's end");
	return sys_parent() == daemon->monitor ? 0 : err_set(err, "the monitor is gone");
}

static int apply(struct daemon *daemon, struct err *err)
{
	if (daemon->monitor && tie_to_monitor(daemon, err) < 0)
		return -1;
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
