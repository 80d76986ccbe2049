#include <errno.h>

#include "plan/step.h"
#include "plan/title.h"
#include "sys/sys.h"

static bool changes_root(const struct spec *spec)
{
	return spec->chroot || spec->chroot_auto;
}

static void describe(const struct daemon *daemon, FILE *out)
{
	const struct spec *spec = daemon->spec;
	size_t count = 0;

	while (spec->environment && spec->environment[count])
		count++;
	if (daemon_is_classic(daemon))
		fprintf(out, "be called 'luvd: %s'", spec->name);
	else
		fprintf(out, "be called 'luvd: %s monitor' and 'luvd: %s worker N'", spec->name,
			spec->name);
	fprintf(out, ", with an environment of %zu variables\n", count);
	if (!changes_root(spec))
		fprintf(out, "move to '%s'\n", spec->chdir);
	else if (!daemon_is_classic(daemon))
		fputs("the monitor: move to '/'\n", out);
	if (spec->oom_given)
		fprintf(out, "set the out-of-memory score to %d\n", spec->oom_score);
	fprintf(out, "set the umask to %03o", (unsigned)spec->umask);
}

static uint64_t needs(const struct spec *spec)
{
	uint64_t needs = NEED_FILES;

	if (spec->oom_given && spec->oom_score < 0)
		needs |= NEED_CAPABILITY(CAPABILITY_SYS_RESOURCE);
	return needs;
}

static int take_environment(struct daemon *daemon, struct err *err)
{
	daemon->environment = strings_copy(daemon->spec->environment);
	if (!daemon->environment)
		return err_set(err, "out of memory");
	sys_environment_set(daemon->environment);
	return 0;
}

/* To its own root a worker moves later. Its monitor keeps the old one, and no folder busy. */
static int move(const struct daemon *daemon, struct err *err)
{
	const struct spec *spec = daemon->spec;

	if (changes_root(spec) && (daemon_is_classic(daemon) || daemon->role == WORKER))
		return 0;
	if (changes_root(spec) && sys_chdir("/") < 0)
		return err_sys(err, "cannot move to '/'");
	if (!changes_root(spec) && sys_chdir(spec->chdir) < 0)
		return err_sys(spec_blame(spec, "chdir", err), "cannot move to '%s'", spec->chdir);
	return 0;
}

static int apply(struct daemon *daemon, struct err *err)
{
	const struct spec *spec = daemon->spec;

	if (take_environment(daemon, err) < 0)
		return -1;
	title_take(daemon);
	if (move(daemon, err) < 0)
		return -1;
	if (spec->oom_given && sys_oom_score(spec->oom_score) < 0)
		return err_sys(spec_blame(spec, "priority.oom_score", err), "cannot set %d",
			       spec->oom_score);
	sys_umask(spec->umask);
	return 0;
}

const struct step step_process = {
    .name = "process",
    .roles = MONITOR | WORKER,
    .needs = needs,
    .describe = describe,
    .apply = apply,
};
