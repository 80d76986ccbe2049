#include <lauxlib.h>
#include <string.h>

#include "service/http/request.h"
#include "service/units.h"
#include "service/vm.h"

/* The body of a request: as a whole, or piece by piece. It stays in the connection until a handler
 * asks for it; what nobody asks for is never sent by a peer that waits for 100 Continue. */

static const struct problem {
	const char *message, *code;
} problems[] = {
    [BODY_MALFORMED] = {"the body is malformed", "EPROTO"},
    [BODY_TOO_LONG] = {"the body is longer than max", "EMSGSIZE"},
    [BODY_LATE] = {"the body comes too slowly", "ETIMEDOUT"},
    [BODY_CUT] = {"the peer ended the body too early", "EOF"},
};

static const struct problem has_ended = {"the request has ended", "ECLOSED"};
static const struct problem is_late = {"the body did not come in time", "ETIMEDOUT"};

/* A call that waits, kept in its task. */
struct reading {
	int64_t timeout;
	uint64_t deadline;
	uint64_t max;
	bool pieces;
	uint8_t as; /* enum request_form */
};

static int refuse(lua_State *L, const struct reading *reading, const struct problem *problem)
{
	if (!reading->pieces)
		return vm_fail(L, problem->message, problem->code);
	lua_pushnil(L); /* chunks ends; request:failure() tells why */
	return 1;
}

static int break_off(lua_State *L, struct http_conn *hc, const struct reading *reading,
		     enum body_failure failure)
{
	hc->failure = (uint8_t)failure;
	return refuse(L, reading, &problems[failure]);
}

/* Pushes the whole body; a second call of request:body() gets the same string. */
static int give_whole(lua_State *L, struct http_conn *hc, const char *bytes, size_t length)
{
	lua_pushlstring(L, bytes, length);
	lua_pushvalue(L, -1);
	lua_setiuservalue(L, 1, REQUEST_BODY);
	http_body_forget(hc);
	return 1;
}

/* --- taking what has come --- */

static uint64_t limit_of(const struct http_conn *hc, const struct reading *reading)
{
	uint64_t max = hc->http->options.max_body;

	return reading->max < max ? reading->max : max;
}

/* Longer ones gain time: the slower of two peers must keep at least min_rate. */
static void gain(struct http_conn *hc, size_t length)
{
	const struct http_options *options = &hc->http->options;

	hc->received += length;
	hc->allowance += (int64_t)length * 1000 / options->min_rate;
	if (hc->allowance > options->body_timeout)
		hc->allowance = options->body_timeout;
}

enum { NOT_YET = 0 };

/* Takes pieces until the body is whole (or, with pieces, one piece). Pushes the result and returns
 * how many values, or NOT_YET. What raises has taken nothing. */
static int take(lua_State *L, struct http_conn *hc, const struct reading *reading)
{
	while (!body_done(&hc->body)) {
		struct view there = conn_view(hc->conn);
		struct body body = hc->body;
		const char *data;
		size_t length;
		size_t used = body_take(&body, there.bytes, there.length, &data, &length);
		bool whole = !reading->pieces && body_done(&body) && hc->gathered_length == 0;

		if (body_wrong(&body))
			return break_off(L, hc, reading, BODY_MALFORMED);
		if (hc->received + length > limit_of(hc, reading))
			return break_off(L, hc, reading, BODY_TOO_LONG);
		if (used == 0)
			return NOT_YET;
		if (whole || (reading->pieces && length > 0))
			lua_pushlstring(L, data, length);
		else if (length > 0 && http_body_gather(hc, data, length) < 0)
			return luaL_error(L, "not enough memory");
		hc->body = body;
		gain(hc, length);
		conn_consume(hc->conn, used);
		if (reading->pieces && length > 0)
			return 1;
		if (whole) {
			lua_pushvalue(L, -1);
			lua_setiuservalue(L, 1, REQUEST_BODY);
			return 1;
		}
	}
	if (!reading->pieces)
		return give_whole(L, hc, hc->gathered ? hc->gathered : "", hc->gathered_length);
	lua_pushnil(L);
	return 1;
}

/* --- waiting --- */

static int step(lua_State *L, struct request *request, struct task *task, bool timed_out);

static int go_on(lua_State *L, int status, lua_KContext pieces)
{
	struct request *request = lua_touserdata(L, pieces ? lua_upvalueindex(1) : 1);
	struct task *task = vm_of(L)->current;

	(void)status;
	return step(L, request, task, task->timed_out);
}

static void detach(struct task *task)
{
	struct http_conn *hc = task->object;
	uint64_t now = vm_now(hc->http->vm);

	hc->reader = NULL;
	hc->deadline = 0;
	hc->allowance -= (int64_t)(now - hc->since);
}

static int64_t time_left(struct http_conn *hc, struct reading *reading)
{
	uint64_t now = vm_now(hc->http->vm);

	if (reading->timeout < 0)
		return -1;
	if (reading->deadline == 0)
		reading->deadline = now + (uint64_t)reading->timeout;
	return reading->deadline > now ? (int64_t)(reading->deadline - now) : 0;
}

static int wait(lua_State *L, struct http_conn *hc, struct task *task, struct reading *reading)
{
	static const char please[] = "HTTP/1.1 100 Continue\r\n\r\n";

	/* Not in the middle of an answer: one that has begun is the final one. */
	if (hc->expects && hc->status == 0) {
		hc->expects = false;
		batch_put(hc, please, sizeof please - 1);
		batch_flush(hc->http);
	}
	/* CONN_READ_AHEAD bytes may lie there that belong to a piece which is not whole. */
	conn_read_start(hc->conn);
	hc->reader = task;
	hc->since = vm_now(hc->http->vm);
	http_conn_set_deadline(hc, hc->allowance > 0 ? hc->allowance : 0);
	return task_wait(L, task, hc, detach, time_left(hc, reading), reading->pieces, go_on);
}

static int step(lua_State *L, struct request *request, struct task *task, bool timed_out)
{
	struct reading *reading = (struct reading *)task->call;
	struct http_conn *hc = request->owner;
	int taken;

	if (!hc || hc->state == HTTP_CLOSING)
		return refuse(L, reading, &has_ended);
	if (hc->failure)
		return refuse(L, reading, &problems[hc->failure]);
	taken = take(L, hc, reading);
	if (taken != NOT_YET)
		return taken == 1 && lua_isstring(L, -1) ? request_decode(L, reading->as) : taken;
	if (hc->conn->eof)
		return break_off(L, hc, reading, BODY_CUT);
	if (timed_out)
		return refuse(L, reading, &is_late);
	return wait(L, hc, task, reading);
}

/* --- the calls --- */

static int begin(lua_State *L, struct request *request, const struct reading *reading)
{
	struct task *task = task_check(L);
	struct http_conn *hc = request->owner;

	_Static_assert(sizeof *reading <= sizeof task->call, "a wait must fit into its task");
	if (hc && hc->reader)
		return luaL_error(L, "another task is already reading this body");
	if (hc && hc->received == 0)
		hc->allowance = hc->http->options.body_timeout;
	memcpy(task->call, reading, sizeof *reading);
	return step(L, request, task, false);
}

static int read_whole(lua_State *L, enum request_form as)
{
	struct request *request = request_check(L, 1);
	struct options_of_wait options = units_options(L, 2, INT64_MAX, true);
	struct reading reading = {
	    .timeout = options.timeout, .max = (uint64_t)options.max, .as = (uint8_t)as};

	lua_settop(L, 1);
	if (lua_getiuservalue(L, 1, REQUEST_BODY) == LUA_TSTRING)
		return request_decode(L, as);
	lua_settop(L, 1);
	return begin(L, request, &reading);
}

int request_l_body(lua_State *L)
{
	return read_whole(L, AS_TEXT);
}

int request_l_json(lua_State *L)
{
	return read_whole(L, AS_JSON);
}

int request_l_form(lua_State *L)
{
	const struct request *request = request_check(L, 1);

	if (request_has_type(request, "multipart/form-data"))
		return vm_fail(L, "multipart forms are not supported", "ENOTSUP");
	if (!request_has_type(request, "application/x-www-form-urlencoded"))
		return vm_fail(L, "the body is no form: application/x-www-form-urlencoded",
			       "ENOTSUP");
	return read_whole(L, AS_FORM);
}

/* upvalues: request, max, timeout */
static int iterate(lua_State *L)
{
	struct request *request = lua_touserdata(L, lua_upvalueindex(1));
	struct reading reading = {.pieces = true,
				  .max = (uint64_t)lua_tointeger(L, lua_upvalueindex(2)),
				  .timeout = lua_tointeger(L, lua_upvalueindex(3))};

	return begin(L, request, &reading);
}

int request_l_chunks(lua_State *L)
{
	struct options_of_wait options;

	request_check(L, 1);
	options = units_options(L, 2, INT64_MAX, true);
	lua_pushvalue(L, 1);
	lua_pushinteger(L, options.max);
	lua_pushinteger(L, options.timeout);
	lua_pushcclosure(L, iterate, 3);
	return 1;
}

int request_l_failure(lua_State *L)
{
	const struct request *request = request_check(L, 1);

	if (!request->owner || request->owner->failure == BODY_FINE) {
		lua_pushnil(L);
		return 1;
	}
	lua_pushstring(L, problems[request->owner->failure].message);
	lua_pushstring(L, problems[request->owner->failure].code);
	return 2;
}
