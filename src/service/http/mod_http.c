#include <lauxlib.h>
#include <stdlib.h>
#include <sys/random.h>

#include "service/http/http.h"
#include "service/http/options.h"
#include "service/http/request.h"
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

int luaopen_luvd_http(lua_State *L)
{
	static const luaL_Reg functions[] = {{"serve", l_serve}, {NULL, NULL}};

	request_open(L);
	luaL_newlib(L, functions);
	return 1;
}
