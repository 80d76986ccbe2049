#include "plan/aim.h"
#include "plan/duty.h"
#include "plan/step.h"
#include "sys/sys.h"

static bool leaves_groups(const struct daemon *daemon)
{
	return daemon->machine.root && aim_has(daemon->machine.capabilities, CAPABILITY_SETGID);
}

static bool wanted(const struct daemon *daemon)
{
	return !daemon_is_classic(daemon);
}

static void describe(const struct daemon *daemon, FILE *out)
{
	if (leaves_groups(daemon))
		fputs("leave the groups of whoever started us\n", out);
	fputs("keep in the monitor what it and its workers need, also of what they can get back: ",
	      out);
	aim_print_capabilities(duty_kept(daemon), out);
}

/* What execve(2) makes of this: root gets the bounding set back, others what is ambient. */
static uint64_t of_children(const struct daemon *daemon, const struct sys_capabilities *have)
{
	return daemon->machine.euid == 0 ? have->bounding | have->inheritable : have->ambient;
}

static int apply(struct daemon *daemon, struct err *err)
{
	struct machine *machine = &daemon->machine;
	uint64_t mask = duty_kept(daemon);
	struct sys_capabilities have;

	if (leaves_groups(daemon) && sys_groups_set(NULL, 0) < 0)
		return err_sys(err, "cannot leave the supplementary groups");
	if (aim_has(machine->capabilities, CAPABILITY_SETPCAP) && sys_bounding_set(mask) < 0)
		return err_sys(err, "cannot empty the bounding set of capabilities");
	if (sys_capabilities_set(mask) < 0)
		return err_sys(err, "cannot set the capabilities");
	if (sys_capabilities(&have) < 0)
		return err_sys(err, "cannot read our capabilities");
	if (have.effective != mask || have.permitted != mask)
		return err_set(err, "the capabilities are not those asked for");
	machine->capabilities = of_children(daemon, &have);
	machine->bounding = have.bounding;
	return 0;
}

const struct step step_reduce = {
    .name = "reduce",
    .roles = MONITOR,
    .wanted = wanted,
    .describe = describe,
    .apply = apply,
};
