#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/check.h"
#include "spec/lexer.h"
#include "spec/load/load.h"

/* --set KEY=VALUE: a value that is a Lua literal means that, anything else is a string, nothing
 * removes the key. */

/* May this word stand in a literal? after: the one behind it; depth: of braces around it. */
static bool is_part(const struct lexer *lexer, int depth)
{
	const struct token *token = &lexer->token, *before = &lexer->before;
	struct lexer after = *lexer;

	lexer_next(&after);
	if (token->type == TOKEN_NAME)
		return token_is(token, "true") || token_is(token, "false") ||
		       token_is(token, "nil") || (depth > 0 && token_is(&after.token, "="));
	if (token->type != TOKEN_SYMBOL)
		return true;
	if (token_is(token, "-")) /* a sign, no subtraction: 2026-11-22 is a text */
		return after.token.type == TOKEN_NUMBER &&
		       (before->length == 0 || strchr("{,;=[", *before->bytes));
	return strchr(depth > 0 ? "{}[]=,;" : "{}", *token->bytes) != NULL && token->length == 1;
}

static bool only_spaces(const char *from, const char *to)
{
	for (; from < to; from++)
		if (!strchr(" \t\r\n", *from))
			return false;
	return true;
}

/* Literals only: numbers, strings, true, false, nil and tables of them; names only as keys. No
 * comment, so that nothing of the text is lost. */
static bool is_literal(const char *text)
{
	const char *end = text;
	struct lexer lexer;
	int depth = 0;

	if (*text == '#')
		return false;
	for (lexer_init(&lexer, text, strlen(text)); lexer_next(&lexer)->type != TOKEN_END;) {
		depth -= token_is(&lexer.token, "}");
		if (!is_part(&lexer, depth + token_is(&lexer.token, "}")) ||
		    !only_spaces(end, lexer.token.bytes))
			return false;
		depth += token_is(&lexer.token, "{");
		end = lexer.token.bytes + lexer.token.length;
	}
	return only_spaces(end, text + strlen(text));
}

static int l_read(lua_State *L)
{
	read_root(load_of(L), 1, lua_touserdata(L, 2));
	return 0;
}

/* false: text is no literal. */
static bool read_literal(struct load *load, const char *text, struct value *value)
{
	lua_State *L = load->L;
	bool right;

	if (!is_literal(text))
		return false;
	lua_settop(L, 0);
	lua_pushcfunction(L, l_read);
	lua_pushfstring(L, "return %s", text);
	right =
	    luaL_loadbufferx(L, lua_tostring(L, -1), lua_rawlen(L, -1), "=--set", "t") == LUA_OK &&
	    lua_pcall(L, 0, 1, 0) == LUA_OK;
	if (right) {
		lua_remove(L, -2);
		lua_pushlightuserdata(L, value);
		right = lua_pcall(L, 2, 0, 0) == LUA_OK;
	}
	lua_settop(L, 0);
	return right;
}

static void mark(struct value *value, int number)
{
	value->line = number;
	value->file = VALUE_FROM_SET;
	for (size_t i = 0; value->type == VALUE_TABLE && i < value->as.table.count; i++) {
		mark(&value->as.table.pairs[i].key, number);
		mark(&value->as.table.pairs[i].value, number);
	}
}

static struct err *set_err(struct load *load, int number, const char *path)
{
	struct err *err = load_err(load, VALUE_FROM_SET, number);

	snprintf(err->key, sizeof err->key, "%.*s", (int)sizeof err->key - 1, path);
	return err;
}

/* One segment of a path: a whole number is an index when table is a list or empty. */
static void make_key(const struct value *table, const char *text, size_t length, struct value *key)
{
	char *end;
	long long index = strtoll(text, &end, 10);

	*key = (struct value){.type = VALUE_STRING};
	key->as.string.bytes = (char *)text; /* only read */
	key->as.string.length = length;
	if (length && end == text + length && table->as.table.count &&
	    table->as.table.pairs[0].key.type == VALUE_INTEGER)
		*key = (struct value){.type = VALUE_INTEGER, .as.integer = index};
}

/* "tcp://..." for listen.web becomes { address = "tcp://..." } when a key below it is set. */
static bool unfold(struct value *value, const char *path, int number)
{
	const struct field *field = field_find(path);
	struct value key = {.type = VALUE_STRING}, table = {.type = VALUE_TABLE}, *place;

	if (!field || !field->kind->shorthand || value->type != VALUE_STRING)
		return false;
	key.as.string.bytes = (char *)field->kind->shorthand; /* only read */
	key.as.string.length = strlen(field->kind->shorthand);
	place = value_put(&table, &key);
	if (!place)
		return false;
	*place = *value;
	table.line = value->line ? value->line : number;
	table.file = value->line ? value->file : VALUE_FROM_SET;
	*value = table;
	return true;
}

/* The table at path[0..length), made where it is absent. NULL after an error. */
static struct value *need_table(struct load *load, struct value *value, const char *path,
				size_t length, int number)
{
	char part[PATH_SHOWN_MAX], shown[96];

	snprintf(part, sizeof part, "%.*s", (int)length, path);
	if (value->type == VALUE_NIL) {
		*value = (struct value){.type = VALUE_TABLE};
		mark(value, number);
	}
	if (value->type == VALUE_TABLE || unfold(value, part, number))
		return value;
	err_set(set_err(load, number, part), "expected a table to set a key of, got %s",
		value_show(value, shown, sizeof shown));
	return NULL;
}

static void put(struct load *load, struct value *root, const char *path, struct value *fresh,
		int number)
{
	struct value *table = root, key, *place;
	const char *segment = path;

	for (;;) {
		size_t length = strcspn(segment, ".");

		make_key(table, segment, length, &key);
		if (!segment[length])
			break;
		place = value_put(table, &key);
		segment += length + 1;
		table = place ? need_table(load, place, path, (size_t)(segment - path) - 1, number)
			      : NULL;
		if (!table) {
			value_finish(fresh);
			return;
		}
	}
	if (fresh->type == VALUE_NIL) {
		value_remove(table, &key);
		return;
	}
	place = value_put(table, &key);
	if (!place) {
		value_finish(fresh);
		return;
	}
	value_finish(place);
	*place = *fresh;
}

/* Is every segment of a path there? */
static bool is_path(const char *path)
{
	for (;;) {
		size_t length = strcspn(path, ".");

		if (length == 0)
			return false;
		if (!path[length])
			return true;
		path += length + 1;
	}
}

static void apply(struct load *load, struct value *root, const char *set, int number)
{
	size_t length = strcspn(set, "=");
	const char *text = set + length + 1;
	char path[PATH_SHOWN_MAX];
	struct value fresh = {0};

	snprintf(path, sizeof path, "%.*s", (int)length, set);
	if (!set[length] || length >= sizeof path || !is_path(path)) {
		err_set(load_err(load, VALUE_FROM_SET, number),
			"expected KEY=VALUE such as config.port=80, got \"%s\"", set);
		return;
	}
	if (*text && !read_literal(load, text, &fresh)) {
		value_finish(&fresh);
		value_string(&fresh, text, strlen(text));
	}
	mark(&fresh, number);
	put(load, root, path, &fresh, number);
}

void set_apply(struct load *load, struct value *root)
{
	for (int i = 0; load->source->sets && load->source->sets[i]; i++)
		apply(load, root, load->source->sets[i], i + 1);
}
