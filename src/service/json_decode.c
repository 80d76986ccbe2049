#include "service/json.h"

#include <lauxlib.h>
#include <string.h>

#include "service/json_number.h"
#include "service/json_reader.h"
#include "service/vm.h"

/* Members of an array or an object wait on the stack until the table can be made with the size
 * that they need; of a long one, so many at a time. */
enum { CHUNK = 32 };

/* A table that is being read. */
struct table {
	int slot;    /* index of the table, nil until there is a chunk */
	int pending; /* members above it */
	lua_Integer count;
};

/* The next character that is no space; '\0' at the end, and for one that is there. */
static char next(struct reader *r)
{
	for (; r->at < r->end; r->at++) {
		char c = *r->at;

		if (c != ' ' && c != '\n' && c != '\t' && c != '\r')
			return c;
	}
	return '\0';
}

/* --- arrays and objects --- */

static bool read_value(struct reader *r);

static int depth_of(const struct reader *r)
{
	return r->limits.depth ? r->limits.depth : JSON_DEPTH;
}

static bool enter(struct reader *r, struct table *table)
{
	if (r->depth == 0)
		return reader_fail(r, lua_pushfstring(r->L, "nested deeper than %d", depth_of(r)));
	r->depth--;
	r->at++;
	luaL_checkstack(r->L, 2 * CHUNK + 8, "JSON nested too deep");
	lua_pushnil(r->L);
	*table = (struct table){.slot = lua_gettop(r->L)};
	return true;
}

static bool leave(struct reader *r)
{
	r->at++;
	r->depth++;
	return true;
}

static void flush_array(struct reader *r, struct table *table)
{
	lua_State *L = r->L;

	if (table->count == 0) {
		lua_createtable(L, table->pending, 0);
		lua_pushvalue(L, r->mark);
		lua_setmetatable(L, -2);
		lua_replace(L, table->slot);
	}
	table->count += table->pending;
	for (lua_Integer i = table->count; table->pending > 0; table->pending--)
		lua_rawseti(L, table->slot, i--);
}

static bool read_array(struct reader *r)
{
	struct table table;

	if (!enter(r, &table))
		return false;
	if (next(r) == ']') {
		flush_array(r, &table);
		return leave(r);
	}
	while (read_value(r)) {
		char c = next(r);

		if (++table.pending == CHUNK || c == ']')
			flush_array(r, &table);
		if (c == ']')
			return leave(r);
		if (c != ',')
			return reader_fail(r, "expected ',' or ']'");
		r->at++;
	}
	return false;
}

/* In their order, so that the last of several with one name stays. */
static void flush_object(struct reader *r, struct table *table)
{
	lua_State *L = r->L;

	if (table->count == 0) {
		lua_createtable(L, 0, table->pending);
		lua_replace(L, table->slot);
	}
	for (int i = 0; i < table->pending; i++) {
		lua_pushvalue(L, table->slot + 1 + 2 * i);
		lua_pushvalue(L, table->slot + 2 + 2 * i);
		lua_rawset(L, table->slot);
	}
	lua_settop(L, table->slot);
	table->count += table->pending;
	table->pending = 0;
}

/* What null becomes in an object: a member that is absent is set to nil, which takes back one of
 * the same name. */
static bool read_member(struct reader *r)
{
	if (next(r) != '"')
		return reader_fail(r, "expected a name in quotes");
	if (!reader_string(r))
		return false;
	if (next(r) != ':')
		return reader_fail(r, "expected ':'");
	r->at++;
	if (!read_value(r))
		return false;
	if (r->limits.null == 0 && lua_type(r->L, -1) == LUA_TUSERDATA) {
		lua_pop(r->L, 1);
		lua_pushnil(r->L);
	}
	return true;
}

static bool read_object(struct reader *r)
{
	struct table table;

	if (!enter(r, &table))
		return false;
	if (next(r) == '}') {
		flush_object(r, &table);
		return leave(r);
	}
	while (read_member(r)) {
		char c = next(r);

		if (++table.pending == CHUNK || c == '}')
			flush_object(r, &table);
		if (c == '}')
			return leave(r);
		if (c != ',')
			return reader_fail(r, "expected ',' or '}'");
		r->at++;
	}
	return false;
}

/* --- values --- */

static bool read_word(struct reader *r, const char *word, size_t length)
{
	if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0)
		return reader_fail(r, "expected a value");
	r->at += length;
	return true;
}

static bool read_number(struct reader *r)
{
	struct number number;

	switch (number_read(&r->at, r->end, &number)) {
	case NUMBER_INTEGER:
		lua_pushinteger(r->L, number.integer);
		return true;
	case NUMBER_REAL:
		lua_pushnumber(r->L, number.real);
		return true;
	default:
		return reader_fail(r, number.wrong);
	}
}

static bool read_value(struct reader *r)
{
	char c = next(r);

	switch (c) {
	case '"':
		return reader_string(r);
	case '{':
		return read_object(r);
	case '[':
		return read_array(r);
	case 't':
		lua_pushboolean(r->L, 1);
		return read_word(r, "true", 4);
	case 'f':
		lua_pushboolean(r->L, 0);
		return read_word(r, "false", 5);
	case 'n':
		lua_pushvalue(r->L, r->null);
		return read_word(r, "null", 4);
	default:
		if (c == '-' || (c >= '0' && c <= '9'))
			return read_number(r);
		return reader_fail(r, "expected a value");
	}
}

static bool read_text(struct reader *r)
{
	if (!read_value(r))
		return false;
	next(r);
	return r->at == r->end || reader_fail(r, "expected the end");
}

/* Pushes the message. Lines and characters count from 1, as in an editor. */
static void push_wrong(struct reader *r)
{
	int line = 1, column = 1;

	for (const char *p = r->text; p < r->at; p++) {
		if (*p == '\n') {
			line++;
			column = 1;
		} else if ((*p & 0xC0) != 0x80) { /* the first byte of a character */
			column++;
		}
	}
	lua_pushfstring(r->L, "%d:%d: %s%s", line, column, r->wrong,
			r->at == r->end ? ", got the end" : "");
}

int json_decode(lua_State *L, const char *text, size_t length, const struct json_limits *limits)
{
	int top = lua_gettop(L);
	struct reader r = {.L = L,
			   .text = text,
			   .at = text,
			   .end = text + length,
			   .mark = top + 1,
			   .null = top + 2};
	size_t max;
	bool good;

	if (limits)
		r.limits = *limits;
	r.depth = depth_of(&r);
	max = r.limits.max ? r.limits.max : JSON_MAX;
	luaL_checkstack(L, 16, NULL);
	json_push_array_mark(L);
	if (r.limits.null)
		lua_pushvalue(L, r.limits.null);
	else
		json_push_null(L);
	if (length > max)
		good =
		    reader_fail(&r, lua_pushfstring(L, "longer than %I bytes", (LUAI_UACINT)max));
	else
		good = read_text(&r);
	if (!good)
		push_wrong(&r);
	/* A buffer that was being filled must be closed before anything else. */
	lua_replace(L, top + 1);
	lua_settop(L, top + 1);
	if (good)
		return 1;
	vm_fail(L, lua_tostring(L, top + 1), "EJSON");
	lua_remove(L, top + 1);
	return 3;
}
