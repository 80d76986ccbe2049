#include "spec/load/load.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/check.h"
#include "spec/places.h"
#include "spec/quote.h"
#include "spec/scratch.h"

enum { TRIES_MAX = 3 };

static const struct bounds design_bounds = {
    .cpu_ms = 2000, .wall_ms = 5000, .memory = (size_t)64 << 20};

/* --- evaluation --- */

static int l_prepare(lua_State *L)
{
	closed_open(L);
	return 0;
}

/* An error's text, and where it was raised: messages of error(m, 0) do not say. */
struct raised {
	int file, line;
};

static int l_message(lua_State *L)
{
	struct raised *raised = lua_touserdata(L, lua_upvalueindex(1));

	if (!load_position(L, &raised->file, &raised->line))
		raised->line = 0;
	if (!lua_isstring(L, 1) && !placeholder_is(L, 1)) {
		const char *type = luaL_typename(L, 1);

		if (!luaL_callmeta(L, 1, "__tostring") || !lua_isstring(L, -1))
			lua_pushfstring(L, "an error of type %s was raised", type);
	} else if (placeholder_is(L, 1)) {
		lua_pushliteral(L, "a placeholder was raised as error");
	}
	return 1;
}

static int l_read(lua_State *L)
{
	struct load *load = load_of(L);

	load->whole = read_root(load, 1, &load->spec->root);
	return 0;
}

/* What the file returned is on the top of the stack. */
static void take_result(struct load *load)
{
	lua_State *L = load->L;
	char text[512];

	if (placeholder_is(L, -1)) {
		err_set(load_err(load, 0, 0), "%s",
			placeholder_message(L, lua_gettop(L), text, sizeof text));
		return;
	}
	if (!lua_istable(L, -1)) {
		err_set(load_err(load, 0, 0), "expected `return { ... }` at the end, got %s",
			lua_isnil(L, -1) ? "nothing" : luaL_typename(L, -1));
		return;
	}
	lua_pushcfunction(L, l_read);
	lua_insert(L, -2);
	if (lua_pcall(L, 1, 0, 0) != LUA_OK)
		load_err_lua(load, 0, 0, lua_tostring(L, -1));
}

/* Some of Lua's library ask the allocator only once and then raise these words themselves. */
static bool is_memory(const char *message)
{
	return message && strcmp(message, "not enough memory") == 0;
}

static void blame_memory(struct load *load, const struct raised *raised)
{
	struct value place = {.file = raised->file, .line = raised->line};

	load->guard.over = GUARD_MEMORY;
	spec_where(load->source, load->texts.modules, load->texts.count, &place, load->guard.where,
		   sizeof load->guard.where);
}

static void run(struct load *load)
{
	struct raised raised = {0};
	lua_State *L = load->L;
	int status;

	lua_pushlightuserdata(L, &raised);
	lua_pushcclosure(L, l_message, 1);
	status = load_compile(load, L, 0);
	if (status == LUA_OK) {
		load->running[load->depth++] = 0;
		status = lua_pcall(L, 0, 1, 1);
		load->depth--;
	}
	if (status != LUA_OK && is_memory(lua_tostring(L, -1)) && !load->guard.over)
		blame_memory(load, &raised);
	if (load->guard.over)
		return;
	if (status == LUA_OK)
		take_result(load);
	else
		load_err_lua(load, raised.file, raised.line,
			     lua_isstring(L, -1) ? lua_tostring(L, -1) : "an error was raised");
}

static lua_State *open_state(struct load *load)
{
	lua_State *L = lua_newstate(guard_alloc, &load->guard);

	if (!L) {
		err_set(load_err(load, 0, 0), "cannot make a Lua state: out of memory");
		return NULL;
	}
	*(struct load **)lua_getextraspace(L) = load;
	load->L = load->guard.L = L;
	lua_pushcfunction(L, l_prepare);
	if (lua_pcall(L, 0, 0, 0) != LUA_OK && !load->guard.over)
		load_err_lua(load, 0, 0, lua_tostring(L, -1));
	return L;
}

static void close_state(struct load *load)
{
	lua_State *L = load->L;

	if (L)
		lua_close(L);
	load->L = load->guard.L = NULL;
}

/* --- lines --- */

static int resolve_include(void *data, int file, const char *path)
{
	struct load *load = data;
	char *full = texts_beside(load->texts.modules[file].path, path);
	int found = -1;

	for (int i = 0; full && i < load->evaluated; i++)
		if (strcmp(load->texts.modules[i].path, full) == 0)
			found = i;
	free(full);
	return found;
}

static void mark_lines(struct load *load)
{
	struct places *places = arena_alloc(load->arena, (size_t)load->evaluated * sizeof *places);
	struct place_files files = {places, load->evaluated, resolve_include, load};

	for (int i = 0; i < load->evaluated; i++)
		places_find(&places[i], load->arena, load->texts.modules[i].text,
			    load->texts.modules[i].length);
	places_mark(&files, &load->spec->root);
}

/* The spec borrows the texts while errors need their names. */
static void lend_texts(struct load *load)
{
	load->spec->modules = load->texts.modules;
	load->spec->module_count = load->texts.count;
}

/* Errors of reading know their key; now it has a line. */
static void blame_keys(struct load *load, size_t first)
{
	lend_texts(load);
	for (size_t i = first; i < load->errs->count; i++) {
		struct err *err = &load->errs->list[i];
		char key[sizeof err->key];

		if (!err->key[0])
			continue;
		memcpy(key, err->key, sizeof key);
		spec_blame(load->spec, key, err);
	}
}

/* --- one reading --- */

static void read_text(struct load *load)
{
	struct err err = {0};

	if (texts_add(&load->texts, "", load->source->path, MODULE_LUA, &err) < 0) {
		struct err *told = load_err(load, 0, 0);

		told->code = err.code;
		memcpy(told->what, err.what, sizeof told->what);
	}
}

static void evaluate(struct load *load)
{
	size_t first = load->errs->count;

	read_text(load);
	if (load->errs->count == first && open_state(load) && load->errs->count == first)
		run(load);
	load->evaluated = (int)load->texts.count;
	if (load->guard.over || load->spec->root.type != VALUE_TABLE)
		return;
	mark_lines(load);
	blame_keys(load, first);
	set_apply(load, &load->spec->root);
}

/* evaluate within bounds. One that was passed is the only error that counts. */
static void evaluate_bounded(struct load *load)
{
	size_t first = load->errs->count;
	struct err err = {0};

	if (guard_start(&load->guard, &err) < 0) {
		err_set(load_err(load, 0, 0), "%s: %s", err.what, err_reason(err.code));
		return;
	}
	evaluate(load);
	close_state(load);
	if (guard_stop(&load->guard, &err) < 0)
		err_set(load_err(load, 0, 0), "%s: %s", err.what, err_reason(err.code));
	if (guard_failed(&load->guard, &err)) {
		errs_cut(load->errs, first);
		*errs_add(load->errs) = err;
	}
}

static void check(struct load *load)
{
	struct check check = {.spec = load->spec, .arena = load->arena, .errs = load->errs};
	const char *path = load->source->path, *slash = strrchr(path, '/');
	size_t length = slash && slash > path ? (size_t)(slash - path) : 0;
	size_t first = load->errs->count;

	check.folder =
	    arena_format(load->arena, "%.*s", (int)(length ? length : 1), length ? path : "/");
	lend_texts(load);
	check_spec(&check);
	if (load->source->scratch && load->errs->count == first)
		scratch_move(load->spec, load->errs);
	modules_find(load);
}

/* Fills load->spec, or finds errors. */
static void read_once(struct load *load)
{
	struct spec *spec = load->spec;

	if (!spec || source_copy(&spec->source, load->source) < 0 ||
	    !(spec->arena = arena_create())) {
		err_set(load_err(load, 0, 0), "out of memory");
		return;
	}
	load->arena = spec->arena;
	evaluate_bounded(load);
	/* What could not be read is nil there and has been told: the rest can still be checked. */
	if (load->whole && spec->root.type == VALUE_TABLE && !load->guard.over)
		check(load);
	lend_texts(load);
}

/* Errors in their order and, while the texts are there, what they are about. */
static void explain(struct load *load, size_t first)
{
	struct errs *errs = load->errs;
	const struct texts *texts = &load->texts;

	load_sort(load->source, errs, first);
	quote_all(load->source, texts->modules, texts->count, errs);
	for (char **path = errs->seen; path && *path; path++)
		free(*path);
	free(errs->seen);
	errs->seen = texts_seen(texts);
}

/* 1: some file changed while the files were read, so that nothing of it counts. */
static int attempt(struct spec **spec, const struct source *source, const struct bounds *bounds,
		   struct errs *errs)
{
	struct load load = {.source = source, .errs = errs, .texts.source = source};
	size_t first = errs->count;
	bool settled;

	load.guard.bounds = *bounds;
	load.guard.shown = source->shown;
	load.spec = calloc(1, sizeof *load.spec);
	read_once(&load);
	settled = texts_settled(&load.texts);
	if (settled && errs->count == first) {
		/* From here on the texts belong to the spec. */
		load.texts.modules = NULL;
		load.texts.count = 0;
		texts_finish(&load.texts);
		*spec = load.spec;
		return 0;
	}
	explain(&load, first);
	if (load.spec) {
		load.spec->modules = NULL;
		load.spec->module_count = 0;
	}
	texts_finish(&load.texts);
	spec_destroy(load.spec);
	if (settled)
		return -1;
	errs_cut(errs, first);
	return 1;
}

int spec_load_bounded(struct spec **spec, const struct source *source, const struct bounds *bounds,
		      struct errs *errs)
{
	struct err *err;

	*spec = NULL;
	for (int i = 0; i < TRIES_MAX; i++) {
		int result = attempt(spec, source, bounds, errs);

		if (result <= 0)
			return result;
	}
	err = errs_add(errs);
	err->exit = EXIT_USAGE;
	snprintf(err->where, sizeof err->where, "%s", source->shown);
	return err_set(err, "the files change again and again while they are read");
}

int spec_load(struct spec **spec, const struct source *source, struct errs *errs)
{
	return spec_load_bounded(spec, source, &design_bounds, errs);
}
