#include "service/http/request.h"

#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "service/http/target.h"
#include "service/vm.h"

static const char meta[] = "luvd.http.request";

/* --- making one --- */

/* Where a part of the copied head is; of a full URL without a path the slash is in its authority.
 */
static struct head_span span_at(const char *bytes, const char *part, size_t length)
{
	return (struct head_span){(uint16_t)(part - bytes), (uint16_t)length};
}

static void copy_head(struct request *request, const struct head *head, const char *bytes)
{
	char *copy = (char *)(request->fields + head->count);

	memcpy(request->fields, head->fields, head->count * sizeof *head->fields);
	memcpy(copy, bytes, head->length);
	request->bytes = copy;
	request->count = (uint16_t)head->count;
	request->method = head->method;
	request->target = head->target;
	request->host = head->host;
	request->minor = (uint8_t)head->minor;
}

static bool copy_target(struct request *request, const struct head *head, const char *bytes,
			const struct target *target)
{
	if (target->query) {
		request->queried = true;
		request->query = span_at(bytes, target->query, target->query_length);
	}
	if (target->host)
		request->host = span_at(bytes, target->host, target->host_length);
	if (target->plain && target->path >= bytes && target->path < bytes + head->length) {
		request->path = span_at(bytes, target->path, target->path_length);
		return true;
	}
	request->path.at = (uint16_t)head->length;
	request->path.length = (uint16_t)target_path(target, (char *)request->bytes + head->length);
	return request->path.length > 0;
}

struct request *request_create(lua_State *L, struct http_conn *hc, const struct head *head,
			       const char *bytes, const struct target *target)
{
	struct request *request;
	size_t size = sizeof *request + head->count * sizeof *head->fields + head->length;

	request = lua_newuserdatauv(L, size + target->path_length, REQUEST_VALUES);
	*request =
	    (struct request){.owner = hc, .number = ++hc->http->number, .seed = hc->http->seed};
	copy_head(request, head, bytes);
	if (!copy_target(request, head, bytes, target)) {
		lua_pop(L, 1);
		return NULL;
	}
	memcpy(request->peer, &hc->conn->peer, sizeof request->peer);
	if (hc->http->options.access != ACCESS_OFF)
		request->began = clock_precise(&hc->http->vm->clock);
	lua_rawgetp(L, LUA_REGISTRYINDEX, meta);
	lua_setmetatable(L, -2);
	return request;
}

struct request *request_check(lua_State *L, int index)
{
	return luaL_checkudata(L, index, meta);
}

const char *request_id(const struct request *request, char text[REQUEST_ID_MAX])
{
	snprintf(text, REQUEST_ID_MAX, "%08" PRIx32 "-%" PRIu64, request->seed, request->number);
	return text;
}

/* --- its fields --- */

static void push_span(lua_State *L, const struct request *request, struct head_span span)
{
	lua_pushlstring(L, request->bytes + span.at, span.length);
}

static void push_method(lua_State *L, const struct request *request)
{
	push_span(L, request, request->method);
}

static void push_path(lua_State *L, const struct request *request)
{
	push_span(L, request, request->path);
}

static void push_target(lua_State *L, const struct request *request)
{
	push_span(L, request, request->target);
}

static void push_host(lua_State *L, const struct request *request)
{
	if (request->host.length > 0)
		push_span(L, request, request->host);
	else
		lua_pushnil(L);
}

static void push_version(lua_State *L, const struct request *request)
{
	lua_pushstring(L, request->minor == 1 ? "1.1" : "1.0");
}

static void push_peer(lua_State *L, const struct request *request)
{
	struct conn conn = {0};
	char text[CONN_ADDRESS_MAX];

	memcpy(&conn.peer, request->peer, sizeof request->peer);
	lua_pushstring(L, conn_peer(&conn, text));
}

static void push_id(lua_State *L, const struct request *request)
{
	char text[REQUEST_ID_MAX];

	lua_pushstring(L, request_id(request, text));
}

static void push_raw_query(lua_State *L, const struct request *request)
{
	if (request->queried)
		push_span(L, request, request->query);
	else
		lua_pushnil(L);
}

/* Made at the first look, and the same from then on. */
static void push_headers(lua_State *L, const struct request *request)
{
	(void)request;
	if (lua_getiuservalue(L, 1, REQUEST_HEADERS) != LUA_TNIL)
		return;
	headers_push(L, 1);
	lua_pushvalue(L, -1);
	lua_setiuservalue(L, 1, REQUEST_HEADERS);
}

static void push_query(lua_State *L, const struct request *request)
{
	if (lua_getiuservalue(L, 1, REQUEST_QUERY) != LUA_TNIL)
		return;
	query_push(L, request->bytes + request->query.at, request->query.length);
	lua_pushvalue(L, -1);
	lua_setiuservalue(L, 1, REQUEST_QUERY);
}

static void push_params(lua_State *L, const struct request *request)
{
	(void)request;
	if (lua_getiuservalue(L, 1, REQUEST_PARAMS) != LUA_TNIL)
		return;
	lua_newtable(L);
	lua_pushvalue(L, -1);
	lua_setiuservalue(L, 1, REQUEST_PARAMS);
}

static const struct field {
	const char *name;
	void (*push)(lua_State *L, const struct request *request);
} fields[] = {{"method", push_method}, {"path", push_path},          {"headers", push_headers},
	      {"query", push_query},   {"params", push_params},      {"peer", push_peer},
	      {"target", push_target}, {"host", push_host},          {"version", push_version},
	      {"id", push_id},         {"raw_query", push_raw_query}};

static int push_extra(lua_State *L)
{
	if (lua_getiuservalue(L, 1, REQUEST_EXTRA) == LUA_TTABLE) {
		lua_pushvalue(L, 2);
		if (lua_rawget(L, -2) != LUA_TNIL)
			return 1;
	}
	return luaL_error(L, "a request has no field \"%s\"", luaL_tolstring(L, 2, NULL));
}

/* request, key. Upvalue 1: name to method, or to the index of a field; 2: the metatable. */
static int l_index(lua_State *L)
{
	lua_pushvalue(L, 2);
	switch (lua_rawget(L, lua_upvalueindex(1))) {
	case LUA_TNUMBER:
		fields[lua_tointeger(L, -1)].push(L, lua_touserdata(L, 1));
		return 1;
	case LUA_TNIL:
		request_check(L, 1);
		return push_extra(L);
	default:
		return 1;
	}
}

/* request.user = ...: what one layer of handlers finds out for the next. */
static int l_newindex(lua_State *L)
{
	request_check(L, 1);
	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) {
		if (lua_type(L, 2) == LUA_TSTRING && strcmp(lua_tostring(L, 2), "params") == 0) {
			luaL_checktype(L, 3, LUA_TTABLE);
			lua_pushvalue(L, 3);
			lua_setiuservalue(L, 1, REQUEST_PARAMS);
			return 0;
		}
		return luaL_error(L, "the field \"%s\" of a request cannot be set",
				  luaL_tolstring(L, 2, NULL));
	}
	if (lua_getiuservalue(L, 1, REQUEST_EXTRA) != LUA_TTABLE) {
		lua_newtable(L);
		lua_pushvalue(L, -1);
		lua_setiuservalue(L, 1, REQUEST_EXTRA);
	}
	lua_pushvalue(L, 2);
	lua_pushvalue(L, 3);
	lua_rawset(L, -3);
	return 0;
}

static int l_tostring(lua_State *L)
{
	struct request *request = request_check(L, 1);

	push_method(L, request);
	push_target(L, request);
	lua_pushfstring(L, "luvd.http.request (%s %s)", lua_tostring(L, -2), lua_tostring(L, -1));
	return 1;
}

/* request:query_all(name) -> list */
static int l_query_all(lua_State *L)
{
	struct request *request = request_check(L, 1);
	size_t length;
	const char *name = luaL_checklstring(L, 2, &length);

	query_push_all(L, request->bytes + request->query.at, request->query.length, name, length);
	return 1;
}

static void push_names(lua_State *L)
{
	static const luaL_Reg methods[] = {{"body", request_l_body},
					   {"chunks", request_l_chunks},
					   {"failure", request_l_failure},
					   {"json", request_l_json},
					   {"form", request_l_form},
					   {"query_all", l_query_all},
					   {NULL, NULL}};

	luaL_newlib(L, methods);
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		lua_pushinteger(L, (lua_Integer)i);
		lua_setfield(L, -2, fields[i].name);
	}
}

void request_open(lua_State *L)
{
	if (!luaL_newmetatable(L, meta)) {
		lua_pop(L, 1);
		return;
	}
	push_names(L);
	lua_pushvalue(L, -1);
	lua_pushcclosure(L, l_index, 1);
	lua_setfield(L, -3, "__index");
	lua_pushcclosure(L, l_newindex, 1);
	lua_setfield(L, -2, "__newindex");
	lua_pushcfunction(L, l_tostring);
	lua_setfield(L, -2, "__tostring");
	lua_pushstring(L, meta); /* nobody calls __index with another object */
	lua_setfield(L, -2, "__metatable");
	lua_rawsetp(L, LUA_REGISTRYINDEX, meta); /* sooner found than by its name */
	headers_open(L);
}
