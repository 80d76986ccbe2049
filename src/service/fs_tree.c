#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "service/fs_call.h"

/* --- rename --- */

static int run_rename(struct fs_call *call)
{
	return rename(call->path, call->other) < 0 ? -errno : 0;
}

int fs_l_rename(lua_State *L)
{
	static const struct fs_op op = {run_rename, NULL};
	struct fs_call *call = fs_call_create(L, &op);

	fs_call_path(L, &call->path, 1);
	fs_call_path(L, &call->other, 2);
	fs_call_options(L, call, 3, FS_TIMEOUT);
	return fs_call_wait(L, call);
}

/* --- mkdir --- */

static int change_mode(const char *path, mode_t mode)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int code = fd < 0 || fchmod(fd, mode) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return code;
}

/* With parents a folder that is there is as good as a new one. */
static int make_one(struct fs_call *call, const char *path)
{
	struct stat there;

	if (mkdir(path, call->options.has_mode ? 0700 : 0777) == 0)
		return call->options.has_mode ? change_mode(path, call->options.mode) : 0;
	if (errno == EEXIST && call->options.parents) {
		if (stat(path, &there) == 0 && S_ISDIR(there.st_mode))
			return 0;
		errno = EEXIST;
	}
	return -errno;
}

/* mode is that of the last one; those above it are made by the umask. */
static int make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int code;

		*slash = '\0';
		code = mkdir(path, 0777) < 0 && errno != EEXIST ? -errno : 0;
		*slash = '/';
		if (code < 0)
			return code;
	}
	return 0;
}

static int run_mkdir(struct fs_call *call)
{
	char *path = call->path;
	int code;

	for (size_t length = strlen(path); length > 1 && path[length - 1] == '/'; length--)
		path[length - 1] = '\0';
	code = make_one(call, path);
	if (code != -ENOENT || !call->options.parents || path[0] == '\0')
		return code;
	code = make_parents(path);
	return code < 0 ? code : make_one(call, path);
}

int fs_l_mkdir(lua_State *L)
{
	static const struct fs_op op = {run_mkdir, NULL};
	struct fs_call *call = fs_call_create(L, &op);

	fs_call_path(L, &call->path, 1);
	fs_call_options(L, call, 2, FS_TIMEOUT | FS_MODE | FS_PARENTS);
	return fs_call_wait(L, call);
}

/* --- remove --- */

enum { DEPTH_MAX = 128, REMOVED_MAX = 10000000 };

/* A walk down a tree by descriptors: whoever renames folders or puts links in their place
 * meanwhile leads it nowhere else. */
struct walk {
	struct fs_call *call;
	dev_t device; /* of the top: what is mounted below is not ours to empty */
	int depth;    /* each open folder costs a descriptor */
	size_t removed;
};

static int remove_folder(struct walk *walk, int parent, const char *name);

static int remove_entry(struct walk *walk, int parent, const char *name)
{
	int code;

	if (fs_request_is_dropped(&walk->call->request))
		return -ECANCELED;
	code = unlinkat(parent, name, 0) < 0 ? -errno : 0;
	if (code == -EISDIR || code == -EPERM) {
		int folder = remove_folder(walk, parent, name);

		code = folder == -ENOTDIR ? code : folder;
	}
	if (code == 0 && ++walk->removed > REMOVED_MAX) {
		walk->call->why =
		    "more than 10000000 entries have been removed and others are left";
		return -EOVERFLOW;
	}
	return code == -ENOENT ? 0 : code; /* somebody else was faster */
}

/* Anew until nothing is found: readdir(3) may miss entries of a folder that shrinks. */
static int empty(struct walk *walk, DIR *folder)
{
	size_t before;
	struct dirent *entry;

	do {
		before = walk->removed;
		rewinddir(folder);
		while ((errno = 0, entry = readdir(folder))) {
			int code;

			if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
				continue;
			code = remove_entry(walk, dirfd(folder), entry->d_name);
			if (code < 0)
				return code;
		}
		if (errno)
			return -errno;
	} while (walk->removed > before);
	return 0;
}

static int check_folder(struct walk *walk, int fd)
{
	struct stat stat;

	if (fstat(fd, &stat) < 0)
		return -errno;
	if (walk->depth == 0)
		walk->device = stat.st_dev;
	if (stat.st_dev != walk->device) {
		walk->call->why = "another file system is mounted in the folder";
		return -EXDEV;
	}
	if (walk->depth == DEPTH_MAX) {
		walk->call->why = "the folder is deeper than 128 folders";
		return -EOVERFLOW;
	}
	return 0;
}

static int remove_folder(struct walk *walk, int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int code = fd < 0 ? -errno : check_folder(walk, fd);
	DIR *folder = code == 0 ? fdopendir(fd) : NULL;

	if (!folder) {
		code = code == 0 ? -errno : code;
		if (fd >= 0)
			close(fd);
		return code;
	}
	walk->depth++;
	code = empty(walk, folder);
	walk->depth--;
	closedir(folder);
	return code == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0 ? -errno : code;
}

int fs_remove_tree(struct fs_call *call, int folder, const char *name)
{
	struct walk walk = {.call = call};
	int code = unlinkat(folder, name, 0) < 0 ? -errno : 0;

	if (code != -EISDIR && code != -EPERM)
		return code;
	code = remove_folder(&walk, folder, name);
	return code == -ENOTDIR ? -EPERM : code;
}

/* As rmdir(1): neither the root nor a folder by the name that it has inside itself. */
static int check_last(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (strcmp(path, "/") == 0)
		return -EBUSY;
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ? -EINVAL : 0;
}

int fs_run_remove(struct fs_call *call)
{
	char *path = call->path;
	int code;

	for (size_t length = strlen(path); length > 1 && path[length - 1] == '/'; length--)
		path[length - 1] = '\0';
	code = check_last(path);
	if (code < 0)
		return code;
	if (call->options.recursive)
		return fs_remove_tree(call, AT_FDCWD, path);
	if (unlink(path) == 0)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	code = -errno;
	if (rmdir(path) == 0)
		return 0;
	return errno == ENOTDIR ? code : -errno;
}

int fs_l_remove(lua_State *L)
{
	static const struct fs_op op = {fs_run_remove, NULL};
	struct fs_call *call = fs_call_create(L, &op);

	fs_call_path(L, &call->path, 1);
	fs_call_options(L, call, 2, FS_TIMEOUT | FS_RECURSIVE);
	return fs_call_wait(L, call);
}
