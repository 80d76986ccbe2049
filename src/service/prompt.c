#include "service/prompt.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/script_state.h"

/* --- reading --- */

/* _PROMPT, or _PROMPT2 of a line that goes on. */
static void show_prompt(lua_State *L, bool first)
{
	int top = lua_gettop(L);

	if (lua_getglobal(L, first ? "_PROMPT" : "_PROMPT2") == LUA_TNIL)
		fputs(first ? "> " : ">> ", stdout);
	else
		fputs(luaL_tolstring(L, -1, NULL), stdout);
	fflush(stdout);
	lua_settop(L, top);
}

/* Pushes a line without its newline; false: there is no more. */
static bool push_line(lua_State *L)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t length = getline(&line, &size, stdin);

	if (length > 0 && line[length - 1] == '\n')
		length--;
	if (length >= 0)
		lua_pushlstring(L, line, (size_t)length);
	free(line);
	return length >= 0;
}

/* --- compiling --- */

static int compile(lua_State *L, const char *text, size_t length)
{
	return luaL_loadbuffer(L, text, length, "=stdin");
}

/* An expression is a text to be returned. */
static int compile_expression(lua_State *L)
{
	const char *text = lua_pushfstring(L, "return %s", lua_tostring(L, 1));
	int status = compile(L, text, strlen(text));

	lua_remove(L, -2);
	if (status != LUA_OK)
		lua_pop(L, 1);
	return status;
}

static bool is_unfinished(lua_State *L)
{
	static const char mark[] = "<eof>";
	size_t length;
	const char *message = lua_tolstring(L, -1, &length);

	return length >= sizeof mark - 1 && strcmp(message + length - (sizeof mark - 1), mark) == 0;
}

/* Statements: lines until they are a whole. The text at 1 grows. */
static int compile_statements(lua_State *L)
{
	for (;;) {
		size_t length;
		const char *text = lua_tolstring(L, 1, &length);
		int status = compile(L, text, length);

		if (status != LUA_ERRSYNTAX || !is_unfinished(L))
			return status;
		lua_pop(L, 1);
		show_prompt(L, false);
		lua_pushliteral(L, "\n");
		if (!push_line(L)) {
			lua_pop(L, 1);
			return compile(L, text, length);
		}
		lua_concat(L, 3);
	}
}

/* --- evaluating --- */

static void print_results(lua_State *L)
{
	int count = lua_gettop(L);

	if (count == 0)
		return;
	luaL_checkstack(L, LUA_MINSTACK, "too many results to print");
	lua_getglobal(L, "print");
	lua_insert(L, 1);
	if (lua_pcall(L, count, 0, 0) == LUA_OK)
		return;
	lua_pushfstring(L, "error calling 'print' (%s)", lua_tostring(L, -1));
	script_report(L);
}

void prompt_run(lua_State *L)
{
	for (;;) {
		int status;

		lua_settop(L, 0);
		show_prompt(L, true);
		if (!push_line(L))
			break;
		status = compile_expression(L);
		if (status != LUA_OK)
			status = compile_statements(L);
		lua_remove(L, 1);
		if (status != LUA_OK)
			script_report(L);
		else if (script_call(L, 0, LUA_MULTRET) == LUA_OK)
			print_results(L);
	}
	lua_settop(L, 0);
	fputc('\n', stdout);
	fflush(stdout);
}
