#ifndef LUVD_SPEC_LOAD_LOAD_H
#define LUVD_SPEC_LOAD_LOAD_H

#include <lua.h>

#include "spec/arena.h"
#include "spec/load/guard.h"
#include "spec/spec.h"
#include "spec/texts.h"

/* One reading of a daemon file. What the files of this folder share; others call spec_load. */

enum { INCLUDES_MAX = 64, INCLUDE_DEPTH_MAX = 8 };

struct load {
	const struct source *source;
	struct spec *spec; /* being made */
	struct arena *arena;
	struct errs *errs;
	struct texts texts; /* [0] the daemon file, then those it includes, then modules */
	bool whole;         /* spec->root is all that the file returned */
	int evaluated;      /* so many of texts are the daemon file and its includes */
	int running[INCLUDE_DEPTH_MAX]; /* texts being evaluated now, the innermost last */
	int depth;
	struct guard guard;
	lua_State *L;
};

/* spec_load with other bounds than the design's: for tests. */
int spec_load_bounded(struct spec **spec, const struct source *source, const struct bounds *bounds,
		      struct errs *errs);

struct load *load_of(lua_State *L);
/* The text that a chunk named source was compiled from; -1: none of ours. */
int load_file(const struct load *load, const char *source);
/* Where Lua is now: the innermost Lua function's text and line. false: nowhere. */
bool load_position(lua_State *L, int *file, int *line);
/* A fresh error with where and EXIT_USAGE; line 0: the file only. */
struct err *load_err(struct load *load, int file, int line);
/* The same from Lua's message, whose "echo.lua:3: " becomes where. */
void load_err_lua(struct load *load, int file, int line, const char *message);
/* Brings the errors from first on into the order of their lines, the daemon file's before others.
 */
void load_sort(const struct source *source, struct errs *errs, size_t first);
/* Raises message as an error of the place where Lua is now. */
int load_raise(lua_State *L, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Compiles texts[file] and pushes it as a function; else pushes Lua's message and returns its
 * status. */
int load_compile(struct load *load, lua_State *L, int file);

/* closed.c: the library of a daemon file becomes the globals of L. May raise. */
void closed_open(lua_State *L);
/* placeholder.c: pushes the function require. */
void placeholder_open(lua_State *L);
bool placeholder_is(lua_State *L, int index);
/* Raises if the value at index is a placeholder. */
void placeholder_refuse(lua_State *L, int index);
/* `"x" is loaded only in the worker: ...` for the placeholder at index. */
const char *placeholder_message(lua_State *L, int index, char *text, size_t size);
/* include.c: the function include. */
int include_call(lua_State *L);
/* read.c: the value at index as a tree. Errors go to load->errs with their key, where is filled
 * later. false: a bound was passed, so that the tree is not whole. */
bool read_root(struct load *load, int index, struct value *root);
/* set.c: applies --set to root. */
void set_apply(struct load *load, struct value *root);
/* modules.c: finds and reads the modules, once spec is filled. */
void modules_find(struct load *load);

#endif
