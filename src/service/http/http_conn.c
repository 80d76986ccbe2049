#include <string.h>

#include "service/http/answer.h"
#include "service/http/http.h"
#include "service/http/target.h"
#include "service/server.h"
#include "service/vm.h"

/* How long an idle connection of a daemon that stops is waited for, milliseconds: its next request
 * may be on its way, and has a right to an answer. */
enum { LINGER_AT_STOP = 1000 };

/* --- deadlines --- */

/* The alarm stays where it is when it is due sooner: it looks at both deadlines when it rings. */
void http_conn_arm(struct http_conn *hc)
{
	uint64_t due = hc->deadline;

	if (hc->stalled && (due == 0 || hc->stalled < due))
		due = hc->stalled;
	if (due && (!alarm_is_set(&hc->alarm) || hc->alarm.due > due))
		alarm_set(&hc->http->vm->alarms, &hc->alarm, due);
}

static uint64_t end_of(const struct http_conn *hc, int64_t timeout)
{
	return vm_now(hc->http->vm) + (uint64_t)timeout;
}

void http_conn_set_deadline(struct http_conn *hc, int64_t timeout)
{
	hc->deadline = end_of(hc, timeout);
	http_conn_arm(hc);
}

void http_conn_set_stalled(struct http_conn *hc)
{
	hc->queued = conn_queued(hc->conn);
	hc->stalled = end_of(hc, hc->http->options.write_timeout);
	http_conn_arm(hc);
}

void http_conn_wait_for_request(struct http_conn *hc)
{
	const struct http_options *options = &hc->http->options;
	int64_t timeout = hc->scanned > 0 ? options->header_timeout : options->keep_alive;

	if (hc->http->stopping && hc->scanned == 0) {
		timeout = hc->http->vm->daemon->spec->timeout_stop / 4;
		if (timeout > LINGER_AT_STOP)
			timeout = LINGER_AT_STOP;
	}
	http_conn_set_deadline(hc, timeout);
}

/* --- the end --- */

void http_conn_close(struct http_conn *hc)
{
	if (hc->state == HTTP_CLOSING)
		return;
	hc->state = HTTP_CLOSING;
	if (hc->http->batch.owner == hc)
		batch_flush(hc->http);
	conn_close(hc->conn);
}

void http_conn_abort(struct http_conn *hc)
{
	if (hc->http->batch.owner == hc)
		hc->http->batch = (struct batch){.bytes = hc->http->batch.bytes};
	hc->state = HTTP_CLOSING;
	conn_abort(hc->conn);
}

/* --- a body that nobody wants --- */

/* Reads over the rest of it; true: the next request may come. */
static bool skip(struct http_conn *hc)
{
	const char *data;
	size_t length, used;

	while (!body_done(&hc->body)) {
		struct view there = conn_view(hc->conn);

		used = body_take(&hc->body, there.bytes, there.length, &data, &length);
		conn_consume(hc->conn, used);
		hc->received += used;
		if (used == 0)
			break;
	}
	if (body_done(&hc->body)) {
		hc->state = HTTP_IDLE;
		http_conn_wait_for_request(hc);
		return true;
	}
	if (body_wrong(&hc->body) || hc->received > SKIP_MAX || hc->conn->eof)
		http_conn_close(hc);
	return false;
}

bool http_conn_body_in_the_way(const struct http_conn *hc)
{
	if (body_done(&hc->body))
		return false;
	return hc->expects || hc->failure || body_wrong(&hc->body) ||
	       (!hc->body.chunked && hc->body.left > SKIP_MAX);
}

/* --- requests --- */

void http_conn_refuse(struct http_conn *hc, int status, const char *reason)
{
	http_log_refused(hc, status, reason);
	hc->close = true;
	answer_plain(hc, status);
	http_log_access(hc);
	http_conn_close(hc);
}

/* Nothing is known of the request. */
void http_conn_refuse_head(struct http_conn *hc, int status, const char *reason)
{
	hc->head_only = false;
	hc->sent = 0;
	http_conn_refuse(hc, status, reason);
}

/* What a head that is in order may still be refused for: a status, or 0. */
static int refusal(struct http_conn *hc, const struct head *head, const char *bytes,
		   const char **reason)
{
	const struct http *http = hc->http;
	const char *method = bytes + head->method.at;

	*reason = NULL;
	if (head->method.length == 7 && memcmp(method, "CONNECT", 7) == 0) {
		*reason = "CONNECT is for proxies";
		return 501;
	}
	if (head->sized && head->body > http->options.max_body) {
		*reason = "the body is too long";
		return 413;
	}
	if (http->options.max_running && http->running >= http->options.max_running) {
		*reason = "too many requests at once";
		return 503;
	}
	return 0;
}

static void begin(struct http_conn *hc, const struct head *head, const char *bytes)
{
	const struct http_options *options = &hc->http->options;
	const char *reason;
	int status;

	hc->scanned = 0;
	hc->served++;
	hc->status = 0;
	hc->sent = hc->received = 0;
	hc->failure = BODY_FINE;
	hc->answered = false;
	hc->expects = head->expects && (head->chunked || head->body > 0);
	hc->minor = (uint8_t)head->minor;
	hc->head_only = head->method.length == 4 && memcmp(bytes + head->method.at, "HEAD", 4) == 0;
	hc->close = head->close || hc->http->stopping ||
		    (options->max_per_connection && hc->served >= options->max_per_connection);
	status = refusal(hc, head, bytes, &reason);
	if (status) {
		http_conn_refuse(hc, status, reason);
		return;
	}
	body_begin(&hc->body, head->chunked, head->body);
	hc->state = HTTP_BUSY;
	hc->deadline = 0;
	serve_begin(hc, head, bytes);
}

/* Only a part of a head is there. */
static void wait_for_head(struct http_conn *hc, bool first)
{
	if (hc->conn->eof)
		http_conn_close(hc);
	else if (first)
		http_conn_set_deadline(hc, hc->http->options.header_timeout);
}

/* Takes the next request; false: there is none yet. */
static bool next_request(struct http_conn *hc)
{
	const struct head_limits *limits = &hc->http->options.head;
	struct view there = conn_view(hc->conn);
	bool first = hc->scanned == 0;
	size_t scanned = hc->scanned;
	struct head head;
	int status;

	if (there.length == 0) {
		if (hc->conn->eof)
			http_conn_close(hc);
		return false;
	}
	head.reason = NULL;
	status = first ? head_parse(&head, there.bytes, there.length, limits) : HEAD_MORE;
	if (status == HEAD_MORE)
		status = head_wait(there.bytes, there.length, limits, &scanned, &head.reason);
	hc->scanned = scanned;
	if (status == HEAD_WHOLE && !first)
		status = head_parse(&head, there.bytes, there.length, limits);
	if (status == HEAD_WHOLE)
		begin(hc, &head, there.bytes);
	else if (status == HEAD_MORE)
		wait_for_head(hc, first);
	else
		http_conn_refuse_head(hc, status, head.reason);
	return status == HEAD_WHOLE;
}

/* The peer does not read: it is given time for what is queued, and no further request is looked at.
 */
bool http_conn_stalled(struct http_conn *hc)
{
	if (conn_queued(hc->conn) <= conn_high_water(hc->conn))
		return false;
	if (!hc->stalled)
		http_conn_set_stalled(hc);
	return true;
}

void http_conn_go_on(struct http_conn *hc)
{
	if (hc->looping)
		return;
	hc->looping = true;
	while ((hc->state == HTTP_IDLE && !http_conn_stalled(hc) && next_request(hc)) ||
	       (hc->state == HTTP_SKIPPING && skip(hc)))
		;
	hc->looping = false;
	if (hc->http->batch.owner == hc)
		batch_flush(hc->http);
	/* Whoever looks next at it sees whether the peer takes it. */
	if (hc->state == HTTP_IDLE)
		http_conn_stalled(hc);
}

void http_conn_served(struct http_conn *hc)
{
	http_body_forget(hc);
	if (hc->state == HTTP_CLOSING)
		return;
	if (hc->close || http_conn_body_in_the_way(hc)) {
		http_conn_close(hc);
		return;
	}
	hc->state = body_done(&hc->body) ? HTTP_IDLE : HTTP_SKIPPING;
	if (hc->state == HTTP_IDLE)
		http_conn_wait_for_request(hc);
	else
		http_conn_set_deadline(hc, hc->http->options.body_timeout);
	hc->received = 0;
	http_conn_go_on(hc);
}
