#include <fcntl.h>

#include "plan/record.h"
#include "plan/step.h"
#include "sys/sys.h"

static void describe(const struct daemon *daemon, FILE *out)
{
	if (daemon->spec->pidfile)
		fprintf(out, "write the pid to '%s'\n", daemon->spec->pidfile);
	fprintf(out, "write '%s/record': what stop, status and reload need to know",
		daemon->spec->home_folder);
}

static uint64_t needs(const struct spec *spec)
{
	(void)spec;
	return NEED_FILES;
}

static int write_pid(struct daemon *daemon, struct err *err)
{
	const char *path = daemon->spec->pidfile;
	char text[24];
	int length = snprintf(text, sizeof text, "%d\n", (int)daemon->pid);

	spec_blame(daemon->spec, "pidfile", err);
	if (sys_truncate(daemon->pidfile_fd) < 0 ||
	    sys_write_at_start(daemon->pidfile_fd, text, (size_t)length) < 0)
		return err_sys(err, "cannot write '%s'", path);
	err->key[0] = err->where[0] = '\0';
	return 0;
}

static int apply(struct daemon *daemon, struct err *err)
{
	daemon->pid = sys_pid();
	if (daemon->pidfile_fd >= 0 && write_pid(daemon, err) < 0)
		return -1;
	return record_write(daemon, err);
}

/* The launcher does not know which file the daemon has made; its lock proves that it is ours. The
 * daemon does, and must look: its root may be another one by now. */
static void discard(struct daemon *daemon, const char *name)
{
	struct stat stat;
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", daemon->spec->home_folder, name);
	if (!daemon_is_detached(daemon) && daemon->lock_fd >= 0 &&
	    sys_stat_at(AT_FDCWD, path, &stat) == 0)
		sys_discard(path, stat.st_dev, stat.st_ino);
}

static void undo(struct daemon *daemon)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/record", daemon->spec->home_folder);
	sys_discard(path, daemon->record_made.device, daemon->record_made.inode);
	discard(daemon, "record.new");
	discard(daemon, "record");
}

const struct step step_record = {
    .name = "record",
    .roles = MONITOR,
    .needs = needs,
    .describe = describe,
    .apply = apply,
    .undo = undo,
};
