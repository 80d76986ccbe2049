#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "plan/folder.h"
#include "plan/lock.h"
#include "plan/record.h"
#include "plan/step.h"
#include "sys/sys.h"

enum {
	TRIES = 200,    /* each one that fails means that another start has just cleaned up */
	ASK_TIMES = 20, /* for the pid of a winner that has not yet written it: 100 ms */
	ASK_EVERY = 5   /* milliseconds */
};

static void describe(const struct daemon *daemon, FILE *out)
{
	fprintf(out, "lock '%s/lock': it tells whether '%s' runs", daemon->spec->home_folder,
		daemon->spec->name);
}

static uint64_t needs(const struct spec *spec)
{
	(void)spec;
	return NEED_FILES;
}

/* Root's folders are readable below their names; those of others are nobody else's business, and
 * may lie in a folder where anybody can make names. */
static int check_folder(const struct daemon *daemon, int fd, const char *path, struct err *err)
{
	mode_t forbidden = daemon->machine.root ? 022 : 077;
	struct stat stat;

	if (sys_stat(fd, &stat) < 0)
		return err_sys(err, "cannot look at '%s'", path);
	if (stat.st_uid != daemon->machine.euid)
		return err_set(err, "'%s' belongs to uid %u, not to us: remove it", path,
			       (unsigned)stat.st_uid);
	if (stat.st_mode & forbidden)
		return err_set(err, "'%s' has mode %04o, which lets others in: remove it", path,
			       (unsigned)stat.st_mode & 07777);
	return 0;
}

/* Makes name in folder, unless it is there, and opens it. -1 with err->code. */
static int make_folder(const struct daemon *daemon, int folder, const char *name, const char *path,
		       mode_t mode, struct err *err)
{
	bool made = sys_mkdir_at(folder, name, 0700) == 0;
	int fd;

	if (!made && errno != EEXIST)
		return err_sys(err, "cannot make the folder '%s'", path);
	fd = sys_open_at(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return err_sys(err, "cannot open the folder '%s'", path);
	if (made && daemon->machine.root && sys_chmod(fd, mode) < 0)
		err_sys(err, "cannot change the mode of '%s'", path);
	else if (check_folder(daemon, fd, path, err) == 0)
		return fd;
	sys_close(fd);
	return -1;
}

/* HOME and the folder it lies in, /run/luvd: readable, so that `status` can list the names. */
static int make_home(const struct daemon *daemon, struct err *err)
{
	const char *home = daemon->spec->home_folder;
	const char *name, *parent_name;
	char parent[4096];
	int above, below, fd;

	snprintf(parent, sizeof parent, "%.*s", (int)(strrchr(home, '/') - home), home);
	above = folder_of(parent, daemon->machine.euid, &parent_name, err);
	if (above < 0)
		return -1;
	name = strrchr(home, '/') + 1;
	below = make_folder(daemon, above, parent_name, parent, 0755, err);
	sys_close(above);
	if (below < 0)
		return -1;
	fd = make_folder(daemon, below, name, home, 0711, err);
	sys_close(below);
	sys_close(fd);
	return fd < 0 ? -1 : 0;
}

/* The winner writes its record some milliseconds after it has taken the lock. */
static int already_running(const struct daemon *daemon, struct err *err)
{
	const char *home = daemon->spec->home_folder;
	struct record record;

	snprintf(err->key, sizeof err->key, "%s", daemon->spec->name);
	err->exit = EXIT_RUNNING;
	for (int i = 0; i < ASK_TIMES; i++) {
		if (record_read(home, &record, NULL) == 0) {
			pid_t pid = record_is_alive(&record) ? record.pid : 0;

			record_finish(&record);
			if (pid)
				return err_set(err, "already running, pid %d", (int)pid);
		}
		sys_sleep(ASK_EVERY);
	}
	return err_set(err, "already running");
}

static int apply(struct daemon *daemon, struct err *err)
{
	for (int i = 0; i < TRIES; i++) {
		if (make_home(daemon, err) == 0)
			daemon->lock_fd = lock_take(daemon->spec->home_folder, err);
		if (daemon->lock_fd >= 0)
			return 0;
		if (err->code == EWOULDBLOCK)
			return already_running(daemon, err);
		/* A start that failed has removed the folder under us. */
		if (err->code != ENOENT)
			return -1;
	}
	return -1;
}

static void undo(struct daemon *daemon)
{
	const char *home = daemon->spec->home_folder;
	char parent[4096];

	/* Without the lock only what is empty goes: another start that needs it makes it again. */
	if (daemon->lock_fd >= 0)
		lock_discard(home, daemon->lock_fd);
	else
		sys_discard_folder(home);
	snprintf(parent, sizeof parent, "%.*s", (int)(strrchr(home, '/') - home), home);
	sys_discard_folder(parent);
}

const struct step step_lock = {
    .name = "lock",
    .roles = LAUNCH,
    .needs = needs,
    .describe = describe,
    .apply = apply,
    .undo = undo,
};
