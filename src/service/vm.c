#include "service/vm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lualib.h>

#include "service/baselib.h"
#include "service/coverage.h"
#include "service/explain.h"
#include "service/heldlib.h"
#include "service/loader.h"
#include "service/task.h"
#include "service/uvlib.h"

/* Buffers of the C library of Lua (string.rep, table.concat) take a no for an answer where Lua
 * itself would collect its garbage and ask again. So the last eighth is theirs: objects are told
 * no before it, which collects, and a heap full of garbage never fails a buffer. What failed may be
 * explained with it too, for the data that filled the heap are still there then. */
static size_t limit_of(const struct vm *vm, bool object)
{
	return object && !vm->explaining ? vm->limit - vm->limit / 8 : vm->limit;
}

static void *allocate(void *data, void *block, size_t before, size_t after)
{
	struct vm *vm = data;
	bool object = !block && before != 0; /* then it is the object's type */
	void *fresh;

	if (!block)
		before = 0;
	if (after == 0) {
		if (block)
			blocks_give(&vm->blocks, block, before);
		vm->bytes -= before;
		return NULL;
	}
	if (vm->limit && after > before && vm->bytes - before + after > limit_of(vm, object))
		return NULL;
	fresh = block ? blocks_resize(&vm->blocks, block, before, after)
		      : blocks_take(&vm->blocks, after);
	if (fresh)
		vm->bytes += after - before;
	return fresh;
}

void vm_grow(struct vm *vm)
{
	int pause = lua_gc(vm->L, LUA_GCSETPAUSE, VM_PAUSE);

	vm->grown = true;
	if (pause != VM_PAUSE_SMALL)
		lua_gc(vm->L, LUA_GCSETPAUSE, pause);
	else
		lua_gc(vm->L, LUA_GCSTEP, 0); /* the threshold was set by the long pause */
}

int vm_call(struct vm *vm, int nargs, int nresults)
{
	lua_State *L = vm->L;
	int base = lua_gettop(L) - nargs;
	struct frame frame;
	int status;

	lua_pushcfunction(L, explain_handler);
	lua_insert(L, base);
	vm_enter(vm, &frame, L);
	status = lua_pcall(L, nargs, nresults, base);
	vm_leave(vm, &frame);
	lua_remove(L, base);
	if (status != LUA_OK && lua_type(L, -1) != LUA_TSTRING) {
		lua_pop(L, 1);
		lua_pushliteral(L, "not enough memory");
	}
	return status;
}

int vm_run(struct vm *vm, lua_CFunction work, void *data)
{
	lua_pushcfunction(vm->L, work);
	lua_pushlightuserdata(vm->L, data);
	return vm_call(vm, 1, 0);
}

void vm_log(struct vm *vm, enum log_level level, const char *message,
	    const struct log_field *fields, size_t count)
{
	vm->calls->log(vm->calls->data, level, message, strlen(message), fields, count);
}

void vm_log_failure(struct vm *vm, const char *message, const struct log_field *fields,
		    size_t count)
{
	if (!vm->script || !vm->script_calls->take_failure(vm, message))
		vm_log(vm, LEVEL_ERROR, message, fields, count);
}

void vm_printf(struct vm *vm, enum log_level level, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	vm_log(vm, level, text, NULL, 0);
}

void vm_set_log_level(struct vm *vm, enum log_level level)
{
	vm->log_level = level;
	vm->calls->level(vm->calls->data, level);
}

int64_t vm_wall_clock(struct vm *vm)
{
	return vm->calls->wall ? vm->calls->wall(vm->calls->data) : clock_wall(&vm->clock);
}

void vm_raise(lua_State *L, const char *format, ...)
{
	va_list args;

	luaL_where(L, 1);
	va_start(args, format);
	lua_pushvfstring(L, format, args);
	va_end(args);
	lua_concat(L, 2);
	lua_error(L);
	abort(); /* never comes here */
}

int vm_fail(lua_State *L, const char *message, const char *code)
{
	lua_pushnil(L);
	lua_pushstring(L, message);
	lua_pushstring(L, code);
	return 3;
}

int vm_fail_uv(lua_State *L, int code)
{
	return vm_fail(L, uv_strerror(code), uv_err_name(code));
}

void vm_close_handle(struct vm *vm, uv_handle_t *handle, uv_close_cb closed)
{
	(void)vm;
	if (!uv_is_closing(handle))
		uv_close(handle, closed);
}

static int panic(lua_State *L)
{
	struct vm *vm = vm_of(L);
	const char *text = lua_tostring(L, -1);

	vm_printf(vm, LEVEL_ERROR, "unprotected error in Lua: %s", text ? text : "(no text)");
	abort();
}

/* warn("...") and errors in finalizers. A message may come in pieces; "@on" and "@off" are of
 * Lua's own convention. */
static void on_warning(void *data, const char *message, int more)
{
	struct vm *vm = data;
	size_t length = strlen(vm->warning);

	if (length == 0 && !more && message[0] == '@') {
		if (strcmp(message, "@on") == 0 || strcmp(message, "@off") == 0)
			vm->quiet_warnings = message[2] == 'f';
		return;
	}
	snprintf(vm->warning + length, sizeof vm->warning - length, "%s", message);
	if (more)
		return;
	if (!vm->quiet_warnings)
		vm_log(vm, LEVEL_WARN, vm->warning, NULL, 0);
	vm->warning[0] = '\0';
}

static int open_all(lua_State *L)
{
	/* Before any library looks at LUA_PATH, LUA_CPATH or LUA_INIT. */
	lua_pushboolean(L, 1);
	lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
	lua_pushliteral(L, "not enough memory");
	luaL_ref(L, LUA_REGISTRYINDEX);
	luaL_openlibs(L);
	baselib_open(L);
	loader_open(L);
	if (vm_of(L)->clock.held)
		heldlib_open(L);
	uvlib_prepare(L);
	return 0;
}

/* What a daemon has and no script. */
static void prepare(struct vm *vm)
{
	/* io.write to the log must not wait for a full buffer: nobody flushes at the end of a line.
	 */
	if (!vm->calls->clock)
		(void)setvbuf(stdout, NULL, _IOLBF, 0);
	lua_gc(vm->L, LUA_GCSETPAUSE, VM_PAUSE_SMALL);
	lua_setwarnf(vm->L, on_warning, vm);
}

/* Of a script, or of a daemon: nothing. */
struct owner {
	struct script *script;
	const struct script_calls *calls;
};

static struct vm *create(uv_loop_t *loop, struct daemon *daemon, const struct life_calls *calls,
			 struct owner owner, lua_CFunction open, struct err *err)
{
	struct vm *vm = calloc(1, sizeof *vm);

	if (!vm || !(vm->read_buffer = malloc(READ_SIZE)))
		goto no_memory;
	vm->loop = loop;
	vm->clock = (struct clock){loop, calls->clock};
	vm->daemon = daemon;
	vm->calls = calls;
	vm->script = owner.script;
	vm->script_calls = owner.calls;
	vm->slice.raise_stop = owner.calls ? owner.calls->raise_stop : NULL;
	vm->log_level = daemon->spec->log.level;
	vm->limit = daemon->spec->lua_memory;
	vm->grown = owner.script != NULL; /* Lua's own pace */
	vm->service = vm->daemon_ref = LUA_NOREF;
	list_init(&vm->servers);
	list_init(&vm->listenings);
	list_init(&vm->udps);
	list_init(&vm->conns);
	list_init(&vm->timers);
	list_init(&vm->watchers);
	list_init(&vm->evals);
	fs_requests_init(vm);
	list_init(&vm->drainers);
	vm->L = lua_newstate(allocate, vm);
	if (!vm->L)
		goto no_memory;
	*(struct vm **)lua_getextraspace(vm->L) = vm;
	lua_atpanic(vm->L, panic);
	if (!owner.script)
		prepare(vm);
	if (vm_run(vm, open, owner.script) != LUA_OK) {
		err_set(err, "cannot make the Lua state: %s", lua_tostring(vm->L, -1));
		lua_close(vm->L);
		goto failed;
	}
	tasks_init(vm);
	if (calls->coverage)
		coverage_begin(vm, calls->coverage);
	return vm;
no_memory:
	err_set(err, "cannot make the Lua state: out of memory");
failed:
	if (vm) {
		blocks_finish(&vm->blocks);
		free(vm->read_buffer);
	}
	free(vm);
	return NULL;
}

struct vm *vm_create(uv_loop_t *loop, struct daemon *daemon, const struct life_calls *calls,
		     struct err *err)
{
	return create(loop, daemon, calls, (struct owner){NULL, NULL}, open_all, err);
}

struct vm *vm_create_script(uv_loop_t *loop, struct daemon *daemon, const struct life_calls *calls,
			    struct script *script, const struct script_calls *script_calls,
			    lua_CFunction open, struct err *err)
{
	return create(loop, daemon, calls, (struct owner){script, script_calls}, open, err);
}

void vm_destroy(struct vm *vm)
{
	if (!vm)
		return;
	vm->fs.over = true;
	lua_close(vm->L);
	blocks_finish(&vm->blocks);
	free(vm->read_buffer);
	free(vm);
}
