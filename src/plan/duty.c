#include "plan/duty.h"

#include "plan/aim.h"
#include "plan/sink.h"
#include "plan/step.h"
#include "sys/sys.h"

/* What luvd itself does later, and what that takes. What the steps need comes from their rows. */

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

static uint64_t of_row(const struct daemon *daemon, const struct step *row)
{
	bool taken = row->needs && (!row->wanted || row->wanted(daemon));

	return taken ? row->needs(daemon->spec) & ~NEED_FILES : 0;
}

/* Sockets are bound anew for the generations of a reload, and for workers that have their own. */
static bool is_later(const struct step *row)
{
	return row == &step_listen || (row->roles & (MONITOR | WORKER));
}

static uint64_t needed(const struct daemon *daemon, bool all)
{
	uint64_t mask = of_duties(daemon);
	struct aim aim;

	aim_make(&aim, daemon);
	if (!aim.new_capabilities)
		return daemon->machine.capabilities;
	for (const struct step *const *row = steps; *row; row++)
		if (all || is_later(*row))
			mask |= of_row(daemon, *row);
	return mask & daemon->machine.capabilities;
}

uint64_t duty_kept(const struct daemon *daemon)
{
	return needed(daemon, false);
}

uint64_t duty_whole(const struct daemon *daemon)
{
	uint64_t mask = needed(daemon, true);
	struct aim aim;

	aim_make(&aim, daemon);
	/* Who is one process has no workers to kill; but what a service keeps it keeps. */
	if (daemon_is_classic(daemon) && aim.new_capabilities)
		mask &= ~NEED_CAPABILITY(CAPABILITY_KILL) | aim.capabilities;
	return mask;
}
