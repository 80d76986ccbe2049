#include "service/simulation.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "service/push.h"
#include "service/vm.h"

/* An answer, in a userdata that it keeps alive until it has come. */
struct question {
	lua_State *L;
	int reference;
	bool over, ok;
	char *text;
};

static void on_answer(void *data, bool ok, const char *text)
{
	struct question *question = data;

	question->over = true;
	question->ok = ok;
	question->text = strdup(text);
	luaL_unref(question->L, LUA_REGISTRYINDEX, question->reference);
}

static int l_free_question(lua_State *L)
{
	struct question *question = lua_touserdata(L, 1);

	free(question->text);
	question->text = NULL;
	return 0;
}

/* ask(text): a question, or nil: there is nobody to ask */
int simulation_l_ask(lua_State *L)
{
	struct embed *embed = simulation_check(L);
	const char *text = luaL_checkstring(L, 2);
	struct question *question = lua_newuserdatauv(L, sizeof *question, 0);

	*question = (struct question){.L = vm_of(L)->L, .reference = LUA_NOREF};
	luaL_setmetatable(L, "luvd.question");
	lua_pushvalue(L, -1);
	question->reference = luaL_ref(L, LUA_REGISTRYINDEX);
	if (sim_eval(embed->sim, text, on_answer, question) < 0) {
		luaL_unref(L, LUA_REGISTRYINDEX, question->reference);
		return 0;
	}
	embed_settle(embed);
	return 1;
}

/* answer(question): nothing yet; or ok, text */
int simulation_l_answer(lua_State *L)
{
	struct question *question = luaL_checkudata(L, 1, "luvd.question");

	if (!question->over)
		return 0;
	lua_pushboolean(L, question->ok);
	lua_pushstring(L, question->text ? question->text : "not enough memory");
	return 2;
}

void simulation_open_ask(lua_State *L)
{
	push_metatable(L, "luvd.question");
	lua_pushcfunction(L, l_free_question);
	lua_setfield(L, -2, "__gc");
	lua_pop(L, 1);
}
