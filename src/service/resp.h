#ifndef LUVD_SERVICE_RESP_H
#define LUVD_SERVICE_RESP_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "service/out.h"

/* RESP, the protocol of Redis, version 2 (redis.io/docs/latest/develop/reference/protocol-spec),
 * strict. What is told of the beginning of some bytes stays true when more of them come: wrong
 * stays wrong for the same reason, whole stays what it is. */

enum {
	RESP_DEPTH = 64,
	RESP_DEPTH_MAX = 1000,
	RESP_MAX = 64 * 1024 * 1024,
	RESP_VALUE_MAX = 1024 * 1024,
	RESP_ARGUMENTS_MAX = 1024
};

enum resp_state { RESP_WRONG = -1, RESP_PARTIAL, RESP_WHOLE };

/* Bytes that are being decoded. */
struct resp_reader {
	const char *at, *end;
	const char *wrong; /* what is: a literal, or a string on the stack */
	size_t missing;    /* bytes at least, of what is partial */
};

/* Always RESP_WRONG. */
enum resp_state resp_fail(struct resp_reader *r, const char *wrong);
/* Digits and CRLF, with a sign "-", and with plus also "+"; no zero that says nothing. */
enum resp_state resp_read_any_integer(struct resp_reader *r, bool plus, int64_t *value,
				      const char *wrong);

/* The same, short for lengths, which are mostly of one digit or two. */
static inline enum resp_state resp_read_integer(struct resp_reader *r, bool plus, int64_t *value,
						const char *wrong)
{
	const char *at = r->at;

	if (r->end - at >= 4 && at[0] > '0' && at[0] <= '9') {
		bool two = at[1] >= '0' && at[1] <= '9';

		if (at[1 + two] == '\r' && at[2 + two] == '\n') {
			*value = two ? 10 * (at[0] - '0') + at[1] - '0' : at[0] - '0';
			r->at = at + 3 + two;
			return RESP_WHOLE;
		}
	}
	return resp_read_any_integer(r, plus, value, wrong);
}

/* So many bytes, and the CRLF that they must be followed by; bytes: where they begin. */
enum resp_state resp_read_bulk(struct resp_reader *r, size_t length, const char **bytes);

struct resp_limits {
	int64_t value;     /* bytes of an argument, or of an inline request */
	int64_t arguments; /* of a request */
};

/* Puts the arguments of the request at r->at into the table at index, moves behind it and tells
 * their number, which is 0 when it is empty. */
enum resp_state resp_read_request(lua_State *L, struct resp_reader *r, int index,
				  const struct resp_limits *limits, int64_t *count);

struct resp_bounds {
	int depth;  /* of arrays */
	size_t max; /* bytes of a reply */
};

/* Pushes what the reply at r->at says, and moves behind it. When it is not whole, something else
 * may have been pushed. */
enum resp_state resp_read_reply(lua_State *L, struct resp_reader *r,
				const struct resp_bounds *bounds);

/* Adds the value at index, which is positive, as a reply. Raises when there is no reply for it. */
void resp_write_reply(lua_State *L, struct out *out, int index);
void resp_write_bulk(lua_State *L, struct out *out, const char *bytes, size_t length);
/* "*" or "$" and so on, a number, CRLF */
void resp_write_head(lua_State *L, struct out *out, char kind, int64_t number);

/* A reply of one line that no other Lua value stands for: a status '+', an error '-', null '$'. It
 * is a userdata of just the bytes that are sent. Line ends in the text become spaces. */
void resp_push_line(lua_State *L, char kind, const char *text, size_t length);
void resp_push_null(lua_State *L); /* always the same one */
/* Its bytes, or NULL when the value at index is no line. */
const char *resp_line(lua_State *L, int index, size_t *length);

#endif
