#include "service/log_json.h"

#include <lauxlib.h>
#include <math.h>
#include <stdbool.h>

#include "service/json.h"
#include "text.h"

enum { NESTED_MAX = 8, VALUES_MAX = 1000 };

/* One field. Objects that know each other have few values but endless ways to them. */
struct json {
	FILE *out;
	int depth;
	int left; /* values that may still be written */
};

static void write_json(lua_State *L, int index, struct json *json);

static void write_number(lua_State *L, int index, FILE *out)
{
	double number = lua_tonumber(L, index);

	if (lua_isinteger(L, index))
		fprintf(out, LUA_INTEGER_FMT, lua_tointeger(L, index));
	else if (isfinite(number))
		fprintf(out, "%.14g", number);
	else
		fputs("null", out); /* JSON has no other word for it */
}

static void write_array(lua_State *L, int index, struct json *json)
{
	lua_Unsigned count = lua_rawlen(L, index);

	fputc('[', json->out);
	for (lua_Unsigned i = 1; i <= count && json->left > 0; i++) {
		if (i > 1)
			fputc(',', json->out);
		lua_rawgeti(L, index, (lua_Integer)i);
		write_json(L, lua_gettop(L), json);
		lua_pop(L, 1);
	}
	fputc(']', json->out);
}

static void write_object(lua_State *L, int index, struct json *json)
{
	const char *separator = "";

	fputc('{', json->out);
	lua_pushnil(L);
	while (lua_next(L, index)) {
		size_t length;
		const char *key = luaL_tolstring(L, -2, &length);

		fputs(separator, json->out);
		text_json(json->out, key, length);
		fputc(':', json->out);
		write_json(L, lua_gettop(L) - 1, json);
		separator = ",";
		lua_pop(L, 2);
		if (json->left <= 0) {
			lua_pop(L, 1);
			break;
		}
	}
	fputc('}', json->out);
}

static void write_table(lua_State *L, int index, struct json *json)
{
	if (json->depth == NESTED_MAX) { /* cycles end here too */
		fputs("\"...\"", json->out);
		return;
	}
	json->depth++;
	if (lua_rawlen(L, index) > 0 || json_is_marked(L, index))
		write_array(L, index, json);
	else
		write_object(L, index, json);
	json->depth--;
}

static void write_text(lua_State *L, int index, FILE *out)
{
	size_t length;
	const char *text = luaL_tolstring(L, index, &length);

	text_json(out, text, length);
	lua_pop(L, 1);
}

static void write_json(lua_State *L, int index, struct json *json)
{
	luaL_checkstack(L, 8, NULL);
	if (--json->left <= 0) {
		fputs("\"...\"", json->out);
		return;
	}
	switch (lua_type(L, index)) {
	case LUA_TNIL:
		fputs("null", json->out);
		break;
	case LUA_TBOOLEAN:
		fputs(lua_toboolean(L, index) ? "true" : "false", json->out);
		break;
	case LUA_TNUMBER:
		write_number(L, index, json->out);
		break;
	case LUA_TTABLE:
		write_table(L, index, json);
		break;
	default:
		if (json_is_null(L, index))
			fputs("null", json->out);
		else
			write_text(L, index, json->out);
	}
}

void log_json_write(lua_State *L, int index, FILE *out)
{
	struct json json = {.out = out, .left = VALUES_MAX};

	write_json(L, index, &json);
}
