#include "plan/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "sys/sys.h"

enum { TRIES = 1000 }; /* each one that fails means that another start has gone */

/* A locked file whose name has meanwhile been given to another file locks nothing. */
static int is_current(int folder, int fd)
{
	struct stat mine, named;

	if (sys_stat(fd, &mine) < 0)
		return -1;
	if (sys_stat_at(folder, "lock", &named) < 0)
		return errno == ENOENT ? 0 : -1;
	return mine.st_dev == named.st_dev && mine.st_ino == named.st_ino;
}

static int take_in(int folder)
{
	for (int i = 0; i < TRIES; i++) {
		int fd =
		    sys_open_at(folder, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0600);
		int current;

		if (fd < 0)
			return -1;
		current = sys_lock(fd) < 0 ? -1 : is_current(folder, fd);
		if (current == 1)
			return fd;
		sys_close(fd);
		if (current < 0)
			return -1;
	}
	errno = EBUSY;
	return -1;
}

int lock_take(const char *home_folder, struct err *err)
{
	int folder = sys_open(home_folder, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	int fd;

	if (folder < 0)
		return err_sys(err, "cannot open the folder '%s'", home_folder);
	fd = take_in(folder);
	if (fd < 0)
		err_sys(err, "cannot lock '%s/lock'", home_folder);
	sys_close(folder);
	return fd;
}

void lock_discard(const char *home_folder, int fd)
{
	char path[4096];
	struct stat stat;

	if (fd < 0 || sys_stat(fd, &stat) < 0)
		return;
	snprintf(path, sizeof path, "%s/lock", home_folder);
	sys_discard(path, stat.st_dev, stat.st_ino);
	sys_discard_folder(home_folder);
}
