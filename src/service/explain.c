#include "service/explain.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/vm.h"

enum { FIELDS_MAX = 8, TEXT_MAX = 512, VALUE_MAX = 200 };

static const char traces = 0; /* registry key: { error =, trace = } of the last coroutine error */

/* --- the object --- */

static int tostring(lua_State *L)
{
	luaL_tolstring(L, 1, NULL);
	return 1;
}

/* Pushes what the object says of itself; false: its __tostring fails. */
static bool push_own_text(lua_State *L, int index)
{
	int status;

	lua_pushcfunction(L, tostring);
	lua_pushvalue(L, index);
	status = lua_pcall(L, 1, 1, 0);
	if (status == LUA_ERRMEM)
		lua_error(L);
	if (status != LUA_OK)
		lua_pop(L, 1);
	return status == LUA_OK;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The first names of a table, sorted; the table keeps them. */
static size_t collect_names(lua_State *L, int index, const char *names[FIELDS_MAX])
{
	size_t count = 0;

	lua_pushnil(L);
	while (lua_next(L, index)) {
		lua_pop(L, 1);
		if (lua_type(L, -1) != LUA_TSTRING)
			continue;
		names[count++] = lua_tostring(L, -1);
		if (count == FIELDS_MAX) {
			lua_pop(L, 1);
			break;
		}
	}
	qsort(names, count, sizeof(const char *), compare);
	return count;
}

/* The value on top: numbers and strings as they are, of all else the type. */
static void write_value(lua_State *L, char *text, size_t size)
{
	switch (lua_type(L, -1)) {
	case LUA_TSTRING:
		snprintf(text, size, "\"%.*s\"", VALUE_MAX, lua_tostring(L, -1));
		break;
	case LUA_TNUMBER:
		if (lua_isinteger(L, -1))
			snprintf(text, size, LUA_INTEGER_FMT, lua_tointeger(L, -1));
		else
			snprintf(text, size, "%.14g", lua_tonumber(L, -1));
		break;
	case LUA_TBOOLEAN:
		snprintf(text, size, "%s", lua_toboolean(L, -1) ? "true" : "false");
		break;
	default:
		snprintf(text, size, "a %s", luaL_typename(L, -1));
	}
}

/* error { code = 3 }: a table has no text, but its fields say what is meant. */
static void push_fields(lua_State *L, int index)
{
	const char *names[FIELDS_MAX];
	size_t count = collect_names(L, index, names), length = 0;
	char text[TEXT_MAX] = "";

	for (size_t i = 0; i < count && length < sizeof text; i++) {
		char value[VALUE_MAX + 8];

		lua_pushstring(L, names[i]);
		lua_rawget(L, index);
		write_value(L, value, sizeof value);
		lua_pop(L, 1);
		length += (size_t)snprintf(text + length, sizeof text - length, "%s%s = %s",
					   i > 0 ? ", " : "", names[i], value);
	}
	if (count > 0)
		lua_pushfstring(L, ": { %s }", text);
	else
		lua_pushliteral(L, "");
}

static void push_foreign(lua_State *L, int index, const char *problem)
{
	lua_pushfstring(L, "(error object is a %s value%s", luaL_typename(L, index), problem);
	if (lua_istable(L, index))
		push_fields(L, index);
	else
		lua_pushliteral(L, "");
	lua_pushliteral(L, ")");
	lua_concat(L, 3);
}

static void push_error_text(lua_State *L, int index)
{
	int type = lua_type(L, index);
	bool own = luaL_getmetafield(L, index, "__tostring") != LUA_TNIL;

	lua_settop(L, index);
	if (type != LUA_TSTRING && type != LUA_TNUMBER && !own)
		push_foreign(L, index, "");
	else if (!push_own_text(L, index))
		push_foreign(L, index, " whose __tostring fails");
}

/* --- where it came from --- */

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

void explain_keep_trace(lua_State *L)
{
	lua_createtable(L, 0, 2);
	lua_pushvalue(L, -2);
	lua_setfield(L, -2, "error");
	lua_pushvalue(L, -3);
	lua_setfield(L, -2, "trace");
	lua_rawsetp(L, LUA_REGISTRYINDEX, &traces);
}

/* --- both --- */

/* One that only says that C has called says nothing. The message is on the top. */
static void append_traceback(lua_State *L)
{
	luaL_traceback(L, L, "", 1);
	if (strcmp(lua_tostring(L, -1), "\nstack traceback:\n\t[C]: in ?") == 0)
		lua_pop(L, 1);
	else
		lua_concat(L, 2);
}

int explain_handler(lua_State *L)
{
	lua_settop(L, 1);
	push_error_text(L, 1);
	append_traceback(L);
	append_trace(L, 1);
	return 1;
}

/* error, light userdata of the thread -> text, with traceback while the thread has calls */
static int explain(lua_State *L)
{
	lua_State *co = lua_touserdata(L, 2);
	lua_Debug call;

	lua_settop(L, 1);
	push_error_text(L, 1);
	if (lua_getstack(co, 0, &call))
		luaL_traceback(L, co, lua_tostring(L, 2), 0);
	append_trace(L, 1);
	return 1;
}

const char *explain_error(struct vm *vm, lua_State *co)
{
	lua_State *L = vm->L;
	struct frame frame;
	int status;

	lua_checkstack(L, 4);
	lua_checkstack(co, 1);
	lua_pushcfunction(L, explain);
	lua_pushvalue(co, -1);
	lua_xmove(co, L, 1);
	lua_pushlightuserdata(L, co);
	vm->explaining = true;
	vm_enter(vm, &frame, L); /* an error may have a __tostring of the service's own */
	status = lua_pcall(L, 2, 1, 0);
	vm_leave(vm, &frame);
	if (status != LUA_OK) {
		lua_pop(L, 1);
		lua_pushliteral(L, "not enough memory"); /* interned when the state was made */
	}
	vm->explaining = false;
	lua_pushnil(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &traces);
	return lua_tostring(L, -1);
}
