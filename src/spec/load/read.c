#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/check.h"
#include "spec/load/load.h"

/* From Lua's values to plain data. Tables that are shared are copied each time they occur, so both
 * number and bytes are bounded: a few nested tables could else mean billions. */

enum { VALUES_MAX = 100000, BYTES_MAX = 16 << 20 };

struct reader {
	struct load *load;
	lua_State *L;
	size_t values, bytes;
	bool full; /* a bound was passed and told: nothing more is read */
};

static void fail(struct reader *reader, const char *path, const char *what)
{
	struct err *err = load_err(reader->load, 0, 0);

	snprintf(err->key, sizeof err->key, "%s", path);
	err_set(err, "%s", what);
}

static bool room(struct reader *reader, const char *path, size_t bytes)
{
	reader->values++;
	reader->bytes += bytes;
	if (!reader->full && (reader->values > VALUES_MAX || reader->bytes > BYTES_MAX)) {
		reader->full = true;
		fail(reader, path,
		     reader->values > VALUES_MAX ? "the table holds more than 100000 values"
						 : "the table holds more than 16 MiB");
	}
	return !reader->full;
}

static void read_any(struct reader *reader, int index, const char *path, int depth,
		     struct value *value);

static void read_string(struct reader *reader, int index, const char *path, struct value *value)
{
	size_t length;
	const char *bytes = lua_tolstring(reader->L, index, &length);

	if (room(reader, path, length) && value_string(value, bytes, length) < 0) {
		reader->full = true;
		fail(reader, path, "out of memory");
	}
}

static void read_function(struct reader *reader, int index, struct value *value)
{
	lua_Debug ar;

	value->type = VALUE_FUNCTION;
	lua_pushvalue(reader->L, index);
	if (lua_getinfo(reader->L, ">S", &ar) && ar.linedefined > 0) {
		int file = load_file(reader->load, ar.source);

		value->line = file < 0 ? 0 : ar.linedefined;
		value->file = file < 0 ? 0 : file;
	}
}

/* The key at index, if it may be one. Its number must not be turned into a string in place: that
 * would confuse lua_next. */
static bool read_key(struct reader *reader, int index, const char *path, struct value *key)
{
	lua_State *L = reader->L;

	if (lua_isinteger(L, index)) {
		*key = (struct value){.type = VALUE_INTEGER, .as.integer = lua_tointeger(L, index)};
		return true;
	}
	if (lua_type(L, index) == LUA_TSTRING) {
		read_string(reader, index, path, key);
		return key->type == VALUE_STRING;
	}
	fail(reader, path,
	     lua_type(L, index) == LUA_TNUMBER
		 ? "expected names or whole numbers as keys, got a fraction"
		 : "expected names or whole numbers as keys, got another type");
	return false;
}

static struct pair *add_pair(struct reader *reader, const char *path, struct value *table,
			     size_t *space)
{
	if (table->as.table.count == *space) {
		size_t more = *space ? *space * 2 : 8;
		struct pair *pairs =
		    realloc(table->as.table.pairs, more * sizeof *table->as.table.pairs);

		if (!pairs) {
			reader->full = true;
			fail(reader, path, "out of memory");
			return NULL;
		}
		table->as.table.pairs = pairs;
		*space = more;
	}
	table->as.table.pairs[table->as.table.count] = (struct pair){0};
	return &table->as.table.pairs[table->as.table.count];
}

static void read_keys(struct reader *reader, int index, const char *path, struct value *table)
{
	lua_State *L = reader->L;
	size_t space = 0;

	for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
		struct pair *pair = reader->full ? NULL : add_pair(reader, path, table, &space);

		if (pair && read_key(reader, -2, path, &pair->key))
			table->as.table.count++;
	}
	value_sort(table);
}

/* The keys first: lua_next's order differs from one reading to the next, and with it would what is
 * told first. */
static void read_table(struct reader *reader, int index, const char *path, int depth,
		       struct value *value)
{
	lua_State *L = reader->L;

	value->type = VALUE_TABLE;
	value->as.table.pairs = NULL;
	value->as.table.count = 0;
	read_keys(reader, index, path, value);
	for (size_t i = 0; i < value->as.table.count && !reader->full; i++) {
		struct pair *pair = &value->as.table.pairs[i];
		char below[PATH_SHOWN_MAX];

		if (pair->key.type == VALUE_INTEGER)
			lua_pushinteger(L, pair->key.as.integer);
		else
			lua_pushlstring(L, pair->key.as.string.bytes, pair->key.as.string.length);
		lua_rawget(L, index);
		check_join(below, path, &pair->key);
		read_any(reader, lua_gettop(L), below, depth + 1, &pair->value);
		lua_pop(L, 1);
	}
}

static void enter_table(struct reader *reader, int index, const char *path, int depth,
			struct value *value)
{
	if (lua_getmetatable(reader->L, index)) {
		lua_pop(reader->L, 1);
		fail(reader, path, "expected plain data, got a table with a metatable");
	} else if (depth >= VALUE_DEPTH_MAX || !lua_checkstack(reader->L, 8)) {
		fail(reader, path, "tables are nested deeper than 32 levels, or in a circle");
		reader->full = true;
	} else {
		read_table(reader, index, path, depth, value);
	}
}

static void read_any(struct reader *reader, int index, const char *path, int depth,
		     struct value *value)
{
	lua_State *L = reader->L;
	char text[512];

	if (!room(reader, path, 0))
		return;
	switch (lua_type(L, index)) {
	case LUA_TNIL: /* only of --set: a key that goes */
		break;
	case LUA_TBOOLEAN:
		*value =
		    (struct value){.type = VALUE_BOOLEAN, .as.boolean = lua_toboolean(L, index)};
		break;
	case LUA_TNUMBER:
		if (lua_isinteger(L, index))
			*value = (struct value){.type = VALUE_INTEGER,
						.as.integer = lua_tointeger(L, index)};
		else
			*value = (struct value){.type = VALUE_NUMBER,
						.as.number = lua_tonumber(L, index)};
		break;
	case LUA_TSTRING:
		read_string(reader, index, path, value);
		break;
	case LUA_TTABLE:
		enter_table(reader, index, path, depth, value);
		break;
	case LUA_TFUNCTION:
		read_function(reader, index, value);
		break;
	default:
		fail(reader, path,
		     placeholder_is(L, index) ? placeholder_message(L, index, text, sizeof text)
					      : "expected plain data, got something else");
	}
}

bool read_root(struct load *load, int index, struct value *root)
{
	struct reader reader = {.load = load, .L = load->L};

	read_any(&reader, index, "", 0, root);
	return !reader.full;
}
