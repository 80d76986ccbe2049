#include <signal.h>

#include "plan/step.h"
#include "sys/sys.h"

/* Only what a test has started (--scratch): everybody else's daemon outlives its launcher. A worker
 * is tied to its monitor by the row confine. */
static bool wanted(const struct daemon *daemon)
{
	return daemon->spec->source.scratch && !daemon->monitor;
}

static void describe(const struct daemon *daemon, FILE *out)
{
	(void)daemon;
	fputs("end at once when the process that has started us is gone", out);
}

/* QUIT stops at once and leaves nothing behind, unless the daemon file gives it another meaning. */
static int number_of(const struct spec *spec)
{
	for (size_t i = 0; i < spec->signal_count; i++)
		if (spec->signals[i].number == SIGQUIT)
			return spec->signals[i].action == ACTION_STOP_NOW ? SIGQUIT : SIGKILL;
	return SIGQUIT;
}

static int apply(struct daemon *daemon, struct err *err)
{
	if (sys_parent_death_signal(number_of(daemon->spec)) < 0)
		return err_sys(err, "cannot ask for a signal at the parent's end");
	return sys_parent() == daemon->parent ? 0 : err_set(err, "the parent process is gone");
}

const struct step step_tether = {
    .name = "tether",
    .roles = MONITOR | WORKER,
    .wanted = wanted,
    .describe = describe,
    .apply = apply,
};
