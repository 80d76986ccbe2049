#include <stdlib.h>

#include "service/http/http.h"
#include "service/server.h"
#include "service/vm.h"

/* What happens to a connection: bytes, room, the end, its deadline; and to the server. */

/* --- the end --- */

/* The peer is gone, or the listener's idle_timeout is over. */
static void lost(struct http_conn *hc)
{
	if (hc->task)
		http_log(hc, LEVEL_INFO, "client gone");
	http_conn_abort(hc);
	if (hc->task)
		task_cancel(hc->task);
}

static void on_gone(struct conn *conn)
{
	struct http_conn *hc = conn->data;

	hc->state = HTTP_CLOSING;
	if (hc->task)
		task_cancel(hc->task);
	if (hc->http->batch.owner == hc)
		hc->http->batch = (struct batch){.bytes = hc->http->batch.bytes};
	alarm_clear(&hc->http->vm->alarms, &hc->alarm);
	list_remove(&hc->all);
	http_body_forget(hc);
	free(hc);
}

/* --- events --- */

static void on_readable(struct conn *conn)
{
	struct http_conn *hc = conn->data;

	if (conn->failure)
		lost(hc);
	else if (hc->reader)
		task_wake(hc->reader);
	else
		http_conn_go_on(hc);
}

static void on_writable(struct conn *conn)
{
	struct http_conn *hc = conn->data;

	hc->stalled = 0;
	if (hc->writer)
		task_wake(hc->writer);
	if (hc->state == HTTP_IDLE) {
		http_conn_wait_for_request(hc);
		http_conn_go_on(hc);
	}
}

/* It may read slowly, but not as slowly as it likes. */
static void on_stall(struct http_conn *hc)
{
	const struct http_options *options = &hc->http->options;
	size_t queued = conn_queued(hc->conn);
	uint64_t least = (uint64_t)(options->min_rate * options->write_timeout / 1000);

	if (queued + least > hc->queued) {
		http_log_refused(hc, 0, "the client reads too slowly");
		lost(hc);
		return;
	}
	http_conn_set_stalled(hc);
}

static void on_deadline(struct http_conn *hc)
{
	hc->deadline = 0;
	if (hc->state == HTTP_IDLE && hc->stalled)
		return; /* its next request is not looked at, however long it takes the answer */
	if (hc->reader) {
		hc->failure = BODY_LATE;
		http_log_refused(hc, 408, "the body comes too slowly");
		task_wake(hc->reader);
	} else if (hc->state == HTTP_SKIPPING || hc->scanned == 0) {
		http_conn_close(hc);
	} else if (hc->state == HTTP_IDLE) {
		http_conn_refuse_head(hc, 408, "the head comes too slowly");
	}
}

static void on_alarm(struct alarm *alarm)
{
	struct http_conn *hc = LIST_ENTRY(alarm, struct http_conn, alarm);
	uint64_t now = vm_now(hc->http->vm);

	if (hc->state != HTTP_CLOSING && hc->stalled && hc->stalled <= now)
		on_stall(hc);
	if (hc->state != HTTP_CLOSING && hc->deadline && hc->deadline <= now)
		on_deadline(hc);
	if (hc->state != HTTP_CLOSING)
		http_conn_arm(hc);
}

/* --- the protocol --- */

static const struct conn_user user = {
    .readable = on_readable, .writable = on_writable, .gone = on_gone};

static void on_accepted(struct server *server, struct incoming *incoming)
{
	struct http_conn *hc = calloc(1, sizeof *hc);
	struct http *http = server->data;
	int code;

	if (!hc)
		return;
	hc->http = http;
	alarm_init(&http->vm->alarms, &hc->alarm, on_alarm);
	hc->conn = conn_open(server->vm, incoming, &user, hc, &code);
	if (!hc->conn) {
		free(hc);
		return;
	}
	list_append(&http->conns, &hc->all);
	if (conn_read_start(hc->conn) == 0)
		http_conn_wait_for_request(hc);
}

/* Connections that wait for a request get a little time for it. */
static void on_stopping(struct server *server)
{
	struct http *http = server->data;

	http->stopping = true;
	for (struct link *link = http->conns.next; link != &http->conns; link = link->next) {
		struct http_conn *hc = LIST_ENTRY(link, struct http_conn, all);

		hc->close = true;
		if (hc->state == HTTP_IDLE && !hc->stalled && hc->scanned == 0)
			http_conn_wait_for_request(hc);
	}
}

static void http_free(struct vm *vm, void *data)
{
	struct http *http = data;

	luaL_unref(vm->L, LUA_REGISTRYINDEX, http->handler);
	luaL_unref(vm->L, LUA_REGISTRYINDEX, http->access);
	for (size_t i = 0; i < HTTP_REFUSALS; i++)
		burst_end(&http->bursts[i]);
	free(http->batch.bytes);
	free(http);
}

const struct protocol http_protocol = {
    .name = "http", .accepted = on_accepted, .stopping = on_stopping, .free = http_free};
