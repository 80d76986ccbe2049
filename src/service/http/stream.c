#include <lauxlib.h>
#include <stdio.h>

#include "service/http/answer.h"
#include "service/http/request.h"
#include "service/vm.h"

/* Bodies that are not sent at once. A long text is sent in slices, each when the one before is
 * gone: the queue of a peer that does not read holds one, and the text itself, which many may be
 * sent, is kept by the task. A body that is a function: called until it returns nil, each piece
 * sent before the next is asked for, and none asked for while the peer does not read. The stack of
 * the task: 2 request, then what the handler returned; the function is at the index that is the
 * context of the waits. */

enum { STREAM_SLICE = 262144 };

enum piece { PIECE_NEXT, PIECE_OVER, PIECE_WAIT };

struct http_conn *answer_owner(lua_State *L)
{
	struct http_conn *hc = ((struct request *)lua_touserdata(L, 2))->owner;

	return hc && hc->state != HTTP_CLOSING && !hc->conn->failure ? hc : NULL;
}

static enum piece finish(lua_State *L, struct http_conn *hc)
{
	if (hc->declared && hc->left > 0)
		luaL_error(L, "the body is %I bytes shorter than Content-Length",
			   (LUAI_UACINT)hc->left);
	hc->answered = true;
	if (hc->chunked)
		batch_put(hc, "0\r\n\r\n", 5);
	if (!hc->looping)
		batch_flush(hc->http);
	return PIECE_OVER;
}

static int send_piece(lua_State *L, struct http_conn *hc, const char *bytes, size_t length)
{
	char size[24];

	if (hc->declared) {
		if (length > hc->left)
			return luaL_error(L, "the body is longer than Content-Length");
		hc->left -= length;
	}
	hc->sent += length;
	if (hc->chunked)
		batch_put(hc, size, (size_t)snprintf(size, sizeof size, "%zx\r\n", length));
	/* Nothing is waited for on a connection that has failed. */
	if (batch_put(hc, bytes, length) < 0)
		return -1;
	if (hc->chunked)
		batch_put(hc, "\r\n", 2);
	return batch_flush(hc->http);
}

/* What the function has returned is on top. */
static enum piece take_piece(lua_State *L)
{
	struct http_conn *hc = answer_owner(L);
	size_t length;
	const char *bytes;

	if (!hc)
		return PIECE_OVER;
	if (lua_isnil(L, -1))
		return finish(L, hc);
	if (lua_type(L, -1) != LUA_TSTRING)
		luaL_error(L, "the function of a body returns text or nil, got %s",
			   luaL_typename(L, -1));
	bytes = lua_tolstring(L, -1, &length);
	if (length > 0 && send_piece(L, hc, bytes, length) < 0)
		return PIECE_OVER;
	return http_conn_stalled(hc) ? PIECE_WAIT : PIECE_NEXT;
}

static void detach(struct task *task)
{
	struct http_conn *hc = task->object;

	hc->writer = NULL;
}

int answer_wait_for_room(lua_State *L, struct http_conn *hc, lua_KContext context, lua_KFunction k)
{
	struct task *task = task_check(L);

	hc->writer = task;
	return task_wait(L, task, hc, detach, -1, context, k);
}

static int has_room(lua_State *L, int status, lua_KContext function);

static int has_returned(lua_State *L, int status, lua_KContext function);

static int pump(lua_State *L, lua_KContext function)
{
	for (;;) {
		enum piece piece;

		lua_settop(L, (int)function);
		lua_pushvalue(L, (int)function);
		lua_callk(L, 0, 1, function, has_returned);
		piece = take_piece(L);
		if (piece != PIECE_NEXT)
			return piece == PIECE_WAIT
				   ? answer_wait_for_room(L, answer_owner(L), function, has_room)
				   : 0;
	}
}

/* The same after the function has waited. */
static int has_returned(lua_State *L, int status, lua_KContext function)
{
	enum piece piece = take_piece(L);

	(void)status;
	if (piece == PIECE_NEXT)
		return pump(L, function);
	return piece == PIECE_WAIT ? answer_wait_for_room(L, answer_owner(L), function, has_room)
				   : 0;
}

static int has_room(lua_State *L, int status, lua_KContext function)
{
	(void)status;
	return answer_owner(L) ? pump(L, function) : 0;
}

/* --- a long text --- */

static int send_slices(lua_State *L);

static int has_room_for_slice(lua_State *L, int status, lua_KContext context)
{
	(void)status;
	(void)context;
	return answer_owner(L) ? send_slices(L) : 0;
}

static int send_slices(lua_State *L)
{
	struct http_conn *hc = answer_owner(L);

	while (hc->left > 0) {
		size_t length = hc->left < STREAM_SLICE ? (size_t)hc->left : STREAM_SLICE;
		uv_buf_t slice = uv_buf_init((char *)hc->rest, (unsigned)length);

		if (conn_send(hc->conn, &slice, 1) < 0)
			return 0;
		hc->rest += length;
		hc->left -= length;
		hc->sent += length;
		if (hc->left > 0 && http_conn_stalled(hc))
			return answer_wait_for_room(L, hc, 0, has_room_for_slice);
	}
	hc->answered = true;
	return 0;
}

int stream_bytes(lua_State *L, struct http_conn *hc, const struct answer *answer)
{
	hc->rest = answer->bytes;
	hc->left = answer->length;
	return batch_flush(hc->http) < 0 ? 0 : send_slices(L);
}

/* --- the beginning --- */

int stream_begin(lua_State *L, struct http_conn *hc, struct answer *answer)
{
	bool bodyless = answer->status == 204 || answer->status == 304;

	hc->declared = answer->declared;
	hc->left = answer->declared_length;
	hc->chunked = hc->minor == 1 && !answer->declared && !bodyless;
	if (hc->minor == 0 && !answer->declared)
		hc->close = true; /* its end is the end of the connection */
	answer_head(L, hc, answer, hc->chunked);
	if (bodyless || hc->head_only)
		hc->answered = true;
	if (!hc->looping) /* the function may wait for long */
		batch_flush(hc->http);
	return hc->answered ? 0 : pump(L, answer->iterator);
}
