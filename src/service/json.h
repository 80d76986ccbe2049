#ifndef LUVD_SERVICE_JSON_H
#define LUVD_SERVICE_JSON_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "service/out.h"

/* JSON, RFC 8259, strict both ways. A Lua table is an array when it carries the mark of json.array
 * or has the keys 1 to n, else an object. */

enum { JSON_DEPTH = 64, JSON_DEPTH_MAX = 1000, JSON_MAX = 64 * 1024 * 1024, JSON_INDENT_MAX = 8 };

struct json_style {
	int depth;  /* of tables; 0: JSON_DEPTH */
	int indent; /* spaces a level; 0: all in one line */
	size_t max; /* bytes in out; 0: JSON_MAX */
};

/* Adds the value at index as JSON; style may be NULL. Raises with the way to what cannot be
 * encoded: "config.list[3]: cannot encode a function". */
void json_encode(lua_State *L, int index, struct out *out, const struct json_style *style);

struct json_limits {
	int depth;  /* of arrays and objects; 0: JSON_DEPTH */
	size_t max; /* bytes; 0: JSON_MAX */
	int null;   /* index of what null becomes everywhere; 0: absent in an object, else json.null
		     */
};

/* Pushes what text says, or nil, "LINE:COLUMN: MESSAGE", "EJSON", and gives the count of what it
 * has pushed; limits may be NULL. Raises only when memory is out. */
int json_decode(lua_State *L, const char *text, size_t length, const struct json_limits *limits);

/* The two values that both sides know; made at the first use. */
void json_push_null(lua_State *L);
void json_push_array_mark(lua_State *L); /* the metatable of arrays */
bool json_is_null(lua_State *L, int index);
bool json_is_marked(lua_State *L, int index); /* of the table at index */

#endif
