#include "plan/unix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "plan/folder.h"
#include "sys/sys.h"

static int address_of(const char *path, struct sockaddr_un *address)
{
	memset(address, 0, sizeof *address);
	address->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof address->sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address->sun_path, path, strlen(path) + 1);
	return 0;
}

const char *unix_path(const struct address *address)
{
	return ((const struct sockaddr_un *)&address->socket)->sun_path;
}

/* Nobody listens at path: 1; somebody does: 0; cannot tell: -1. */
static int is_stale(const char *path)
{
	struct sockaddr_un address;
	int fd, result;

	if (address_of(path, &address) < 0)
		return -1;
	fd = sys_socket(AF_UNIX, SOCK_STREAM);
	if (fd < 0)
		return -1;
	result = sys_connect(fd, (struct sockaddr *)&address, sizeof address);
	sys_close(fd);
	if (result == 0 || errno == EAGAIN) /* EAGAIN: it does not even come after with accepting */
		return 0;
	return errno == ECONNREFUSED || errno == ENOENT ? 1 : -1;
}

/* 0 when name in folder is free or a stale socket, which the caller may replace. */
static int check_place(int folder, const char *name, const char *path, struct err *err)
{
	struct stat stat;
	int stale;

	if (sys_stat_at(folder, name, &stat) < 0)
		return errno == ENOENT ? 0 : err_sys(err, "cannot look at '%s'", path);
	if (!S_ISSOCK(stat.st_mode)) {
		errno = EEXIST;
		return err_sys(err, "cannot bind unix:%s, where something else than a socket is",
			       path);
	}
	stale = is_stale(path);
	if (stale == 1)
		return 0;
	if (stale == 0)
		errno = EADDRINUSE;
	return err_sys(err,
		       stale == 0 ? "cannot bind unix:%s, where somebody listens"
				  : "cannot bind unix:%s, where somebody may listen",
		       path);
}

/* As long as the path itself, so that it always fits: the name with another first letter. */
static void temporary(const char *path, char *other, size_t size)
{
	char *name;

	snprintf(other, size, "%s", path);
	name = strrchr(other, '/') + 1;
	*name = *name == '~' ? '+' : '~';
}

/* Looks at what was just bound through a descriptor: in a folder of somebody else the name may be
 * another file by now. */
static int settle(int folder, const char *name, const struct unix_file *file, struct made *made)
{
	int fd = sys_open_at(folder, name, O_PATH | O_NOFOLLOW, 0);
	bool change = file->uid != (uid_t)-1 || file->gid != (gid_t)-1;
	struct stat stat;
	int result = -1;

	if (fd < 0)
		return -1;
	if (sys_stat(fd, &stat) < 0)
		goto close;
	errno = EEXIST;
	if (!S_ISSOCK(stat.st_mode) || stat.st_nlink != 1)
		goto close;
	*made = (struct made){stat.st_dev, stat.st_ino};
	result = change ? sys_chown(fd, file->uid, file->gid) : 0;
close:
	sys_close(fd);
	return result;
}

static int listen_in(int fd, int folder, const char *name, const struct unix_file *file,
		     struct made *made, struct err *err)
{
	struct sockaddr_un address;
	char other[sizeof address.sun_path];
	const char *other_name;

	temporary(file->path, other, sizeof other);
	other_name = strrchr(other, '/') + 1;
	if (check_place(folder, other_name, other, err) < 0)
		return -1;
	if (sys_remove_at(folder, other_name) < 0 && errno != ENOENT)
		return err_sys(err, "cannot remove '%s'", other);
	address_of(other, &address);
	if (sys_bind_file(fd, (struct sockaddr *)&address, sizeof address, file->mode) < 0)
		return err_sys(err, "cannot bind unix:%s", file->path);
	if (settle(folder, other_name, file, made) == 0 && sys_listen(fd, file->backlog) == 0 &&
	    sys_rename_at(folder, other_name, name) == 0)
		return 0;
	err_sys(err, "cannot bind unix:%s", file->path);
	sys_discard_at(folder, other_name);
	*made = (struct made){0};
	return -1;
}

int unix_listen(int fd, const struct unix_file *file, uid_t self, struct made *made,
		struct err *err)
{
	struct sockaddr_un address;
	const char *name;
	int folder, result = -1;

	if (address_of(file->path, &address) < 0)
		return err_sys(err, "cannot bind unix:%s", file->path);
	folder = folder_of(file->path, self, &name, err);
	if (folder < 0)
		return -1;
	if (check_place(folder, name, file->path, err) == 0)
		result = listen_in(fd, folder, name, file, made, err);
	sys_close(folder);
	return result;
}

static void discard_stale(const char *path)
{
	struct stat stat;

	if (sys_stat_at(AT_FDCWD, path, &stat) == 0 && S_ISSOCK(stat.st_mode) &&
	    is_stale(path) == 1)
		sys_discard(path, stat.st_dev, stat.st_ino);
}

void unix_discard(const char *path)
{
	char other[4096];

	discard_stale(path);
	temporary(path, other, sizeof other);
	discard_stale(other);
}
