#include "service/fs_file.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "service/fs_block.h"
#include "service/fs_call.h"
#include "service/task.h"
#include "service/units.h"
#include "service/vm.h"

/* A read call, kept in its task while it waits. */
struct reading {
	bool line, iterating; /* iterating: a failure is a plain nil, file:failure() tells it */
	size_t max;
	int64_t timeout;   /* of the whole call; -1: none */
	uint64_t deadline; /* loop time, once it waits */
};

_Static_assert(sizeof(struct reading) <= sizeof((struct task *)0)->call, "task.call is too small");

/* --- blocks --- */

static size_t left(const struct fs_file *file)
{
	return file->unread.end - file->unread.start;
}

/* The block's bytes become what is unread, or come behind it. */
static int keep(struct fs_file *file, struct fs_block *block, size_t count)
{
	size_t before = left(file);
	char *bytes;

	if (before == 0) {
		fs_file_forget(file);
		file->unread.bytes = block->bytes;
		file->unread.end = count;
		file->unread.room = block->size;
		block->bytes = NULL;
		return 0;
	}
	memmove(file->unread.bytes, file->unread.bytes + file->unread.start, before);
	file->unread.start = 0;
	file->unread.end = before;
	if (before + count > file->unread.room) {
		bytes = realloc(file->unread.bytes, before + count);
		if (!bytes)
			return -ENOMEM;
		file->unread.bytes = bytes;
		file->unread.room = before + count;
	}
	memcpy(file->unread.bytes + before, block->bytes, count);
	file->unread.end += count;
	return 0;
}

/* Whoever waits for it, its bytes are kept: a call that was late has lost nothing. */
static void on_block(struct fs_request *request)
{
	struct fs_block *block = (struct fs_block *)request;
	struct fs_file *file = block->data;
	int result = request->result;

	file->reading = false;
	file->ended = result == 0;
	if (result > 0)
		result = keep(file, block, (size_t)result);
	file->failed = result < 0 ? result : 0;
	fs_request_drop(request);
	if (file->reader)
		task_wake(file->reader);
}

static int ask(struct vm *vm, struct fs_file *file)
{
	struct fs_block *block;

	if (file->reading)
		return 0;
	block = fs_block_create(file->fd, -1, FS_READ_AHEAD, file);
	if (!block)
		return -ENOMEM;
	block->request.done = on_block;
	block->request.lane = &file->lane;
	file->reading = true;
	fs_request_submit(vm, &block->request);
	return 0;
}

/* --- results --- */

static int refuse(lua_State *L, struct fs_file *file, const struct reading *reading,
		  const char *message, const char *code)
{
	file->message = message;
	file->code = code;
	if (!reading->iterating)
		return vm_fail(L, message, code);
	lua_pushnil(L);
	return 1;
}

static int refuse_errno(lua_State *L, struct fs_file *file, const struct reading *reading, int code)
{
	/* The texts of libuv's codes are static. */
	return refuse(L, file, reading, uv_strerror(code), uv_err_name(code));
}

/* Pushing may raise: then nothing has been taken. */
static int give(lua_State *L, struct fs_file *file, size_t length, size_t taken)
{
	lua_pushlstring(L, file->unread.bytes + file->unread.start, length);
	file->unread.start += taken;
	if (left(file) == 0)
		fs_file_forget(file);
	return 1;
}

static int give_line(lua_State *L, struct fs_file *file, size_t length, size_t taken)
{
	const char *bytes = file->unread.bytes + file->unread.start;

	if (length > 0 && taken > length && bytes[length - 1] == '\r')
		length--;
	return give(L, file, length, taken);
}

enum { NOT_YET = 0, TOO_LONG = -1 };

static int take_line(lua_State *L, struct fs_file *file, const struct reading *reading)
{
	const char *bytes = file->unread.bytes + file->unread.start;
	size_t count = left(file);
	const char *end = count ? memchr(bytes, '\n', count) : NULL;
	size_t length = end ? (size_t)(end - bytes) : count;

	if (length > reading->max)
		return TOO_LONG;
	if (end)
		return give_line(L, file, length, length + 1);
	if (file->ended && count > 0) /* the last one lacks its newline */
		return give_line(L, file, length, length);
	return NOT_YET;
}

static int take(lua_State *L, struct fs_file *file, const struct reading *reading)
{
	size_t count = left(file);

	if (reading->line)
		return take_line(L, file, reading);
	if (count == 0)
		return NOT_YET;
	if (count > reading->max)
		count = reading->max;
	return give(L, file, count, count);
}

/* --- the calls --- */

static int step(lua_State *L, struct fs_file *file, struct task *task, bool timed_out);

static int go_on(lua_State *L, int status, lua_KContext iterating)
{
	struct fs_file **box = lua_touserdata(L, iterating ? lua_upvalueindex(1) : 1);
	struct task *task = vm_of(L)->current;

	(void)status;
	if (!*box || (*box)->closed)
		return vm_fail(L, "the file is closed", "ECLOSED");
	return step(L, *box, task, task->timed_out);
}

static void detach(struct task *task)
{
	struct fs_file *file = task->object;

	file->reader = NULL;
}

static int64_t time_left(struct vm *vm, struct reading *reading)
{
	uint64_t now = vm_now(vm);

	if (reading->timeout < 0)
		return -1;
	if (reading->deadline == 0)
		reading->deadline = now + (uint64_t)reading->timeout;
	return reading->deadline > now ? (int64_t)(reading->deadline - now) : 0;
}

static int step(lua_State *L, struct fs_file *file, struct task *task, bool timed_out)
{
	struct reading *reading = (struct reading *)task->call;
	int taken = take(L, file, reading);
	int code = file->failed;

	if (taken > 0)
		return taken;
	if (taken == TOO_LONG)
		return refuse(L, file, reading, "more than max bytes without an end", "EMSGSIZE");
	if (code == 0 && file->ended) {
		lua_pushnil(L);
		return 1;
	}
	if (timed_out)
		return refuse(L, file, reading, "the disk has not answered in time", "ETIMEDOUT");
	if (code == 0)
		code = ask(vm_of(L), file);
	if (code < 0)
		return refuse_errno(L, file, reading, code);
	file->reader = task;
	return task_wait(L, task, file, detach, time_left(vm_of(L), reading), reading->iterating,
			 go_on);
}

/* A file that has grown since its end was met goes on. */
static int begin(lua_State *L, struct fs_file *file, const struct reading *reading)
{
	struct task *task = task_check(L);

	if (file->reader)
		return luaL_error(L, "another task is already reading from this file");
	memcpy(task->call, reading, sizeof *reading);
	file->code = NULL;
	file->ended = false;
	file->failed = 0;
	return step(L, file, task, false);
}

static int read_once(lua_State *L, bool line)
{
	struct fs_file *file = fs_file_check(L, FS_READS);
	struct options_of_wait options = units_options(L, 2, FS_LINE_MAX, true);
	struct reading reading = {
	    .line = line, .max = (size_t)options.max, .timeout = options.timeout};

	return file ? begin(L, file, &reading) : 3;
}

int fs_file_l_read(lua_State *L)
{
	return read_once(L, false);
}

int fs_file_l_read_line(lua_State *L)
{
	return read_once(L, true);
}

/* upvalues: file, whether lines, max, timeout */
static int iterate(lua_State *L)
{
	struct fs_file **box = lua_touserdata(L, lua_upvalueindex(1));
	struct reading reading = {.line = lua_toboolean(L, lua_upvalueindex(2)),
				  .iterating = true,
				  .max = (size_t)lua_tointeger(L, lua_upvalueindex(3)),
				  .timeout = lua_tointeger(L, lua_upvalueindex(4))};

	if (!*box || (*box)->closed)
		return vm_fail(L, "the file is closed", "ECLOSED");
	return begin(L, *box, &reading);
}

static int push_iterator(lua_State *L, bool line)
{
	struct fs_file *file = fs_file_check(L, FS_READS);
	struct options_of_wait options = units_options(L, 2, FS_LINE_MAX, true);

	if (!file)
		return luaL_error(L, "the file is closed");
	lua_pushvalue(L, 1);
	lua_pushboolean(L, line);
	lua_pushinteger(L, options.max);
	lua_pushinteger(L, options.timeout);
	lua_pushcclosure(L, iterate, 4);
	return 1;
}

int fs_file_l_chunks(lua_State *L)
{
	return push_iterator(L, false);
}

int fs_file_l_lines(lua_State *L)
{
	return push_iterator(L, true);
}

int fs_file_l_failure(lua_State *L)
{
	struct fs_file *file = fs_file_check(L, FS_ANY);

	if (!file)
		return 3;
	if (!file->code) {
		lua_pushnil(L);
		return 1;
	}
	lua_pushstring(L, file->message);
	lua_pushstring(L, file->code);
	return 2;
}

/* --- all of it, wherever read stands --- */

static int run_read_all(struct fs_call *call)
{
	return fs_read_whole(call, call->fd);
}

int fs_file_l_read_all(lua_State *L)
{
	static const struct fs_op op = {run_read_all, fs_push_bytes};
	struct fs_file *file = fs_file_check(L, FS_READS);
	struct fs_call *call;

	if (!file)
		return 3;
	call = fs_call_create(L, &op);
	call->request.lane = &file->lane;
	call->fd = file->fd;
	fs_call_options(L, call, 2, FS_TIMEOUT | FS_MAX);
	return fs_call_wait(L, call);
}
