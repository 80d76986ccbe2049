#include "service/http/answer.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "service/http/reply.h"
#include "service/http/status.h"
#include "service/vm.h"

static const char text_type[] = "text/plain; charset=utf-8";

static const char *date_of(struct http *http)
{
	time_t now = clock_seconds(&http->vm->clock);

	if (now != http->date_second) {
		http->date_second = now;
		reply_date(http->date, now);
	}
	return http->date;
}

/* --- of luvd's own --- */

void answer_plain(struct http_conn *hc, int status)
{
	char text[64];
	int length = snprintf(text, sizeof text, "%s\n", status_phrase(status));
	bool close = hc->close || hc->http->stopping || http_conn_body_in_the_way(hc);
	struct reply reply = {.status = status,
			      .date = date_of(hc->http),
			      .close = close,
			      .minor = hc->minor,
			      .sized = true,
			      .length = (uint64_t)length,
			      .type = text_type};
	char *start = batch_room(hc, REPLY_START_MAX + sizeof text);
	char *at = reply_start(start, &reply);

	if (status == 503)
		at = stpcpy(at, "Retry-After: 1\r\n");
	at = stpcpy(at, "\r\n");
	hc->close = close;
	hc->status = status;
	hc->answered = true;
	if (!hc->head_only) {
		at = stpcpy(at, text);
		hc->sent = (uint64_t)length;
	}
	batch_add(hc, (size_t)(at - start));
}

/* --- of the handler's --- */

/* RFC 9110 6.4.1 */
static bool has_no_body(int status)
{
	return status == 204 || status == 304;
}

void answer_head(lua_State *L, struct http_conn *hc, struct answer *answer, bool chunked)
{
	bool sized = answer->kind == ANSWER_BYTES || answer->declared;
	struct reply reply = {.status = answer->status,
			      .date = answer->dated ? "" : date_of(hc->http),
			      .minor = hc->minor,
			      .chunked = chunked,
			      .sized = sized && !has_no_body(answer->status),
			      .length = answer->declared ? answer->declared_length : answer->length,
			      .type = answer->typed ? NULL : answer->type};
	char *start, *at;

	if (answer->kind == ANSWER_NONE && answer->status != 304)
		reply.sized = !has_no_body(answer->status);
	hc->close |= answer->closes || hc->http->stopping || http_conn_body_in_the_way(hc);
	reply.close = hc->close;
	start = batch_room(hc, REPLY_HEAD_MAX);
	at = reply_start(start, &reply);
	if (answer->headers)
		at = answer_write_headers(L, answer, at,
					  start + REPLY_HEAD_MAX - ANSWER_EXTRA_MAX - 2);
	if (answer->extra)
		at = stpcpy(at, answer->extra);
	*at++ = '\r';
	*at++ = '\n';
	hc->status = answer->status;
	batch_add(hc, (size_t)(at - start));
}

static int send_bytes(lua_State *L, struct http_conn *hc, struct answer *answer)
{
	bool body = answer->kind == ANSWER_BYTES && !hc->head_only && !has_no_body(answer->status);

	answer_head(L, hc, answer, false);
	if (body && answer->length > ANSWER_LONG)
		return stream_bytes(L, hc, answer);
	hc->answered = true;
	if (body) {
		hc->sent = answer->length;
		batch_put(hc, answer->bytes, answer->length);
	}
	if (!hc->looping)
		batch_flush(hc->http);
	return 0;
}

static void read_text(lua_State *L, int index, struct answer *answer)
{
	answer->kind = ANSWER_BYTES;
	answer->bytes = lua_tolstring(L, index, &answer->length);
	answer->type = text_type;
}

int answer_check_status(lua_State *L, lua_Integer status)
{
	if (status < 200 || status > 599)
		luaL_error(L, "the status of an answer is 200 to 599, got %I", (LUAI_UACINT)status);
	return (int)status;
}

static void read_values(lua_State *L, int first, struct answer *answer)
{
	int type = lua_type(L, first);

	answer->status = 200;
	if (type == LUA_TNUMBER && lua_isinteger(L, first)) {
		answer->status = answer_check_status(L, lua_tointeger(L, first));
		if (lua_isnoneornil(L, first + 1))
			return;
		if (lua_type(L, first + 1) != LUA_TSTRING)
			luaL_error(L,
				   "a handler that returns a status returns text after it, got %s",
				   luaL_typename(L, first + 1));
		read_text(L, first + 1, answer);
	} else if (type == LUA_TSTRING) {
		read_text(L, first, answer);
	} else if (type == LUA_TTABLE) {
		answer_read_table(L, first, answer);
	} else {
		luaL_error(L, "a handler returns text, a status and text, or a table; got %s",
			   type == LUA_TNONE ? "nothing" : luaL_typename(L, first));
	}
}

int answer_values(lua_State *L, struct http_conn *hc, int first)
{
	char scratch[ANSWER_SCRATCH];
	struct answer answer = {.scratch = scratch};

	read_values(L, first, &answer);
	if (answer.headers)
		answer_check_headers(L, &answer);
	if (answer.kind == ANSWER_FILE)
		return file_begin(L, hc, &answer);
	if (answer.kind == ANSWER_STREAM)
		return stream_begin(L, hc, &answer);
	if (answer.declared && !hc->head_only && answer.declared_length != answer.length)
		return luaL_error(L, "Content-Length differs from the body, leave it to luvd");
	return send_bytes(L, hc, &answer);
}
