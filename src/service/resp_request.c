#include <string.h>

#include "service/resp.h"

/* --- "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n" --- */

static enum resp_state read_argument(struct resp_reader *r, const struct resp_limits *limits,
				     const char **bytes, int64_t *length)
{
	enum resp_state state;

	r->missing = 1;
	if (r->at == r->end)
		return RESP_PARTIAL;
	if (*r->at != '$')
		return resp_fail(r, "expected '$'");
	r->at++;
	state = resp_read_integer(r, false, length, "invalid bulk length");
	if (state != RESP_WHOLE)
		return state;
	if (*length < 0 || *length > limits->value)
		return resp_fail(r, "invalid bulk length");
	return resp_read_bulk(r, (size_t)*length, bytes);
}

static enum resp_state read_multibulk(lua_State *L, struct resp_reader *r, int index,
				      const struct resp_limits *limits, int64_t *count)
{
	static const char wrong[] = "invalid multibulk length";
	enum resp_state state;

	r->at++;
	state = resp_read_integer(r, false, count, wrong);
	if (state != RESP_WHOLE)
		return state;
	if (*count < -1 || *count > limits->arguments)
		return resp_fail(r, wrong);
	if (*count < 0)
		*count = 0;
	for (int64_t i = 1; i <= *count; i++) {
		const char *bytes = NULL;
		int64_t length = 0;

		state = read_argument(r, limits, &bytes, &length);
		if (state != RESP_WHOLE)
			return state;
		lua_pushlstring(L, bytes, (size_t)length);
		lua_rawseti(L, index, i);
	}
	return RESP_WHOLE;
}

/* --- "GET k\r\n", as people type it --- */

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static const char *skip(const char *at, const char *end, bool spaces)
{
	while (at < end && is_space(*at) == spaces)
		at++;
	return at;
}

static enum resp_state read_inline(lua_State *L, struct resp_reader *r, int index,
				   const struct resp_limits *limits, int64_t *count)
{
	const char *end = memchr(r->at, '\n', (size_t)(r->end - r->at));
	const char *at = r->at, *word;

	if ((end ? end : r->end) - at > limits->value)
		return resp_fail(r, "too big inline request");
	if (!end)
		return RESP_PARTIAL;
	for (*count = 0; (word = skip(at, end, true)) < end; ++*count) {
		at = skip(word, end, false);
		if (*count == limits->arguments)
			return resp_fail(r, "too many arguments");
		lua_pushlstring(L, word, (size_t)(at - word));
		lua_rawseti(L, index, *count + 1);
	}
	r->at = end + 1;
	return RESP_WHOLE;
}

enum resp_state resp_read_request(lua_State *L, struct resp_reader *r, int index,
				  const struct resp_limits *limits, int64_t *count)
{
	r->missing = 1;
	if (r->at == r->end)
		return RESP_PARTIAL;
	if (*r->at == '*')
		return read_multibulk(L, r, index, limits, count);
	return read_inline(L, r, index, limits, count);
}
