#include "service/modules.h"

#include <lauxlib.h>
#include <stdio.h>

#include "service/task.h"
#include "service/timer.h"
#include "service/units.h"
#include "service/vm.h"

static int slept(lua_State *L, int status, lua_KContext context)
{
	(void)L;
	(void)status;
	(void)context;
	return 0;
}

static int l_sleep(lua_State *L)
{
	int64_t duration = units_duration(L, 1);
	struct task *task = task_check(L);

	return task_wait(L, task, task, NULL, duration, 0, slept);
}

static int l_now(lua_State *L)
{
	lua_pushnumber(L, (double)clock_precise(&vm_of(L)->clock) / 1e9);
	return 1;
}

static int l_duration(lua_State *L)
{
	int64_t duration = units_duration(L, 1);

	if (duration % 1000 == 0)
		lua_pushinteger(L, duration / 1000);
	else
		lua_pushnumber(L, (double)duration / 1000);
	return 1;
}

static int l_size(lua_State *L)
{
	lua_pushinteger(L, units_size(L, 1));
	return 1;
}

static int l_status(lua_State *L)
{
	struct vm *vm = vm_of(L);

	vm->calls->status(vm->calls->data, luaL_checkstring(L, 1));
	return 0;
}

static int l_stop(lua_State *L)
{
	struct vm *vm = vm_of(L);
	int code = (int)luaL_optinteger(L, 1, 0);
	char what[48];

	luaL_argcheck(L, code >= 0 && code <= 255, 1, "an exit code from 0 to 255");
	snprintf(what, sizeof what, lua_isnoneornil(L, 1) ? "luvd.stop()" : "luvd.stop(%d)", code);
	vm->leave(vm, what, code);
	return 0;
}

int luaopen_luvd(lua_State *L)
{
	static const luaL_Reg functions[] = {
	    {"sleep", l_sleep},   {"now", l_now},         {"duration", l_duration},
	    {"size", l_size},     {"every", timer_every}, {"cron", timer_cron},
	    {"status", l_status}, {"stop", l_stop},       {NULL, NULL}};

	timers_open(L);
	luaL_newlib(L, functions);
	lua_pushliteral(L, LUVD_VERSION);
	lua_setfield(L, -2, "version");
	luaopen_luvd_log(L);
	lua_setfield(L, -2, "log");
	return 1;
}
