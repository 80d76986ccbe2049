#include "service/json_writer.h"

#include <ctype.h>
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>

#include "service/json_number.h"
#include "service/json_plain.h"
#include "service/vm.h"
#include "text.h"

enum { PATH_LEVELS = 12, PATH_KEY = 40 };

/* --- what went wrong, and where --- */

static bool is_name(const char *key, size_t length)
{
	if (length == 0 || length > PATH_KEY || isdigit((unsigned char)key[0]))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)key[i]) && key[i] != '_')
			return false;
	return true;
}

static void add_key(lua_State *L, luaL_Buffer *path, const struct level *level)
{
	char text[PATH_KEY + 32];
	size_t length;
	const char *key;

	if (lua_type(L, level->key) != LUA_TSTRING) {
		snprintf(text, sizeof text, "[" LUA_INTEGER_FMT "]", lua_tointeger(L, level->key));
		luaL_addstring(path, text);
		return;
	}
	key = lua_tolstring(L, level->key, &length);
	if (is_name(key, length)) {
		if (level->up)
			luaL_addchar(path, '.');
		luaL_addlstring(path, key, length);
		return;
	}
	luaL_addstring(path, "[\"");
	luaL_addlstring(path, key, length < PATH_KEY ? length : PATH_KEY);
	luaL_addstring(path, length < PATH_KEY ? "\"]" : "...\"]");
}

/* A cycle has a way without end: its beginning says enough. */
static int add_path(lua_State *L, luaL_Buffer *path, const struct level *level)
{
	int count = level->up ? add_path(L, path, level->up) + 1 : 1;

	if (count <= PATH_LEVELS)
		add_key(L, path, level);
	else if (count == PATH_LEVELS + 1)
		luaL_addstring(path, "...");
	return count;
}

void writer_fail(struct writer *w, const char *format, ...)
{
	luaL_Buffer path;
	va_list args;

	luaL_checkstack(w->L, 8, NULL);
	va_start(args, format);
	lua_pushvfstring(w->L, format, args);
	va_end(args);
	luaL_buffinit(w->L, &path);
	if (w->level) {
		add_path(w->L, &path, w->level);
		luaL_addstring(&path, ": ");
	}
	luaL_pushresult(&path);
	vm_raise(w->L, "%s%s", lua_tostring(w->L, -1), lua_tostring(w->L, -2));
}

/* --- bytes --- */

void writer_too_long(struct writer *w)
{
	writer_fail(w, "more than %I bytes of JSON", (LUAI_UACINT)w->style.max);
}

void writer_grow(struct writer *w, size_t more)
{
	if (w->out->length + more >
	    w->style.max + NUMBER_WRITTEN_MAX) /* a number may need less than its room */
		writer_too_long(w);
	out_grow(w->L, w->out, more);
}

/* --- scalars --- */

static char *escape(char *p, unsigned char c)
{
	static const char letters[] = "btn\0fr", hex[] = "0123456789abcdef";

	*p++ = '\\';
	if (c >= 0x20) { /* quote or backslash */
		*p++ = (char)c;
	} else if (c >= '\b' && c <= '\r' && letters[c - '\b']) {
		*p++ = letters[c - '\b'];
	} else {
		*p++ = 'u';
		*p++ = '0';
		*p++ = '0';
		*p++ = hex[c >> 4];
		*p++ = hex[c & 15];
	}
	return p;
}

void writer_string(struct writer *w, const char *text, size_t length, const char *what)
{
	const char *end = text + length;
	char *p = writer_reserve(w, length + 2);

	*p++ = '"';
	while ((text = plain_copy(text, end, &p)) < end) {
		size_t wide =
		    (unsigned char)*text < 0x80
			? 0
			: text_utf8_length((const unsigned char *)text, (size_t)(end - text));

		if (wide) {
			memcpy(p, text, wide);
			p += wide;
			text += wide;
			continue;
		}
		if ((unsigned char)*text >= 0x80)
			writer_fail(w, "cannot encode %s that is not UTF-8", what);
		/* An escape is longer than what was reserved for its character. */
		w->out->length = (size_t)(p - w->out->bytes);
		p = writer_reserve(w, 6 + (size_t)(end - text) + 2);
		p = escape(p, (unsigned char)*text++);
	}
	*p++ = '"';
	w->out->length = (size_t)(p - w->out->bytes);
}

void writer_number(struct writer *w, int index)
{
	char *p = writer_reserve(w, NUMBER_WRITTEN_MAX);
	double real;

	if (lua_isinteger(w->L, index)) {
		w->out->length += number_write_integer(p, lua_tointeger(w->L, index));
		return;
	}
	real = lua_tonumber(w->L, index);
	if (!isfinite(real))
		writer_fail(w, "cannot encode %s", isnan(real) ? "nan" : real > 0 ? "inf" : "-inf");
	w->out->length += number_write_real(p, real);
}
