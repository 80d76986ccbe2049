#include "service/pretty.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/answer.h"
#include "text.h"

enum {
	WIDTH = 80,
	DEPTH_MAX = 5,
	ENTRIES_MAX = 500, /* of a table */
	STRING_MAX_INSIDE = 1000
};

/* What is written, and the tables around it. */
struct pretty {
	lua_State *L;
	struct answer *answer;
	bool flat; /* all in one line */
	int depth;
	const void *around[DEPTH_MAX];
};

static void write_value(struct pretty *pretty, int index);

/* --- strings --- */

static void write_byte(struct answer *answer, unsigned char byte)
{
	static const char named[] = "\a\b\t\n\v\f\r", names[] = "abtnvfr";
	const char *at = byte ? strchr(named, byte) : NULL;

	if (at)
		answer_format(answer, "\\%c", names[at - named]);
	else if (byte == '"' || byte == '\\')
		answer_format(answer, "\\%c", byte);
	else if (byte < ' ' || byte >= 127)
		answer_format(answer, "\\x%02X", byte);
	else
		answer_add(answer, (const char *)&byte, 1);
}

static void write_string(struct answer *answer, const char *bytes, size_t length, size_t most)
{
	size_t end = length > most ? most : length;

	answer_text(answer, "\"");
	for (size_t at = 0; at < end && !answer->cut;) {
		const unsigned char *here = (const unsigned char *)bytes + at;
		size_t count = text_utf8_length(here, length - at);

		if (count > 1)
			answer_add(answer, (const char *)here, count);
		else
			write_byte(answer, *here);
		at += count > 1 ? count : 1;
	}
	answer_text(answer, "\"");
	if (end < length)
		answer_format(answer, "... (%zu bytes)", length);
}

/* --- keys --- */

struct key {
	int slot, type;
	lua_Number number;
	const char *text;
};

/* Numbers, then strings, then the rest as it came. */
static int compare(const void *one, const void *other)
{
	const struct key *a = one, *b = other;
	bool a_number = a->type == LUA_TNUMBER, b_number = b->type == LUA_TNUMBER;
	int a_rank = a_number ? 0 : a->text ? 1 : 2, b_rank = b_number ? 0 : b->text ? 1 : 2;

	if (a_rank != b_rank)
		return a_rank - b_rank;
	if (a_number && a->number != b->number)
		return a->number < b->number ? -1 : 1;
	if (a->text && strcmp(a->text, b->text) != 0)
		return strcmp(a->text, b->text);
	return a->slot - b->slot;
}

/* Pushes the keys outside of 1 to length; *all: how many there are. */
static size_t collect_keys(lua_State *L, int table, lua_Integer length, struct key *keys,
			   size_t *all)
{
	size_t count = 0;

	*all = 0;
	lua_pushnil(L);
	while (lua_next(L, table)) {
		lua_Integer number = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : 0;

		lua_pop(L, 1);
		if (number >= 1 && number <= length)
			continue;
		if ((*all)++ >= ENTRIES_MAX)
			continue;
		keys[count++] = (struct key){
		    .slot = lua_gettop(L),
		    .type = lua_type(L, -1),
		    .number = lua_isnumber(L, -1) ? lua_tonumber(L, -1) : 0,
		    .text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL};
		lua_pushvalue(L, -1); /* the key stays below the one that lua_next takes */
	}
	qsort(keys, count, sizeof *keys, compare);
	return count;
}

static bool is_name(const char *text)
{
	static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";

	return *text && strchr(first, *text) && text[strspn(text, first)] == '\0';
}

static bool is_plain(lua_State *L, int slot, const char *text)
{
	size_t length;
	char letters[64];

	lua_tolstring(L, slot, &length);
	if (length != strlen(text) || length >= sizeof letters)
		return false;
	for (size_t i = 0; i <= length; i++)
		letters[i] = (char)(i > 0 && text[i] >= '0' && text[i] <= '9' ? '_' : text[i]);
	return is_name(letters);
}

static void write_key(struct pretty *pretty, const struct key *key)
{
	if (key->text && is_plain(pretty->L, key->slot, key->text)) {
		answer_text(pretty->answer, key->text);
	} else {
		answer_text(pretty->answer, "[");
		write_value(pretty, key->slot);
		answer_text(pretty->answer, "]");
	}
	answer_text(pretty->answer, " = ");
}

/* --- tables --- */

static void begin_entry(struct pretty *pretty, bool first)
{
	if (!first)
		answer_text(pretty->answer, ",");
	if (pretty->flat)
		answer_text(pretty->answer, " ");
	else
		answer_format(pretty->answer, "\n%*s", 2 * pretty->depth, "");
}

static bool write_list(struct pretty *pretty, int table, lua_Integer length)
{
	lua_Integer shown = length < ENTRIES_MAX ? length : ENTRIES_MAX;

	for (lua_Integer i = 1; i <= shown && !pretty->answer->cut; i++) {
		begin_entry(pretty, i == 1);
		lua_rawgeti(pretty->L, table, i);
		write_value(pretty, lua_gettop(pretty->L));
		lua_pop(pretty->L, 1);
	}
	if (shown < length) {
		begin_entry(pretty, false);
		answer_format(pretty->answer, "... %lld more", (long long)(length - shown));
	}
	return length > 0;
}

static bool write_fields(struct pretty *pretty, int table, lua_Integer length, bool any)
{
	struct key *keys = malloc(ENTRIES_MAX * sizeof *keys);
	size_t all, count;
	lua_State *L = pretty->L;
	int top = lua_gettop(L);

	if (!keys || !lua_checkstack(L, ENTRIES_MAX + 8)) {
		free(keys);
		answer_text(pretty->answer, " (not enough memory)");
		return true;
	}
	count = collect_keys(L, table, length, keys, &all);
	for (size_t i = 0; i < count && !pretty->answer->cut; i++) {
		begin_entry(pretty, !any && i == 0);
		write_key(pretty, &keys[i]);
		lua_pushvalue(L, keys[i].slot);
		lua_rawget(L, table);
		write_value(pretty, lua_gettop(L));
		lua_pop(L, 1);
	}
	if (count < all) {
		begin_entry(pretty, false);
		answer_format(pretty->answer, "... %zu more", all - count);
	}
	lua_settop(L, top);
	free(keys);
	return any || count > 0;
}

static void write_entries(struct pretty *pretty, int table)
{
	lua_Integer length = (lua_Integer)lua_rawlen(pretty->L, table);
	bool any;

	answer_text(pretty->answer, "{");
	pretty->around[pretty->depth++] = lua_topointer(pretty->L, table);
	any = write_list(pretty, table, length);
	any = write_fields(pretty, table, length, any);
	pretty->depth--;
	if (any && pretty->flat)
		answer_text(pretty->answer, " ");
	else if (any)
		answer_format(pretty->answer, "\n%*s", 2 * pretty->depth, "");
	answer_text(pretty->answer, "}");
}

/* In one line when that fits. */
static void write_table(struct pretty *pretty, int table)
{
	struct answer line = {.most = (size_t)(WIDTH - 2 * pretty->depth)};
	struct pretty flat = *pretty;

	for (int i = 0; i < pretty->depth; i++)
		if (pretty->around[i] == lua_topointer(pretty->L, table)) {
			answer_text(pretty->answer, "{ itself }");
			return;
		}
	if (pretty->depth == DEPTH_MAX || !lua_checkstack(pretty->L, 8)) {
		answer_text(pretty->answer, "{ ... }");
		return;
	}
	if (pretty->flat) {
		write_entries(pretty, table);
		return;
	}
	flat.flat = true;
	flat.answer = &line;
	write_entries(&flat, table);
	if (line.cut)
		write_entries(pretty, table);
	else
		answer_add(pretty->answer, line.bytes, line.length);
	answer_free(&line);
}

/* --- the rest --- */

static void write_number(struct pretty *pretty, int index)
{
	char text[48];

	if (lua_isinteger(pretty->L, index)) {
		answer_format(pretty->answer, LUA_INTEGER_FMT, lua_tointeger(pretty->L, index));
		return;
	}
	snprintf(text, sizeof text, "%.14g", lua_tonumber(pretty->L, index));
	answer_text(pretty->answer, text);
	if (text[strspn(text, "-0123456789")] == '\0')
		answer_text(pretty->answer, ".0");
}

static void write_function(struct pretty *pretty, int index)
{
	lua_Debug about;

	lua_pushvalue(pretty->L, index);
	lua_getinfo(pretty->L, ">S", &about);
	if (about.what[0] == 'C')
		answer_text(pretty->answer, "function: built in");
	else
		answer_format(pretty->answer, "function: %s:%d", about.short_src,
			      about.linedefined);
}

/* What the metatable says. "__name" is a string of Lua's own libraries: pushing it makes none. */
static void write_name(struct pretty *pretty, int index, const char *otherwise)
{
	lua_State *L = pretty->L;
	int top = lua_gettop(L);
	const char *name = otherwise;

	if (lua_getmetatable(L, index)) {
		lua_pushliteral(L, "__name");
		if (lua_rawget(L, -2) == LUA_TSTRING)
			name = lua_tostring(L, -1);
	}
	answer_format(pretty->answer, "%.100s", name);
	lua_settop(L, top);
}

static void write_value(struct pretty *pretty, int index)
{
	lua_State *L = pretty->L;
	const char *bytes;
	size_t length;

	switch (lua_type(L, index)) {
	case LUA_TNIL:
		answer_text(pretty->answer, "nil");
		break;
	case LUA_TBOOLEAN:
		answer_text(pretty->answer, lua_toboolean(L, index) ? "true" : "false");
		break;
	case LUA_TNUMBER:
		write_number(pretty, index);
		break;
	case LUA_TSTRING:
		bytes = lua_tolstring(L, index, &length);
		write_string(pretty->answer, bytes, length,
			     pretty->depth ? STRING_MAX_INSIDE : length);
		break;
	case LUA_TTABLE:
		write_table(pretty, index);
		break;
	case LUA_TFUNCTION:
		write_function(pretty, index);
		break;
	default:
		write_name(pretty, index, lua_typename(L, lua_type(L, index)));
		answer_format(pretty->answer, ": %p", lua_topointer(L, index));
	}
}

void pretty_print(lua_State *L, int index, struct answer *answer)
{
	struct pretty pretty = {.L = L, .answer = answer};

	if (!lua_checkstack(L, 8)) {
		answer_text(answer, "(not enough memory)");
		return;
	}
	write_value(&pretty, lua_absindex(L, index));
}
