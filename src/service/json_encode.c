#include "service/json.h"

#include <lauxlib.h>
#include <string.h>

#include "service/json_writer.h"

static void new_line(struct writer *w)
{
	size_t spaces = (size_t)w->depth * (size_t)w->style.indent;
	char *p;

	if (w->style.indent == 0)
		return;
	p = writer_reserve(w, spaces + 1);
	*p = '\n';
	memset(p + 1, ' ', spaces);
	w->out->length += spaces + 1;
}

static void write_value(struct writer *w, int index);

static void write_other(struct writer *w, int index)
{
	if (!lua_isnil(w->L, index) && !json_is_null(w->L, index))
		writer_fail(w, "cannot encode a %s", luaL_typename(w->L, index));
	writer_text(w, "null", 4);
}

/* --- tables --- */

/* The key at index is the one that does not fit. */
static _Noreturn void fail_key(struct writer *w, int index, const char *where)
{
	const char *type = luaL_typename(w->L, index);

	if (lua_type(w->L, index) == LUA_TSTRING)
		writer_fail(w, "cannot encode the key \"%s\" %s", lua_tostring(w->L, index), where);
	if (lua_type(w->L, index) == LUA_TNUMBER) {
		lua_pushvalue(w->L, index);
		writer_fail(w, "cannot encode the key %s %s", lua_tostring(w->L, -1), where);
	}
	writer_fail(w, "cannot encode a %s as a key %s", type, where);
}

/* The table at index whose keys do not come in order: they must be those of an array. */
static lua_Integer check_keys(struct writer *w, int index)
{
	lua_State *L = w->L;
	lua_Integer count = 0, most = 0;

	for (lua_pushnil(L); lua_next(L, index); count++) {
		lua_pop(L, 1);
		if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < 1)
			fail_key(w, lua_gettop(L), "of an array");
		if (lua_tointeger(L, -1) > most)
			most = lua_tointeger(L, -1);
	}
	if (most == count)
		return count;
	for (most = 1; lua_rawgeti(L, index, most) != LUA_TNIL; most++)
		lua_pop(L, 1);
	writer_fail(w, "cannot encode an array without [%I]: put json.null there",
		    (LUAI_UACINT)most);
}

static void write_item(struct writer *w, lua_Integer item, int index)
{
	writer_put(w, item == 1 ? '[' : ',');
	new_line(w);
	write_value(w, index);
}

/* The first key and value are on the stack. */
static void write_array(struct writer *w, int index, struct level *level)
{
	lua_State *L = w->L;
	lua_Integer item = 0, count;

	do {
		if (!lua_isinteger(L, level->key) || lua_tointeger(L, level->key) != item + 1)
			break;
		w->level = level;
		write_item(w, ++item, level->key + 1);
		w->level = level->up;
		lua_pop(L, 1);
	} while (lua_next(L, index));
	if (lua_gettop(L) < level->key)
		return;
	lua_settop(L, level->key - 1);
	count = check_keys(w, index);
	w->level = level;
	while (item < count) {
		lua_pushinteger(L, ++item);
		lua_rawgeti(L, index, item);
		write_item(w, item, level->key + 1);
		lua_settop(L, level->key - 1);
	}
}

/* The first key and value are on the stack. */
static void write_object(struct writer *w, int index, struct level *level)
{
	lua_State *L = w->L;
	char before = '{';

	do {
		size_t length;
		const char *key;

		if (lua_type(L, level->key) != LUA_TSTRING)
			fail_key(w, level->key, "of an object");
		key = lua_tolstring(L, level->key, &length);
		writer_put(w, before);
		new_line(w);
		writer_string(w, key, length, "a key");
		writer_text(w, ": ", w->style.indent ? 2 : 1);
		w->level = level;
		write_value(w, level->key + 1);
		w->level = level->up;
		lua_pop(L, 1);
		before = ',';
	} while (lua_next(L, index));
}

static void write_table(struct writer *w, int index)
{
	lua_State *L = w->L;
	struct level level = {.up = w->level, .key = lua_gettop(L) + 1};
	bool marked = json_is_marked(L, index), array;

	luaL_checkstack(L, 8, "tables nested too deep");
	if (w->depth == w->style.depth)
		writer_fail(w, "tables nested deeper than %d, perhaps in a cycle", w->style.depth);
	lua_pushnil(L);
	if (!lua_next(L, index)) {
		writer_text(w, marked ? "[]" : "{}", 2);
		return;
	}
	array = marked || lua_type(L, level.key) == LUA_TNUMBER;
	w->depth++;
	if (array)
		write_array(w, index, &level);
	else
		write_object(w, index, &level);
	w->depth--;
	w->level = level.up;
	new_line(w);
	writer_put(w, array ? ']' : '}');
}

static void write_value(struct writer *w, int index)
{
	size_t length;
	const char *text;

	switch (lua_type(w->L, index)) {
	case LUA_TSTRING:
		text = lua_tolstring(w->L, index, &length);
		writer_string(w, text, length, "a string");
		break;
	case LUA_TNUMBER:
		writer_number(w, index);
		break;
	case LUA_TBOOLEAN:
		if (lua_toboolean(w->L, index))
			writer_text(w, "true", 4);
		else
			writer_text(w, "false", 5);
		break;
	case LUA_TTABLE:
		write_table(w, index);
		break;
	default:
		write_other(w, index);
	}
}

void json_encode(lua_State *L, int index, struct out *out, const struct json_style *style)
{
	struct writer w = {.L = L, .out = out};

	if (style)
		w.style = *style;
	if (w.style.depth == 0)
		w.style.depth = JSON_DEPTH;
	if (w.style.max == 0)
		w.style.max = JSON_MAX;
	luaL_checkstack(L, 8, NULL);
	write_value(&w, lua_absindex(L, index));
	if (out->length > w.style.max)
		writer_too_long(&w);
}
