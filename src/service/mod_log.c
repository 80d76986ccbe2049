#include "service/modules.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/log_json.h"
#include "service/push.h"
#include "service/vm.h"
#include "spec/words.h"

/* luvd.log: messages with fields. A log object is a userdata whose user value is the table of
 * the fields that it adds to each line (nil for the first one). */

enum { FIELDS_MAX = 64 };

static const char meta[] = "luvd.log";
static const char root = 0; /* registry key of the one log without fields */

/* Text of all fields of a line, keys too: the __tostring of a value may take a field out of its
 * table. Offsets because the memory moves while it grows. */
struct line {
	FILE *out;
	char *bytes;
	size_t size;
	size_t count, dropped;
	struct {
		size_t key, start, end;
		bool raw;
	} fields[FIELDS_MAX];
};

/* --- a line --- */

static void add_value(lua_State *L, struct line *line, int index, bool *raw)
{
	size_t length;
	const char *text;

	*raw =
	    lua_type(L, index) == LUA_TNUMBER || lua_isboolean(L, index) || lua_istable(L, index);
	if (*raw) {
		log_json_write(L, index, line->out);
		return;
	}
	text = luaL_tolstring(L, index, &length);
	fwrite(text, 1, length, line->out);
	lua_pop(L, 1);
}

/* key and value are at -2 and -1. A key that is there already is said again by the inner one. */
static void add_field(lua_State *L, struct line *line)
{
	size_t at = 0, begin;
	const char *key;

	if (lua_type(L, -2) != LUA_TSTRING)
		luaL_error(L, "fields of a log line have names, got %s as a key",
			   luaL_tolstring(L, -2, NULL));
	key = lua_tostring(L, -2);
	while (at < line->count && strcmp(line->bytes + line->fields[at].key, key) != 0)
		at++;
	if (at == FIELDS_MAX) {
		line->dropped++;
		return;
	}
	begin = line->size;
	fwrite(key, 1, strlen(key) + 1, line->out);
	fflush(line->out);
	if (at == line->count)
		line->count++;
	line->fields[at].key = begin;
	line->fields[at].start = line->size;
	add_value(L, line, lua_gettop(L), &line->fields[at].raw);
	fflush(line->out);
	line->fields[at].end = line->size;
}

static void add_fields(lua_State *L, struct line *line, int index)
{
	if (lua_isnoneornil(L, index))
		return;
	luaL_checktype(L, index, LUA_TTABLE);
	lua_pushnil(L);
	while (lua_next(L, index)) {
		add_field(L, line);
		lua_pop(L, 1);
	}
}

static int compare(const void *a, const void *b)
{
	const struct log_field *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static void hand_over(struct vm *vm, struct line *line, enum log_level level, const char *message,
		      size_t length)
{
	struct log_field fields[FIELDS_MAX];

	for (size_t i = 0; i < line->count; i++)
		fields[i] =
		    (struct log_field){.key = line->bytes + line->fields[i].key,
				       .raw = line->fields[i].raw,
				       .bytes = line->bytes + line->fields[i].start,
				       .length = line->fields[i].end - line->fields[i].start};
	qsort(fields, line->count, sizeof *fields, compare); /* a table has no order */
	vm->calls->log(vm->calls->data, level, message, length, fields, line->count);
}

static int l_line_gc(lua_State *L)
{
	struct line *line = lua_touserdata(L, 1);

	if (line->out)
		fclose(line->out);
	free(line->bytes);
	line->out = NULL;
	line->bytes = NULL;
	return 0;
}

/* The stack: 1 log, 2 message, 3 fields, 4 the log's own fields, 5 message as text, 6 line */
static int write_line(lua_State *L, enum log_level level)
{
	struct vm *vm = vm_of(L);
	struct line *line;
	size_t length;
	const char *message;

	luaL_checkudata(L, 1, meta);
	luaL_checkany(L, 2);
	if (level < vm->log_level)
		return 0;
	lua_settop(L, 3);
	lua_getiuservalue(L, 1, 1);
	message = luaL_tolstring(L, 2, &length);
	if (lua_isnil(L, 3) && lua_isnil(L, 4)) {
		vm->calls->log(vm->calls->data, level, message, length, NULL, 0);
		return 0;
	}
	line = lua_newuserdatauv(L, sizeof *line, 0);
	*line = (struct line){0};
	luaL_setmetatable(L, "luvd.log.line");
	lua_toclose(L, -1); /* a __tostring of a value may raise */
	line->out = open_memstream(&line->bytes, &line->size);
	if (!line->out)
		return luaL_error(L, "not enough memory");
	add_fields(L, line, 4);
	add_fields(L, line, 3);
	hand_over(vm, line, level, message, length);
	return 0;
}

static int l_debug(lua_State *L)
{
	return write_line(L, LEVEL_DEBUG);
}

static int l_info(lua_State *L)
{
	return write_line(L, LEVEL_INFO);
}

static int l_warn(lua_State *L)
{
	return write_line(L, LEVEL_WARN);
}

static int l_error(lua_State *L)
{
	return write_line(L, LEVEL_ERROR);
}

static void copy_fields(lua_State *L, int from, int to)
{
	if (!lua_istable(L, from))
		return;
	lua_pushnil(L);
	while (lua_next(L, from)) {
		lua_pushvalue(L, -2);
		lua_insert(L, -2);
		lua_rawset(L, to);
	}
}

static void push_log(lua_State *L)
{
	lua_newuserdatauv(L, 0, 1);
	luaL_setmetatable(L, meta);
}

static int l_child(lua_State *L)
{
	luaL_checkudata(L, 1, meta);
	luaL_checktype(L, 2, LUA_TTABLE);
	lua_settop(L, 2);
	lua_newtable(L);
	lua_getiuservalue(L, 1, 1);
	copy_fields(L, 4, 3);
	copy_fields(L, 2, 3);
	push_log(L);
	lua_pushvalue(L, 3);
	lua_setiuservalue(L, -2, 1);
	return 1;
}

static const char *level_name(enum log_level level)
{
	const struct word *word = words_level;

	while (word->number != (int)level)
		word++;
	return word->name;
}

/* One for the whole daemon: a log that adds fields has none of its own. */
static int l_level(lua_State *L)
{
	struct vm *vm = vm_of(L);
	const struct word *word;

	luaL_checkudata(L, 1, meta);
	lua_settop(L, 2);
	lua_pushstring(L, level_name(vm->log_level));
	if (lua_isnil(L, 2))
		return 1;
	word = word_find(words_level, luaL_checkstring(L, 2));
	if (!word)
		vm_raise(L, "unknown level \"%s\": there are debug, error, info, warn",
			 lua_tostring(L, 2));
	vm_set_log_level(vm, (enum log_level)word->number);
	return 1;
}

static const luaL_Reg methods[] = {{"debug", l_debug}, {"info", l_info},   {"warn", l_warn},
				   {"error", l_error}, {"child", l_child}, {"level", l_level},
				   {NULL, NULL}};

static void make_metatables(lua_State *L)
{
	push_metatable(L, "luvd.log.line");
	lua_pushcfunction(L, l_line_gc);
	lua_setfield(L, -2, "__close");
	lua_pushcfunction(L, l_line_gc);
	lua_setfield(L, -2, "__gc");
	push_metatable(L, meta);
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 2);
}

int luaopen_luvd_log(lua_State *L)
{
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &root) == LUA_TUSERDATA)
		return 1;
	lua_pop(L, 1);
	make_metatables(L);
	push_log(L);
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &root);
	return 1;
}
