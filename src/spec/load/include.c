#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/load/load.h"

/* include "base.lua": evaluates another file by the same rules and returns what it returns. */

static int find_text(const struct load *load, const char *path)
{
	for (size_t i = 0; i < load->texts.count; i++)
		if (strcmp(load->texts.modules[i].path, path) == 0)
			return (int)i;
	return -1;
}

/* The index of the text at path, read when it is new; raises when it cannot be. */
static int need_text(lua_State *L, struct load *load, const char *path)
{
	int file = find_text(load, path);
	struct err err = {0};
	char text[ERR_TEXT_MAX];

	if (file >= 0)
		return file;
	if (load->texts.count > INCLUDES_MAX)
		return load_raise(L, "more than %d files are included", INCLUDES_MAX);
	lua_pushfstring(L, "include:%s", path);
	file = texts_add(&load->texts, lua_tostring(L, -1), path, MODULE_LUA, &err);
	lua_pop(L, 1);
	if (file < 0)
		return load_raise(L, "%s", err_text(&err, text, sizeof text));
	return file;
}

static void refuse_cycle(lua_State *L, const struct load *load, int file)
{
	for (int i = 0; i < load->depth; i++)
		if (load->running[i] == file)
			load_raise(L, "'%s' includes itself", load->texts.modules[file].path);
	if (load->depth >= INCLUDE_DEPTH_MAX)
		load_raise(L, "include is nested deeper than %d", INCLUDE_DEPTH_MAX);
}

int include_call(lua_State *L)
{
	struct load *load = load_of(L);
	int file = load->running[load->depth - 1], line, status;
	char *path;

	placeholder_refuse(L, 1);
	load_position(L, &file, &line);
	path = texts_beside(load->texts.modules[file].path, luaL_checkstring(L, 1));
	lua_settop(L, 0);
	lua_pushstring(L, path ? path : "");
	free(path);
	file = need_text(L, load, lua_tostring(L, 1));
	refuse_cycle(L, load, file);
	lua_settop(L, 0);
	status = load_compile(load, L, file);
	if (status == LUA_OK) {
		load->running[load->depth++] = file;
		status = lua_pcall(L, 0, LUA_MULTRET, 0);
		load->depth--;
	}
	return status == LUA_OK ? lua_gettop(L) : lua_error(L);
}
