#include "service_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A service whose handler of requests is the given text; OPTIONS are those of http.serve. */
#define SERVICE(text, options)                                                                     \
	"local http, luvd = require 'luvd.http', require 'luvd'\n"                                 \
	"return { service = { start = function(daemon)\n"                                          \
	"  http.serve(daemon.listeners.web, function(request)\n" text "\n  end, {" options "})\n"  \
	"end } }\n"
#define HANDLER(text) SERVICE(text, "")

#define HOST " HTTP/1.1\r\nHost: a\r\n"
#define GET(path) "GET " path HOST "\r\n"
#define LAST(path) "GET " path HOST "Connection: close\r\n\r\n"
#define POST(path, length, body) "POST " path HOST "Content-Length: " length "\r\n\r\n" body

static struct kit *serve(const char *text)
{
	struct kit *kit = kit_create(text);

	kit_listen(kit);
	kit_start(kit);
	if (!kit->start_ok)
		print_error("%s\n", kit->start_err.what);
	assert_true(kit->start_ok);
	return kit;
}

/* Without the fields Date, whose value no test knows. */
static const char *undated(const char *bytes)
{
	static char out[1 << 20];
	char *at = out;

	while (*bytes) {
		const char *end = strchr(bytes, '\n');
		size_t length = end ? (size_t)(end - bytes) + 1 : strlen(bytes);

		if (strncmp(bytes, "Date: ", 6) != 0) {
			memcpy(at, bytes, length);
			at += length;
		} else {
			assert_int_equal(length, strlen("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
		}
		bytes += length;
	}
	*at = '\0';
	return out;
}

static void finish(struct kit *kit, int fd)
{
	if (fd >= 0)
		close(fd);
	kit_finish(kit);
}

/* The whole answer to these bytes; the server closes. */
static void assert_answer_of(struct kit *kit, const char *sent, const char *answer)
{
	int fd = kit_connect(kit);
	const char *got;

	kit_send(fd, sent);
	got = undated(kit_expect(kit, fd, NULL));
	if (strcmp(got, answer) != 0)
		print_error("expected:\n%s\ngot:\n%s\nlog:\n%s\n", answer, got, kit->log);
	assert_string_equal(got, answer);
	close(fd);
}

static void assert_answer(const char *text, const char *sent, const char *answer)
{
	struct kit *kit = serve(text);

	assert_answer_of(kit, sent, answer);
	kit_finish(kit);
}

#define TEXT(length) "Content-Type: text/plain; charset=utf-8\r\nContent-Length: " length "\r\n"
#define CLOSE "Connection: close\r\n"
#define OK "HTTP/1.1 200 OK\r\n"
#define ANSWER(status, length, body) "HTTP/1.1 " status "\r\n" TEXT(length) CLOSE "\r\n" body
#define ERROR_500 ANSWER("500 Internal Server Error", "22", "Internal Server Error\n")
#define ERROR_400 ANSWER("400 Bad Request", "12", "Bad Request\n")

/* --- answers --- */

static void test_text_is_an_answer(void **state)
{
	(void)state;
	assert_answer(HANDLER("return 'hello ' .. request.path"), LAST("/you"),
		      ANSWER("200 OK", "10", "hello /you"));
}

static void test_a_status_and_text_are_an_answer(void **state)
{
	(void)state;
	assert_answer(HANDLER("return 404, 'no'"), LAST("/"), ANSWER("404 Not Found", "2", "no"));
}

static void test_a_status_alone_has_an_empty_body(void **state)
{
	(void)state;
	assert_answer(HANDLER("return 202"), LAST("/"),
		      "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n" CLOSE "\r\n");
}

static void test_a_table_has_status_headers_and_body(void **state)
{
	(void)state;
	assert_answer(
	    HANDLER("return { status = 201, headers = { ['Content-Type'] = 'x/y' }, body = 'z' }"),
	    LAST("/"),
	    "HTTP/1.1 201 Created\r\nContent-Length: 1\r\n" CLOSE "Content-Type: x/y\r\n\r\nz");
}

static void test_a_list_is_a_body(void **state)
{
	(void)state;
	assert_answer(HANDLER("return { body = { 'a', 1, 'b' } }"), LAST("/"),
		      ANSWER("200 OK", "3", "a1b"));
}

static void test_a_header_with_a_list_is_sent_several_times(void **state)
{
	(void)state;
	assert_answer(
	    HANDLER("return { headers = { ['Set-Cookie'] = { 'a=1', 'b=2' } } }"), LAST("/"),
	    OK "Content-Length: 0\r\n" CLOSE "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n");
}

static void test_head_sends_the_length_without_the_body(void **state)
{
	(void)state;
	assert_answer(HANDLER("return 'hello'"), "HEAD /" HOST CLOSE "\r\n",
		      OK TEXT("5") CLOSE "\r\n");
}

static void test_no_content_has_neither_body_nor_length(void **state)
{
	(void)state;
	assert_answer(HANDLER("return 204"), LAST("/"), "HTTP/1.1 204 No Content\r\n" CLOSE "\r\n");
	assert_answer(
	    HANDLER("return 304, 'not sent'"), LAST("/"),
	    "HTTP/1.1 304 Not Modified\r\nContent-Type: text/plain; charset=utf-8\r\n" CLOSE
	    "\r\n");
}

static void test_an_unknown_status_has_an_empty_phrase(void **state)
{
	(void)state;
	assert_answer(HANDLER("return 299"), LAST("/"),
		      "HTTP/1.1 299 \r\nContent-Length: 0\r\n" CLOSE "\r\n");
}

static void test_an_object_with_a_method_handle_serves(void **state)
{
	(void)state;
	assert_answer("return { service = { start = function(daemon)\n"
		      "  local object = { name = 'o' }\n"
		      "  function object:handle(request) return self.name .. request.path end\n"
		      "  require 'luvd.http'.serve(daemon.listeners.web, object)\n"
		      "end } }",
		      LAST("/x"), ANSWER("200 OK", "3", "o/x"));
}

/* --- answers that are none --- */

/* 500, and the log says this; the connection goes on. */
static void assert_wrong(const char *text, const char *expected)
{
	struct kit *kit = serve(text);
	int fd = kit_connect(kit);

	kit_send(fd, GET("/") LAST("/next"));
	assert_string_equal(undated(kit_expect(kit, fd, NULL)),
			    "HTTP/1.1 500 Internal Server Error\r\n" TEXT(
				"22") "\r\nInternal Server Error\n" ANSWER("200 OK", "2", "ok"));
	if (!kit_logged(kit, expected))
		print_error("expected: %s\nlog: %s\n", expected, kit->log);
	assert_true(kit_logged(kit, expected));
	assert_true(kit_logged(kit, "peer=tcp://127.0.0.1:"));
	assert_true(kit_logged(kit, "-1 "));
	assert_true(kit_logged(kit, "method=GET"));
	assert_true(kit_logged(kit, "target=/"));
	finish(kit, fd);
}

#define WRONG(text) HANDLER("if request.path == '/next' then return 'ok' end " text)

static void test_a_handler_that_raises_is_a_500_with_its_traceback(void **state)
{
	(void)state;
	assert_wrong(WRONG("local x = nil; return x.y"),
		     "attempt to index a nil value (local 'x')\n"
		     "stack traceback:");
}

static void test_nil_is_a_500(void **state)
{
	(void)state;
	assert_wrong(WRONG(""),
		     "a handler returns text, a status and text, or a table; got nothing");
	assert_wrong(WRONG("return nil"), "or a table; got nil");
	assert_wrong(WRONG("return true"), "or a table; got boolean");
	assert_wrong(WRONG("return 1.5"), "or a table; got number");
}

static void test_a_status_out_of_range_is_a_500(void **state)
{
	(void)state;
	assert_wrong(WRONG("return 100"), "the status of an answer is 200 to 599, got 100");
	assert_wrong(WRONG("return { status = 600 }"), "the status of an answer is 200 to 599");
	assert_wrong(WRONG("return { status = (1 << 32) + 200 }"),
		     "the status of an answer is 200 to 599, got 4294967496");
	assert_wrong(WRONG("return { status = 'x' }"), "status of an answer is a whole number");
	assert_wrong(WRONG("return 200, {}"), "returns text after it, got table");
}

static void test_an_unknown_field_of_an_answer_is_a_500(void **state)
{
	(void)state;
	assert_wrong(WRONG("return { bodi = 'x' }"), "unknown field \"bodi\" of an answer");
	assert_wrong(WRONG("return { 'x' }"), "unknown field \"1\" of an answer");
	assert_wrong(WRONG("return { body = true }"), "body of an answer is text, a list");
	assert_wrong(WRONG("return { headers = 'x' }"), "headers of an answer is a table");
	assert_wrong(WRONG("return { body = { {} } }"), "expected a list of strings");
}

static void test_headers_cannot_break_the_framing(void **state)
{
	(void)state;
	assert_wrong(WRONG("return { headers = { ['X\\r\\nY'] = 'z' } }"),
		     "is no name of a header");
	assert_wrong(WRONG("return { headers = { [''] = 'z' } }"), "is no name of a header");
	assert_wrong(WRONG("return { headers = { ['X:'] = 'z' } }"), "is no name of a header");
	assert_wrong(WRONG("return { headers = { [1] = 'z' } }"), "headers have names, got 1");
	assert_wrong(WRONG("return { headers = { X = 'a\\r\\nB: c' } }"),
		     "the value of header \"X\" has a control character");
	assert_wrong(WRONG("return { headers = { X = 'a\\nb' } }"), "has a control character");
	assert_wrong(WRONG("return { headers = { X = 'a\\0b' } }"), "has a control character");
	assert_wrong(WRONG("return { headers = { X = { 'a', 'b\\r' } } }"),
		     "has a control character");
	assert_wrong(WRONG("return { headers = { X = true } }"), "has a boolean as its value");
	assert_wrong(WRONG("return { headers = { ['transfer-Encoding'] = 'chunked' } }"),
		     "Transfer-Encoding is luvd's business");
	assert_wrong(WRONG("return { headers = { ['Content-Length'] = 3 }, body = 'x' }"),
		     "Content-Length differs from the body");
	assert_wrong(WRONG("return { headers = { ['Content-Length'] = 'x' } }"),
		     "Content-Length is not a whole number");
	assert_wrong(WRONG("return { headers = { Connection = 'keep-alive' } }"),
		     "header \"Connection\" can be \"close\" only");
	assert_wrong(WRONG("return { headers = { X = ('x'):rep(40000) } }"),
		     "the headers of an answer are longer than 32 KiB");
}

/* --- connections --- */

static void test_a_connection_is_kept(void **state)
{
	struct kit *kit = serve(HANDLER("return request.path .. '\\n'"));
	int fd = kit_connect(kit);

	(void)state;
	kit_send(fd, GET("/1"));
	assert_string_equal(undated(kit_expect(kit, fd, "/1\n")), OK TEXT("3") "\r\n/1\n");
	kit_send(fd, GET("/2"));
	assert_string_equal(undated(kit_expect(kit, fd, "/2\n")), OK TEXT("3") "\r\n/2\n");
	finish(kit, fd);
}

static void test_an_old_client_keeps_its_connection_when_it_asks(void **state)
{
	struct kit *kit = serve(HANDLER("return request.version"));
	int fd = kit_connect(kit);

	(void)state;
	kit_send(fd, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n");
	assert_string_equal(
	    undated(kit_expect(kit, fd, NULL)),
	    OK TEXT("3") "Connection: keep-alive\r\n\r\n1.0" ANSWER("200 OK", "3", "1.0"));
	finish(kit, fd);
}

static void test_pipelined_requests_are_answered_in_order(void **state)
{
	struct kit *kit = serve(HANDLER("if request.path == '/1' then luvd.sleep '20ms' end\n"
					"luvd.log:info(request.path) return request.path"));
	int fd = kit_connect(kit);

	(void)state;
	kit_send(fd, GET("/1") GET("/2") LAST("/3") GET("/never"));
	assert_string_equal(
	    undated(kit_expect(kit, fd, NULL)),
	    OK TEXT("2") "\r\n/1" OK TEXT("2") "\r\n/2" ANSWER("200 OK", "2", "/3"));
	assert_true(kit_logged(kit, "INFO /1\nINFO /2\nINFO /3\n"));
	assert_false(kit_logged(kit, "/never"));
	finish(kit, fd);
}

static void test_many_pipelined_requests_are_all_answered(void **state)
{
	struct kit *kit = serve(HANDLER("return ('x'):rep(3000)"));
	int fd = kit_connect(kit);
	size_t length = 0, one;

	(void)state;
	for (int i = 0; i < 99; i++)
		kit_send(fd, GET("/"));
	kit_send(fd, LAST("/"));
	one = strlen(OK TEXT("3000") "\r\n") + 3000;
	length = strlen(undated(kit_expect(kit, fd, NULL)));
	assert_int_equal(length, 100 * one + strlen(CLOSE));
	finish(kit, fd);
}

static void test_a_head_may_come_byte_by_byte(void **state)
{
	struct kit *kit = serve(HANDLER("return request.path .. request:body()"));
	int fd = kit_connect(kit);

	(void)state;
	for (const char *at = "\r\nPOST /a" HOST CLOSE "Transfer-Encoding: chunked\r\n\r\n"
			      "2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\n\r\n";
	     *at; at++) {
		char one[2] = {*at, '\0'};

		kit_send(fd, one);
		uv_run(&kit->loop, UV_RUN_NOWAIT);
	}
	assert_string_equal(undated(kit_expect(kit, fd, NULL)), ANSWER("200 OK", "7", "/ahello"));
	finish(kit, fd);
}

static void test_a_client_that_half_closes_gets_its_answer(void **state)
{
	struct kit *kit = serve(HANDLER("luvd.sleep '10ms' return 'late'"));
	int fd = kit_connect(kit);

	(void)state;
	kit_send(fd, GET("/"));
	shutdown(fd, SHUT_WR);
	assert_string_equal(undated(kit_expect(kit, fd, NULL)), OK TEXT("4") "\r\nlate");
	finish(kit, fd);
}

static void test_a_client_that_leaves_inside_a_head_is_no_event(void **state)
{
	struct kit *kit = serve(HANDLER("return 'x'"));
	int fd = kit_connect(kit);

	(void)state;
	kit_send(fd, "GET / HT");
	shutdown(fd, SHUT_WR);
	assert_string_equal(kit_expect(kit, fd, NULL), "");
	close(fd);
	kit_stop(kit, false);
	assert_null(kit->log);
	kit_destroy(kit);
}

static void reset(int fd)
{
	struct linger linger = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	close(fd);
}

static void test_the_handler_of_a_client_that_is_gone_is_cancelled(void **state)
{
	struct kit *kit =
	    serve(HANDLER("local gone <close> = setmetatable({}, { __close = function()\n"
			  "  luvd.log:info 'closed' end })\n"
			  "luvd.log:info 'waits' pcall(luvd.sleep, '1h') luvd.log:info 'no'"));
	int fd = kit_connect(kit);

	(void)state;
	kit_send(fd, GET("/x"));
	kit_wait_log(kit, "INFO waits");
	reset(fd);
	kit_wait_log(kit, "INFO closed");
	assert_true(kit_logged(kit, "INFO client gone peer=tcp://127.0.0.1:"));
	assert_false(kit_logged(kit, "INFO no"));
	assert_false(kit_logged(kit, "traceback"));
	kit_finish(kit);
}

/* --- the request --- */

static void test_a_request_has_its_parts(void **state)
{
	(void)state;
	assert_answer(
	    HANDLER("local r = request\n"
		    "return table.concat({ r.method, r.path, r.target, r.host, r.version,\n"
		    "  r.query.a, r.query.b, r.query.c, r.raw_query, r.peer:match '^tcp://',\n"
		    "  r.id:match '^%x+%-1$' and 'id', r.headers.X, r.headers['x-TWO'],\n"
		    "  tostring(r.headers.no), tostring(r) }, '|')"),
	    "PUT /%41/../b?a=1&b=%2B+x&c&a=2 HTTP/1.1\r\nHost: h:1\r\nx:  y \r\n"
	    "X-Two: 1\r\nX-Two: 2\r\nConnection: close\r\n\r\n",
	    ANSWER("200 OK", "140",
		   "PUT|/b|/%41/../b?a=1&b=%2B+x&c&a=2|h:1|1.1|2|+ x||a=1&b=%2B+x&c&a=2|tcp://"
		   "|id|y|1, 2|nil|luvd.http.request (PUT /%41/../b?a=1&b=%2B+x&c&a=2)"));
}

static void test_equal_names_of_a_query_are_all_there(void **state)
{
	(void)state;
	assert_answer(HANDLER("return table.concat(request:query_all 'a', ',') .. "
			      "#request:query_all 'no'"),
		      LAST("/?a=1&b=2&&%61=3"), ANSWER("200 OK", "4", "1,30"));
}

static void test_pairs_goes_over_headers_in_lower_case(void **state)
{
	(void)state;
	assert_answer(
	    HANDLER("local list = {}\n"
		    "for k, v in pairs(request.headers) do list[#list + 1] = k .. '=' .. v end\n"
		    "table.sort(list) return table.concat(list, ' ')"),
	    "GET / HTTP/1.1\r\nHOST: a\r\nCookie: a\r\ncookie: b\r\nConnection: close\r\n\r\n",
	    ANSWER("200 OK", "35", "connection=close cookie=a; b host=a"));
}

static void test_a_full_url_names_the_host(void **state)
{
	(void)state;
	assert_answer(HANDLER("return request.host .. request.path"), LAST("http://b:8"),
		      ANSWER("200 OK", "4", "b:8/"));
}

static void test_a_request_keeps_what_is_set_and_nothing_else(void **state)
{
	struct kit *kit =
	    serve(HANDLER("request.user = 'me' request.params = { id = '7' }\n"
			  "local ok, message = pcall(function() request.path = 'x' end)\n"
			  "local _, unknown = pcall(function() return request.quary end)\n"
			  "local _, header = pcall(function() request.headers.x = 1 end)\n"
			  "luvd.log:info(message) luvd.log:info(unknown) luvd.log:info(header)\n"
			  "return request.user .. request.params.id"));

	(void)state;
	assert_answer_of(kit, LAST("/"), ANSWER("200 OK", "3", "me7"));
	assert_true(kit_logged(kit, "the field \"path\" of a request cannot be set"));
	assert_true(kit_logged(kit, "a request has no field \"quary\""));
	assert_true(kit_logged(kit, "the headers of a request cannot be set"));
	kit_finish(kit);
}

static void test_a_request_outlives_its_answer(void **state)
{
	struct kit *kit = serve(HANDLER(
	    "daemon:spawn(function() luvd.sleep '5ms' collectgarbage()\n"
	    "  luvd.log:info(request.path .. request.headers.host .. request.peer:sub(1, 6))\n"
	    "  luvd.log:info(select(3, request:body())) end) return 'x'"));

	(void)state;
	assert_answer_of(kit, LAST("/later"), ANSWER("200 OK", "1", "x"));
	kit_wait_log(kit, "INFO /lateratcp://");
	kit_wait_log(kit, "INFO ECLOSED");
	kit_finish(kit);
}

static void test_a_task_that_still_reads_the_body_is_told_that_the_request_has_ended(void **state)
{
	struct kit *kit = serve(HANDLER("daemon:spawn(function() luvd.log:info 'reads'\n"
					"  luvd.log:info(select(3, request:body())) end)\n"
					"luvd.sleep '20ms' return 'x'"));
	int fd = kit_connect(kit);

	(void)state;
	kit_send(fd, POST("/", "5", "ab"));
	kit_wait_log(kit, "INFO reads");
	kit_wait_log(kit, "INFO ECLOSED");
	close(fd);
	kit_finish(kit);
}

/* The collector runs when nothing but the connection knows the request any more. */
static void test_the_log_knows_a_request_whose_handler_has_forgotten_it(void **state)
{
	struct kit *kit = serve(
	    SERVICE("require 'luvd.task'.spawn(function() luvd.sleep '10ms'\n"
		    "  for i = 1, 2 do collectgarbage() end end)\n"
		    "return 'x'",
		    "access_log = function(entry)\n"
		    "  for i = 1, 2 do collectgarbage() end\n"
		    "  local s = ('y'):rep(100) for i = 1, 99 do s = s .. i end\n"
		    "  luvd.log:info('accessed ' .. entry.target .. ' ' .. entry.status) end"));
	int fd = kit_connect(kit);

	(void)state;
	kit_send(fd, GET("/some") LAST("/other"));
	assert_string_equal(undated(kit_expect(kit, fd, NULL)),
			    OK TEXT("1") "\r\nx" ANSWER("200 OK", "1", "x"));
	assert_true(kit_logged(kit, "accessed /some 200"));
	assert_true(kit_logged(kit, "accessed /other 200"));
	finish(kit, fd);
}

static void test_the_log_knows_a_request_whose_handler_has_failed(void **state)
{
	struct kit *kit =
	    serve(SERVICE("error 'fails'", "access_log = function(entry)\n"
					   "  for i = 1, 2 do collectgarbage() end\n"
					   "  luvd.log:info('accessed ' .. entry.target) end"));

	(void)state;
	assert_answer_of(kit, LAST("/some"), ERROR_500);
	assert_true(kit_logged(kit, "accessed /some"));
	kit_finish(kit);
}

static void test_without_lua_memory_a_request_is_refused_but_not_the_daemon(void **state)
{
	struct kit *kit = kit_create(
	    HANDLER("if request.path == '/' then local t = {}\n"
		    "  while true do t[#t + 1] = ('x'):rep(1000) .. #t end end return 'x'"));

	(void)state;
	kit->daemon.spec->lua_memory = (size_t)4 << 20;
	kit_listen(kit);
	kit_start(kit);
	assert_answer_of(kit, LAST("/"), ERROR_500);
	assert_true(kit_logged(kit, "not enough memory"));
	assert_answer_of(kit, LAST("/x"), ANSWER("200 OK", "1", "x"));
	kit_finish(kit);
}

/* --- bodies of requests --- */

static void test_a_body_is_read_whole(void **state)
{
	(void)state;
	assert_answer(HANDLER("return request:body() .. request:body()"),
		      "POST /" HOST CLOSE "Content-Length: 5\r\n\r\nhello",
		      ANSWER("200 OK", "10", "hellohello"));
	assert_answer(HANDLER("return '<' .. request:body() .. '>'"), LAST("/"),
		      ANSWER("200 OK", "2", "<>"));
}

static void test_a_body_that_comes_late_is_waited_for(void **state)
{
	struct kit *kit = serve(HANDLER("luvd.log:info 'asks' return request:body()"));
	int fd = kit_connect(kit);

	(void)state;
	kit_send(fd, "POST /" HOST CLOSE "Content-Length: 6\r\n\r\nab");
	kit_wait_log(kit, "asks");
	kit_send(fd, "cd");
	uv_run(&kit->loop, UV_RUN_NOWAIT);
	kit_send(fd, "ef");
	assert_string_equal(undated(kit_expect(kit, fd, NULL)), ANSWER("200 OK", "6", "abcdef"));
	finish(kit, fd);
}

static void test_a_body_comes_in_pieces(void **state)
{
	(void)state;
	assert_answer(HANDLER("local list = {}\n"
			      "for piece in request:chunks() do list[#list + 1] = piece end\n"
			      "return table.concat(list, '|') .. tostring(request:failure())"),
		      "POST /" HOST CLOSE "Transfer-Encoding: chunked\r\n\r\n"
		      "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
		      ANSWER("200 OK", "7", "ab|cnil"));
}

static void test_a_large_body_comes_whole(void **state)
{
	static char block[200001];
	struct kit *kit = serve(HANDLER("return #request:body() .. '\\n'"));
	int fd = kit_connect(kit);
	size_t sent = 0;

	(void)state;
	memset(block, 'x', 200000);
	kit_send(fd, "POST /" HOST CLOSE "Content-Length: 200000\r\n\r\n");
	while (sent < 200000) {
		ssize_t count = write(fd, block + sent, 200000 - sent);

		sent += count > 0 ? (size_t)count : 0;
		uv_run(&kit->loop, UV_RUN_NOWAIT);
	}
	assert_string_equal(undated(kit_expect(kit, fd, NULL)), ANSWER("200 OK", "7", "200000\n"));
	finish(kit, fd);
}

static void test_the_peer_is_told_to_continue_when_the_body_is_wanted(void **state)
{
	struct kit *kit = serve(HANDLER("return request:body()"));
	int fd = kit_connect(kit);

	(void)state;
	kit_send(fd, "POST /" HOST CLOSE "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	assert_string_equal(kit_expect(kit, fd, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
	kit_send(fd, "ab");
	assert_string_equal(undated(kit_expect(kit, fd, NULL)), ANSWER("200 OK", "2", "ab"));
	finish(kit, fd);
}

static void test_a_body_that_nobody_wants_is_never_sent(void **state)
{
	(void)state;
	assert_answer(HANDLER("return 403, 'no'"),
		      "POST /" HOST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n",
		      ANSWER("403 Forbidden", "2", "no"));
}

static void test_a_body_nobody_read_is_passed_over(void **state)
{
	struct kit *kit = serve(HANDLER("return request.path"));
	int fd = kit_connect(kit);

	(void)state;
	kit_send(fd, POST("/1", "5", "hello") "POST /2" HOST
					      "Transfer-Encoding: chunked\r\n\r\n3\r\nab");
	kit_expect(kit, fd, "/2");
	kit_send(fd, "c\r\n0\r\n\r\n" LAST("/3"));
	assert_string_equal(undated(kit_expect(kit, fd, NULL)), ANSWER("200 OK", "2", "/3"));
	finish(kit, fd);
}

static void test_a_large_body_nobody_read_closes_the_connection(void **state)
{
	(void)state;
	assert_answer(HANDLER("return 'no'"), POST("/", "1000000", ""),
		      ANSWER("200 OK", "2", "no"));
}

static void test_malformed_chunks_are_a_400_unless_the_handler_says_otherwise(void **state)
{
	(void)state;
	assert_answer(HANDLER("return assert(request:body())"),
		      "POST /" HOST "Transfer-Encoding: chunked\r\n\r\nx\r\n", ERROR_400);
	assert_answer(HANDLER("return 422, select(3, request:body())"),
		      "POST /" HOST "Transfer-Encoding: chunked\r\n\r\nx\r\n",
		      ANSWER("422 Unprocessable Content", "6", "EPROTO"));
	assert_answer(
	    HANDLER("for _ in request:chunks() do end return select(2, request:failure())"),
	    "POST /" HOST "Transfer-Encoding: chunked\r\n\r\nx\r\n",
	    ANSWER("200 OK", "6", "EPROTO"));
}

static void test_a_body_that_is_cut_off_is_a_failure(void **state)
{
	struct kit *kit = serve(HANDLER("local _, message, code = request:body()\n"
					"luvd.log:info(code) return 'x'"));
	int fd = kit_connect(kit);

	(void)state;
	kit_send(fd, POST("/", "5", "he"));
	shutdown(fd, SHUT_WR);
	kit_wait_log(kit, "INFO EOF");
	assert_string_equal(undated(kit_expect(kit, fd, NULL)), ANSWER("200 OK", "1", "x"));
	finish(kit, fd);
}

static void test_a_body_is_read_as_json(void **state)
{
	(void)state;
	assert_answer(
	    HANDLER("local order = request:json() return order.name .. request:json().count"),
	    "POST /" HOST CLOSE "Content-Length: 22\r\n\r\n{\"name\":\"a\",\"count\":2}",
	    ANSWER("200 OK", "2", "a2"));
	assert_answer(
	    HANDLER("local _, message, code = request:json() return code .. ' ' .. message"),
	    "POST /" HOST CLOSE "Content-Length: 1\r\n\r\n{",
	    ANSWER("200 OK", "49", "EJSON 1:2: expected a name in quotes, got the end"));
}

#define FORM(type, length, body)                                                                   \
	"POST /" HOST "Content-Type: " type "\r\nConnection: close\r\nContent-Length: " length     \
	"\r\n\r\n" body

static void assert_form(const char *sent, const char *length, const char *body)
{
	char answer[512];

	snprintf(answer, sizeof answer,
		 "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
		 "Content-Length: %s\r\nConnection: close\r\n\r\n%s",
		 length, body);
	assert_answer(HANDLER("local form, message, code = request:form()\n"
			      "if not form then return message .. ' ' .. code end\n"
			      "return form.a .. '|' .. form['b c'] .. '|' .. request:form().a"),
		      sent, answer);
}

static void test_a_body_is_read_as_a_form(void **state)
{
	(void)state;
	assert_form(FORM("application/x-www-form-urlencoded", "21", "a=1&b+c=x%26y&a=2&d=3"), "7",
		    "2|x&y|2");
	assert_form(FORM("Application/X-WWW-Form-Urlencoded; charset=utf-8", "9", "a=&b%20c="), "2",
		    "||");
	assert_form(FORM("text/plain", "3", "a=1"), "62",
		    "the body is no form: application/x-www-form-urlencoded ENOTSUP");
	assert_form(FORM("multipart/form-data; boundary=x", "3", "a=1"), "41",
		    "multipart forms are not supported ENOTSUP");
}

static void test_json_that_comes_late_is_waited_for(void **state)
{
	struct kit *kit = serve(HANDLER("luvd.log:info 'asks' return request:json().a"));
	int fd = kit_connect(kit);

	(void)state;
	kit_send(fd, "POST /" HOST CLOSE "Content-Length: 9\r\n\r\n{\"a\"");
	kit_wait_log(kit, "asks");
	kit_send(fd, ":\"b\"}");
	assert_string_equal(undated(kit_expect(kit, fd, NULL)), ANSWER("200 OK", "1", "b"));
	finish(kit, fd);
}

static void test_json_is_an_answer(void **state)
{
	(void)state;
	assert_answer(HANDLER("return { status = 201, json = { a = { 1, 2 } } }"), LAST("/"),
		      "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
		      "Content-Length: 11\r\n" CLOSE "\r\n{\"a\":[1,2]}");
	assert_wrong(WRONG("return { json = { a = print } }"), "cannot encode a function");
	assert_wrong(WRONG("return { json = 1, body = '' }"),
		     "an answer has one body: body, json or file");
}

/* --- bodies of answers --- */

#define CHUNKED                                                                                    \
	OK "Content-Type: text/plain; charset=utf-8\r\nTransfer-Encoding: chunked\r\n" CLOSE "\r"  \
	   "\n"

static void test_a_function_is_a_body_in_chunks(void **state)
{
	(void)state;
	assert_answer(HANDLER("local i = 0 return { body = function() i = i + 1 luvd.sleep '1ms'\n"
			      "  return ({ 'a', '', ('b'):rep(16) })[i] end }"),
		      LAST("/"), CHUNKED "1\r\na\r\n10\r\nbbbbbbbbbbbbbbbb\r\n0\r\n\r\n");
}

static void test_a_generator_is_a_body(void **state)
{
	(void)state;
	assert_answer(
	    HANDLER("return { body = coroutine.wrap(function()\n"
		    "  for i = 1, 3 do luvd.sleep '1ms' coroutine.yield(tostring(i)) end end) }"),
	    LAST("/"), CHUNKED "1\r\n1\r\n1\r\n2\r\n1\r\n3\r\n0\r\n\r\n");
}

static void test_an_old_client_gets_a_function_until_the_end_of_the_connection(void **state)
{
	(void)state;
	assert_answer(
	    HANDLER("local i = 0\n"
		    "return { body = function() i = i + 1 return i < 3 and 'ab' or nil end }"),
	    "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	    OK "Content-Type: text/plain; charset=utf-8\r\n" CLOSE "\r\nabab");
}

static void test_a_function_keeps_to_the_length_it_has_declared(void **state)
{
	(void)state;
	assert_answer(HANDLER("local i = 0 return { headers = { ['Content-Length'] = 4 },\n"
			      "  body = function() i = i + 1 return i < 3 and 'ab' or nil end }"),
		      LAST("/"), OK TEXT("4") CLOSE "\r\nabab");
}

/* The peer must see that it has not got all: no last chunk, or less than the length. */
static void assert_broken_off(const char *text, const char *logged)
{
	struct kit *kit = serve(text);
	int fd = kit_connect(kit);

	kit_send(fd, GET("/"));
	assert_null(strstr(kit_expect(kit, fd, NULL), "0\r\n\r\n"));
	kit_wait_log(kit, logged);
	finish(kit, fd);
}

static void test_a_function_that_fails_breaks_the_answer_off(void **state)
{
	(void)state;
	assert_broken_off(HANDLER("return { body = function() error 'inside' end }"),
			  "inside\nstack");
	assert_broken_off(HANDLER("return { body = function() return 1 end }"),
			  "the function of a body returns text or nil, got number");
	assert_broken_off(HANDLER("return { headers = { ['Content-Length'] = 4 },\n"
				  "  body = function() return 'abc' end }"),
			  "the body is longer than Content-Length");
	assert_broken_off(
	    HANDLER("local i = 0 return { headers = { ['Content-Length'] = 4 },\n"
		    "  body = function() i = i + 1 return i < 2 and 'abc' or nil end }"),
	    "the body is 1 bytes shorter than Content-Length");
}

static void test_a_head_request_does_not_call_the_function(void **state)
{
	struct kit *kit = serve(HANDLER("return { body = function() luvd.log:info 'called' end }"));

	(void)state;
	assert_answer_of(kit, "HEAD /" HOST CLOSE "\r\n", CHUNKED);
	assert_false(kit_logged(kit, "called"));
	kit_finish(kit);
}

/* The final answer has begun: what is between its bytes would be taken for a part of them. */
static void test_nobody_is_told_to_continue_in_the_middle_of_an_answer(void **state)
{
	struct kit *kit = serve(HANDLER("return { body = request:chunks() }"));
	int fd = kit_connect(kit);
	static char got[2048];

	(void)state;
	kit_send(fd, "POST /" HOST "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n");
	strcpy(got, undated(kit_expect(kit, fd, "\r\n\r\n")));
	kit_send(fd, "hello");
	strcat(got, kit_expect(kit, fd, NULL));
	assert_string_equal(got, CHUNKED "5\r\nhello\r\n0\r\n\r\n");
	finish(kit, fd);
}

static void test_a_function_waits_while_the_peer_does_not_read(void **state)
{
	struct kit *kit = serve(HANDLER("local i, part = 0, ('x'):rep(65536)\n"
					"return { body = function() i = i + 1\n"
					"  if i % 10 == 0 then luvd.log:info('piece ' .. i) end\n"
					"  return i <= 400 and part or nil end }"));
	int fd = kit_connect(kit);

	(void)state;
	kit_send(fd, LAST("/"));
	for (int i = 0; i < 2000; i++)
		uv_run(&kit->loop, UV_RUN_NOWAIT);
	assert_false(kit_logged(kit, "piece 400"));
	finish(kit, fd);
}

/* The table may be one of all requests: between the handler and the head the file is opened. */
static void test_headers_that_change_while_a_file_is_opened_are_checked_again(void **state)
{
	char path[] = "/tmp/luvd-http-XXXXXX", text[1024];
	int file = mkstemp(path);
	struct kit *kit;

	(void)state;
	assert_true(file >= 0);
	snprintf(
	    text, sizeof text,
	    HANDLER("local fields = { ['X-A'] = 'fine' }\n"
		    "require 'luvd.task'.spawn(function() fields['X-A'] = 'a\\r\\nX-B: c' end)\n"
		    "return { file = '%s', headers = fields }"),
	    path);
	kit = serve(text);
	assert_answer_of(kit, LAST("/"), ERROR_500);
	assert_true(kit_logged(kit, "the value of header \"X-A\" has a control character"));
	kit_finish(kit);
	close(file);
	unlink(path);
}

/* --- limits --- */

static void test_malformed_requests_are_refused_and_closed(void **state)
{
	struct kit *kit = serve(HANDLER("return 'x'"));

	(void)state;
	assert_answer_of(kit, "GET / HTTP/1.1\nHost: a\n\n", ERROR_400);
	assert_answer_of(kit, GET("/%00"), ERROR_400);
	assert_answer_of(kit, GET("/../x"), ERROR_400);
	assert_answer_of(kit, "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
			 ANSWER("501 Not Implemented", "16", "Not Implemented\n"));
	assert_answer_of(kit, "GET *" HOST "\r\n", ERROR_400);
	assert_answer_of(kit, "OPTIONS *" HOST CLOSE "\r\n", ANSWER("200 OK", "1", "x"));
	assert_true(kit_logged(kit, "INFO a malformed request was refused peer=tcp://127.0.0.1:"));
	kit_finish(kit);
}

static void test_a_request_that_fails_behind_a_good_one_does_not_cost_its_answer(void **state)
{
	(void)state;
	assert_answer(HANDLER("return 'x'"), GET("/") "GET / HTTP/1.1\n\n",
		      OK TEXT("1") "\r\nx" ERROR_400);
}

static void test_limits_are_options(void **state)
{
	struct kit *kit =
	    serve(SERVICE("return 'x'", "max_line = 100, max_head = 200, max_headers = 3,"
					"max_body = '1KiB'"));

	(void)state;
	assert_answer_of(kit,
			 "GET /23456789012345678901234567890123456789012345678901234567890"
			 "123456789012345678901234567890" HOST "\r\n",
			 ANSWER("414 URI Too Long", "13", "URI Too Long\n"));
	assert_answer_of(kit, "GET /" HOST "A: 1\r\nB: 2\r\nC: 3\r\n\r\n",
			 ANSWER("431 Request Header Fields Too Large", "32",
				"Request Header Fields Too Large\n"));
	assert_answer_of(kit, POST("/", "1025", ""),
			 ANSWER("413 Content Too Large", "18", "Content Too Large\n"));
	assert_true(kit_logged(kit, "WARN a request line longer than max_line was refused"));
	assert_true(kit_logged(kit, "WARN a head longer than max_head or max_headers was refused"));
	assert_true(kit_logged(kit, "WARN a body longer than max_body was refused"));
	kit_finish(kit);
}

static void test_chunks_beyond_max_are_a_413(void **state)
{
	struct kit *kit = serve(SERVICE("return assert(request:body())", "max_body = 3"));

	(void)state;
	assert_answer_of(kit,
			 "POST /" HOST "Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n",
			 ANSWER("413 Content Too Large", "18", "Content Too Large\n"));
	kit_finish(kit);
	assert_answer(HANDLER("return select(3, request:body { max = 4 })"),
		      POST("/", "5", "12345"), ANSWER("200 OK", "8", "EMSGSIZE"));
}

static void test_a_head_that_does_not_come_is_a_408(void **state)
{
	struct kit *kit = serve(SERVICE("return 'x'", "header_timeout = '30ms'"));

	(void)state;
	assert_answer_of(kit, "GET / HTTP/1.1\r\nX",
			 ANSWER("408 Request Timeout", "16", "Request Timeout\n"));
	kit_finish(kit);
}

static void test_an_idle_connection_is_closed_silently(void **state)
{
	struct kit *kit = serve(SERVICE("return 'x'", "keep_alive = '30ms'"));

	(void)state;
	assert_answer_of(kit, "", "");
	assert_answer_of(kit, GET("/"), OK TEXT("1") "\r\nx");
	assert_null(kit->log);
	kit_finish(kit);
}

static void test_a_body_that_does_not_come_is_a_408(void **state)
{
	struct kit *kit =
	    serve(SERVICE("return (assert(request:body()))", "body_timeout = '30ms'"));

	(void)state;
	assert_answer_of(kit, POST("/", "5", "he"),
			 ANSWER("408 Request Timeout", "16", "Request Timeout\n"));
	assert_true(kit_logged(kit, "WARN a request came too slowly"));
	kit_finish(kit);
}

struct drip {
	uv_timer_t timer;
	int fd;
};

static void on_drip(uv_timer_t *timer)
{
	(void)!send(((struct drip *)timer->data)->fd, "x", 1, MSG_NOSIGNAL);
}

static void on_closed(uv_handle_t *handle)
{
	handle->data = NULL;
}

/* One byte every few milliseconds. */
static void assert_trickle_ends(struct kit *kit, const char *before, const char *answer)
{
	struct drip drip = {.fd = kit_connect(kit)};

	kit_send(drip.fd, before);
	uv_timer_init(&kit->loop, &drip.timer);
	drip.timer.data = &drip;
	uv_timer_start(&drip.timer, on_drip, 5, 5);
	assert_non_null(strstr(kit_expect(kit, drip.fd, NULL), answer));
	uv_close((uv_handle_t *)&drip.timer, on_closed);
	while (drip.timer.data)
		uv_run(&kit->loop, UV_RUN_NOWAIT);
	close(drip.fd);
}

static void test_trickling_does_not_extend_the_time(void **state)
{
	struct kit *kit = serve(SERVICE("return (assert(request:body()))",
					"header_timeout = '60ms', body_timeout = '60ms'"));

	(void)state;
	assert_trickle_ends(kit, "GET /", "HTTP/1.1 408 ");
	assert_trickle_ends(kit, POST("/", "5000", ""), "HTTP/1.1 408 ");
	kit_finish(kit);
}

static void test_a_timeout_of_the_handlers_own_can_be_tried_again(void **state)
{
	struct kit *kit = serve(HANDLER("local _, _, code = request:body { timeout = '5ms' }\n"
					"luvd.log:info(code) return request:body()"));
	int fd = kit_connect(kit);

	(void)state;
	kit_send(fd, "POST /" HOST CLOSE "Content-Length: 4\r\n\r\nab");
	kit_wait_log(kit, "INFO ETIMEDOUT");
	kit_send(fd, "cd");
	assert_string_equal(undated(kit_expect(kit, fd, NULL)), ANSWER("200 OK", "4", "abcd"));
	finish(kit, fd);
}

static void test_a_peer_that_does_not_read_is_cut_off(void **state)
{
	struct kit *kit = serve(SERVICE("local part = ('x'):rep(65536)\n"
					"return { body = function() return part end }",
					"write_timeout = '40ms'"));
	int fd = kit_connect(kit);

	(void)state;
	kit_send(fd, GET("/"));
	kit_wait_log(kit, "WARN a client was cut off: it reads too slowly");
	kit_wait_log(kit, "INFO client gone");
	finish(kit, fd);
}

/* The handler does both at once: each wait has a deadline of its own. */
static void test_reading_the_body_does_not_spare_a_peer_that_does_not_read(void **state)
{
	struct kit *kit = serve(SERVICE("require 'luvd.task'.spawn(function()\n"
					"  luvd.log:info('read ' .. request:body()) end)\n"
					"local part = ('x'):rep(65536)\n"
					"return { body = function() return part end }",
					"write_timeout = '700ms'"));
	int fd = kit_connect(kit);

	(void)state;
	kit_send(fd, POST("/", "5", "he"));
	for (int i = 0; i < 100; i++)
		uv_run(&kit->loop, UV_RUN_NOWAIT);
	kit_send(fd, "llo");
	kit_wait_log(kit, "read hello");
	kit_wait_log(kit, "WARN a client was cut off: it reads too slowly");
	finish(kit, fd);
}

static void test_a_long_text_arrives_whole(void **state)
{
	struct kit *kit = serve(HANDLER("return ('0123456789abcdef'):rep(25000)"));
	int fd = kit_connect(kit);
	const char *answer;

	(void)state;
	kit_send(fd, GET("/") LAST("/"));
	answer = kit_expect(kit, fd, NULL);
	for (int i = 0; i < 2; i++) {
		answer = strstr(answer, "\r\n\r\n") + 4;
		for (size_t at = 0; at < 400000; at += 16)
			assert_memory_equal(answer + at, "0123456789abcdef", 16);
		answer += 400000;
	}
	finish(kit, fd);
}

static void test_no_further_request_is_taken_while_the_peer_does_not_read(void **state)
{
	struct kit *kit = serve(SERVICE("luvd.log:info 'asked' return ('x'):rep(10 << 20)", ""));
	int fd = kit_connect(kit), count = 0;

	(void)state;
	kit_send(fd, GET("/") GET("/") GET("/"));
	for (int i = 0; i < 1000; i++)
		uv_run(&kit->loop, UV_RUN_NOWAIT);
	for (const char *at = kit->log; (at = strstr(at, "asked")); at++)
		count++;
	assert_int_equal(count, 1);
	finish(kit, fd);
}

static void test_too_many_handlers_at_once_are_a_503(void **state)
{
	struct kit *kit = serve(SERVICE("luvd.log:info 'runs' luvd.sleep '1h'", "max_running = 1"));
	int fd = kit_connect(kit);

	(void)state;
	kit_send(fd, GET("/"));
	kit_wait_log(kit, "runs");
	assert_answer_of(kit, GET("/"),
			 "HTTP/1.1 503 Service Unavailable\r\n" TEXT("20") CLOSE
			 "Retry-After: 1\r\n\r\nService Unavailable\n");
	close(fd);
	kit_stop(kit, true);
	kit_destroy(kit);
}

static void test_a_connection_has_at_most_so_many_requests(void **state)
{
	struct kit *kit = serve(SERVICE("return 'x'", "max_per_connection = 2"));

	(void)state;
	assert_answer_of(kit, GET("/") GET("/") GET("/"),
			 OK TEXT("1") "\r\nx" ANSWER("200 OK", "1", "x"));
	kit_finish(kit);
}

static void test_a_burst_of_refusals_is_one_line(void **state)
{
	struct kit *kit = serve(HANDLER("return 'x'"));
	const char *first;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_answer_of(kit, "\n", ERROR_400);
	first = strstr(kit->log, "a malformed request");
	assert_non_null(first);
	assert_null(strstr(first + 1, "a malformed request"));
	kit_finish(kit);
}

/* --- wrong use --- */

static void assert_refused_options(const char *options, const char *expected)
{
	char text[512];
	struct kit *kit;

	snprintf(text, sizeof text,
		 "return { service = { start = function(daemon)\n"
		 "  require 'luvd.http'.serve(daemon.listeners.web, %s)\nend } }",
		 options);
	kit = kit_create(text);
	kit_listen(kit);
	kit_start(kit);
	if (kit->start_ok || !strstr(kit->start_err.what, expected))
		print_error("expected: %s\ngot: %s\n", expected, kit->start_err.what);
	assert_false(kit->start_ok);
	assert_non_null(strstr(kit->start_err.what, expected));
	kit_destroy(kit);
}

static void test_wrong_options_raise(void **state)
{
	(void)state;
	assert_refused_options("print, { max_bodi = 1 }",
			       "unknown option \"max_bodi\" of http.serve");
	assert_refused_options("print, { max_head = '1MiB' }",
			       "option max_head is 64 to 61440 bytes");
	assert_refused_options("print, { max_headers = 1.5 }",
			       "option max_headers is a whole number");
	assert_refused_options("print, { header_timeout = 'x' }", "expected a duration");
	assert_refused_options("print, { access_log = {} }", "option access_log is true, a level");
	assert_refused_options("print, { access_log = 'loud' }", "invalid option 'loud'");
	assert_refused_options("{}", "expected a function or an object with a method handle");
	assert_refused_options("nil", "expected a function or an object with a method handle");
}

/* --- the access log --- */

static void test_the_access_log_has_a_line_for_each_request(void **state)
{
	struct kit *kit = serve(SERVICE("return 404, 'no'", "access_log = 'debug'"));

	(void)state;
	assert_answer_of(kit, LAST("/x?y"), ANSWER("404 Not Found", "2", "no"));
	assert_answer_of(kit, "\n", ERROR_400);
	assert_true(kit_logged(kit, "DEBUG request peer=tcp://127.0.0.1:"));
	assert_true(kit_logged(kit, "-1 method=GET target=/x?y status=404 bytes=2 duration_us="));
	assert_true(kit_logged(kit, " status=400 bytes=12\n"));
	kit_finish(kit);
}

static void test_the_access_log_can_be_a_function(void **state)
{
	struct kit *kit = serve(SERVICE(
	    "return 'x'",
	    "access_log = function(e) luvd.log:info(e.method .. e.target .. "
	    "math.type(e.status) .. e.bytes .. math.type(e.duration_us)) error 'oops' end"));

	(void)state;
	assert_answer_of(kit, LAST("/"), ANSWER("200 OK", "1", "x"));
	kit_wait_log(kit, "INFO GET/integer1integer");
	kit_wait_log(kit, "oops\nstack traceback");
	kit_finish(kit);
}

/* --- the end --- */

static void test_at_stop_an_idle_connection_gets_one_more_answer(void **state)
{
	struct kit *kit = serve(HANDLER("return 'x\\n'"));
	int fd = kit_connect(kit);

	(void)state;
	kit_send(fd, GET("/"));
	kit_expect(kit, fd, "x\n");
	life_stop(kit->life, "stop", kit->daemon.spec->timeout_stop, false);
	kit_send(fd, GET("/"));
	assert_string_equal(undated(kit_expect(kit, fd, NULL)), ANSWER("200 OK", "2", "x\n"));
	close(fd);
	kit_wait(kit, &kit->stopped);
	kit_destroy(kit);
}

static void test_at_stop_a_running_request_is_finished(void **state)
{
	struct kit *kit = serve(HANDLER("luvd.log:info 'runs' luvd.sleep '50ms' return 'done'"));
	int fd = kit_connect(kit);

	(void)state;
	kit_send(fd, GET("/"));
	kit_wait_log(kit, "runs");
	life_stop(kit->life, "stop", kit->daemon.spec->timeout_stop, false);
	assert_string_equal(undated(kit_expect(kit, fd, NULL)), ANSWER("200 OK", "4", "done"));
	close(fd);
	kit_wait(kit, &kit->stopped);
	kit_destroy(kit);
}

static void test_at_stop_a_connection_without_a_request_does_not_hold_it_up(void **state)
{
	struct kit *kit = serve(HANDLER("return 'x'"));
	int fd = kit_connect(kit);
	uint64_t before;

	(void)state;
	uv_run(&kit->loop, UV_RUN_NOWAIT);
	uv_update_time(&kit->loop);
	before = uv_now(&kit->loop);
	kit_stop(kit, false);
	assert_true(uv_now(&kit->loop) - before < 4000);
	close(fd);
	kit_destroy(kit);
}

static void test_the_hello_example_answers_a_browser(void **state)
{
	char text[4096] = "";
	FILE *file = fopen(LUVD_SOURCE_DIR "/examples/hello/hello.lua", "r");
	struct kit *kit;

	(void)state;
	assert_non_null(file);
	assert_true(fread(text, 1, sizeof text - 1, file) > 0);
	fclose(file);
	kit = serve(text);
	assert_answer_of(kit, LAST("/you"), ANSWER("200 OK", "11", "hello /you\n"));
	kit_finish(kit);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_text_is_an_answer),
    cmocka_unit_test(test_a_status_and_text_are_an_answer),
    cmocka_unit_test(test_a_status_alone_has_an_empty_body),
    cmocka_unit_test(test_a_table_has_status_headers_and_body),
    cmocka_unit_test(test_a_list_is_a_body),
    cmocka_unit_test(test_a_header_with_a_list_is_sent_several_times),
    cmocka_unit_test(test_head_sends_the_length_without_the_body),
    cmocka_unit_test(test_no_content_has_neither_body_nor_length),
    cmocka_unit_test(test_an_unknown_status_has_an_empty_phrase),
    cmocka_unit_test(test_an_object_with_a_method_handle_serves),
    cmocka_unit_test(test_a_handler_that_raises_is_a_500_with_its_traceback),
    cmocka_unit_test(test_nil_is_a_500),
    cmocka_unit_test(test_a_status_out_of_range_is_a_500),
    cmocka_unit_test(test_an_unknown_field_of_an_answer_is_a_500),
    cmocka_unit_test(test_headers_cannot_break_the_framing),
    cmocka_unit_test(test_a_connection_is_kept),
    cmocka_unit_test(test_an_old_client_keeps_its_connection_when_it_asks),
    cmocka_unit_test(test_pipelined_requests_are_answered_in_order),
    cmocka_unit_test(test_many_pipelined_requests_are_all_answered),
    cmocka_unit_test(test_a_head_may_come_byte_by_byte),
    cmocka_unit_test(test_a_client_that_half_closes_gets_its_answer),
    cmocka_unit_test(test_a_client_that_leaves_inside_a_head_is_no_event),
    cmocka_unit_test(test_the_handler_of_a_client_that_is_gone_is_cancelled),
    cmocka_unit_test(test_a_request_has_its_parts),
    cmocka_unit_test(test_equal_names_of_a_query_are_all_there),
    cmocka_unit_test(test_pairs_goes_over_headers_in_lower_case),
    cmocka_unit_test(test_a_full_url_names_the_host),
    cmocka_unit_test(test_a_request_keeps_what_is_set_and_nothing_else),
    cmocka_unit_test(test_a_request_outlives_its_answer),
    cmocka_unit_test(test_a_task_that_still_reads_the_body_is_told_that_the_request_has_ended),
    cmocka_unit_test(test_the_log_knows_a_request_whose_handler_has_forgotten_it),
    cmocka_unit_test(test_the_log_knows_a_request_whose_handler_has_failed),
    cmocka_unit_test(test_without_lua_memory_a_request_is_refused_but_not_the_daemon),
    cmocka_unit_test(test_a_body_is_read_whole),
    cmocka_unit_test(test_a_body_that_comes_late_is_waited_for),
    cmocka_unit_test(test_a_body_comes_in_pieces),
    cmocka_unit_test(test_a_large_body_comes_whole),
    cmocka_unit_test(test_the_peer_is_told_to_continue_when_the_body_is_wanted),
    cmocka_unit_test(test_a_body_that_nobody_wants_is_never_sent),
    cmocka_unit_test(test_a_body_nobody_read_is_passed_over),
    cmocka_unit_test(test_a_large_body_nobody_read_closes_the_connection),
    cmocka_unit_test(test_malformed_chunks_are_a_400_unless_the_handler_says_otherwise),
    cmocka_unit_test(test_a_body_that_is_cut_off_is_a_failure),
    cmocka_unit_test(test_a_body_is_read_as_json),
    cmocka_unit_test(test_a_body_is_read_as_a_form),
    cmocka_unit_test(test_json_that_comes_late_is_waited_for),
    cmocka_unit_test(test_json_is_an_answer),
    cmocka_unit_test(test_a_function_is_a_body_in_chunks),
    cmocka_unit_test(test_a_generator_is_a_body),
    cmocka_unit_test(test_an_old_client_gets_a_function_until_the_end_of_the_connection),
    cmocka_unit_test(test_a_function_keeps_to_the_length_it_has_declared),
    cmocka_unit_test(test_a_function_that_fails_breaks_the_answer_off),
    cmocka_unit_test(test_a_head_request_does_not_call_the_function),
    cmocka_unit_test(test_nobody_is_told_to_continue_in_the_middle_of_an_answer),
    cmocka_unit_test(test_a_function_waits_while_the_peer_does_not_read),
    cmocka_unit_test(test_headers_that_change_while_a_file_is_opened_are_checked_again),
    cmocka_unit_test(test_malformed_requests_are_refused_and_closed),
    cmocka_unit_test(test_a_request_that_fails_behind_a_good_one_does_not_cost_its_answer),
    cmocka_unit_test(test_limits_are_options),
    cmocka_unit_test(test_chunks_beyond_max_are_a_413),
    cmocka_unit_test(test_a_head_that_does_not_come_is_a_408),
    cmocka_unit_test(test_an_idle_connection_is_closed_silently),
    cmocka_unit_test(test_a_body_that_does_not_come_is_a_408),
    cmocka_unit_test(test_trickling_does_not_extend_the_time),
    cmocka_unit_test(test_a_timeout_of_the_handlers_own_can_be_tried_again),
    cmocka_unit_test(test_a_peer_that_does_not_read_is_cut_off),
    cmocka_unit_test(test_reading_the_body_does_not_spare_a_peer_that_does_not_read),
    cmocka_unit_test(test_a_long_text_arrives_whole),
    cmocka_unit_test(test_no_further_request_is_taken_while_the_peer_does_not_read),
    cmocka_unit_test(test_too_many_handlers_at_once_are_a_503),
    cmocka_unit_test(test_a_connection_has_at_most_so_many_requests),
    cmocka_unit_test(test_a_burst_of_refusals_is_one_line),
    cmocka_unit_test(test_wrong_options_raise),
    cmocka_unit_test(test_the_access_log_has_a_line_for_each_request),
    cmocka_unit_test(test_the_access_log_can_be_a_function),
    cmocka_unit_test(test_at_stop_an_idle_connection_gets_one_more_answer),
    cmocka_unit_test(test_at_stop_a_running_request_is_finished),
    cmocka_unit_test(test_at_stop_a_connection_without_a_request_does_not_hold_it_up),
    cmocka_unit_test(test_the_hello_example_answers_a_browser),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
