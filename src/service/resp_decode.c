#include <lauxlib.h>
#include <string.h>

#include "service/resp.h"

/* The least that an item of an array takes: "+\r\n". */
enum { ITEM_LEAST = 3 };

/* A reply that is being decoded. */
struct reply {
	lua_State *L;
	struct resp_reader *r;
	const struct resp_bounds *bounds;
	int depth; /* that is still allowed */
};

static enum resp_state read_value(struct reply *reply);

/* A status is a string, as in other clients; an error stays apart from one. */
static enum resp_state read_line(struct reply *reply, char kind)
{
	struct resp_reader *r = reply->r;
	size_t there = (size_t)(r->end - r->at);
	const char *end = memchr(r->at, '\r', there);

	if (memchr(r->at, '\n', end ? (size_t)(end - r->at) : there) ||
	    (end && end + 1 < r->end && end[1] != '\n'))
		return resp_fail(r, "a bare line end");
	if (!end || end + 1 == r->end)
		return RESP_PARTIAL;
	if (kind == '-')
		resp_push_line(reply->L, '-', r->at, (size_t)(end - r->at));
	else
		lua_pushlstring(reply->L, r->at, (size_t)(end - r->at));
	r->at = end + 2;
	return RESP_WHOLE;
}

static enum resp_state read_integer(struct reply *reply)
{
	int64_t value;
	enum resp_state state = resp_read_integer(reply->r, true, &value, "invalid integer");

	if (state == RESP_WHOLE)
		lua_pushinteger(reply->L, value);
	return state;
}

/* A length from -1 to most; -1 is null. */
static enum resp_state read_length(struct reply *reply, size_t most, int64_t *length,
				   const char *wrong)
{
	enum resp_state state = resp_read_integer(reply->r, false, length, wrong);

	if (state != RESP_WHOLE)
		return state;
	if (*length < -1 || *length > (int64_t)most)
		return resp_fail(reply->r, wrong);
	if (*length == -1)
		resp_push_null(reply->L);
	return RESP_WHOLE;
}

static enum resp_state read_bulk(struct reply *reply)
{
	const char *bytes;
	int64_t length;
	enum resp_state state =
	    read_length(reply, reply->bounds->max, &length, "invalid bulk length");

	if (state != RESP_WHOLE || length < 0)
		return state;
	state = resp_read_bulk(reply->r, (size_t)length, &bytes);
	if (state == RESP_WHOLE)
		lua_pushlstring(reply->L, bytes, (size_t)length);
	return state;
}

/* Room for the items that can be there, however many are promised. */
static void push_array(struct reply *reply, int64_t count)
{
	int64_t there = (reply->r->end - reply->r->at) / ITEM_LEAST;

	luaL_checkstack(reply->L, 8, "replies nested too deep");
	lua_createtable(reply->L, (int)(count < there ? count : there), 0);
}

static enum resp_state read_array(struct reply *reply)
{
	int64_t count;
	enum resp_state state =
	    read_length(reply, reply->bounds->max / ITEM_LEAST, &count, "invalid multibulk length");

	if (state != RESP_WHOLE || count < 0)
		return state;
	if (reply->depth == 0)
		return resp_fail(reply->r, lua_pushfstring(reply->L, "nested deeper than %d",
							   reply->bounds->depth));
	reply->depth--;
	push_array(reply, count);
	for (int64_t i = 1; i <= count; i++) {
		state = read_value(reply);
		if (state != RESP_WHOLE)
			return state;
		lua_rawseti(reply->L, -2, i);
	}
	reply->depth++;
	return RESP_WHOLE;
}

static enum resp_state read_value(struct reply *reply)
{
	if (reply->r->at == reply->r->end)
		return RESP_PARTIAL;
	switch (*reply->r->at++) {
	case '+':
		return read_line(reply, '+');
	case '-':
		return read_line(reply, '-');
	case ':':
		return read_integer(reply);
	case '$':
		return read_bulk(reply);
	case '*':
		return read_array(reply);
	default:
		return resp_fail(reply->r, "expected '+', '-', ':', '$' or '*'");
	}
}

/* What lies beyond the greatest reply is not looked at: a reply that is too long is one wherever
 * the bytes end. */
enum resp_state resp_read_reply(lua_State *L, struct resp_reader *r,
				const struct resp_bounds *bounds)
{
	struct reply reply = {.L = L, .r = r, .bounds = bounds, .depth = bounds->depth};
	bool beyond = (size_t)(r->end - r->at) > bounds->max;
	enum resp_state state;

	if (beyond)
		r->end = r->at + bounds->max;
	state = read_value(&reply);
	if (state == RESP_PARTIAL && beyond)
		return resp_fail(
		    r, lua_pushfstring(L, "longer than %I bytes", (LUAI_UACINT)bounds->max));
	return state;
}
