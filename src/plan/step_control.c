#include "plan/step.h"
#include "plan/unix.h"
#include "sys/sys.h"

enum { BACKLOG = 16, MODE = 0666 };

static bool wanted(const struct daemon *daemon)
{
	return daemon->spec->control_wanted;
}

static void describe(const struct daemon *daemon, FILE *out)
{
	fprintf(out, "listen for the commands status, stop, reload and logs at '%s'",
		daemon->spec->control);
}

static uint64_t needs(const struct spec *spec)
{
	return spec->control_wanted ? NEED_FILES : 0;
}

static int apply(struct daemon *daemon, struct err *err)
{
	/* Open to all: the credentials of the peer decide what it may ask for. */
	const struct unix_file file = {.path = daemon->spec->control,
				       .mode = MODE,
				       .uid = (uid_t)-1,
				       .gid = (gid_t)-1,
				       .backlog = BACKLOG};

	spec_blame(daemon->spec, "control", err);
	daemon->control_fd = sys_socket(AF_UNIX, SOCK_STREAM);
	if (daemon->control_fd < 0)
		return err_sys(err, "cannot make a socket");
	return unix_listen(daemon->control_fd, &file, daemon->machine.euid, &daemon->control_made,
			   err);
}

static void undo(struct daemon *daemon)
{
	if (daemon_is_detached(daemon))
		sys_discard(daemon->spec->control, daemon->control_made.device,
			    daemon->control_made.inode);
	else
		unix_discard(daemon->spec->control);
}

const struct step step_control = {
    .name = "control",
    .roles = MONITOR,
    .needs = needs,
    .wanted = wanted,
    .describe = describe,
    .apply = apply,
    .undo = undo,
};
