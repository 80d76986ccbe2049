#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "service/fs_call.h"
#include "service/fs_file.h"
#include "service/vm.h"

/* What opens a file: fs.open, fs.temporary. */

static const struct {
	const char *mode;
	int flags;
} modes[] = {{"r", O_RDONLY}, {"w", O_TRUNC}, {"a", O_APPEND}, {"x", O_EXCL}, {NULL, 0}};

static int run_open(struct fs_call *call)
{
	if (call->flags != O_RDONLY)
		return fs_open_to_write(call, call->flags);
	call->opened = open(call->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return call->opened < 0 ? -errno : 0;
}

/* Nothing may raise between the two moments at which the file is the call's and the handle's. */
static int push_file(lua_State *L, struct fs_call *call)
{
	const char *path = call->made ? call->made : call->path;
	bool reading = call->flags == O_RDONLY;
	enum fs_mode mode = reading ? FS_READS : FS_WRITES;
	struct fs_file *file = fs_file_push(L, path, call->options.directory ? FS_FOLDER : mode);

	file->fd = call->opened;
	file->temporary = call->made;
	call->opened = -1;
	call->made = NULL;
	return 1;
}

int fs_l_open(lua_State *L)
{
	static const struct fs_op op = {run_open, push_file};
	const char *mode = luaL_optstring(L, 2, "r");
	struct fs_call *call;
	size_t i = 0;

	while (modes[i].mode && strcmp(modes[i].mode, mode) != 0)
		i++;
	luaL_argcheck(L, modes[i].mode, 2,
		      "\"r\", \"w\" (emptied), \"a\" (append) or \"x\" (must be new)");
	call = fs_call_create(L, &op);
	fs_call_path(L, &call->path, 1);
	call->flags = modes[i].flags;
	fs_call_options(L, call, 3, call->flags == O_RDONLY ? FS_TIMEOUT : FS_TIMEOUT | FS_MODE);
	return fs_call_wait(L, call);
}

/* --- temporary --- */

static int make(struct fs_call *call, const char *path)
{
	if (call->options.directory)
		return mkdir(path, 0700) < 0 ? -errno : 0;
	call->opened = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	return call->opened < 0 ? -errno : 0;
}

static int run_temporary(struct fs_call *call)
{
	char name[FS_RANDOM_NAME], *path;
	int code = fs_random_name(name);

	if (code < 0)
		return code;
	if (asprintf(&path, "%s/%s", call->path, name) < 0)
		return -ENOMEM;
	code = make(call, path);
	if (code == 0)
		call->made = path;
	else
		free(path);
	return code;
}

int fs_l_temporary(lua_State *L)
{
	static const struct fs_op op = {run_temporary, push_file};
	struct fs_call *call;

	lua_settop(L, 2);
	if (lua_isnil(L, 1)) {
		lua_pushliteral(L, "/tmp");
		lua_replace(L, 1);
	}
	call = fs_call_create(L, &op);
	fs_call_path(L, &call->path, 1);
	call->flags = O_WRONLY;
	fs_call_options(L, call, 2, FS_TIMEOUT | FS_DIRECTORY);
	return fs_call_wait(L, call);
}
