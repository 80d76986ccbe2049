#include "cmd/console_history.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char name[] = "console_history";

static bool is_ours(int fd, mode_t type)
{
	struct stat stat;

	return fstat(fd, &stat) == 0 && (stat.st_mode & S_IFMT) == type &&
	       stat.st_uid == geteuid() && (stat.st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
	       stat.st_size <= HISTORY_BYTES_MAX;
}

static int folder_path(const struct source *source, char path[PATH_MAX])
{
	const char *state = source_getenv(source, "XDG_STATE_HOME");
	const char *home = source_getenv(source, "HOME");
	int length = -1;

	if (state && state[0] == '/')
		length = snprintf(path, PATH_MAX, "%s/luvd", state);
	else if (home && home[0] == '/')
		length = snprintf(path, PATH_MAX, "%s/.local/state/luvd", home);
	return length > 0 && length < PATH_MAX ? 0 : -1;
}

/* Those above it too, each readable for nobody else. */
static void make(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		(void)mkdir(path, 0700); /* is there already, or open below says it */
		*slash = '/';
	}
	(void)mkdir(path, 0700);
}

static int checked(int fd, mode_t type)
{
	if (fd < 0 || is_ours(fd, type))
		return fd;
	close(fd);
	return -1;
}

int history_folder(const struct source *source)
{
	char path[PATH_MAX];

	if (folder_path(source, path) < 0)
		return -1;
	make(path);
	return checked(open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), S_IFDIR);
}

int history_read(int folder)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

	return checked(openat(folder, name, flags), S_IFREG);
}

int history_write(int folder)
{
	const int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = checked(openat(folder, name, flags, 0600), S_IFREG);

	if (fd >= 0 && (fchmod(fd, 0600) < 0 || ftruncate(fd, 0) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}
