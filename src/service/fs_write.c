#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "service/fs_call.h"
#include "service/vm.h"

int fs_write_whole(struct fs_call *call, int fd)
{
	size_t done = 0;

	while (done < call->length) {
		ssize_t count = write(fd, call->bytes + done, call->length - done);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -errno;
		done += (size_t)count;
	}
	return 0;
}

int fs_sync(struct fs_call *call, int fd)
{
	if (call->request.vm->clock.held)
		return 0;
	return fsync(fd) < 0 ? -errno : 0;
}

/* --- write and append --- */

int fs_open_to_write(struct fs_call *call, int flags)
{
	bool exact = call->options.has_mode;

	flags |= O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	call->opened = open(call->path, flags | O_EXCL, exact ? 0600 : 0666);
	if (call->opened >= 0)
		return exact && fchmod(call->opened, call->options.mode) < 0 ? -errno : 0;
	if (errno == EEXIST)
		call->opened = open(call->path, flags, 0666);
	return call->opened < 0 ? -errno : 0;
}

/* Some file systems tell only now that they had no room. */
static int close_opened(struct fs_call *call)
{
	int fd = call->opened;

	call->opened = -1;
	return close(fd) < 0 && errno != EINTR ? -errno : 0;
}

static int write_with(struct fs_call *call, int flags)
{
	int code = fs_open_to_write(call, flags);

	if (code == 0)
		code = fs_write_whole(call, call->opened);
	return code == 0 ? close_opened(call) : code;
}

static int run_write(struct fs_call *call)
{
	return write_with(call, O_TRUNC);
}

static int run_append(struct fs_call *call)
{
	return write_with(call, O_APPEND);
}

static int begin(lua_State *L, const struct fs_op *op)
{
	struct fs_call *call = fs_call_create(L, op);

	fs_call_path(L, &call->path, 1);
	fs_call_bytes(L, call, 2);
	fs_call_options(L, call, 3, FS_TIMEOUT | FS_MODE);
	return fs_call_wait(L, call);
}

int fs_l_write(lua_State *L)
{
	static const struct fs_op op = {run_write, NULL};

	return begin(L, &op);
}

int fs_l_append(lua_State *L)
{
	static const struct fs_op op = {run_append, NULL};

	return begin(L, &op);
}

/* --- replace --- */

struct place {
	int folder;
	const char *name;
	char beside[FS_RANDOM_NAME]; /* the new file, until it gets its name */
};

/* The mode that was asked for, else that of the file before, else what the umask leaves. */
static int make_beside(struct fs_call *call, struct place *place)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
	bool exact = call->options.has_mode;
	mode_t mode = call->options.mode;
	struct stat stat;

	if (fstatat(place->folder, place->name, &stat, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISDIR(stat.st_mode))
			return -EISDIR;
		if (!exact && S_ISREG(stat.st_mode)) {
			exact = true;
			mode = stat.st_mode & 07777;
		}
	}
	if (fs_random_name(place->beside) < 0)
		return -EIO;
	call->opened = openat(place->folder, place->beside, flags, exact ? 0600 : 0666);
	if (call->opened < 0) {
		int code = -errno;

		place->beside[0] = '\0';
		return code;
	}
	return exact && fchmod(call->opened, mode) < 0 ? -errno : 0;
}

static int fill_beside(struct fs_call *call)
{
	int code = fs_write_whole(call, call->opened);

	if (code == 0)
		code = fs_sync(call, call->opened);
	return code == 0 ? close_opened(call) : code;
}

/* The rename is on the disk once its folder is; some file systems know no fsync of folders. */
static int put_in_place(struct fs_call *call, struct place *place)
{
	int code;

	if (fs_request_is_dropped(&call->request))
		return -ECANCELED;
	if (renameat(place->folder, place->beside, place->folder, place->name) < 0)
		return -errno;
	place->beside[0] = '\0';
	code = fs_sync(call, place->folder);
	return code == -EINVAL ? 0 : code;
}

static int replace_in(struct fs_call *call, struct place *place)
{
	int code = make_beside(call, place);

	if (code == 0)
		code = fill_beside(call);
	if (code == 0)
		code = put_in_place(call, place);
	if (place->beside[0])
		unlinkat(place->folder, place->beside, 0);
	return code;
}

static int run_replace(struct fs_call *call)
{
	struct place place = {.folder = -1};
	char *folder = fs_split(call->path, &place.name);
	int code;

	if (!folder)
		return -ENOMEM;
	place.folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	code = place.folder < 0 ? -errno : 0;
	free(folder);
	if (code == 0 && place.name[0] == '\0')
		code = call->path[0] ? -EISDIR : -ENOENT;
	if (code == 0)
		code = replace_in(call, &place);
	if (place.folder >= 0)
		close(place.folder);
	return code;
}

int fs_l_replace(lua_State *L)
{
	static const struct fs_op op = {run_replace, NULL};

	return begin(L, &op);
}
