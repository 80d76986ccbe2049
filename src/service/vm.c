#include "service/vm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lualib.h>

#include "service/baselib.h"
#include "service/loader.h"
#include "service/task.h"
#include "service/uvlib.h"

static const char traces = 0; /* registry key: { error =, trace = } of the last coroutine error */

/* Buffers of the C library of Lua (string.rep, table.concat) take a no for an answer where Lua
 * itself would collect its garbage and ask again. So the last eighth is theirs: objects are told
 * no before it, which collects, and a heap full of garbage never fails a buffer. */
static size_t limit_of(const struct vm *vm, bool object)
{
	return object ? vm->limit - vm->limit / 8 : vm->limit;
}

static void *allocate(void *data, void *block, size_t before, size_t after)
{
	struct vm *vm = data;
	bool object = !block && before != 0; /* then it is the object's type */
	void *fresh;

	if (!block)
		before = 0;
	if (after == 0) {
		free(block);
		vm->bytes -= before;
		return NULL;
	}
	if (vm->limit && after > before && vm->bytes - before + after > limit_of(vm, object))
		return NULL;
	fresh = realloc(block, after);
	if (fresh)
		vm->bytes += after - before;
	return fresh;
}

static void push_error_text(lua_State *L, int index)
{
	int type = lua_type(L, index);

	if (type == LUA_TSTRING || type == LUA_TNUMBER ||
	    luaL_getmetafield(L, index, "__tostring")) {
		lua_settop(L, index);
		luaL_tolstring(L, index, NULL);
	} else {
		lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, index));
	}
}

/* Adds where the error came from in a coroutine that has been closed since. */
static void append_trace(lua_State *L, int error)
{
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &traces) != LUA_TTABLE) {
		lua_pop(L, 1);
		return;
	}
	lua_getfield(L, -1, "error");
	if (lua_rawequal(L, -1, error)) {
		lua_getfield(L, -2, "trace");
		lua_remove(L, -2);
		lua_remove(L, -2);
		lua_pushliteral(L, "\ninside the coroutine:\n");
		lua_insert(L, -2);
		lua_concat(L, 3);
	} else {
		lua_pop(L, 2);
	}
}

/* error, light userdata of the thread -> text with traceback */
static int explain(lua_State *L)
{
	lua_State *co = lua_touserdata(L, 2);

	lua_settop(L, 1);
	push_error_text(L, 1);
	luaL_traceback(L, co, lua_tostring(L, 2), 0);
	append_trace(L, 1);
	return 1;
}

const char *vm_explain(struct vm *vm, lua_State *co)
{
	lua_State *L = vm->L;

	lua_checkstack(L, 4);
	lua_checkstack(co, 1);
	lua_pushcfunction(L, explain);
	lua_pushvalue(co, -1);
	lua_xmove(co, L, 1);
	lua_pushlightuserdata(L, co);
	if (lua_pcall(L, 2, 1, 0) != LUA_OK) {
		lua_pop(L, 1);
		lua_pushliteral(L, "not enough memory"); /* interned when the state was made */
	}
	lua_pushnil(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &traces);
	return lua_tostring(L, -1);
}

void vm_remember_trace(lua_State *L)
{
	lua_createtable(L, 0, 2);
	lua_pushvalue(L, -2);
	lua_setfield(L, -2, "error");
	lua_pushvalue(L, -3);
	lua_setfield(L, -2, "trace");
	lua_rawsetp(L, LUA_REGISTRYINDEX, &traces);
}

static int handle_message(lua_State *L)
{
	lua_settop(L, 1);
	push_error_text(L, 1);
	luaL_traceback(L, L, lua_tostring(L, 2), 1);
	append_trace(L, 1);
	return 1;
}

int vm_call(struct vm *vm, int nargs, int nresults)
{
	lua_State *L = vm->L;
	int base = lua_gettop(L) - nargs;
	int status;

	lua_pushcfunction(L, handle_message);
	lua_insert(L, base);
	vm->running++;
	status = lua_pcall(L, nargs, nresults, base);
	vm->running--;
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

void vm_printf(struct vm *vm, enum log_level level, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	vm_log(vm, level, text, NULL, 0);
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
	uvlib_prepare(L);
	return 0;
}

struct vm *vm_create(uv_loop_t *loop, struct daemon *daemon, const struct life_calls *calls,
		     struct err *err)
{
	struct vm *vm = calloc(1, sizeof *vm);

	if (!vm || !(vm->read_buffer = malloc(READ_SIZE)))
		goto no_memory;
	vm->loop = loop;
	vm->daemon = daemon;
	vm->calls = calls;
	vm->limit = daemon->spec->lua_memory;
	vm->service = vm->daemon_ref = LUA_NOREF;
	list_init(&vm->servers);
	list_init(&vm->timers);
	list_init(&vm->drainers);
	vm->L = lua_newstate(allocate, vm);
	if (!vm->L)
		goto no_memory;
	*(struct vm **)lua_getextraspace(vm->L) = vm;
	/* io.write to the log must not wait for a full buffer: nobody flushes at the end of a line.
	 */
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	lua_atpanic(vm->L, panic);
	if (vm_run(vm, open_all, NULL) != LUA_OK) {
		err_set(err, "cannot make the Lua state: %s", lua_tostring(vm->L, -1));
		lua_close(vm->L);
		goto failed;
	}
	tasks_init(vm);
	return vm;
no_memory:
	err_set(err, "cannot make the Lua state: out of memory");
failed:
	if (vm)
		free(vm->read_buffer);
	free(vm);
	return NULL;
}

void vm_destroy(struct vm *vm)
{
	if (!vm)
		return;
	lua_close(vm->L);
	free(vm->read_buffer);
	free(vm);
}
