#include "service/prompt.h"

#include <lauxlib.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service/answer.h"
#include "service/console.h"
#include "service/pretty.h"
#include "service/script_state.h"
#include "service/vm.h"

enum { RESULT_MAX = 256 * 1024, NAMES_MAX = 16 * 1024 };

enum reading { READ, CANCELLED, ENDED };

/* --- reading --- */

/* Pushes _PROMPT, or _PROMPT2 of a line that goes on. */
static const char *push_prompt(lua_State *L, bool first)
{
	if (lua_getglobal(L, first ? "_PROMPT" : "_PROMPT2") != LUA_TNIL)
		return luaL_tolstring(L, -1, NULL);
	return lua_pushstring(L, first ? "> " : ">> ");
}

static enum reading read_plain(lua_State *L, const char *prompt)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t length;

	fputs(prompt, stdout);
	fflush(stdout);
	length = getline(&line, &size, stdin);
	if (length > 0 && line[length - 1] == '\n')
		length--;
	if (length >= 0) {
		lua_pushlstring(L, line, (size_t)length);
		/* What nobody types is shown, so that what is printed can be read. */
		if (!isatty(STDIN_FILENO))
			printf("%.*s\n", (int)length, line);
	}
	free(line);
	return length >= 0 ? READ : ENDED;
}

static enum reading read_typed(lua_State *L, const struct typing *typing, const char *prompt)
{
	bool cancelled;
	size_t length;
	const char *line = typing->line(typing->data, prompt, &length, &cancelled);

	if (cancelled || !line)
		return cancelled ? CANCELLED : ENDED;
	if (length > 0 && line[length - 1] == '\n')
		length--;
	lua_pushlstring(L, line, length);
	return READ;
}

/* Pushes a line without its newline, if it was read. */
static enum reading push_line(lua_State *L, const struct typing *typing, bool first)
{
	int top = lua_gettop(L);
	const char *prompt = push_prompt(L, first);
	enum reading reading = typing ? read_typed(L, typing, prompt) : read_plain(L, prompt);

	if (reading == READ)
		lua_replace(L, top + 1);
	lua_settop(L, reading == READ ? top + 1 : top);
	return reading;
}

void interpreter_wait(struct script *script, bool (*over)(void))
{
	uv_loop_t *loop = script->vm->loop;
	struct flow_rest rest;
	struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
				{.fd = uv_backend_fd(loop), .events = POLLIN}};

	flow_rest(script->vm, &rest);
	do {
		alarms_rest(&script->vm->alarms);
		uv_run(loop, UV_RUN_NOWAIT);
		/* A loop that has nothing to wait for says 0. */
		if (poll(fds, 2, uv_loop_alive(loop) ? uv_backend_timeout(loop) : -1) < 0 && over())
			break;
	} while (!fds[0].revents);
	flow_go_on(script->vm, &rest);
}

/* --- compiling: the text is at 1 --- */

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

/* Statements: lines until they are a whole. The text grows. *reading: CANCELLED when it is to be
 * forgotten. */
static int compile_statements(lua_State *L, const struct typing *typing, enum reading *reading)
{
	for (;;) {
		size_t length;
		const char *text = lua_tolstring(L, 1, &length);
		int status = compile(L, text, length);

		if (status != LUA_ERRSYNTAX || !is_unfinished(L))
			return status;
		lua_pushliteral(L, "\n"); /* above the message, which stays if this is the end */
		*reading = push_line(L, typing, false);
		if (*reading != READ) {
			lua_pop(L, 1);
			return status;
		}
		lua_remove(L, 2);
		lua_concat(L, 3);
	}
}

/* --- printing --- */

static void print_plain(lua_State *L)
{
	int count = lua_gettop(L);

	luaL_checkstack(L, LUA_MINSTACK, "too many results to print");
	lua_getglobal(L, "print");
	lua_insert(L, 1);
	if (lua_pcall(L, count, 0, 0) == LUA_OK)
		return;
	lua_pushfstring(L, "error calling 'print' (%s)", lua_tostring(L, -1));
	script_report(L);
}

/* One a line, as luvd console does. */
static void print_readable(lua_State *L)
{
	struct answer answer = {.most = RESULT_MAX};

	for (int i = 1; i <= lua_gettop(L); i++) {
		pretty_print(L, i, &answer);
		answer_text(&answer, "\n");
	}
	fputs(answer_finish(&answer), stdout);
	fflush(stdout);
	answer_free(&answer);
}

/* --- all --- */

/* The text at 1 is a first line. */
static void evaluate(lua_State *L, const struct typing *typing)
{
	enum reading reading = READ;
	int status;

	if (lua_tostring(L, 1)[0] == '=') { /* as of Lua 5.2 and before */
		lua_pushfstring(L, "return %s", lua_tostring(L, 1) + 1);
		lua_replace(L, 1);
	}
	status = compile_expression(L);
	if (status != LUA_OK)
		status = compile_statements(L, typing, &reading);
	if (reading == CANCELLED)
		return;
	if (typing)
		typing->remember(typing->data, lua_tostring(L, 1));
	lua_remove(L, 1);
	if (status != LUA_OK) {
		script_report(L);
		return;
	}
	if (script_call(L, 0, LUA_MULTRET) != LUA_OK || lua_gettop(L) == 0)
		return;
	if (typing)
		print_readable(L);
	else
		print_plain(L);
}

void prompt_run(lua_State *L, const struct typing *typing)
{
	enum reading reading;

	do {
		script_stop_renew(vm_of(L)->script);
		lua_settop(L, 0);
		reading = push_line(L, typing, true);
		if (reading == READ)
			evaluate(L, typing);
	} while (reading != ENDED);
	lua_settop(L, 0);
	fputc('\n', stdout);
	fflush(stdout);
}

/* --- completion --- */

struct completion {
	const char *text;
	struct answer answer;
};

static int complete(lua_State *L)
{
	struct completion *completion = lua_touserdata(L, 1);

	luaL_checkstack(L, 8, NULL);
	lua_pushglobaltable(L);
	names_complete(L, completion->text, &completion->answer);
	return 0;
}

char *interpreter_complete(struct script *script, const char *text, size_t length)
{
	struct completion completion = {.answer.most = NAMES_MAX};
	char *copy = strndup(text, length), *result = NULL;

	completion.text = copy;
	if (copy && vm_run(script->vm, complete, &completion) == LUA_OK)
		result = strdup(answer_finish(&completion.answer));
	else if (copy)
		lua_pop(script->vm->L, 1);
	answer_free(&completion.answer);
	free(copy);
	return result;
}
