#ifndef LUVD_SERVICE_OUT_H
#define LUVD_SERVICE_OUT_H

#include <lua.h>
#include <stddef.h>
#include <string.h>

/* Bytes that grow. They begin in memory of the caller and move into a userdata, which a slot of the
 * stack keeps alive: whatever raises, nothing is left. */
struct out {
	char *bytes; /* move whenever something is written */
	size_t length, size;
	int slot;
};

/* Pushes the slot; the bytes live until it is popped. What stands in first may be there before:
 * length of its size bytes. */
void out_begin(lua_State *L, struct out *out, char *first, size_t length, size_t size);
/* Makes room for so many bytes more. Raises when memory is out. */
void out_grow(lua_State *L, struct out *out, size_t more);

/* Where at least so many bytes may be written. */
static inline char *out_reserve(lua_State *L, struct out *out, size_t more)
{
	if (out->size - out->length < more)
		out_grow(L, out, more);
	return out->bytes + out->length;
}

static inline void out_add(lua_State *L, struct out *out, const char *bytes, size_t length)
{
	memcpy(out_reserve(L, out, length), bytes, length);
	out->length += length;
}

#endif
