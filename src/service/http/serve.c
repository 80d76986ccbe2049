#include <lauxlib.h>
#include <string.h>

#include "service/http/answer.h"
#include "service/http/http.h"
#include "service/http/request.h"
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
	hc->request->owner = NULL;
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
};

static int make_task(lua_State *L)
{
	struct begin *begin = lua_touserdata(L, 1);
	struct http_conn *hc = begin->hc;
	struct request *request;

	lua_pushcfunction(L, call);
	lua_rawgeti(L, LUA_REGISTRYINDEX, hc->http->handler);
	request = request_create(L, hc, begin->head, begin->bytes);
	if (!request)
		return 0;
	hc->task = task_create(L, 2, "request");
	hc->task->data = hc;
	hc->task->done = on_done;
	hc->request = request;
	return 0;
}

void serve_begin(struct http_conn *hc, const struct head *head, const char *bytes)
{
	struct vm *vm = hc->http->vm;
	struct begin begin = {hc, head, bytes};

	if (vm_run(vm, make_task, &begin) != LUA_OK) {
		vm->failed++;
		vm_log(vm, LEVEL_ERROR, lua_tostring(vm->L, -1), NULL, 0);
		lua_pop(vm->L, 1);
		http_conn_refuse(hc, 503, "out of memory");
	} else if (!hc->task) {
		http_conn_refuse(hc, 400, "the target is malformed");
	} else {
		conn_consume(hc->conn, head->length);
		hc->http->running++;
		vm->handlers++;
		task_start(hc->task);
	}
}
