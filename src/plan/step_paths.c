#include <string.h>

#include "plan/folder.h"
#include "plan/step.h"
#include "sys/sys.h"

static const char *const names[DIRECTORIES] = {"runtime", "state", "cache", "logs"};

static bool wanted(const struct daemon *daemon)
{
	for (int i = 0; i < DIRECTORIES; i++)
		if (daemon->spec->folders[i].wanted)
			return true;
	return false;
}

static void describe(const struct daemon *daemon, FILE *out)
{
	const struct spec *spec = daemon->spec;
	const char *separator = "";

	for (int i = 0; i < DIRECTORIES; i++) {
		const struct folder *folder = &spec->folders[i];

		if (!folder->wanted)
			continue;
		fprintf(out, "%smake the folder '%s', owner %u:%u, mode %04o (%s)", separator,
			folder->path, (unsigned)spec->uid, (unsigned)spec->gid,
			(unsigned)folder->mode, names[i]);
		separator = "\n";
	}
}

static uint64_t needs(const struct spec *spec)
{
	for (int i = 0; i < DIRECTORIES; i++)
		if (spec->folders[i].wanted)
			return NEED_FILES | (spec->drops ? NEED_CAPABILITY(CAPABILITY_CHOWN) |
							       NEED_CAPABILITY(CAPABILITY_FOWNER)
							 : 0);
	return 0;
}

/* Owner and mode, for a folder that is there already as well. */
static int settle(const struct daemon *daemon, const struct folder *folder, int fd, struct err *err)
{
	const struct spec *spec = daemon->spec;
	struct stat stat;

	if (sys_stat(fd, &stat) < 0)
		return err_sys(err, "cannot look at '%s'", folder->path);
	if ((stat.st_uid != spec->uid || stat.st_gid != spec->gid) &&
	    sys_chown(fd, spec->uid, spec->gid) < 0)
		return err_sys(err, "cannot give '%s' to uid %u", folder->path,
			       (unsigned)spec->uid);
	if ((stat.st_mode & 07777) != folder->mode && sys_chmod(fd, folder->mode) < 0)
		return err_sys(err, "cannot change the mode of '%s'", folder->path);
	return 0;
}

static int make(struct daemon *daemon, const struct folder *folder, struct err *err)
{
	const char *name;
	int above = folder_of_making(daemon, folder->path, &name, err);
	int fd, result;

	if (above < 0)
		return -1;
	fd = folder_make(daemon, above, name, folder->path, strlen(folder->path), NULL);
	if (fd < 0)
		err_sys(err, "cannot make the folder '%s'", folder->path);
	sys_close(above);
	if (fd < 0)
		return -1;
	result = settle(daemon, folder, fd, err);
	sys_close(fd);
	return result;
}

static int apply(struct daemon *daemon, struct err *err)
{
	for (int i = 0; i < DIRECTORIES; i++) {
		char key[32];

		if (!daemon->spec->folders[i].wanted)
			continue;
		snprintf(key, sizeof key, "directories.%s", names[i]);
		if (make(daemon, &daemon->spec->folders[i], spec_blame(daemon->spec, key, err)) < 0)
			return -1;
	}
	return 0;
}

static void undo(struct daemon *daemon)
{
	folders_discard(daemon);
}

const struct step step_paths = {
    .name = "paths",
    .roles = LAUNCH,
    .needs = needs,
    .wanted = wanted,
    .describe = describe,
    .apply = apply,
    .undo = undo,
};
