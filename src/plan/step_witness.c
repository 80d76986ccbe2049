#include <fcntl.h>

#include "plan/step.h"
#include "sys/sys.h"

static void describe(const struct daemon *daemon, FILE *out)
{
	(void)daemon;
	fputs("open '/proc/self/status', which tells the audit what we have become", out);
}

static uint64_t needs(const struct spec *spec)
{
	(void)spec;
	return NEED_FILES;
}

static int apply(struct daemon *daemon, struct err *err)
{
	struct stat stat;

	if (sys_stat_at(AT_FDCWD, "/", &stat) < 0)
		return err_sys(err, "cannot look at '/'");
	daemon->root = (struct made){stat.st_dev, stat.st_ino};
	/* A file: a folder of /proc that is kept would be a way out of the new root. */
	daemon->witness_fd = sys_open_status();
	if (daemon->witness_fd < 0)
		return err_sys(err, "cannot open '/proc/self/status'");
	return 0;
}

const struct step step_witness = {
    .name = "witness",
    .roles = WORKER,
    .needs = needs,
    .describe = describe,
    .apply = apply,
};
