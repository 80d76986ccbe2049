#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "plan/step.h"
#include "sys/sys.h"

enum { EMPTY_ROOT_MODE = 0555 };

static bool wanted(const struct daemon *daemon)
{
	return daemon->spec->chroot || daemon->spec->chroot_auto;
}

static void describe(const struct daemon *daemon, FILE *out)
{
	const struct spec *spec = daemon->spec;

	if (spec->chroot_auto)
		fprintf(out,
			"make the folder '%s/root%s', move there, remove it and make it the root: "
			"empty, and nobody can write to it",
			spec->home_folder, daemon_is_classic(daemon) ? "" : ".GENERATION.WORKER");
	else
		fprintf(out, "make '%s' the root and move there", spec->chroot);
	if (strcmp(spec->chdir, "/") != 0)
		fprintf(out, "\nmove to '%s' inside", spec->chdir);
}

static uint64_t needs(const struct spec *spec)
{
	return spec->chroot || spec->chroot_auto
		   ? NEED_FILES | NEED_CAPABILITY(CAPABILITY_SYS_CHROOT)
		   : 0;
}

/* Workers that start at the same time make folders of their own. */
static void root_path(const struct daemon *daemon, int worker, char *path, size_t size)
{
	const char *folder = daemon->spec->home_folder;

	if (daemon_is_classic(daemon))
		snprintf(path, size, "%s/root", folder);
	else
		snprintf(path, size, "%s/root.%d.%d", folder, daemon->generation, worker);
}

/* Makes a folder, moves there and removes it: what has no name cannot be populated by anybody. */
static int enter_nameless(const char *path, struct err *err)
{
	int fd;

	sys_discard_folder(path); /* of a start that was killed just here */
	if (sys_mkdir_at(AT_FDCWD, path, 0700) < 0)
		return err_sys(err, "cannot make the folder '%s'", path);
	fd = sys_open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return err_sys(err, "cannot open the folder '%s'", path);
	if (sys_chmod(fd, EMPTY_ROOT_MODE) < 0) {
		err_sys(err, "cannot change the mode of '%s'", path);
		sys_close(fd);
		return -1;
	}
	sys_close(fd);
	if (sys_chdir(path) < 0)
		return err_sys(err, "cannot move to '%s'", path);
	sys_discard_folder(path);
	return 0;
}

static int enter(const char *path, struct err *err)
{
	if (sys_chroot(path) < 0)
		return err_sys(err, "cannot make '%s' the root", path);
	/* Until here the working directory lies outside, and .. leads on from there. */
	if (sys_chdir("/") < 0)
		return err_sys(err, "cannot move to the new root");
	return 0;
}

static int apply(struct daemon *daemon, struct err *err)
{
	const struct spec *spec = daemon->spec;
	char path[4096];

	spec_blame(spec, "chroot", err);
	root_path(daemon, daemon->worker, path, sizeof path);
	if (spec->chroot_auto ? enter_nameless(path, err) < 0 || enter(".", err) < 0
			      : enter(spec->chroot, err) < 0)
		return -1;
	if (strcmp(spec->chdir, "/") != 0 && sys_chdir(spec->chdir) < 0)
		return err_sys(spec_blame(spec, "chdir", err),
			       "cannot move to '%s' in the new root", spec->chdir);
	return 0;
}

static void undo(struct daemon *daemon)
{
	int workers = daemon_is_classic(daemon) ? 1 : daemon->spec->workers;
	char path[4096];

	/* Inside the empty root there is no such path, so this is right on either side. */
	for (int i = 1; daemon->spec->chroot_auto && i <= workers; i++) {
		root_path(daemon, i, path, sizeof path);
		sys_discard_folder(path);
	}
}

const struct step step_chroot = {
    .name = "chroot",
    .roles = WORKER,
    .needs = needs,
    .wanted = wanted,
    .describe = describe,
    .apply = apply,
    .undo = undo,
};
