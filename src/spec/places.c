#include "spec/places.h"

#include <stdlib.h>
#include <string.h>

#include "spec/lexer.h"

enum { FOLLOW_MAX = 16 };

struct finder {
	struct lexer lexer;
	struct arena *arena;
	struct places *places;
};

static const struct token *now(const struct finder *finder)
{
	return &finder->lexer.token;
}

static bool is(const struct finder *finder, const char *text)
{
	return token_is(now(finder), text);
}

static void next(struct finder *finder)
{
	lexer_next(&finder->lexer);
}

static struct token ahead(const struct finder *finder)
{
	struct lexer copy = finder->lexer;

	return *lexer_next(&copy);
}

static char *keep(struct finder *finder, const char *bytes, size_t length)
{
	char *text = arena_alloc(finder->arena, length + 1);

	memcpy(text, bytes, length);
	return text;
}

/* What a string token means. */
static char *keep_string(struct finder *finder, const struct token *token, size_t *length)
{
	char *text = token_string(token, length), *kept;

	kept = keep(finder, text ? text : "", text ? *length : 0);
	free(text);
	return kept;
}

static struct place *add(struct finder *finder, struct place *parent, struct value key, int line)
{
	struct place *place = arena_alloc(finder->arena, sizeof *place);

	place->key = key;
	place->line = line;
	if (parent->last)
		parent->last->next = place;
	else
		parent->children = place;
	parent->last = place;
	return place;
}

static struct value name_key(struct finder *finder, const struct token *token)
{
	struct value key = {.type = VALUE_STRING};

	key.as.string.bytes = keep(finder, token->bytes, token->length);
	key.as.string.length = token->length;
	return key;
}

/* A string or whole number in brackets; nil when it is neither. */
static struct value bracket_key(struct finder *finder, const struct token *token)
{
	struct value key = {.type = VALUE_NIL};

	if (token->type == TOKEN_STRING) {
		key.type = VALUE_STRING;
		key.as.string.bytes = keep_string(finder, token, &key.as.string.length);
	} else if (token->type == TOKEN_NUMBER) {
		char *text = keep(finder, token->bytes, token->length), *end;

		key.as.integer = strtoll(text, &end, 0);
		key.type = *end ? VALUE_NIL : VALUE_INTEGER;
	}
	return key;
}

/* How a word changes the depth of nested brackets and blocks. "while" and "for" have their "do". */
static int depth_of(const struct token *token)
{
	static const char *const openers[] = {"(", "{", "[", "function", "do", "if", "repeat"};
	static const char *const closers[] = {")", "}", "]", "end", "until"};

	for (size_t i = 0; i < sizeof openers / sizeof *openers; i++)
		if (token_is(token, openers[i]))
			return 1;
	for (size_t i = 0; i < sizeof closers / sizeof *closers; i++)
		if (token_is(token, closers[i]))
			return -1;
	return 0;
}

static bool ends_field(const struct finder *finder)
{
	return is(finder, ",") || is(finder, ";") || is(finder, "}") ||
	       now(finder)->type == TOKEN_END;
}

/* To the comma or brace that ends a field's expression. */
static void skip_expression(struct finder *finder)
{
	for (int depth = 0; depth > 0 || !ends_field(finder); next(finder)) {
		if (now(finder)->type == TOKEN_END)
			return;
		depth += depth_of(now(finder));
	}
}

/* `include "x"` or `include("x")`, standing on include: fills *path and leaves the last word as
 * the current one. */
static bool read_include(struct finder *finder, const char **path)
{
	struct lexer saved = finder->lexer;
	bool parenthesis;
	size_t length;

	if (!is(finder, "include"))
		return false;
	next(finder);
	parenthesis = is(finder, "(");
	if (parenthesis)
		next(finder);
	if (now(finder)->type == TOKEN_STRING) {
		*path = keep_string(finder, now(finder), &length);
		if (parenthesis)
			next(finder);
		return true;
	}
	finder->lexer = saved;
	return false;
}

static void read_table(struct finder *finder, struct place *place, int depth);

/* The expression that gives place its value, standing on its first word; afterwards on the word
 * behind what was understood. */
static void read_value(struct finder *finder, struct place *place, int depth)
{
	if (is(finder, "{") && depth < VALUE_DEPTH_MAX) {
		read_table(finder, place, depth + 1);
	} else if (read_include(finder, &place->include)) {
		next(finder);
	} else if (now(finder)->type == TOKEN_NAME && !is(finder, "function")) {
		struct token name = *now(finder), after = ahead(finder);

		if (!token_is(&after, ".") && !token_is(&after, "(") && !token_is(&after, "[") &&
		    !token_is(&after, ":") && after.type != TOKEN_STRING)
			place->name = keep(finder, name.bytes, name.length);
		next(finder);
	}
}

static void read_field(struct finder *finder, struct place *place, int64_t *index, int depth)
{
	struct value key = {.type = VALUE_INTEGER, .as.integer = *index};
	struct token first = *now(finder), second = ahead(finder);

	if (first.type == TOKEN_NAME && token_is(&second, "=")) {
		key = name_key(finder, &first);
		next(finder);
		next(finder);
	} else if (token_is(&first, "[")) {
		key = bracket_key(finder, &second);
		next(finder);
		for (int nested = 1; nested > 0 && now(finder)->type != TOKEN_END;) {
			next(finder);
			nested += depth_of(now(finder));
		}
		next(finder); /* ] */
		next(finder); /* = */
	} else {
		(*index)++;
	}
	read_value(finder, add(finder, place, key, first.line), depth);
}

/* A table constructor, standing on its "{"; afterwards behind its "}". */
static void read_table(struct finder *finder, struct place *place, int depth)
{
	int64_t index = 1;

	next(finder);
	while (!is(finder, "}") && now(finder)->type != TOKEN_END) {
		const char *before = now(finder)->bytes;

		read_field(finder, place, &index, depth);
		skip_expression(finder);
		/* Also so that no word is looked at twice. */
		if (is(finder, ",") || is(finder, ";") || now(finder)->bytes == before)
			next(finder);
	}
	next(finder);
}

static struct place *find_child(const struct place *place, const struct value *key)
{
	struct place *found = NULL;

	/* The last one counts, as in Lua. */
	for (struct place *child = place->children; child; child = child->next)
		if (child->key.type == key->type && value_order(&child->key, key) == 0)
			found = child;
	return found;
}

/* A name that follows neither a comma nor "<" begins the next statement. */
static bool ends_names(const struct finder *finder)
{
	return !token_is(&finder->lexer.before, ",") && !token_is(&finder->lexer.before, "<");
}

/* `local NAME = value`, standing on local. Of several names only the first is kept. */
static void read_local(struct finder *finder)
{
	struct place *place;
	struct token name;

	next(finder);
	name = *now(finder);
	if (name.type != TOKEN_NAME || is(finder, "function"))
		return;
	do
		next(finder); /* also over <const> */
	while (is(finder, ",") || is(finder, "<") || is(finder, ">") ||
	       (now(finder)->type == TOKEN_NAME && !ends_names(finder)));
	if (!is(finder, "="))
		return;
	next(finder);
	place = add(finder, finder->places->locals, name_key(finder, &name), name.line);
	read_value(finder, place, 0);
}

/* `NAME.a.b = value`, standing on NAME, when NAME is a local table. */
static void read_assignment(struct finder *finder)
{
	struct value key = name_key(finder, now(finder));
	struct place *place = find_child(finder->places->locals, &key);
	int line = now(finder)->line;

	next(finder);
	while (place && is(finder, ".")) {
		struct place *child;

		next(finder);
		key = name_key(finder, now(finder));
		child = find_child(place, &key);
		place = child ? child : add(finder, place, key, line);
		next(finder);
	}
	if (!place || !is(finder, "="))
		return;
	next(finder);
	place->line = line;
	place->children = place->last = NULL;
	place->name = place->include = NULL;
	read_value(finder, place, 0);
}

/* Can a statement begin after this word? Only then may a name be assigned to. */
static bool ends_statement(const struct token *token)
{
	return token->type == TOKEN_END || token->type == TOKEN_STRING ||
	       token->type == TOKEN_NUMBER || token->type == TOKEN_NAME || token_is(token, ")") ||
	       token_is(token, "}") || token_is(token, "]") || token_is(token, ";");
}

void places_find(struct places *places, struct arena *arena, const char *text, size_t length)
{
	struct finder finder = {.arena = arena, .places = places};
	int depth = 0;

	places->root = arena_alloc(arena, sizeof *places->root);
	places->locals = arena_alloc(arena, sizeof *places->locals);
	lexer_init(&finder.lexer, text, length);
	next(&finder);
	while (now(&finder)->type != TOKEN_END) {
		const char *before = now(&finder)->bytes;
		struct token after = ahead(&finder);

		if (depth == 0 && is(&finder, "local")) {
			read_local(&finder);
		} else if (depth == 0 && is(&finder, "return")) {
			next(&finder);
			read_value(&finder, places->root, 0);
		} else if (depth == 0 && now(&finder)->type == TOKEN_NAME &&
			   token_is(&after, ".") && ends_statement(&finder.lexer.before)) {
			read_assignment(&finder);
		}
		if (now(&finder)->bytes == before) {
			depth += depth_of(now(&finder));
			next(&finder);
		}
	}
}

/* Where a name or an include leads; NULL: nowhere. */
static const struct place *follow(const struct place_files *files, const struct place *place,
				  int *file)
{
	struct value key = {.type = VALUE_STRING};
	const struct place *local;

	if (place->include) {
		*file = files->resolve(files->data, *file, place->include);
		return *file < 0 ? NULL : files->places[*file].root;
	}
	if (!place->name)
		return NULL;
	key.as.string.bytes = (char *)place->name; /* only read */
	key.as.string.length = strlen(place->name);
	local = find_child(files->places[*file].locals, &key);
	return local == place ? NULL : local;
}

/* The place of key in the table at place. What was assigned to a name comes before what it was
 * made of. */
static const struct place *find_key(const struct place_files *files, const struct place *place,
				    const struct value *key, int *file)
{
	for (int i = 0; place && i < FOLLOW_MAX; i++) {
		const struct place *child = find_child(place, key);

		if (child)
			return child;
		place = follow(files, place, file);
	}
	return NULL;
}

static void mark(const struct place_files *files, struct value *table, const struct place *place,
		 int file)
{
	for (size_t i = 0; i < table->as.table.count; i++) {
		struct pair *pair = &table->as.table.pairs[i];
		int child_file = file;
		const struct place *child = find_key(files, place, &pair->key, &child_file);

		if (!child)
			continue;
		pair->value.line = pair->key.line = child->line;
		pair->value.file = pair->key.file = child_file;
		if (pair->value.type == VALUE_TABLE)
			mark(files, &pair->value, child, child_file);
	}
}

void places_mark(const struct place_files *files, struct value *root)
{
	if (root->type == VALUE_TABLE && files->count > 0)
		mark(files, root, files->places[0].root, 0);
}
