#include "plan/aim.h"
#include "plan/sink.h"
#include "plan/step.h"
#include "sys/sys.h"

/* What the monitor itself does later, and what that takes. What its workers' rows need comes from
 * the rows. */

static bool always(const struct daemon *daemon)
{
	(void)daemon;
	return true;
}

static bool drops(const struct daemon *daemon)
{
	return daemon->spec->drops;
}

static bool has_unix_socket(const struct spec *spec)
{
	for (size_t i = 0; i < spec->listen_count; i++)
		for (size_t k = 0; k < spec->listens[i].address_count; k++)
			if (spec->listens[i].addresses[k].kind == ADDRESS_UNIX)
				return true;
	return false;
}

/* In folders that may be the service's own. */
static bool touches_files(const struct daemon *daemon)
{
	return sink_kind(daemon) == SINK_FILE || daemon->spec->file_count > 0 ||
	       has_unix_socket(daemon->spec);
}

static bool gives_files_away(const struct daemon *daemon)
{
	const struct spec *spec = daemon->spec;

	for (size_t i = 0; i < spec->listen_count; i++)
		if (spec->listens[i].owner)
			return true;
	return spec->drops && (spec->file_count > 0 || sink_kind(daemon) == SINK_FILE);
}

/* Whether it takes a privilege depends on what this process was given: on nice(1), say. */
static bool sets_priority(const struct daemon *daemon)
{
	return daemon->spec->nice_given || daemon->spec->ioprio_class != 0;
}

static bool raises_limits(const struct daemon *daemon)
{
	const struct spec *spec = daemon->spec;

	for (size_t i = 0; i < spec->limit_count; i++)
		if (spec->limits[i].value > daemon->machine.hard[spec->limits[i].resource])
			return true;
	return spec->oom_given;
}

/* Emptying the bounding set is wished, not needed: no row names it. */
static bool empties_bounding(const struct daemon *daemon)
{
	struct aim aim;

	aim_make(&aim, daemon);
	return aim.new_bounding;
}

static const struct {
	int capability;
	bool (*wanted)(const struct daemon *daemon);
} duties[] = {
    {CAPABILITY_KILL, drops},                 /* workers are another user's processes */
    {CAPABILITY_DAC_READ_SEARCH, always},     /* a reload reads the daemon file wherever it lies */
    {CAPABILITY_DAC_OVERRIDE, touches_files}, /* log, declared files and sockets, made anew */
    {CAPABILITY_CHOWN, gives_files_away},     /* new ones belong to the service's user ... */
    {CAPABILITY_FOWNER, gives_files_away},    /* ... and get their mode */
    {CAPABILITY_SETPCAP, empties_bounding},   /* the workers' row identity */
    {CAPABILITY_SYS_NICE, sets_priority},     /* the workers' row limits ... */
    {CAPABILITY_SYS_RESOURCE, raises_limits}, /* ... and process */
};

static uint64_t of_duties(const struct daemon *daemon)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < sizeof duties / sizeof *duties; i++)
		if (duties[i].wanted(daemon))
			mask |= NEED_CAPABILITY(duties[i].capability);
	return mask;
}

/* Sockets are bound anew for the generations of a reload, and for workers that have their own. */
static uint64_t of_rows(const struct daemon *daemon)
{
	uint64_t mask = 0;

	for (const struct step *const *row = steps; *row; row++) {
		bool later = *row == &step_listen || ((*row)->roles & (MONITOR | WORKER));

		if (later && (*row)->needs && (!(*row)->wanted || (*row)->wanted(daemon)))
			mask |= (*row)->needs(daemon->spec);
	}
	return mask & ~NEED_FILES;
}

/* A worker that keeps all that root has can only be started by who has it all. */
static uint64_t kept(const struct daemon *daemon)
{
	struct aim aim;

	aim_make(&aim, daemon);
	if (!aim.new_capabilities)
		return daemon->machine.capabilities;
	return (of_duties(daemon) | of_rows(daemon)) & daemon->machine.capabilities;
}

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
	aim_print_capabilities(kept(daemon), out);
}

/* What execve(2) makes of this: root gets the bounding set back, others what is ambient. */
static uint64_t of_children(const struct daemon *daemon, const struct sys_capabilities *have)
{
	return daemon->machine.euid == 0 ? have->bounding | have->inheritable : have->ambient;
}

static int apply(struct daemon *daemon, struct err *err)
{
	struct machine *machine = &daemon->machine;
	uint64_t mask = kept(daemon);
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
