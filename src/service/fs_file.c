#include "service/fs_file.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service/fs_call.h"
#include "service/push.h"
#include "service/task.h"
#include "service/units.h"
#include "service/vm.h"

static const char meta[] = "luvd.file";

/* --- its life --- */

void fs_file_forget(struct fs_file *file)
{
	free(file->unread.bytes);
	memset(&file->unread, 0, sizeof file->unread);
}

/* On a thread, or at the very end on the loop's: the last request of the lane. */
static void run_last(struct fs_request *request)
{
	struct fs_file *file = (struct fs_file *)request;
	struct fs_call removal = {.path = file->temporary, .options.recursive = true};

	if (!file->closed && !file->declared && file->fd >= 0)
		close(file->fd);
	if (!file->closed && file->temporary)
		request->result = fs_run_remove(&removal);
}

static void release_last(struct fs_request *request)
{
	struct fs_file *file = (struct fs_file *)request;

	fs_file_forget(file);
	free(file->path);
	free(file->temporary);
	free(file);
}

struct fs_file *fs_file_push(lua_State *L, const char *path, enum fs_mode mode)
{
	struct fs_file **box = lua_newuserdatauv(L, sizeof(struct fs_file *), 0);
	struct fs_file *file;

	*box = NULL;
	luaL_setmetatable(L, meta);
	file = calloc(1, sizeof *file);
	if (!file || !(file->path = strdup(path))) {
		free(file);
		vm_raise(L, "not enough memory");
	}
	fs_lane_init(&file->lane);
	file->last.run = run_last;
	file->last.release = release_last;
	file->last.lane = &file->lane;
	file->last.certain = true;
	file->fd = -1;
	file->mode = mode;
	*box = file;
	return file;
}

static void leave(lua_State *L, struct fs_file **box)
{
	struct fs_file *file = *box;

	*box = NULL;
	if (file)
		fs_request_submit(vm_of(L), &file->last);
}

struct fs_file *fs_file_check(lua_State *L, enum fs_mode mode)
{
	struct fs_file **box = luaL_checkudata(L, 1, meta);
	struct fs_file *file = *box;

	if (!file || file->closed) {
		vm_fail(L, "the file is closed", "ECLOSED");
		return NULL;
	}
	if (mode && file->mode == FS_FOLDER)
		vm_raise(L, "'%s' is a folder", file->path);
	if (mode && file->mode != mode)
		vm_raise(L, "file '%s' is opened for %s only", file->path,
			 file->mode == FS_READS ? "reading" : "writing");
	return file;
}

/* --- calls of one step --- */

/* A call of this file's lane. */
static struct fs_call *create_call(lua_State *L, struct fs_file *file, const struct fs_op *op)
{
	struct fs_call *call = fs_call_create(L, op);

	call->request.lane = &file->lane;
	call->fd = file->fd;
	return call;
}

static int run_write(struct fs_call *call)
{
	return fs_write_whole(call, call->fd);
}

static int l_write(lua_State *L)
{
	static const struct fs_op op = {run_write, NULL};
	struct fs_file *file = fs_file_check(L, FS_WRITES);
	struct fs_call *call;

	if (!file)
		return 3;
	call = create_call(L, file, &op);
	fs_call_bytes(L, call, 2);
	fs_call_options(L, call, 3, FS_TIMEOUT);
	return fs_call_wait(L, call);
}

static int run_sync(struct fs_call *call)
{
	return fs_sync(call, call->fd);
}

static int run_stat(struct fs_call *call)
{
	return fstat(call->fd, &call->stat) < 0 ? -errno : 0;
}

static int push_size(lua_State *L, struct fs_call *call)
{
	lua_pushinteger(L, call->stat.st_size);
	return 1;
}

static int simple(lua_State *L, const struct fs_op *op)
{
	struct fs_file *file = fs_file_check(L, FS_ANY);
	struct fs_call *call;

	if (!file)
		return 3;
	if (file->mode == FS_FOLDER)
		return luaL_error(L, "'%s' is a folder", file->path);
	call = create_call(L, file, op);
	fs_call_options(L, call, 2, FS_TIMEOUT);
	return fs_call_wait(L, call);
}

static int l_sync(lua_State *L)
{
	static const struct fs_op op = {run_sync, NULL};

	return simple(L, &op);
}

static int l_stat(lua_State *L)
{
	static const struct fs_op op = {run_stat, fs_push_stat};

	return simple(L, &op);
}

static int l_size(lua_State *L)
{
	static const struct fs_op op = {run_stat, push_size};

	return simple(L, &op);
}

static int run_seek(struct fs_call *call)
{
	return lseek(call->fd, call->offset, SEEK_SET) < 0 ? -errno : 0;
}

static int l_seek(lua_State *L)
{
	static const struct fs_op op = {run_seek, NULL};
	int64_t offset = units_size(L, 2);
	struct fs_file *file = fs_file_check(L, FS_READS);
	struct fs_call *call;

	if (!file)
		return 3;
	if (file->reading)
		return luaL_error(L, "a task is reading from this file");
	fs_file_forget(file);
	call = create_call(L, file, &op);
	call->offset = offset;
	fs_call_options(L, call, 3, FS_TIMEOUT);
	return fs_call_wait(L, call);
}

/* --- close --- */

static int run_close(struct fs_call *call)
{
	int code = call->fd >= 0 && close(call->fd) < 0 && errno != EINTR ? -errno : 0;
	int removed;

	call->options.recursive = true;
	removed = call->path ? fs_run_remove(call) : 0;
	return code == 0 && removed != -ENOENT ? removed : code;
}

static int l_close(lua_State *L)
{
	static const struct fs_op op = {run_close, NULL};
	struct fs_file *file = fs_file_check(L, FS_ANY);
	struct fs_call *call;

	if (!file)
		return 3;
	if (file->declared)
		return luaL_error(L, "file '%s' belongs to the daemon, which closes it",
				  file->path);
	call = create_call(L, file, &op);
	call->request.certain = true;
	call->path = file->temporary;
	file->temporary = NULL;
	file->closed = true;
	file->fd = -1;
	return fs_call_wait(L, call);
}

/* At the end of a block the file is closed when the code after it runs; of a task that is being
 * cancelled nobody can wait for it. */
static int l_close_block(lua_State *L)
{
	struct fs_file **box = luaL_checkudata(L, 1, meta);

	if (!*box || (*box)->closed)
		return 0;
	lua_settop(L, 1);
	if (task_may_wait(L, vm_of(L)->current))
		return l_close(L);
	leave(L, box);
	return 0;
}

static int l_gc(lua_State *L)
{
	leave(L, luaL_checkudata(L, 1, meta));
	return 0;
}

static int l_tostring(lua_State *L)
{
	struct fs_file **box = luaL_checkudata(L, 1, meta);

	if (*box)
		lua_pushfstring(L, "luvd.file (%s)", (*box)->path);
	else
		lua_pushliteral(L, "luvd.file (closed)");
	return 1;
}

/* upvalue 1: the methods */
static int l_index(lua_State *L)
{
	struct fs_file **box = luaL_checkudata(L, 1, meta);
	const char *key = luaL_checkstring(L, 2);

	if (lua_getfield(L, lua_upvalueindex(1), key) != LUA_TNIL)
		return 1;
	if (strcmp(key, "path") != 0)
		return luaL_error(L, "a file has no field \"%s\"", key);
	lua_pushstring(L, *box ? (*box)->path : NULL);
	return 1;
}

void fs_files_open(lua_State *L)
{
	static const luaL_Reg methods[] = {{"read", fs_file_l_read},
					   {"read_line", fs_file_l_read_line},
					   {"read_all", fs_file_l_read_all},
					   {"chunks", fs_file_l_chunks},
					   {"lines", fs_file_l_lines},
					   {"failure", fs_file_l_failure},
					   {"write", l_write},
					   {"sync", l_sync},
					   {"stat", l_stat},
					   {"size", l_size},
					   {"seek", l_seek},
					   {"close", l_close},
					   {NULL, NULL}};
	static const luaL_Reg events[] = {
	    {"__gc", l_gc}, {"__close", l_close_block}, {"__tostring", l_tostring}, {NULL, NULL}};

	fs_calls_open(L);
	if (push_metatable(L, meta)) {
		luaL_setfuncs(L, events, 0);
		luaL_newlib(L, methods);
		lua_pushcclosure(L, l_index, 1);
		lua_setfield(L, -2, "__index");
	}
	lua_pop(L, 1);
}
