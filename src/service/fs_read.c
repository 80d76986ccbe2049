#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service/fs_call.h"
#include "service/vm.h"

enum { LIST_MAX = 1000000, SIZE_UNKNOWN = 4096 };

/* --- whole files --- */

/* One byte more than the file seems to have: the read that finds its end needs no other. */
static size_t first_room(const struct stat *stat, size_t max)
{
	size_t size =
	    S_ISREG(stat->st_mode) && stat->st_size > 0 ? (size_t)stat->st_size : SIZE_UNKNOWN;

	return (size < max ? size : max) + 1;
}

static int grow(struct fs_call *call, size_t *room, size_t wanted)
{
	char *fresh = realloc(call->out, wanted);

	if (!fresh)
		return -ENOMEM;
	call->out = fresh;
	*room = wanted;
	return 0;
}

static int read_on(struct fs_call *call, int fd, size_t room)
{
	size_t max = (size_t)call->options.max;

	for (;;) {
		ssize_t count;

		if (fs_request_is_dropped(&call->request))
			return -ECANCELED;
		if (call->out_length > max)
			return -EFBIG;
		if (call->out_length == room &&
		    grow(call, &room, room > max / 2 ? max + 1 : 2 * room) < 0)
			return -ENOMEM;
		count = pread(fd, call->out + call->out_length, room - call->out_length,
			      (off_t)call->out_length);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return count < 0 ? -errno : 0;
		call->out_length += (size_t)count;
	}
}

int fs_read_whole(struct fs_call *call, int fd)
{
	struct stat stat;
	size_t room = 0;
	int code;

	if (fstat(fd, &stat) < 0)
		return -errno;
	if (S_ISREG(stat.st_mode) && stat.st_size > call->options.max)
		return -EFBIG;
	code = grow(call, &room, first_room(&stat, (size_t)call->options.max));
	return code < 0 ? code : read_on(call, fd, room);
}

/* Without waiting for a peer: what is no file must not keep a thread of the pool. */
static int run_read(struct fs_call *call)
{
	call->opened = open(call->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return call->opened < 0 ? -errno : fs_read_whole(call, call->opened);
}

int fs_push_bytes(lua_State *L, struct fs_call *call)
{
	lua_pushlstring(L, call->out, call->out_length);
	return 1;
}

int fs_l_read(lua_State *L)
{
	static const struct fs_op op = {run_read, fs_push_bytes};
	struct fs_call *call = fs_call_create(L, &op);

	fs_call_path(L, &call->path, 1);
	fs_call_options(L, call, 2, FS_TIMEOUT | FS_MAX);
	return fs_call_wait(L, call);
}

/* --- folders --- */

static int keep_name(struct fs_call *call, const char *name)
{
	size_t count = call->name_count;

	if (count == LIST_MAX) {
		call->why = "the folder has more than 1000000 entries";
		return -EOVERFLOW;
	}
	if ((count & (count - 1)) == 0) { /* room is the next power of two */
		char **fresh = realloc(call->names, (count ? 2 * count : 1) * sizeof(char *));

		if (!fresh)
			return -ENOMEM;
		call->names = fresh;
	}
	call->names[count] = strdup(name);
	if (!call->names[count])
		return -ENOMEM;
	call->name_count++;
	return 0;
}

static int read_names(struct fs_call *call, DIR *folder)
{
	struct dirent *entry;
	int code = 0;

	while (code == 0 && (errno = 0, entry = readdir(folder))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		code = fs_request_is_dropped(&call->request) ? -ECANCELED
							     : keep_name(call, entry->d_name);
	}
	return code == 0 ? -errno : code;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int run_list(struct fs_call *call)
{
	DIR *folder = opendir(call->path);
	int code;

	if (!folder)
		return -errno;
	code = read_names(call, folder);
	closedir(folder);
	if (call->name_count > 0)
		qsort(call->names, call->name_count, sizeof(char *), by_bytes);
	return code;
}

static int push_names(lua_State *L, struct fs_call *call)
{
	lua_createtable(L, (int)call->name_count, 0);
	for (size_t i = 0; i < call->name_count; i++) {
		lua_pushstring(L, call->names[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

int fs_l_list(lua_State *L)
{
	static const struct fs_op op = {run_list, push_names};
	struct fs_call *call = fs_call_create(L, &op);

	fs_call_path(L, &call->path, 1);
	fs_call_options(L, call, 2, FS_TIMEOUT);
	return fs_call_wait(L, call);
}

/* --- stat --- */

static int run_stat(struct fs_call *call)
{
	int flags = call->options.no_follow ? AT_SYMLINK_NOFOLLOW : 0;

	return fstatat(AT_FDCWD, call->path, &call->stat, flags) < 0 ? -errno : 0;
}

static const char *type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "file";
	case S_IFDIR:
		return "directory";
	case S_IFLNK:
		return "link";
	case S_IFIFO:
		return "fifo";
	case S_IFSOCK:
		return "socket";
	case S_IFCHR:
		return "char";
	case S_IFBLK:
		return "block";
	default:
		return "unknown";
	}
}

static double seconds(struct timespec time)
{
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int fs_push_stat(lua_State *L, struct fs_call *call)
{
	const struct stat *stat = &call->stat;
	const struct {
		const char *name;
		lua_Integer value;
	} integers[] = {{"size", stat->st_size},
			{"uid", stat->st_uid},
			{"gid", stat->st_gid},
			{"links", (lua_Integer)stat->st_nlink},
			{"inode", (lua_Integer)stat->st_ino},
			{"device", (lua_Integer)stat->st_dev}};
	const struct {
		const char *name;
		double value;
	} times[] = {{"modified", seconds(stat->st_mtim)},
		     {"accessed", seconds(stat->st_atim)},
		     {"changed", seconds(stat->st_ctim)}};
	char mode[8];

	lua_createtable(L, 0, 11);
	for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
		lua_pushinteger(L, integers[i].value);
		lua_setfield(L, -2, integers[i].name);
	}
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		lua_pushnumber(L, times[i].value);
		lua_setfield(L, -2, times[i].name);
	}
	snprintf(mode, sizeof mode, "%04o", (unsigned)(stat->st_mode & 07777));
	lua_pushstring(L, mode);
	lua_setfield(L, -2, "mode");
	lua_pushstring(L, type_name(stat->st_mode));
	lua_setfield(L, -2, "type");
	return 1;
}

int fs_l_stat(lua_State *L)
{
	static const struct fs_op op = {run_stat, fs_push_stat};
	struct fs_call *call = fs_call_create(L, &op);

	fs_call_path(L, &call->path, 1);
	fs_call_options(L, call, 2, FS_TIMEOUT | FS_FOLLOW);
	return fs_call_wait(L, call);
}
