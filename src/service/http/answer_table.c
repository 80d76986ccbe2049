#include <lauxlib.h>
#include <string.h>
#include <strings.h>

#include "service/http/answer.h"
#include "service/http/reply.h"
#include "service/json.h"
#include "service/units.h"

/* The table { status, headers, body | json | file } and its headers. */

/* --- its fields --- */

static void read_status(lua_State *L, struct answer *answer)
{
	if (!lua_isinteger(L, -1))
		luaL_error(L, "status of an answer is a whole number, got %s",
			   luaL_typename(L, -1));
	answer->status = (int)lua_tointeger(L, -1);
}

static void read_headers(lua_State *L, struct answer *answer)
{
	if (!lua_istable(L, -1))
		luaL_error(L, "headers of an answer is a table, got %s", luaL_typename(L, -1));
	answer->headers = lua_gettop(L);
}

static void check_alone(lua_State *L, const struct answer *answer)
{
	if (answer->kind != ANSWER_NONE)
		luaL_error(L, "an answer has one body: body, json or file");
}

static void read_body(lua_State *L, struct answer *answer)
{
	check_alone(L, answer);
	if (lua_isfunction(L, -1)) {
		answer->kind = ANSWER_STREAM;
		answer->iterator = lua_gettop(L);
	} else {
		if (!lua_istable(L, -1) && lua_type(L, -1) != LUA_TSTRING)
			luaL_error(L, "body of an answer is text, a list, or a function; got %s",
				   luaL_typename(L, -1));
		answer->kind = ANSWER_BYTES;
		answer->bytes = units_bytes(L, lua_gettop(L), &answer->length);
	}
	answer->type = "text/plain; charset=utf-8";
}

static void read_json(lua_State *L, struct answer *answer)
{
	struct out out;

	check_alone(L, answer);
	out_begin(L, &out, answer->scratch, 0, ANSWER_SCRATCH);
	json_encode(L, out.slot - 1, &out, NULL);
	answer->kind = ANSWER_BYTES;
	answer->bytes = out.bytes;
	answer->length = out.length;
	answer->type = "application/json";
}

static const char *read_path(lua_State *L, const char *name)
{
	size_t length;
	const char *text;

	if (lua_type(L, -1) != LUA_TSTRING)
		luaL_error(L, "%s of an answer is a path, got %s", name, luaL_typename(L, -1));
	text = lua_tolstring(L, -1, &length);
	if (strlen(text) != length)
		luaL_error(L, "%s of an answer has a NUL byte", name);
	return text;
}

static void read_file(lua_State *L, struct answer *answer)
{
	check_alone(L, answer);
	answer->kind = ANSWER_FILE;
	answer->file = read_path(L, "file");
}

static void read_folder(lua_State *L, struct answer *answer)
{
	if (answer->kind != ANSWER_FILE)
		luaL_error(L, "folder is for answers with a file");
	answer->folder = read_path(L, "folder");
}

static void read_index(lua_State *L, struct answer *answer)
{
	if (!answer->folder)
		luaL_error(L, "index is for answers with a file and a folder");
	if (lua_toboolean(L, -1))
		answer->index = read_path(L, "index");
	if (answer->index && (answer->index[0] == '\0' || strchr(answer->index, '/')))
		luaL_error(L, "index of an answer is the name of a file");
}

/* In the order in which they are read. */
static const struct {
	const char *name;
	void (*read)(lua_State *L, struct answer *answer);
} fields[] = {{"status", read_status}, {"headers", read_headers}, {"body", read_body},
	      {"json", read_json},     {"file", read_file},       {"folder", read_folder},
	      {"index", read_index}};

enum { FIELDS = sizeof fields / sizeof *fields };

static void check_names(lua_State *L, int index)
{
	lua_pushnil(L);
	while (lua_next(L, index)) {
		const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
		size_t at = 0;

		while (at < FIELDS && !(key && strcmp(fields[at].name, key) == 0))
			at++;
		if (at == FIELDS)
			luaL_error(L,
				   "unknown field \"%s\" of an answer: there are status, headers, "
				   "body, json, file, folder, index",
				   luaL_tolstring(L, -2, NULL));
		lua_pop(L, 1);
	}
}

/* What is read stays on the stack: bytes and indices of the answer point to it. */
void answer_read_table(lua_State *L, int index, struct answer *answer)
{
	luaL_checkstack(L, 8, NULL);
	check_names(L, index);
	for (size_t i = 0; i < FIELDS; i++)
		if (lua_getfield(L, index, fields[i].name) != LUA_TNIL)
			fields[i].read(L, answer);
}

/* --- headers --- */

static bool is(const char *name, size_t length, const char *other)
{
	return strlen(other) == length && strncasecmp(name, other, length) == 0;
}

static void check_value(lua_State *L, int index, const char *name)
{
	size_t length;
	const char *value;

	if (!lua_isstring(L, index))
		luaL_error(L, "header \"%s\" has a %s as its value", name, luaL_typename(L, index));
	value = lua_tolstring(L, index, &length);
	if (!reply_value_valid(value, length))
		luaL_error(L, "the value of header \"%s\" has a control character", name);
}

static bool is_of_file(const char *name, size_t length)
{
	static const char *const names[] = {"etag", "last-modified", "accept-ranges",
					    "content-range", "content-length"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (is(name, length, names[i]))
			return true;
	return false;
}

/* Those that say where the answer ends are written by us. */
static void check_own(lua_State *L, struct answer *answer, const char *name, size_t length)
{
	if (is(name, length, "content-type")) {
		answer->typed = true;
	} else if (is(name, length, "date")) {
		answer->dated = true;
	} else if (is(name, length, "transfer-encoding")) {
		luaL_error(L, "Transfer-Encoding is luvd's business");
	} else if (is(name, length, "connection")) {
		if (!lua_isstring(L, -1) || strcasecmp(lua_tostring(L, -1), "close") != 0)
			luaL_error(L, "header \"Connection\" can be \"close\" only");
		answer->closes = true;
	} else if (answer->kind == ANSWER_FILE && is_of_file(name, length)) {
		luaL_error(L, "header \"%s\" of a file is luvd's business", name);
	} else if (is(name, length, "content-length")) {
		lua_Integer number;
		int whole;

		number = lua_tointegerx(L, -1, &whole);
		if (!whole || number < 0)
			luaL_error(L, "Content-Length is not a whole number of bytes");
		answer->declared = true;
		answer->declared_length = (uint64_t)number;
	}
}

static bool is_ours(const char *name, size_t length)
{
	return is(name, length, "connection") || is(name, length, "content-length");
}

static void check_list(lua_State *L, int index, const char *name)
{
	lua_Unsigned count = lua_rawlen(L, index);

	for (lua_Unsigned i = 1; i <= count; i++) {
		lua_rawgeti(L, index, (lua_Integer)i);
		check_value(L, lua_gettop(L), name);
		lua_pop(L, 1);
	}
}

void answer_check_headers(lua_State *L, struct answer *answer)
{
	luaL_checkstack(L, 8, NULL);
	answer->typed = answer->dated = answer->closes = answer->declared = false;
	lua_pushnil(L);
	while (lua_next(L, answer->headers)) {
		size_t length;
		const char *name;

		if (lua_type(L, -2) != LUA_TSTRING)
			luaL_error(L, "headers have names, got %s", luaL_tolstring(L, -2, NULL));
		name = lua_tolstring(L, -2, &length);
		if (!reply_name_valid(name, length))
			luaL_error(L, "\"%s\" is no name of a header", name);
		check_own(L, answer, name, length);
		if (lua_istable(L, -1))
			check_list(L, lua_gettop(L), name);
		else
			check_value(L, lua_gettop(L), name);
		lua_pop(L, 1);
	}
}

static char *write_field(lua_State *L, const char *name, size_t name_length, char *at,
			 const char *end)
{
	size_t length;
	const char *value = lua_tolstring(L, -1, &length);

	if ((size_t)(end - at) < name_length + length + 4)
		luaL_error(L, "the headers of an answer are longer than 32 KiB");
	memcpy(at, name, name_length);
	at += name_length;
	*at++ = ':';
	*at++ = ' ';
	memcpy(at, value, length);
	at += length;
	*at++ = '\r';
	*at++ = '\n';
	return at;
}

static char *write_list(lua_State *L, const char *name, size_t length, char *at, const char *end)
{
	lua_Unsigned count = lua_rawlen(L, -1);

	for (lua_Unsigned i = 1; i <= count; i++) {
		lua_rawgeti(L, -1, (lua_Integer)i);
		at = write_field(L, name, length, at, end);
		lua_pop(L, 1);
	}
	return at;
}

char *answer_write_headers(lua_State *L, const struct answer *answer, char *at, const char *end)
{
	lua_pushnil(L);
	while (lua_next(L, answer->headers)) {
		size_t length;
		const char *name = lua_tolstring(L, -2, &length);

		if (!is_ours(name, length))
			at = lua_istable(L, -1) ? write_list(L, name, length, at, end)
						: write_field(L, name, length, at, end);
		lua_pop(L, 1);
	}
	return at;
}
