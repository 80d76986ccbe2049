#include "plan/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "plan/daemon.h"
#include "sys/sys.h"

/* May the link called name in folder be followed? */
static bool link_is_trusted(int folder, const char *name, uid_t self)
{
	struct stat here, link;

	if (sys_stat(folder, &here) < 0 || sys_stat_at(folder, name, &link) < 0)
		return false;
	if (!S_ISLNK(link.st_mode)) {
		errno = ENOTDIR;
		return false;
	}
	errno = ELOOP;
	if (here.st_uid != 0 && here.st_uid != self)
		return false;
	if (!(here.st_mode & (S_IWGRP | S_IWOTH)))
		return true;
	return (here.st_mode & S_ISVTX) && (link.st_uid == 0 || link.st_uid == self);
}

static int enter(int folder, const char *name, uid_t self)
{
	int fd = sys_open_at(folder, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);

	if (fd >= 0 || (errno != ENOTDIR && errno != ELOOP))
		return fd;
	if (!link_is_trusted(folder, name, self))
		return -1;
	return sys_open_at(folder, name, O_PATH | O_DIRECTORY, 0);
}

static int note(struct daemon *daemon, const char *path, size_t length, int fd)
{
	struct made_folder *folder = &daemon->folders_made[daemon->folders_made_count];
	struct stat stat;

	if (sys_stat(fd, &stat) < 0)
		return -1;
	if (daemon->folders_made_count == FOLDERS_MADE_MAX) {
		errno = ENOMEM;
		return -1;
	}
	folder->path = strndup(path, length);
	if (!folder->path)
		return -1;
	folder->made = (struct made){stat.st_dev, stat.st_ino};
	daemon->folders_made_count++;
	return 0;
}

int folder_make(struct daemon *daemon, int folder, const char *name, const char *path,
		size_t length, bool *made)
{
	bool fresh = sys_mkdir_at(folder, name, 0700) == 0;
	int fd, code;

	if (made)
		*made = fresh;
	if (!fresh && errno != EEXIST)
		return -1;
	fd = sys_open_at(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd >= 0 && (!fresh || note(daemon, path, length, fd) == 0))
		return fd;
	code = errno;
	sys_close(fd);
	if (fresh)
		sys_discard_folder_at(folder, name);
	errno = code;
	return -1;
}

/* A missing folder on the way. */
static int make(struct daemon *daemon, int folder, const char *name, const char *path,
		size_t length)
{
	bool made;
	int fd = folder_make(daemon, folder, name, path, length, &made);

	if (fd >= 0 && made && sys_chmod(fd, daemon->machine.root ? 0755 : 0700) < 0) {
		sys_close(fd);
		return -1;
	}
	return fd;
}

/* Opens the first length bytes of path. maker: what is missing is made; NULL: it is an error. */
static int walk(const char *path, size_t length, uid_t self, struct daemon *maker, struct err *err)
{
	char copy[PATH_MAX];
	char *rest = copy, *name;
	int folder;

	if (length >= sizeof copy)
		return err_set(err, "the path '%s' is too long", path);
	memcpy(copy, path, length);
	copy[length] = '\0';
	folder = sys_open("/", O_PATH | O_DIRECTORY, 0);
	while (folder >= 0 && (name = strtok_r(rest, "/", &rest))) {
		int next = enter(folder, name, self);

		if (next < 0 && errno == ENOENT && maker)
			next =
			    make(maker, folder, name, path, (size_t)(name - copy) + strlen(name));
		if (next < 0)
			err_sys(err, "cannot open the folder '%.*s'",
				(int)(name - copy + (ssize_t)strlen(name)), path);
		sys_close(folder);
		folder = next;
		if (folder < 0)
			return -1;
	}
	return folder < 0 ? err_sys(err, "cannot open the folder '/'") : folder;
}

static int walk_to_parent(const char *path, uid_t self, struct daemon *maker, const char **name,
			  struct err *err)
{
	const char *slash = strrchr(path, '/');

	if (path[0] != '/' || !slash[1])
		return err_set(err, "'%s' is not the absolute path of a file", path);
	*name = slash + 1;
	return walk(path, (size_t)(slash - path), self, maker, err);
}

int folder_of(const char *path, uid_t self, const char **name, struct err *err)
{
	return walk_to_parent(path, self, NULL, name, err);
}

int folder_of_making(struct daemon *daemon, const char *path, const char **name, struct err *err)
{
	return walk_to_parent(path, daemon->machine.euid, daemon, name, err);
}

void folders_discard(const struct daemon *daemon)
{
	for (size_t i = daemon->folders_made_count; i-- > 0;) {
		const struct made_folder *folder = &daemon->folders_made[i];

		sys_discard(folder->path, folder->made.device, folder->made.inode);
	}
}
