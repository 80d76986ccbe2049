#include "plan/open_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "plan/folder.h"
#include "sys/sys.h"

static int flags_of(char mode)
{
	/* O_NONBLOCK: a fifo must be refused, not waited for. */
	int flags = O_NOFOLLOW | O_NONBLOCK;

	return flags | (mode == 'r' ? O_RDONLY : mode == 'a' ? O_WRONLY | O_APPEND : O_WRONLY);
}

static int check(const struct open_file *wish, int fd, struct err *err)
{
	struct stat stat;

	if (sys_stat(fd, &stat) < 0)
		return err_sys(err, "cannot look at '%s'", wish->path);
	if (!S_ISREG(stat.st_mode))
		return err_set(err, "'%s' is not a regular file", wish->path);
	if (wish->mode != 'r' && stat.st_nlink > 1)
		return err_set(err, "'%s' has %ju names: it may be another file too", wish->path,
			       (uintmax_t)stat.st_nlink);
	if (wish->mode == 'w' && sys_truncate(fd) < 0)
		return err_sys(err, "cannot empty '%s'", wish->path);
	return 0;
}

static int give_away(const struct open_file *wish, int folder, int fd)
{
	struct stat stat;

	if (wish->uid == (uid_t)-1)
		return 0;
	if (wish->folders_owner && sys_stat(folder, &stat) < 0)
		return -1;
	if (wish->folders_owner && stat.st_uid != wish->uid)
		return 0;
	return sys_chown(fd, wish->uid, wish->gid);
}

static int create(const struct open_file *wish, int folder, const char *name, struct made *made,
		  struct err *err)
{
	int fd = sys_open_at(folder, name, flags_of(wish->mode) | O_CREAT | O_EXCL, 0600);
	struct stat stat;

	if (fd < 0)
		return errno == EEXIST ? -1 : err_sys(err, "cannot make '%s'", wish->path);
	if (sys_stat(fd, &stat) < 0)
		err_sys(err, "cannot look at '%s'", wish->path);
	else if (give_away(wish, folder, fd) < 0)
		err_sys(err, "cannot give '%s' to uid %u", wish->path, (unsigned)wish->uid);
	else if (sys_chmod(fd, wish->perm) < 0)
		err_sys(err, "cannot change the mode of '%s'", wish->path);
	else {
		*made = (struct made){stat.st_dev, stat.st_ino};
		return fd;
	}
	sys_close(fd);
	sys_discard_at(folder, name);
	return -1;
}

static int open_in(const struct open_file *wish, int folder, const char *name, struct made *made,
		   struct err *err)
{
	int fd = sys_open_at(folder, name, flags_of(wish->mode), 0);

	if (fd < 0 && errno == ENOENT && wish->mode != 'r') {
		fd = create(wish, folder, name, made, err);
		if (fd >= 0 || err->what[0])
			return fd;
		fd = sys_open_at(folder, name, flags_of(wish->mode), 0); /* somebody was faster */
	}
	if (fd < 0 && errno == ELOOP)
		return err_set(err, "'%s' is a symbolic link", wish->path);
	if (fd < 0 && errno == ENXIO)
		return err_set(err, "'%s' is not a regular file", wish->path);
	if (fd < 0)
		return err_sys(err, "cannot open '%s'", wish->path);
	if (check(wish, fd, err) < 0) {
		sys_close(fd);
		return -1;
	}
	return fd;
}

int open_file(const struct open_file *wish, uid_t self, struct made *made, struct err *err)
{
	const char *name;
	int folder, fd;

	*made = (struct made){0};
	folder = folder_of(wish->path, self, &name, err);
	if (folder < 0)
		return -1;
	err->what[0] = '\0';
	fd = open_in(wish, folder, name, made, err);
	sys_close(folder);
	return fd;
}

int open_file_declared(const struct daemon *daemon, size_t index, struct made *made,
		       struct err *err)
{
	const struct spec *spec = daemon->spec;
	const struct file *file = &spec->files[index];
	struct open_file wish = {.path = file->path,
				 .mode = file->mode,
				 .perm = file->perm,
				 .uid = spec->drops ? spec->uid : (uid_t)-1,
				 .gid = spec->drops ? spec->gid : (gid_t)-1};
	char key[96];

	snprintf(key, sizeof key, "files.%s", file->name);
	return open_file(&wish, daemon->machine.euid, made, spec_blame(spec, key, err));
}

int open_file_anew(const struct file *file, int fd, struct err *err)
{
	const struct open_file wish = {.path = file->path,
				       .mode = file->mode,
				       .perm = file->perm,
				       .uid = (uid_t)-1,
				       .gid = (gid_t)-1};
	struct made made;
	int fresh = open_file(&wish, geteuid(), &made, err);
	int result = 0;

	if (fresh < 0)
		return -1;
	if (sys_dup_to(fresh, fd) < 0 || sys_close_on_exec(fd) < 0)
		result = err_sys(err, "cannot put '%s' in the place of the old one", file->path);
	sys_close(fresh);
	return result;
}

void open_file_undo(const char *path, const struct made *made, int fd)
{
	struct stat stat;

	if (made->inode == 0 || fd < 0 || sys_stat(fd, &stat) < 0 || stat.st_size > 0)
		return;
	sys_discard(path, made->device, made->inode);
}
