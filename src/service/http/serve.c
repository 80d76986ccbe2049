#include <lauxlib.h>
#include <string.h>

#include "service/http/answer.h"
#include "service/http/http.h"
#include "service/http/request.h"
#include "service/http/target.h"
#include "service/server.h"
#include "service/vm.h"

/* The call of the handler: a task for each request, which composes the answer too, so that a body
 * may wait and what is wrong with an answer has its place in the handler's log line. */

/* --- in the task --- */

/* 1 handler, 2 request, then the results */
static int has_returned(lua_State *L, int status, lua_KContext context)
{
	struct request *request = lua_touserdata(L, 2);

	(void)status;
	(void)context;
	/* The peer may be gone. */
	if (!request->owner || request->owner->state == HTTP_CLOSING)
		return 0;
	return answer_values(L, request->owner, 3);
}

/* handler, request. The handler: a function, or an object with a method handle (a router). */
static int call(lua_State *L)
{
	int nargs = 1;

	if (lua_isfunction(L, 1)) {
		lua_pushvalue(L, 1);
	} else {
		lua_getfield(L, 1, "handle");
		lua_pushvalue(L, 1);
		nargs = 2;
	}
	lua_pushvalue(L, 2);
	lua_callk(L, nargs, LUA_MULTRET, 0, has_returned);
	return has_returned(L, LUA_OK, 0);
}

/* --- its end --- */

/* What the answer of a handler that has failed is: when it has failed over the body, the peer is to
 * blame. */
static int status_of_failure(const struct http_conn *hc)
{
	static const int statuses[] = {[BODY_FINE] = 500,
				       [BODY_MALFORMED] = 400,
				       [BODY_TOO_LONG] = 413,
				       [BODY_LATE] = 408,
				       [BODY_CUT] = 400};

	return statuses[hc->failure];
}

static void failed(struct http_conn *hc, const char *message)
{
	int status = status_of_failure(hc);

	if (status == 500)
		http_log(hc, LEVEL_ERROR, message);
	else
		hc->http->vm->failed--; /* the peer's fault, not the service's */
	if (hc->status == 0)
		answer_plain(hc, status);
	else if (!hc->answered)
		http_conn_abort(hc); /* the peer must not take a part for the whole */
}

static void on_done(struct task *task, enum outcome outcome, const char *message)
{
	struct http_conn *hc = task->data;
	struct vm *vm = task->vm;

	hc->http->running--;
	hc->task = NULL;
	if (hc->state != HTTP_CLOSING && outcome == OUTCOME_FAILED)
		failed(hc, message);
	else if (outcome == OUTCOME_FAILED && !conn_explain(hc->conn->failure).peer)
		http_log(hc, LEVEL_ERROR, message);
	else if (!hc->answered && hc->state != HTTP_CLOSING)
		http_conn_abort(hc);
	http_log_access(hc);
	if (hc->request)
		hc->request->owner = NULL;
	else
		http_conn_close(hc); /* its head is not consumed */
	hc->request = NULL;
	if (hc->reader) /* nobody's child: the handler has not waited for it */
		task_wake_later(hc->reader);
	http_conn_served(hc);
	server_handler_ended(vm);
}

/* --- its beginning --- */

struct begin {
	struct http_conn *hc;
	const struct head *head;
	const char *bytes;
	struct target target;
};

/* Pushes the handler and the request; false: its path is malformed. */
static bool push_call(lua_State *L, const struct begin *begin)
{
	struct http_conn *hc = begin->hc;

	lua_rawgeti(L, LUA_REGISTRYINDEX, hc->http->handler);
	hc->request = request_create(L, hc, begin->head, begin->bytes, &begin->target);
	if (!hc->request)
		return false;
	conn_consume(hc->conn, begin->head->length);
	return true;
}

/* The connection looks at its request until the task has been told of its end, and so longer than
 * the task's stack holds it: while children run on, in what the access log calls. */
static int make_task(lua_State *L)
{
	struct begin *begin = lua_touserdata(L, 1);
	struct task *task;

	lua_pushcfunction(L, call);
	if (!push_call(L, begin))
		return 0;
	lua_pushvalue(L, -1);
	lua_replace(L, 1);
	task = task_create(L, 2, "request");
	task_anchor(L, task);
	begin->hc->task = task;
	return 0;
}

/* In the task already: what raises here is out of memory. */
static int make_and_call(lua_State *L)
{
	push_call(L, lua_touserdata(L, 1));
	lua_pushvalue(L, -1);
	task_anchor(L, vm_of(L)->current);
	lua_remove(L, 1);
	return call(L);
}

/* A task that is used again begins at once, as long as the head lies there, and needs no guard of
 * its own; a path that has to be decoded may be malformed, which is no matter for a task. */
static void begin_task(struct begin *begin)
{
	struct vm *vm = begin->hc->http->vm;

	if (vm->running == 0 && begin->target.plain)
		begin->hc->task = task_reuse(vm, make_and_call, begin, "request");
	if (begin->hc->task || vm_run(vm, make_task, begin) == LUA_OK)
		return;
	vm->failed++;
	vm_log_failure(vm, lua_tostring(vm->L, -1), NULL, 0);
	lua_pop(vm->L, 1);
}

/* "*" means the server itself, RFC 9112 3.2.4. */
static bool is_options(const struct head *head, const char *bytes)
{
	return head->method.length == 7 && memcmp(bytes + head->method.at, "OPTIONS", 7) == 0;
}

void serve_begin(struct http_conn *hc, const struct head *head, const char *bytes)
{
	struct begin begin = {.hc = hc, .head = head, .bytes = bytes};
	uint64_t failed = hc->http->vm->failed;

	if (!target_split(&begin.target, bytes + head->target.at, head->target.length) ||
	    (*begin.target.path == '*' && !is_options(head, bytes))) {
		http_conn_refuse(hc, 400, "the target is malformed");
		return;
	}
	begin_task(&begin);
	if (!hc->task && failed != hc->http->vm->failed) {
		hc->request = NULL;
		http_conn_refuse(hc, 503, "out of memory");
	} else if (!hc->task) {
		http_conn_refuse(hc, 400, "the target is malformed");
	} else {
		hc->task->data = hc;
		hc->task->done = on_done;
		hc->http->running++;
		hc->http->vm->handlers++;
		task_start(hc->task);
	}
}
