#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "service/http/http.h"
#include "service/http/request.h"
#include "service/vm.h"

/* What the log is told of requests. */

enum { FIELDS_MAX = 8, NUMBER_MAX = 24 };

struct line {
	struct log_field fields[FIELDS_MAX];
	size_t count;
	char peer[CONN_ADDRESS_MAX], id[REQUEST_ID_MAX];
	char numbers[3][NUMBER_MAX];
};

static void add(struct line *line, const char *key, const char *bytes, size_t length, bool raw)
{
	line->fields[line->count++] =
	    (struct log_field){.key = key, .bytes = bytes, .length = length, .raw = raw};
}

static void add_text(struct line *line, const char *key, const char *text)
{
	add(line, key, text, strlen(text), false);
}

static void add_number(struct line *line, const char *key, uint64_t number, char *text)
{
	int length = snprintf(text, NUMBER_MAX, "%" PRIu64, number);

	add(line, key, text, (size_t)length, true);
}

static void add_request(struct line *line, const struct http_conn *hc)
{
	const struct request *request = hc->request;

	add_text(line, "peer", conn_peer(hc->conn, line->peer));
	if (!request)
		return;
	add_text(line, "request", request_id(request, line->id));
	add(line, "method", request->bytes + request->method.at, request->method.length, false);
	add(line, "target", request->bytes + request->target.at, request->target.length, false);
}

void http_log(struct http_conn *hc, enum log_level level, const char *message)
{
	struct line line = {.count = 0};

	add_request(&line, hc);
	vm_log(hc->http->vm, level, message, line.fields, line.count);
}

/* --- refusals --- */

/* Each kind is logged once per burst, whoever causes it. */
static const struct refusal {
	int status;
	enum log_level level;
	const char *message;
} refusals[HTTP_REFUSALS] = {
    {400, LEVEL_INFO, "a malformed request was refused"},
    {408, LEVEL_WARN, "a request came too slowly"},
    {413, LEVEL_WARN, "a body longer than max_body was refused"},
    {414, LEVEL_WARN, "a request line longer than max_line was refused"},
    {417, LEVEL_INFO, "an expectation was refused"},
    {431, LEVEL_WARN, "a head longer than max_head or max_headers was refused"},
    {501, LEVEL_INFO, "an unknown method was refused"},
    {503, LEVEL_WARN, "a request was refused: the service is at its limit"},
    {505, LEVEL_INFO, "an unknown version was refused"},
    {0, LEVEL_WARN, "a client was cut off: it reads too slowly"},
};

void http_log_refused(struct http_conn *hc, int status, const char *reason)
{
	struct http *http = hc->http;
	struct line line = {.count = 0};
	size_t kind = 0;

	while (kind < HTTP_REFUSALS && refusals[kind].status != status)
		kind++;
	if (kind == HTTP_REFUSALS)
		return;
	add_request(&line, hc);
	if (reason)
		add_text(&line, "reason", reason);
	vm_log_burst(http->vm, &http->bursts[kind], refusals[kind].level, refusals[kind].message,
		     line.fields, line.count);
}

/* --- the access log --- */

static void make_access(struct line *line, const struct http_conn *hc)
{
	uint64_t began = hc->request ? hc->request->began : 0;

	add_request(line, hc);
	add_number(line, "status", (uint64_t)hc->status, line->numbers[0]);
	add_number(line, "bytes", hc->sent, line->numbers[1]);
	if (began)
		add_number(line, "duration_us",
			   (clock_precise(&hc->http->vm->clock) - began) / 1000, line->numbers[2]);
}

struct access {
	const struct http *http;
	const struct line *line;
};

/* access_log = function(entry) */
static int call_function(lua_State *L)
{
	const struct access *access = lua_touserdata(L, 1);
	const struct line *line = access->line;

	lua_rawgeti(L, LUA_REGISTRYINDEX, access->http->access);
	lua_createtable(L, 0, FIELDS_MAX);
	for (size_t i = 0; i < line->count; i++) {
		const struct log_field *field = &line->fields[i];

		if (!field->raw || lua_stringtonumber(L, field->bytes) == 0)
			lua_pushlstring(L, field->bytes, field->length);
		lua_setfield(L, -2, field->key);
	}
	lua_call(L, 1, 0);
	return 0;
}

void http_log_access(struct http_conn *hc)
{
	const struct http *http = hc->http;
	struct vm *vm = http->vm;
	struct line line = {.count = 0};
	struct access access = {http, &line};

	if (http->options.access == ACCESS_OFF || hc->status == 0)
		return;
	make_access(&line, hc);
	if (http->options.access == ACCESS_LEVEL) {
		vm_log(vm, http->options.access_level, "request", line.fields, line.count);
		return;
	}
	if (vm_run(vm, call_function, &access) == LUA_OK)
		return;
	vm->failed++;
	vm_log_failure(vm, lua_tostring(vm->L, -1), NULL, 0);
	lua_pop(vm->L, 1);
}
