#include "service/coverage.h"

#include <lauxlib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/vm.h"

enum { NEAR = 64, FIRST_ROOM = 256, LINES_MAX = 1 << 20 };

/* One text of Lua. */
struct text {
	struct text *next;
	char *source; /* as Lua names it: "@spec/echo.lua" */
	char *path;   /* NULL: no file, nothing is counted */
	uint32_t *runs;
	size_t room;
};

struct coverage {
	struct text *texts;
	struct text *near[NEAR]; /* by the address of the name, for most lines are found there */
};

struct coverage *coverage_create(void)
{
	return calloc(1, sizeof(struct coverage));
}

static void destroy_text(struct text *text)
{
	free(text->source);
	free(text->path);
	free(text->runs);
	free(text);
}

void coverage_destroy(struct coverage *coverage)
{
	struct text *text = coverage ? coverage->texts : NULL;

	while (text) {
		struct text *next = text->next;

		destroy_text(text);
		text = next;
	}
	free(coverage);
}

/* --- counting: nothing here raises, what finds no memory is not counted --- */

static struct text *make(struct coverage *coverage, const char *source)
{
	struct text *text = calloc(1, sizeof *text);

	if (!text || !(text->source = strdup(source))) {
		free(text);
		return NULL;
	}
	if (source[0] == '@')
		text->path = realpath(source + 1, NULL);
	text->next = coverage->texts;
	coverage->texts = text;
	return text;
}

static struct text *find(struct coverage *coverage, const char *source)
{
	struct text **near = &coverage->near[((uintptr_t)source >> 4) % NEAR], *text = *near;

	/* Another text may have come to this address since. */
	if (text && strcmp(text->source, source) == 0)
		return text;
	for (text = coverage->texts; text; text = text->next)
		if (strcmp(text->source, source) == 0)
			break;
	if (!text)
		text = make(coverage, source);
	*near = text;
	return text;
}

static bool make_room(struct text *text, size_t line)
{
	size_t room = text->room ? text->room : FIRST_ROOM;
	uint32_t *runs;

	while (room <= line)
		room *= 2;
	if (room > LINES_MAX || !(runs = realloc(text->runs, room * sizeof *runs)))
		return false;
	memset(runs + text->room, 0, (room - text->room) * sizeof *runs);
	text->runs = runs;
	text->room = room;
	return true;
}

static void on_line(lua_State *L, lua_Debug *call)
{
	struct coverage *coverage = vm_of(L)->coverage;
	struct text *text;

	if (!coverage) {
		lua_sethook(L, NULL, 0, 0);
		return;
	}
	lua_getinfo(L, "S", call);
	/* A text that is no file may be as long as memory; it is not looked at. */
	if (call->source[0] != '@' || call->currentline < 1)
		return;
	text = find(coverage, call->source);
	if (!text || !text->path)
		return;
	if ((size_t)call->currentline >= text->room && !make_room(text, (size_t)call->currentline))
		return;
	if (text->runs[call->currentline] < UINT32_MAX)
		text->runs[call->currentline]++;
}

void coverage_arm(lua_State *L)
{
	if (!lua_gethook(L))
		lua_sethook(L, on_line, LUA_MASKLINE, 0);
}

void coverage_begin(struct vm *vm, struct coverage *coverage)
{
	vm->coverage = coverage;
	if (coverage)
		coverage_arm(vm->L);
}

/* --- the result --- */

/* Adds to the table on top: a file may have had several names. */
static void push_runs(lua_State *L, const struct text *text)
{
	if (lua_getfield(L, -1, text->path) == LUA_TNIL) {
		lua_pop(L, 1);
		lua_newtable(L);
		lua_pushvalue(L, -1);
		lua_setfield(L, -3, text->path);
	}
	for (size_t i = 1; i < text->room; i++) {
		if (text->runs[i] == 0)
			continue;
		lua_rawgeti(L, -1, (lua_Integer)i);
		lua_pushinteger(L, lua_tointeger(L, -1) + text->runs[i]);
		lua_rawseti(L, -3, (lua_Integer)i);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

void coverage_push(lua_State *L, const struct coverage *coverage)
{
	luaL_checkstack(L, 6, NULL);
	lua_newtable(L);
	for (const struct text *text = coverage->texts; text; text = text->next)
		if (text->path)
			push_runs(L, text);
}
