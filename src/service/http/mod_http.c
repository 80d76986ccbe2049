#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "service/http/answer.h"
#include "service/http/http.h"
#include "service/http/options.h"
#include "service/http/request.h"
#include "service/loader.h"
#include "service/modules.h"
#include "service/server.h"
#include "service/vm.h"

/* A function, or an object that has a method handle: http.router makes one. */
static void check_handler(lua_State *L, int index)
{
	if (lua_isfunction(L, index))
		return;
	if (lua_type(L, index) == LUA_TTABLE || lua_type(L, index) == LUA_TUSERDATA) {
		bool has = lua_getfield(L, index, "handle") == LUA_TFUNCTION;

		lua_pop(L, 1);
		if (has)
			return;
	}
	luaL_argerror(L, index, "expected a function or an object with a method handle");
}

static struct http *make(struct vm *vm)
{
	struct http *http = calloc(1, sizeof *http);

	if (!http || batch_init(&http->batch) < 0) {
		free(http);
		return NULL;
	}
	http->vm = vm;
	http->handler = http->access = LUA_NOREF;
	list_init(&http->conns);
	/* Ids of two workers, or of two starts, differ. */
	if (getrandom(&http->seed, sizeof http->seed, GRND_NONBLOCK) < 0)
		http->seed = (uint32_t)uv_hrtime();
	return http;
}

/* http.serve(listener, handler [, options]) */
static int l_serve(lua_State *L)
{
	struct http_options options;
	struct http *http;
	int access, handler;

	server_check(L, 1);
	check_handler(L, 2);
	lua_settop(L, 3);
	options_read(L, 3, &options); /* pushes the function of the access log, or nil */
	access = luaL_ref(L, LUA_REGISTRYINDEX);
	lua_settop(L, 2);
	handler = luaL_ref(L, LUA_REGISTRYINDEX);
	http = make(vm_of(L));
	if (!http) {
		luaL_unref(L, LUA_REGISTRYINDEX, handler);
		luaL_unref(L, LUA_REGISTRYINDEX, access);
		vm_raise(L, "not enough memory");
	}
	http->options = options;
	http->handler = handler;
	http->access = access;
	server_create(L, 1, &http_protocol, http);
	return 0;
}

/* What is written in Lua is loaded by the first who asks for it, and is a field like the others
 * from then on: a service without it does not pay for it. */
static const struct {
	const char *name, *module;
} written[] = {{"router", "luvd.http.router"}, {"request", "luvd.http.client"}};

/* module, name */
static int l_index(lua_State *L)
{
	const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
	const char *names[sizeof written / sizeof *written + 1] = {NULL};

	for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
		names[i] = written[i].name;
		if (strcmp(name, written[i].name) != 0)
			continue;
		loader_embedded(L, written[i].module);
		lua_pushvalue(L, -1);
		lua_setfield(L, 1, name); /* a table without __newindex */
		return 1;
	}
	return loader_missing(L, "luvd.http", names);
}

int luaopen_luvd_http(lua_State *L)
{
	static const luaL_Reg functions[] = {{"serve", l_serve}, {NULL, NULL}};

	request_open(L);
	file_open(L);
	luaL_newlib(L, functions);
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, l_index);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
	return 1;
}
