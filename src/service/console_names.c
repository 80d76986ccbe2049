#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "service/console.h"
#include "service/life_state.h"
#include "service/vm.h"

/* Names that complete what is being typed. Tables are looked at, nothing is called. */

enum { NAMES_MAX = 100, INDEX_MAX = 8 };

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

struct names {
	const char *list[NAMES_MAX]; /* sorted, the first ones; the tables keep them */
	size_t count;
	const char *prefix;
	bool methods; /* functions only */
};

/* The last word of the text, with its dots and colon. */
static const char *last_word(const char *text)
{
	const char *word = text + strlen(text);

	while (word > text && (strchr(letters, word[-1]) || word[-1] == '.' || word[-1] == ':'))
		word--;
	return word;
}

/* Replaces the value on top by what its __index is, if that is a table. */
static bool go_up(lua_State *L)
{
	if (!lua_getmetatable(L, -1)) {
		lua_pop(L, 1);
		return false;
	}
	lua_pushliteral(L, "__index");
	lua_rawget(L, -2);
	lua_replace(L, -3);
	lua_pop(L, 1);
	if (lua_istable(L, -1))
		return true;
	lua_pop(L, 1);
	return false;
}

/* Replaces the value on top by its field; false, and none, when it has none. */
static bool enter(lua_State *L, const char *name, size_t length)
{
	for (int i = 0; i < INDEX_MAX; i++) {
		if (lua_istable(L, -1)) {
			lua_pushlstring(L, name, length);
			if (lua_rawget(L, -2) != LUA_TNIL) {
				lua_replace(L, -2);
				return true;
			}
			lua_pop(L, 1);
		}
		if (!go_up(L))
			return false;
	}
	lua_pop(L, 1);
	return false;
}

/* Sorted in; a name that was found nearer hides it. */
static void add(struct names *names, const char *name)
{
	size_t at = names->count;

	while (at > 0 && strcmp(names->list[at - 1], name) > 0)
		at--;
	if (at == NAMES_MAX || (at > 0 && strcmp(names->list[at - 1], name) == 0))
		return;
	if (names->count == NAMES_MAX)
		names->count--;
	memmove(names->list + at + 1, names->list + at, (names->count - at) * sizeof *names->list);
	names->list[at] = name;
	names->count++;
}

/* The key and the value of a field are on top. */
static void consider(lua_State *L, struct names *names)
{
	const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
	size_t length = strlen(names->prefix);

	if (!*name || name[strspn(name, letters)] || lua_rawlen(L, -2) != strlen(name) ||
	    (*name >= '0' && *name <= '9') || strncmp(name, names->prefix, length) != 0)
		return;
	if (strncmp(name, "__", 2) == 0 && length == 0)
		return;
	if (!names->methods || lua_isfunction(L, -1))
		add(names, name);
}

/* Of the value on top, which is popped. */
static void collect(lua_State *L, struct names *names)
{
	int i = 0;

	do {
		if (!lua_istable(L, -1))
			continue;
		lua_pushnil(L);
		while (lua_next(L, -2)) {
			consider(L, names);
			lua_pop(L, 1);
		}
	} while (++i < INDEX_MAX && go_up(L));
	if (i == INDEX_MAX)
		lua_pop(L, 1);
}

void names_complete(lua_State *L, const char *text, struct answer *answer)
{
	const char *word = last_word(text), *name = word;
	struct names names = {0};
	size_t length;

	while (name[length = strcspn(name, ".:")] != '\0') {
		if (names.methods || !enter(L, name, length))
			return;
		names.methods = name[length] == ':';
		name += length + 1;
	}
	names.prefix = name;
	collect(L, &names);
	for (size_t i = 0; i < names.count; i++) {
		answer_add(answer, word, (size_t)(name - word));
		answer_text(answer, names.list[i]);
		answer_text(answer, "\n");
	}
}

static int complete(lua_State *L)
{
	struct eval *eval = lua_touserdata(L, 1);

	luaL_checkstack(L, 8, NULL);
	console_push(L);
	names_complete(L, eval->text, &eval->answer);
	return 0;
}

int life_complete(struct life *life, const char *text, life_answer done, void *data)
{
	struct vm *vm = life->vm;
	struct eval *eval = eval_create(vm, text, done, data);

	if (!eval)
		return -1;
	eval->ok = life->state < CLOSING && vm_run(vm, complete, eval) == LUA_OK;
	if (!eval->ok && life->state < CLOSING) {
		answer_text(&eval->answer, lua_tostring(vm->L, -1));
		lua_pop(vm->L, 1);
	}
	eval->text = NULL;
	eval_answer_soon(eval);
	return 0;
}
