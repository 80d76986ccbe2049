#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "spec/lexer.h"
#include "spec/load/load.h"

/* What the bundle holds: the modules that literal requires reach, and lua.preload. */

/* Always there, never searched: what the worker brings along. */
static bool is_builtin(const char *name)
{
	static const char *const names[] = {"luvd", "uv",        "luv",     "string", "table",
					    "math", "utf8",      "io",      "os",     "debug",
					    "_G",   "coroutine", "package", NULL};

	if (strncmp(name, "luvd.", 5) == 0)
		return true;
	for (const char *const *at = names; *at; at++)
		if (strcmp(*at, name) == 0)
			return true;
	return false;
}

/* Who asks for a module, for the error when there is none. */
struct asker {
	int file, line;
	const char *key; /* "service", "lua.preload", or NULL: the file and line count */
	bool optional;
};

static struct err *blame(struct load *load, const struct asker *asker)
{
	struct err *err;

	if (!asker->key)
		return load_err(load, asker->file, asker->line);
	load->spec->modules = load->texts.modules;
	load->spec->module_count = load->texts.count;
	err = spec_blame(load->spec, asker->key, errs_add(load->errs));
	err->exit = EXIT_USAGE;
	return err;
}

static void add(struct load *load, const struct asker *asker, const char *name, const char *path,
		enum module_kind kind)
{
	struct err err = {0}, *told;

	if (texts_add(&load->texts, name, path, kind, &err) >= 0)
		return;
	told = blame(load, asker);
	told->code = err.code;
	memcpy(told->what, err.what, sizeof told->what);
}

static bool is_file(const char *path)
{
	struct stat node;

	return stat(path, &node) == 0 && !S_ISDIR(node.st_mode);
}

/* One search for one module. */
struct search {
	struct load *load;
	const char *name;
	char *path;   /* where it was found */
	FILE *looked; /* "'/a/x.lua', '/a/x/init.lua'" */
	bool first;
};

/* pattern[0..length) with the module's name, dots as slashes, for its "?". */
static bool try_pattern(struct search *search, const char *pattern, size_t length,
			size_t name_length)
{
	char *path = NULL;
	size_t size;
	FILE *out = open_memstream(&path, &size);

	if (!out)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (pattern[i] != '?') {
			fputc(pattern[i], out);
			continue;
		}
		for (size_t k = 0; k < name_length; k++)
			fputc(search->name[k] == '.' ? '/' : search->name[k], out);
	}
	fclose(out);
	if (!path)
		return false;
	if (is_file(path)) {
		search->path = path;
		return true;
	}
	texts_miss(&search->load->texts, path);
	fprintf(search->looked, "%s'%s'", search->first ? "" : ", ", path);
	search->first = false;
	free(path);
	return false;
}

/* A list such as "/usr/share/lua/5.4/?.lua;./?.lua"; relative ones do not count. */
static bool try_list(struct search *search, const char *list, size_t name_length)
{
	for (;;) {
		size_t length = strcspn(list, ";");

		bool named = memchr(list, '?', length) != NULL;

		if (named && list[0] == '/' && try_pattern(search, list, length, name_length))
			return true;
		if (!list[length])
			return false;
		list += length + 1;
	}
}

static bool try_folder(struct search *search, const char *folder)
{
	static const char *const endings[] = {"?.lua", "?/init.lua"};
	size_t length = strlen(search->name);
	bool found = false;

	if (strchr(folder, '?'))
		return try_pattern(search, folder, strlen(folder), length);
	for (size_t i = 0; i < 2 && !found; i++) {
		char *pattern = NULL;

		if (asprintf(&pattern, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder,
			     endings[i]) < 0)
			return false;
		found = try_pattern(search, pattern, strlen(pattern), length);
		free(pattern);
	}
	return found;
}

static bool find_lua(struct search *search)
{
	const char *path = search->load->source->path;
	size_t length = (size_t)(strrchr(path, '/') - path);
	char *folder = arena_format(search->load->arena, "%.*s", (int)(length ? length : 1), path);

	if (try_folder(search, folder))
		return true;
	for (char **at = search->load->spec->lua_path; at && *at; at++)
		if (try_folder(search, *at))
			return true;
	return try_list(search, LUA_PATH_DEFAULT, strlen(search->name));
}

/* Also in the library of the name's first part, as Lua does. */
static bool find_c(struct search *search)
{
	size_t length = strlen(search->name), root = strcspn(search->name, ".");

	return try_list(search, LUA_CPATH_DEFAULT, length) ||
	       (root < length && try_list(search, LUA_CPATH_DEFAULT, root));
}

static bool is_known(const struct load *load, const char *name)
{
	for (size_t i = (size_t)load->evaluated; i < load->texts.count; i++)
		if (strcmp(load->texts.modules[i].name, name) == 0)
			return true;
	return false;
}

static void need(struct load *load, const struct asker *asker, const char *name)
{
	struct search search = {.load = load, .name = name, .first = true};
	enum module_kind kind = MODULE_LUA;
	char *looked = NULL;
	size_t size;

	if (is_builtin(name) || is_known(load, name))
		return;
	search.looked = open_memstream(&looked, &size);
	if (!search.looked)
		return;
	if (!find_lua(&search) && find_c(&search))
		kind = MODULE_C;
	fclose(search.looked);
	if (search.path)
		add(load, asker, name, search.path, kind);
	else if (!asker->optional)
		err_set(blame(load, asker), "cannot find module \"%s\": looked for %s", name,
			looked ? looked : "it");
	free(search.path);
	free(looked);
}

/* Modules of the system, such as Penlight, ask for others that this machine need not have; what is
 * absent raises when it is used. */
static bool is_of_system(const char *path)
{
	return strncmp(path, "/usr/share/lua/", 15) == 0 ||
	       strncmp(path, "/usr/local/share/lua/", 21) == 0;
}

static void follow(struct load *load, int file)
{
	const struct module *module = &load->texts.modules[file];
	bool lenient = is_of_system(module->path);
	struct required required;
	struct lexer lexer;

	if (module->kind != MODULE_LUA)
		return;
	lexer_init(&lexer, module->text, module->length);
	while (lexer_require(&lexer, &required) > 0) {
		struct asker asker = {
		    .file = file, .line = required.line, .optional = required.optional || lenient};

		need(load, &asker, required.name);
		free(required.name);
	}
}

/* Compiled only to see that it can be; nothing runs. */
static void compile(struct load *load)
{
	lua_State *L = luaL_newstate();

	for (size_t i = (size_t)load->evaluated; L && i < load->texts.count; i++) {
		if (load->texts.modules[i].kind != MODULE_LUA)
			continue;
		if (load_compile(load, L, (int)i) != LUA_OK)
			load_err_lua(load, (int)i, 0, lua_tostring(L, -1));
		lua_settop(L, 0);
	}
	if (L)
		lua_close(L);
}

static void add_service(struct load *load)
{
	struct asker asker = {.key = "service"};
	const struct spec *spec = load->spec;
	const struct value *typed = value_get(&spec->root, "service");

	if (!spec->service)
		return; /* inline, or wrong */
	if (spec->service_kind == SERVICE_FILE)
		add(load, &asker, typed->as.string.bytes, spec->service, MODULE_LUA);
	else if (is_builtin(spec->service))
		err_set(blame(load, &asker), "\"%s\" is a module of luvd or Lua, not a service",
			spec->service);
	else
		need(load, &asker, spec->service);
}

void modules_find(struct load *load)
{
	struct asker asker = {.key = "lua.preload"};
	const struct value *service = value_get(&load->spec->root, "service");
	bool is_inline = service && service->type == VALUE_TABLE;

	add_service(load);
	for (char **name = load->spec->lua_preload; name && *name; name++)
		need(load, &asker, *name);
	for (size_t i = is_inline ? 0 : (size_t)load->evaluated; i < load->texts.count; i++)
		follow(load, (int)i);
	compile(load);
}
