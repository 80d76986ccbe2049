#include <ctype.h>
#include <lauxlib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/load/load.h"
#include "spec/quote.h"

struct load *load_of(lua_State *L)
{
	return *(struct load **)lua_getextraspace(L);
}

static const char *shown_of(const struct load *load, int file, char *text, size_t size)
{
	return spec_shown(load->source, load->texts.modules[file].path, text, size);
}

int load_file(const struct load *load, const char *source)
{
	char shown[1024];

	if (*source != '@')
		return -1;
	for (size_t i = 0; i < load->texts.count; i++)
		if (strcmp(shown_of(load, (int)i, shown, sizeof shown), source + 1) == 0)
			return (int)i;
	return -1;
}

bool load_position(lua_State *L, int *file, int *line)
{
	lua_Debug ar;

	for (int level = 0; lua_getstack(L, level, &ar); level++) {
		lua_getinfo(L, "Sl", &ar);
		if (ar.currentline <= 0)
			continue;
		*file = load_file(load_of(L), ar.source);
		*line = ar.currentline;
		if (*file >= 0)
			return true;
	}
	return false;
}

struct err *load_err(struct load *load, int file, int line)
{
	struct value place = {.file = file, .line = line};
	struct err *err = errs_add(load->errs);

	err->exit = EXIT_USAGE;
	spec_where(load->source, load->texts.modules, load->texts.count, &place, err->where,
		   sizeof err->where);
	return err;
}

/* A file's name as Lua cuts it in messages. */
static void short_name(const char *shown, char *text)
{
	size_t length = strlen(shown);

	if (length < LUA_IDSIZE)
		snprintf(text, LUA_IDSIZE, "%s", shown);
	else
		snprintf(text, LUA_IDSIZE, "...%s", shown + length - (LUA_IDSIZE - 4));
}

/* Takes "echo.lua:3: " from the front of a message. */
static const char *take_position(const struct load *load, const char *message, int *file, int *line)
{
	for (size_t i = 0; i < load->texts.count; i++) {
		char shown[1024], name[LUA_IDSIZE], *end;
		size_t length;
		long number;

		short_name(shown_of(load, (int)i, shown, sizeof shown), name);
		length = strlen(name);
		if (strncmp(message, name, length) != 0 || message[length] != ':' ||
		    !isdigit((unsigned char)message[length + 1]))
			continue;
		number = strtol(message + length + 1, &end, 10);
		if (strncmp(end, ": ", 2) != 0)
			continue;
		*file = (int)i;
		*line = (int)number;
		return end + 2;
	}
	return message;
}

void load_err_lua(struct load *load, int file, int line, const char *message)
{
	message = take_position(load, message, &file, &line);
	err_set(load_err(load, file, line), "%s", message);
}

static bool is_before(const struct source *source, const struct err *a, const struct err *b)
{
	size_t name_a, name_b, own = strlen(source->shown);
	int line_a = quote_place(a->where, &name_a), line_b = quote_place(b->where, &name_b);
	bool own_a = name_a == own && strncmp(a->where, source->shown, own) == 0;
	bool own_b = name_b == own && strncmp(b->where, source->shown, own) == 0;

	if (own_a != own_b)
		return own_a;
	if (name_a == name_b && strncmp(a->where, b->where, name_a) == 0)
		return line_a < line_b;
	return strcmp(a->where, b->where) < 0;
}

void load_sort(const struct source *source, struct errs *errs, size_t first)
{
	/* By insertion, since it is stable and there are at most ERRS_MAX. */
	for (size_t i = first + 1; i < errs->count; i++)
		for (size_t k = i; k > first; k--) {
			struct err *pair = &errs->list[k - 1], swapped;

			if (!is_before(source, &pair[1], &pair[0]))
				break;
			swapped = pair[0];
			pair[0] = pair[1];
			pair[1] = swapped;
		}
}

int load_raise(lua_State *L, const char *format, ...)
{
	char text[1024], shown[1024], name[LUA_IDSIZE];
	int file, line;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (!load_position(L, &file, &line))
		return luaL_error(L, "%s", text);
	short_name(shown_of(load_of(L), file, shown, sizeof shown), name);
	lua_pushfstring(L, "%s:%d: %s", name, line, text);
	return lua_error(L);
}

int load_compile(struct load *load, lua_State *L, int file)
{
	const struct module *module = &load->texts.modules[file];
	const char *text = module->text;
	size_t length = module->length;
	char chunk[1024] = "@";

	shown_of(load, file, chunk + 1, sizeof chunk - 1);
	/* A first line with "#" is for the shell; its newline stays, for the count of lines. */
	while (module->text[0] == '#' && length && *text != '\n') {
		text++;
		length--;
	}
	return luaL_loadbufferx(L, text, length, chunk, "t");
}
