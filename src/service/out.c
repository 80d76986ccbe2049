#include "service/out.h"

/* NOLINTNEXTLINE(readability-non-const-parameter): out writes there */
void out_begin(lua_State *L, struct out *out, char *first, size_t length, size_t size)
{
	lua_pushnil(L);
	*out = (struct out){.bytes = first, .length = length, .size = size, .slot = lua_gettop(L)};
}

void out_grow(lua_State *L, struct out *out, size_t more)
{
	size_t size = out->length + more;
	char *bytes;

	size = size < 2 * out->size ? 2 * out->size : size;
	bytes = lua_newuserdatauv(L, size, 0);
	if (out->length)
		memcpy(bytes, out->bytes, out->length);
	lua_replace(L, out->slot); /* what was there is garbage now */
	out->bytes = bytes;
	out->size = size;
}
