#include "service/http/options.h"

#include <lauxlib.h>
#include <stddef.h>
#include <string.h>

#include "service/units.h"
#include "service/vm.h"

static const struct http_options defaults = {
    .head = {.line = 8192, .bytes = 32768, .fields = 100},
    .max_body = 1048576,
    .header_timeout = 10000,
    .body_timeout = 30000,
    .write_timeout = 30000,
    .keep_alive = 60000,
    .min_rate = 500,
    .max_running = 1024,
};

enum kind { SIZE, DURATION, COUNT };

static const struct row {
	const char *name;
	enum kind kind;
	size_t offset;
	int64_t least, most;
} rows[] = {
    {"max_line", SIZE, offsetof(struct http_options, head.line), 64, HEAD_BYTES_MAX},
    {"max_head", SIZE, offsetof(struct http_options, head.bytes), 64, HEAD_BYTES_MAX},
    {"max_headers", COUNT, offsetof(struct http_options, head.fields), 1, HEAD_FIELDS_MAX},
    {"max_body", SIZE, offsetof(struct http_options, max_body), 0, INT64_MAX},
    {"header_timeout", DURATION, offsetof(struct http_options, header_timeout), 1, INT64_MAX},
    {"body_timeout", DURATION, offsetof(struct http_options, body_timeout), 1, INT64_MAX},
    {"write_timeout", DURATION, offsetof(struct http_options, write_timeout), 1, INT64_MAX},
    {"keep_alive", DURATION, offsetof(struct http_options, keep_alive), 0, INT64_MAX},
    {"min_rate", SIZE, offsetof(struct http_options, min_rate), 1, 1 << 30},
    {"max_running", COUNT, offsetof(struct http_options, max_running), 1, INT32_MAX},
    {"max_per_connection", COUNT, offsetof(struct http_options, max_per_connection), 1, INT32_MAX},
};

_Static_assert(sizeof(size_t) == sizeof(int64_t), "options are 64 bits wide");

static int64_t number_of(lua_State *L, enum kind kind, const char *name)
{
	int index = lua_gettop(L);

	if (kind == SIZE)
		return units_size(L, index);
	if (kind == DURATION)
		return units_duration(L, index);
	if (!lua_isinteger(L, index))
		luaL_error(L, "option %s is a whole number, got %s", name, luaL_typename(L, index));
	return lua_tointeger(L, index);
}

static const struct row *find(const char *name)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

/* The value is on top. true and a level's name write to luvd.log. */
static void read_access(lua_State *L, struct http_options *options, int function)
{
	static const char *const levels[] = {"debug", "info", "warn", "error", NULL};

	options->access = ACCESS_LEVEL;
	options->access_level = LEVEL_INFO;
	if (lua_isfunction(L, -1)) {
		options->access = ACCESS_FUNCTION;
		lua_copy(L, -1, function);
	} else if (lua_type(L, -1) == LUA_TSTRING) {
		options->access_level =
		    (enum log_level)luaL_checkoption(L, lua_gettop(L), NULL, levels);
	} else if (!lua_toboolean(L, -1)) {
		options->access = ACCESS_OFF;
	} else if (!lua_isboolean(L, -1)) {
		luaL_error(L, "option access_log is true, a level or a function, got %s",
			   luaL_typename(L, -1));
	}
}

/* Name and value are at -2 and -1. */
static void read_option(lua_State *L, struct http_options *options, int function)
{
	const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
	const struct row *row = find(name);
	int64_t value;

	if (strcmp(name, "access_log") == 0) {
		read_access(L, options, function);
		return;
	}
	if (!row)
		vm_raise(L, "unknown option \"%s\" of http.serve", name);
	value = number_of(L, row->kind, name);
	if (value < row->least || value > row->most)
		luaL_error(L, "option %s is %I to %I%s", name, (LUAI_UACINT)row->least,
			   (LUAI_UACINT)row->most,
			   row->kind == DURATION ? " milliseconds"
			   : row->kind == SIZE   ? " bytes"
						 : "");
	memcpy((char *)options + row->offset, &value, sizeof value);
}

void options_read(lua_State *L, int index, struct http_options *options)
{
	int function;

	*options = defaults;
	lua_pushnil(L);
	function = lua_gettop(L);
	if (lua_isnoneornil(L, index))
		return;
	luaL_checktype(L, index, LUA_TTABLE);
	lua_pushnil(L);
	while (lua_next(L, index)) {
		read_option(L, options, function);
		lua_pop(L, 1);
	}
}
