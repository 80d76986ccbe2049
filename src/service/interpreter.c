#include "service/interpreter.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service/handle.h"
#include "service/prompt.h"
#include "service/script_state.h"
#include "service/vm.h"

enum { ARGUMENTS_MAX = 1000000 /* as many as Lua's stack has room for */ };

/* --- arg --- */

/* arg[0] is the script, what follows it 1 and up; before it the options, and lowest what runs
 * again: scripts call their own interpreter that way. */
static void make_arg(lua_State *L, const struct interpreter_words *words)
{
	long script = words->script - words->words;

	if (!*words->script)
		script = -1; /* arg[0] is the program */
	lua_newtable(L);
	lua_pushstring(L, words->self);
	lua_rawseti(L, -2, -1 - script);
	for (long i = 0; words->words[i]; i++) {
		lua_pushstring(L, words->words[i]);
		lua_rawseti(L, -2, i - script);
	}
	lua_setglobal(L, "arg");
}

static int push_arguments(lua_State *L)
{
	lua_Integer length;
	int count;

	if (lua_getglobal(L, "arg") != LUA_TTABLE)
		return luaL_error(L, "'arg' is not a table");
	length = luaL_len(L, -1); /* a script that -l or LUA_INIT runs may have changed it */
	if (length > ARGUMENTS_MAX)
		return luaL_error(L, "too many arguments to script");
	count = length > 0 ? (int)length : 0;
	luaL_checkstack(L, count + 3, "too many arguments to script");
	for (int i = 1; i <= count; i++)
		lua_rawgeti(L, -i, i);
	lua_remove(L, -count - 1);
	return count;
}

/* --- what is run, in its order --- */

/* status of a load, whose function or message is on top. */
static bool run_chunk(lua_State *L, int status)
{
	if (status == LUA_OK)
		return script_call(L, 0, 0) == LUA_OK;
	script_report(L);
	return false;
}

static bool run_text(lua_State *L, const char *text, const char *name)
{
	return run_chunk(L, luaL_loadbuffer(L, text, strlen(text), name));
}

/* LUA_INIT_5_4, else LUA_INIT: Lua, or "@" and a file. */
static bool run_init(lua_State *L)
{
	const char *name = "=LUA_INIT" LUA_VERSUFFIX;
	const char *text = getenv(name + 1);

	if (!text) {
		name = "=LUA_INIT";
		text = getenv(name + 1);
	}
	if (!text)
		return true;
	return text[0] == '@' ? run_chunk(L, luaL_loadfile(L, text + 1)) : run_text(L, text, name);
}

/* -l name, or -l global=name */
static bool run_require(lua_State *L, char *value)
{
	char *equals = strchr(value, '=');
	const char *name = equals ? equals + 1 : value;

	lua_pushlstring(L, value, equals ? (size_t)(equals - value) : strlen(value));
	lua_getglobal(L, "require");
	lua_pushstring(L, name);
	if (script_call(L, 1, 1) != LUA_OK) {
		lua_pop(L, 1);
		return false;
	}
	lua_setglobal(L, lua_tostring(L, -2));
	lua_pop(L, 1);
	return true;
}

static bool run_options(lua_State *L, const struct interpreter_words *words)
{
	char **at = words->words, *value;
	bool done = true;
	char letter;

	while (done && (letter = interpreter_next(words, &at, &value))) {
		if (letter == 'W')
			lua_warning(L, "@on", 0);
		else
			done = letter == 'e' ? run_text(L, value, "=(command line)")
					     : run_require(L, value);
	}
	return done;
}

static bool run_script(lua_State *L, const struct interpreter_words *words)
{
	const char *name = *words->script;
	int status;

	/* "--" before it makes "-" a file. */
	if (strcmp(name, "-") == 0 &&
	    (words->script == words->words || strcmp(words->script[-1], "--") != 0))
		name = NULL;
	status = luaL_loadfile(L, name);
	if (status != LUA_OK)
		return run_chunk(L, status);
	return script_call(L, push_arguments(L), LUA_MULTRET) == LUA_OK;
}

static void print_version(void)
{
	fputs(LUA_COPYRIGHT "\n", stdout);
	fflush(stdout);
}

/* Under lua a run of busted ends with busted, whatever its tests have left in the loop. */
static void end_busted(lua_State *L)
{
	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	if (lua_getfield(L, -1, "busted.runner") != LUA_TNIL) {
		handles_flush(vm_of(L)); /* tells what has failed */
		script_exit(L, vm_of(L)->script->failed ? EXIT_FAILED : EXIT_DONE, true);
	}
	lua_pop(L, 2);
}

static bool run_words(lua_State *L, const struct interpreter_words *words,
		      const struct typing *typing)
{
	if (words->modes & INTERPRETER_TELLS)
		print_version();
	make_arg(L, words);
	lua_gc(L, LUA_GCGEN, 0, 0);
	if (!(words->modes & INTERPRETER_BARE) && !run_init(L))
		return false;
	if (!run_options(L, words))
		return false;
	if (*words->script && !run_script(L, words))
		return false;
	if (!(words->modes & INTERPRETER_PROMPTS))
		end_busted(L);
	if (words->modes & INTERPRETER_PROMPTS) {
		prompt_run(L, typing);
	} else if (!*words->script &&
		   !(words->modes & (INTERPRETER_EXECUTES | INTERPRETER_TELLS))) {
		if (!isatty(STDIN_FILENO))
			return run_chunk(L, luaL_loadfile(L, NULL));
		print_version();
		prompt_run(L, typing);
	}
	return true;
}

struct run {
	const struct interpreter_words *words;
	const struct typing *typing;
};

static int body(lua_State *L)
{
	const struct run *run = lua_touserdata(L, 1);

	lua_settop(L, 0);
	lua_pushboolean(L, run_words(L, run->words, run->typing));
	return 1;
}

int interpreter_run(struct script *script, const struct interpreter_words *words,
		    const struct typing *typing)
{
	struct run run = {words, typing};

	return script_run(script, body, &run);
}
