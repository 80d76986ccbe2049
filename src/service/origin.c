#include "service/origin.h"

#include <lauxlib.h>
#include <string.h>

#include "service/vm.h"

/* Deeper calls are not looked through. */
enum { LEVELS = 32 };

static const char table = 0; /* registry key: object -> "file:line" */

void origins_keep(struct vm *vm, lua_State *L)
{
	if (vm->origins)
		return;
	lua_newtable(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &table);
	vm->origins = true;
}

/* The innermost call of Lua that is not luvd's own. */
static bool find_call(lua_State *L, lua_Debug *call)
{
	for (int level = 0; level < LEVELS && lua_getstack(L, level, call); level++) {
		lua_getinfo(L, "Sl", call);
		if (call->currentline > 0 && strncmp(call->source, "@luvd.", 6) != 0)
			return true;
	}
	return false;
}

/* An address may have been another object's before: what is not known now overwrites too. */
static int note(lua_State *L)
{
	const void *object = lua_touserdata(L, 1);
	lua_Debug call;

	lua_rawgetp(L, LUA_REGISTRYINDEX, &table);
	if (find_call(L, &call))
		lua_pushfstring(L, "%s:%d", call.short_src, call.currentline);
	else
		lua_pushnil(L);
	lua_rawsetp(L, 2, object);
	return 0;
}

void origin_note(struct vm *vm, lua_State *L, const void *object)
{
	if (!vm->origins || !lua_checkstack(L, 4))
		return;
	lua_pushcfunction(L, note);
	lua_pushlightuserdata(L, (void *)object);
	if (lua_pcall(L, 1, 0, 0) != LUA_OK)
		lua_pop(L, 1);
}

void origin_push(struct vm *vm, lua_State *L, const void *object)
{
	if (!vm->origins) {
		lua_pushnil(L);
		return;
	}
	lua_rawgetp(L, LUA_REGISTRYINDEX, &table);
	lua_rawgetp(L, -1, object);
	lua_remove(L, -2);
}
