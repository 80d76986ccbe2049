#include "service/fs_call.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "service/push.h"
#include "service/task.h"
#include "service/units.h"
#include "service/vm.h"
#include "spec/parse.h"

static const char meta[] = "luvd.fs.call";

enum { ARGUMENTS_MAX = 3 };

/* --- its life --- */

static void release(struct fs_request *request)
{
	struct fs_call *call = (struct fs_call *)request;

	if (call->opened >= 0)
		close(call->opened);
	if (call->made)
		(void)remove(call->made); /* new and empty */
	for (size_t i = 0; i < call->name_count; i++)
		free(call->names[i]);
	free(call->names);
	free(call->made);
	free(call->path);
	free(call->other);
	free(call->bytes);
	free(call->out);
	free(call);
}

static void leave(struct fs_call *call)
{
	if (call->box)
		*call->box = NULL;
	call->box = NULL;
	fs_request_drop(&call->request);
}

static int l_gc(lua_State *L)
{
	struct fs_call **box = luaL_checkudata(L, 1, meta);

	if (*box)
		leave(*box);
	return 0;
}

void fs_calls_open(lua_State *L)
{
	if (push_metatable(L, meta)) {
		lua_pushcfunction(L, l_gc);
		lua_setfield(L, -2, "__gc");
	}
	lua_pop(L, 1);
}

static void on_run(struct fs_request *request)
{
	struct fs_call *call = (struct fs_call *)request;

	request->result = call->op->run(call);
}

static void on_done(struct fs_request *request)
{
	struct fs_call *call = (struct fs_call *)request;

	if (call->task)
		task_wake(call->task);
}

struct fs_call *fs_call_create(lua_State *L, const struct fs_op *op)
{
	struct fs_call **box, *call;

	task_check(L);
	luaL_checkstack(L, 8, NULL);
	lua_settop(L, ARGUMENTS_MAX); /* what is pushed must not be taken for one */
	box = lua_newuserdatauv(L, sizeof(struct fs_call *), 0);
	*box = NULL;
	luaL_setmetatable(L, meta);
	call = calloc(1, sizeof *call);
	if (!call)
		vm_raise(L, "not enough memory");
	*box = call;
	call->box = box;
	call->op = op;
	call->opened = -1;
	call->options.timeout = -1;
	call->options.max = FS_READ_MAX;
	call->request.run = on_run;
	call->request.done = on_done;
	call->request.release = release;
	return call;
}

/* --- arguments --- */

void fs_call_path(lua_State *L, char **to, int index)
{
	size_t length;
	const char *path = luaL_checklstring(L, index, &length);

	luaL_argcheck(L, strlen(path) == length, index, "a path without NUL bytes");
	*to = strdup(path);
	if (!*to)
		vm_raise(L, "not enough memory");
}

void fs_call_bytes(lua_State *L, struct fs_call *call, int index)
{
	const char *bytes = units_bytes(L, index, &call->length);

	call->bytes = malloc(call->length + 1);
	if (!call->bytes)
		vm_raise(L, "not enough memory");
	memcpy(call->bytes, bytes, call->length);
}

static mode_t mode_at(lua_State *L, int index)
{
	mode_t mode;

	if (lua_type(L, index) != LUA_TSTRING || !parse_octal(lua_tostring(L, index), &mode))
		vm_raise(L, "option mode: expected an octal string such as \"0640\", got %s",
			 luaL_tolstring(L, index, NULL));
	return mode;
}

static bool flag_at(lua_State *L, int index, const char *name)
{
	if (!lua_isboolean(L, index))
		vm_raise(L, "option %s: expected true or false, got %s", name,
			 luaL_tolstring(L, index, NULL));
	return lua_toboolean(L, index);
}

static const struct {
	const char *name;
	unsigned bit;
} option_names[] = {
    {"directory", FS_DIRECTORY}, {"follow", FS_FOLLOW},   {"max", FS_MAX},
    {"mode", FS_MODE},           {"parents", FS_PARENTS}, {"recursive", FS_RECURSIVE},
    {"timeout", FS_TIMEOUT}};
enum { OPTION_NAMES = sizeof option_names / sizeof *option_names };

static unsigned option_bit(lua_State *L, const char *name, unsigned allowed)
{
	luaL_Buffer known;
	const char *gap = "";

	for (size_t i = 0; i < OPTION_NAMES; i++)
		if ((allowed & option_names[i].bit) && strcmp(name, option_names[i].name) == 0)
			return option_names[i].bit;
	luaL_buffinit(L, &known);
	for (size_t i = 0; i < OPTION_NAMES; i++) {
		if (!(allowed & option_names[i].bit))
			continue;
		luaL_addstring(&known, gap);
		luaL_addstring(&known, option_names[i].name);
		gap = ", ";
	}
	luaL_pushresult(&known);
	vm_raise(L, "unknown option \"%s\": there are %s", name, lua_tostring(L, -1));
	return 0;
}

static void set_option(lua_State *L, struct fs_options *options, unsigned bit, const char *name)
{
	int value = lua_gettop(L);

	switch (bit) {
	case FS_TIMEOUT:
		options->timeout = units_duration(L, value);
		break;
	case FS_MAX:
		options->max = units_size(L, value);
		break;
	case FS_MODE:
		options->mode = mode_at(L, value);
		options->has_mode = true;
		break;
	case FS_PARENTS:
		options->parents = flag_at(L, value, name);
		break;
	case FS_RECURSIVE:
		options->recursive = flag_at(L, value, name);
		break;
	case FS_DIRECTORY:
		options->directory = flag_at(L, value, name);
		break;
	default:
		options->no_follow = !flag_at(L, value, name);
	}
}

void fs_call_options(lua_State *L, struct fs_call *call, int index, unsigned allowed)
{
	if (lua_isnoneornil(L, index))
		return;
	luaL_checktype(L, index, LUA_TTABLE);
	lua_pushnil(L);
	while (lua_next(L, index)) {
		const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";

		set_option(L, &call->options, option_bit(L, name, allowed), name);
		lua_pop(L, 1);
	}
}

/* --- waiting --- */

static void detach(struct task *task)
{
	struct fs_call *call = task->object;

	call->task = NULL;
	if (call->request.state != FS_DONE)
		leave(call);
}

static int finished(lua_State *L, int status, lua_KContext context)
{
	struct fs_call *call = (struct fs_call *)context;
	int count = 1;

	(void)status;
	if (vm_of(L)->current->timed_out) /* and the call has been left: it may be gone */
		return vm_fail(L, "the disk has not answered in time", "ETIMEDOUT");
	if (call->request.result < 0)
		count = vm_fail(L, call->why ? call->why : uv_strerror(call->request.result),
				uv_err_name(call->request.result));
	else if (call->op->push)
		count = call->op->push(L, call);
	else
		lua_pushboolean(L, 1);
	leave(call);
	return count;
}

int fs_call_wait(lua_State *L, struct fs_call *call)
{
	struct task *task = task_check(L);

	call->task = task;
	fs_request_submit(vm_of(L), &call->request);
	return task_wait(L, task, call, detach, call->options.timeout, (lua_KContext)call,
			 finished);
}

/* --- for run --- */

char *fs_split(const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');

	*name = slash ? slash + 1 : path;
	if (!slash)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

int fs_random_name(char name[FS_RANDOM_NAME])
{
	unsigned char random[8];

	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		return -EIO;
	memcpy(name, ".luvd-", 7);
	for (size_t i = 0; i < sizeof random; i++)
		snprintf(name + 6 + 2 * i, 3, "%02x", random[i]);
	return 0;
}
