#ifndef LUVD_SERVICE_HTTP_ANSWER_H
#define LUVD_SERVICE_HTTP_ANSWER_H

#include "service/http/http.h"

/* What a handler has returned becomes an answer. */

/* Composes the answer of the values from index first to the top. A body that is a function goes on
 * as a wait: what this returns, the calling C function returns. Raises when the values are no
 * answer; nothing is composed then. */
int answer_values(lua_State *L, struct http_conn *hc, int first);

/* An answer of luvd's own: the status and its phrase as text. Without Lua. */
void answer_plain(struct http_conn *hc, int status);

/* --- between answer.c, answer_table.c, stream.c and file.c --- */

enum { ANSWER_SCRATCH = 4096, ANSWER_EXTRA_MAX = 256 };

enum answer_body { ANSWER_NONE, ANSWER_BYTES, ANSWER_STREAM, ANSWER_FILE };

struct answer {
	int status;
	int headers; /* index of a table; 0: none */
	enum answer_body kind;
	const char *bytes;
	size_t length;
	int iterator;                      /* index */
	const char *type;                  /* unless headers have one; static */
	const char *file, *folder, *index; /* of ANSWER_FILE; the last two may be NULL */
	const char *extra; /* fields that luvd adds, less than ANSWER_EXTRA_MAX; NULL: none */
	char *scratch;     /* ANSWER_SCRATCH bytes, as long as the answer */
	/* What answer_check_headers finds. */
	bool typed, dated, closes, declared;
	uint64_t declared_length;
};

/* answer_table.c: reads { status, headers, body | json } at index. Raises. */
void answer_read_table(lua_State *L, int index, struct answer *answer);
/* Looks for fields that are luvd's business. Raises for what may not be set, or sent. */
void answer_check_headers(lua_State *L, struct answer *answer);
/* Writes them after at; they have been checked, end is the end of the room. Raises when they do not
 * fit. */
char *answer_write_headers(lua_State *L, const struct answer *answer, char *at, const char *end);

/* Composes the head (all of it, with the empty line). Raises. */
void answer_head(lua_State *L, struct http_conn *hc, struct answer *answer, bool chunked);

enum { ANSWER_LONG = 262144 }; /* a body over this is not queued as a whole */
/* stream.c: sends the bytes, which are on the stack, after the head. */
int stream_bytes(lua_State *L, struct http_conn *hc, const struct answer *answer);
/* Calls the function at answer->iterator until it returns nil. */
int stream_begin(lua_State *L, struct http_conn *hc, struct answer *answer);

/* file.c: sends the file. */
int file_begin(lua_State *L, struct http_conn *hc, const struct answer *answer);
void file_open(lua_State *L); /* the metatable */

/* For bodies that come piece by piece, in a task whose request is at 2. NULL: the peer is gone, or
 * the service has closed; nobody wants more. */
struct http_conn *answer_owner(lua_State *L);
/* After http_conn_stalled: k goes on when the peer has read. */
int answer_wait_for_room(lua_State *L, struct http_conn *hc, lua_KContext context, lua_KFunction k);

#endif
