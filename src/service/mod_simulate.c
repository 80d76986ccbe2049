#include "service/modules.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plan/daemon.h"
#include "service/embed.h"
#include "service/push.h"
#include "service/simulation.h"
#include "service/vm.h"
#include "sys/sys.h"

/* luvd.testing.native: simulated daemons, for lua/luvd/testing/simulate.lua, which checks what it
 * is given and knows what a test wants. Times are milliseconds. */

static const char meta[] = "luvd.simulation";

struct box {
	struct embed *embed; /* NULL: closed */
};

struct embed *simulation_embed(lua_State *L)
{
	struct box *box = luaL_checkudata(L, 1, meta);

	return box->embed;
}

struct embed *simulation_check(lua_State *L)
{
	struct embed *embed = simulation_embed(L);

	if (!embed)
		luaL_error(L, "the simulation is closed");
	return embed;
}

/* --- making one --- */

/* A list of strings, in memory that the collector frees. */
static char **check_sets(lua_State *L, int index)
{
	size_t count;
	char **sets;

	luaL_checktype(L, index, LUA_TTABLE);
	count = lua_rawlen(L, index);
	sets = lua_newuserdatauv(L, (count + 1) * sizeof *sets, 0);
	for (size_t i = 0; i < count; i++) {
		lua_rawgeti(L, index, (lua_Integer)i + 1);
		sets[i] = (char *)luaL_checkstring(L, -1); /* the table keeps it */
		lua_pop(L, 1);
	}
	sets[count] = NULL;
	return sets;
}

static int fail_all(lua_State *L, struct errs *errs)
{
	luaL_Buffer text;

	luaL_buffinit(L, &text);
	for (size_t i = 0; i < errs->count; i++) {
		char line[ERR_TEXT_MAX];

		if (i > 0)
			luaL_addchar(&text, '\n');
		luaL_addstring(&text, err_text(&errs->list[i], line, sizeof line));
	}
	luaL_pushresult(&text);
	errs_finish(errs);
	lua_pushnil(L);
	lua_insert(L, -2);
	return 2;
}

/* create(path, shown, sets, scratch): a simulation; or nil and all that is wrong */
static int l_create(lua_State *L)
{
	char host[256] = "localhost";
	struct source source = {.path = (char *)luaL_checkstring(L, 1),
				.shown = (char *)luaL_checkstring(L, 2),
				.scratch = (char *)luaL_checkstring(L, 4),
				.environment = environ,
				.hostname = host,
				.cpus = sys_cpus(),
				.uid = geteuid(),
				.owner = getuid()};
	struct sim_calls calls = {.changed = embed_changed, .coverage = vm_of(L)->coverage};
	struct errs errs = {0};
	struct box *box;
	struct sim *sim;

	source.sets = check_sets(L, 3);
	gethostname(host, sizeof host - 1);
	box = lua_newuserdatauv(L, sizeof *box, 0);
	box->embed = NULL;
	luaL_setmetatable(L, meta);
	calls.data = box->embed = embed_create(vm_of(L));
	if (!box->embed)
		return luaL_error(L, "not enough memory");
	sim = sim_create(&source, &calls, &errs);
	if (!sim)
		return fail_all(L, &errs);
	if (embed_begin(box->embed, sim) < 0) {
		sim_destroy(sim);
		return luaL_error(L, "cannot watch the loop of a simulation");
	}
	embed_settle(box->embed);
	return 1;
}

static int l_close(lua_State *L)
{
	struct box *box = luaL_checkudata(L, 1, meta);
	struct embed *embed = box->embed;

	box->embed = NULL;
	if (embed)
		embed_close(embed);
	return 0;
}

/* --- what is known of it --- */

static int l_phase(lua_State *L)
{
	static const char *const names[] = {"starting", "running", "reloading", "stopping",
					    "stopped"};

	lua_pushstring(L, names[sim_phase(simulation_check(L)->sim)]);
	return 1;
}

int simulation_push_err(lua_State *L, const struct err *err)
{
	char text[ERR_TEXT_MAX];

	if (err)
		lua_pushstring(L, err_text(err, text, sizeof text));
	else
		lua_pushnil(L);
	return 1;
}

static int l_failure(lua_State *L)
{
	return simulation_push_err(L, sim_failure(simulation_check(L)->sim));
}

static int l_refusal(lua_State *L)
{
	return simulation_push_err(L, sim_refusal(simulation_check(L)->sim));
}

static int l_code(lua_State *L)
{
	lua_pushinteger(L, sim_code(simulation_check(L)->sim));
	return 1;
}

/* log(from): what was logged behind so many bytes */
static int l_log(lua_State *L)
{
	struct embed *embed = simulation_check(L);
	lua_Integer from = luaL_checkinteger(L, 2);
	size_t length;
	const char *text = sim_log(embed->sim, &length);

	luaL_argcheck(L, from >= 0 && (size_t)from <= length, 2, "a place in the log");
	lua_pushlstring(L, text + from, length - (size_t)from);
	return 1;
}

/* The name, and { name, address } of each entry. */
static int l_names(lua_State *L)
{
	struct embed *embed = simulation_check(L);
	const struct spec *spec = sim_spec(embed->sim);

	if (!spec)
		return 0;
	lua_pushstring(L, spec->name);
	lua_createtable(L, (int)spec->listen_count, 0);
	for (size_t i = 0; i < spec->listen_count; i++) {
		lua_createtable(L, 0, 2);
		lua_pushstring(L, spec->listens[i].name);
		lua_setfield(L, -2, "name");
		lua_pushstring(L, sim_address(embed->sim, spec->listens[i].name));
		lua_setfield(L, -2, "address");
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 2;
}

static void push_holding(void *data, const char *what, size_t count)
{
	lua_State *L = data;

	lua_pushinteger(L, (lua_Integer)count);
	lua_setfield(L, -2, what);
}

/* What it has open, by kinds: { ["connection of web"] = 2, task = 1 } */
static int l_holds(lua_State *L)
{
	struct embed *embed = simulation_check(L);

	lua_newtable(L);
	sim_holds(embed->sim, push_holding, L);
	return 1;
}

/* --- what a test does with it --- */

static int l_reload(lua_State *L)
{
	struct embed *embed = simulation_check(L);

	sim_reload(embed->sim, check_sets(L, 2));
	embed_settle(embed);
	return 0;
}

static int l_signal(lua_State *L)
{
	struct embed *embed = simulation_check(L);

	embed_signal(embed, (int)luaL_checkinteger(L, 2));
	embed_settle(embed);
	return 0;
}

static int l_stop(lua_State *L)
{
	struct embed *embed = simulation_check(L);

	sim_stop(embed->sim);
	embed_settle(embed);
	return 0;
}

int luaopen_luvd_testing_native(lua_State *L)
{
	static const luaL_Reg functions[] = {{"create", l_create},
					     {"answer", simulation_l_answer},
					     {"transmit", simulation_l_transmit},
					     {"take", simulation_l_take},
					     {"shut", simulation_l_shut},
					     {NULL, NULL}};
	static const luaL_Reg methods[] = {
	    {"ask", simulation_l_ask}, {"close", l_close},
	    {"code", l_code},          {"connect", simulation_l_connect},
	    {"failure", l_failure},    {"log", l_log},
	    {"names", l_names},        {"phase", l_phase},
	    {"refusal", l_refusal},    {"reload", l_reload},
	    {"signal", l_signal},      {"stop", l_stop},
	    {"holds", l_holds},        {NULL, NULL}};
	static const luaL_Reg events[] = {{"__gc", l_close}, {"__close", l_close}, {NULL, NULL}};

	push_metatable(L, meta);
	luaL_setfuncs(L, events, 0);
	luaL_newlib(L, methods);
	simulation_add_time(L);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
	simulation_open_ask(L);
	luaL_newlib(L, functions);
	return 1;
}
