#include "service/simulation.h"

#include <lauxlib.h>

#include "service/task.h"
#include "service/vm.h"

/* Its own time, which is told to pass, and that of the script, in which one waits for it. */

static int l_now(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)sim_now(simulation_check(L)->sim));
	return 1;
}

/* Milliseconds since the epoch, as the service sees them. */
static int l_wall(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)sim_wall(simulation_check(L)->sim));
	return 1;
}

static int l_due(lua_State *L)
{
	uint64_t due = sim_due(simulation_check(L)->sim);

	if (due)
		lua_pushinteger(L, (lua_Integer)due);
	else
		lua_pushnil(L);
	return 1;
}

/* step(until): has an alarm rung? */
static int l_step(lua_State *L)
{
	struct embed *embed = simulation_check(L);
	uint64_t until = (uint64_t)luaL_checkinteger(L, 2);

	lua_pushboolean(L, embed_step(embed, until));
	return 1;
}

/* settle(): has something run? */
static int l_settle(lua_State *L)
{
	lua_pushboolean(L, embed_settle(simulation_check(L)));
	return 1;
}

static int l_looks_out(lua_State *L)
{
	lua_pushboolean(L, sim_looks_out(simulation_check(L)->sim));
	return 1;
}

/* --- waiting, in the script's own time --- */

/* How often something has happened, in the simulation or in the script. */
static int push_count(lua_State *L)
{
	const struct embed *embed = simulation_embed(L);
	uint64_t runs = vm_of(L)->slice.run;

	lua_pushinteger(L, embed ? (lua_Integer)(embed->told + runs - embed->resumed) : 0);
	return 1;
}

/* A task that goes on is a run by itself; the main flow is not. */
static int waited(lua_State *L, int status, lua_KContext context)
{
	struct embed *embed = simulation_embed(L);

	(void)status;
	(void)context;
	if (embed)
		embed->resumed += !vm_of(L)->current->main;
	return push_count(L);
}

/* turn(): the script's loop turns once */
static int l_turn(lua_State *L)
{
	struct embed *embed = simulation_check(L);
	struct task *task = task_check(L);

	embed_turn(embed, task);
	return task_wait(L, task, embed, NULL, -1, 0, waited);
}

/* wait(most): until something happens in the simulation */
static int l_wait(lua_State *L)
{
	struct embed *embed = simulation_check(L);
	int64_t most = luaL_checkinteger(L, 2);
	struct task *task = task_check(L);

	list_append(&embed->waiters, &task->queued);
	return task_wait(L, task, embed, NULL, most, 0, waited);
}

static int l_count(lua_State *L)
{
	simulation_check(L);
	return push_count(L);
}

void simulation_add_time(lua_State *L)
{
	static const luaL_Reg methods[] = {
	    {"count", l_count},   {"due", l_due},   {"looks_out", l_looks_out}, {"now", l_now},
	    {"settle", l_settle}, {"step", l_step}, {"turn", l_turn},           {"wait", l_wait},
	    {"wall", l_wall},     {NULL, NULL}};

	luaL_setfuncs(L, methods, 0);
}
