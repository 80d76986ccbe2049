#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "plan/folder.h"
#include "plan/step.h"
#include "sys/sys.h"

enum { TRIES = 20, FLAGS = O_RDWR | O_NOFOLLOW | O_NONBLOCK };

static bool wanted(const struct daemon *daemon)
{
	return daemon->spec->pidfile != NULL;
}

static void describe(const struct daemon *daemon, FILE *out)
{
	fprintf(out, "open and lock the pidfile '%s', mode 0644", daemon->spec->pidfile);
}

static uint64_t needs(const struct spec *spec)
{
	return spec->pidfile ? NEED_FILES : 0;
}

/* The pid that a pidfile names, if such a process lives; else 0. */
static pid_t named_process(int fd)
{
	char text[32];
	ssize_t length = sys_read_from_start(fd, text, sizeof text - 1);
	long pid;

	if (length <= 0)
		return 0;
	text[length] = '\0';
	pid = strtol(text, NULL, 10);
	if (pid <= 1 || pid > INT32_MAX || (sys_kill((pid_t)pid, 0) < 0 && errno == ESRCH))
		return 0;
	return (pid_t)pid;
}

/* Only a file that nobody else can have prepared is used again. */
static bool is_ours(const struct stat *stat, uid_t self)
{
	return stat->st_uid == self && stat->st_nlink == 1 &&
	       !(stat->st_mode & (S_IWGRP | S_IWOTH));
}

/* Opens what is there: the descriptor; -1 with errno ENOENT: nothing is, or it has been removed
 * because it is not ours to use; -1 with err->what: it must not be touched. */
static int open_old(int folder, const char *name, const struct daemon *daemon, struct err *err)
{
	const char *path = daemon->spec->pidfile;
	struct stat stat;
	int fd;

	if (sys_stat_at(folder, name, &stat) < 0)
		return errno == ENOENT ? -1 : err_sys(err, "cannot look at '%s'", path);
	if (S_ISLNK(stat.st_mode))
		return err_set(err, "'%s' is a symbolic link: remove it", path);
	if (!S_ISREG(stat.st_mode))
		return err_set(err, "'%s' is not a regular file: remove it", path);
	if (!is_ours(&stat, daemon->machine.euid)) {
		if (sys_remove_at(folder, name) < 0)
			return err_sys(err, "cannot remove '%s' of uid %u", path,
				       (unsigned)stat.st_uid);
		errno = ENOENT;
		return -1;
	}
	fd = sys_open_at(folder, name, FLAGS, 0);
	return fd < 0 && errno != ENOENT ? err_sys(err, "cannot open '%s'", path) : fd;
}

/* Nobody of this name runs: the lock has told. So a lock on the pidfile belongs to a daemon of
 * another name, or to somebody who wants us not to start: the file is readable for all. */
static int lock(int folder, const char *name, int fd, const char *path, struct err *err)
{
	pid_t pid;

	if (sys_lock(fd) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return err_sys(err, "cannot lock '%s'", path);
	pid = named_process(fd);
	if (pid)
		return err_set(err, "'%s' is locked by another program, its pid is %d", path,
			       (int)pid);
	if (sys_remove_at(folder, name) < 0)
		return err_sys(err, "cannot remove '%s', which is locked", path);
	errno = ENOENT;
	return -1;
}

static int create(int folder, const char *name, const char *path, struct err *err)
{
	int fd = sys_open_at(folder, name, FLAGS | O_CREAT | O_EXCL, 0600);

	if (fd < 0 && errno != EEXIST)
		return err_sys(err, "cannot make '%s'", path);
	if (fd < 0 || lock(folder, name, fd, path, err) == 0)
		return fd;
	sys_close(fd);
	sys_discard_at(folder, name);
	return -1;
}

/* One try: the descriptor, or -1; with an empty err->what it is to be repeated. */
static int take(int folder, const char *name, const struct daemon *daemon, struct err *err)
{
	const char *path = daemon->spec->pidfile;
	int fd = open_old(folder, name, daemon, err);

	if (fd < 0)
		return err->what[0] ? -1 : create(folder, name, path, err);
	if (lock(folder, name, fd, path, err) < 0) {
		sys_close(fd);
		return -1;
	}
	return fd;
}

/* Empty at once: until the daemon's pid is known it names nobody. */
static int prepare(struct daemon *daemon, int folder, const char *name, struct err *err)
{
	const char *path = daemon->spec->pidfile;
	struct stat mine, named;

	if (sys_stat(daemon->pidfile_fd, &mine) < 0 || sys_stat_at(folder, name, &named) < 0) {
		err_sys(err, "cannot look at '%s'", path);
		sys_discard_at(folder, name); /* nobody of this name runs: the lock has told */
		return -1;
	}
	if (mine.st_dev != named.st_dev || mine.st_ino != named.st_ino)
		return err_set(err, "'%s' is being replaced by somebody else", path);
	daemon->pidfile_device = mine.st_dev;
	daemon->pidfile_inode = mine.st_ino;
	if (sys_truncate(daemon->pidfile_fd) < 0 || sys_chmod(daemon->pidfile_fd, 0644) < 0)
		return err_sys(err, "cannot write to '%s'", path);
	return 0;
}

static int open_folder(const struct daemon *daemon, const char **name, struct err *err)
{
	int folder = folder_of(daemon->spec->pidfile, daemon->machine.euid, name, err);

	if (folder < 0 && err->code == ENOENT) {
		char what[sizeof err->what];

		snprintf(what, sizeof what, "%s", err->what);
		err_set(err, "%.400s: it does not exist: make it, or use directories.runtime",
			what);
	}
	return folder;
}

static int apply(struct daemon *daemon, struct err *err)
{
	const char *name;
	int folder, result = -1;

	spec_blame(daemon->spec, "pidfile", err);
	folder = open_folder(daemon, &name, err);
	if (folder < 0)
		return -1;
	err->what[0] = '\0';
	for (int i = 0; i < TRIES && daemon->pidfile_fd < 0 && !err->what[0]; i++)
		daemon->pidfile_fd = take(folder, name, daemon, err);
	if (daemon->pidfile_fd >= 0)
		result = prepare(daemon, folder, name, err);
	else if (!err->what[0])
		err_set(err, "'%s' is being replaced by somebody else", daemon->spec->pidfile);
	sys_close(folder);
	return result;
}

static void undo(struct daemon *daemon)
{
	sys_discard(daemon->spec->pidfile, daemon->pidfile_device, daemon->pidfile_inode);
}

const struct step step_pidfile = {
    .name = "pidfile",
    .roles = LAUNCH,
    .needs = needs,
    .wanted = wanted,
    .describe = describe,
    .apply = apply,
    .undo = undo,
};
