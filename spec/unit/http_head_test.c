#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/http/body.h"
#include "service/http/head.h"
#include "service/http/status.h"
#include "service/http/target.h"

static const struct head_limits limits = {.line = 8192, .bytes = 32768, .fields = 100};

/* In memory of its own, so that a sanitizer sees a read past the end. */
static int parse(struct head *head, const char *bytes, size_t length, char **copy)
{
	*copy = malloc(length + 1);
	memcpy(*copy, bytes, length);
	return head_parse(head, *copy, length, &limits);
}

static void assert_status(const char *bytes, size_t length, int expected)
{
	struct head head;
	char *copy;
	int status = parse(&head, bytes, length, &copy);

	if (status != expected)
		print_error("expected %d, got %d: %.*s\n", expected, status, (int)length, bytes);
	free(copy);
	assert_int_equal(status, expected);
	if (status >= 400)
		assert_non_null(head.reason);
}

/* --- what is refused, one rule a line --- */

#define GET "GET / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"
#define END "\r\n"
#define POST "POST / HTTP/1.1\r\n" HOST

#define RULES(RULE)                                                                                \
	RULE(400, a_bare_lf_after_the_request_line, "GET / HTTP/1.1\nHost: a\r\n\r\n")             \
	RULE(400, a_bare_lf_after_a_field, GET "Host: a\nX: b\r\n\r\n")                            \
	RULE(400, a_bare_lf_at_the_end_of_the_head, GET HOST "\n")                                 \
	RULE(400, bare_lfs_throughout, "GET / HTTP/1.1\nHost: a\n\n")                              \
	RULE(400, a_bare_lf_inside_a_value, GET HOST "X: a\nContent-Length: 5\r\n\r\n")            \
	RULE(400, a_cr_alone_in_a_value, GET HOST "X: a\rb\r\n\r\n")                               \
	RULE(400, a_cr_alone_that_begins_a_field, GET HOST "X: a\r\r\n\r\n")                       \
	RULE(400, a_cr_alone_in_a_name, GET HOST "X\r: a\r\n\r\n")                                 \
	RULE(400, a_cr_alone_after_the_request_line, "GET / HTTP/1.1\rHost: a\r\n\r\n")            \
	RULE(400, a_cr_alone_at_the_end_of_the_head, GET HOST "\rX")                               \
	RULE(400, a_folded_line, GET HOST "X: a\r\n b\r\n\r\n")                                    \
	RULE(400, a_line_folded_with_a_tab, GET HOST "X: a\r\n\tb\r\n\r\n")                        \
	RULE(400, a_folded_line_of_an_empty_value, GET HOST "X:\r\n b\r\n\r\n")                    \
	RULE(400, a_folded_line_before_the_first_field, GET " X: a\r\n" HOST END)                  \
	RULE(400, a_space_before_the_colon, GET HOST "X : a\r\n\r\n")                              \
	RULE(400, a_tab_before_the_colon, GET HOST "X\t: a\r\n\r\n")                               \
	RULE(400, a_space_in_a_name, GET HOST "X Y: a\r\n\r\n")                                    \
	RULE(400, a_field_without_a_name, GET HOST ": a\r\n\r\n")                                  \
	RULE(400, a_field_without_a_colon, GET HOST "X\r\n\r\n")                                   \
	RULE(400, a_name_with_a_high_byte, GET HOST "X\xe9: a\r\n\r\n")                            \
	RULE(400, a_name_with_a_slash, GET HOST "X/Y: a\r\n\r\n")                                  \
	RULE(400, a_nul_in_a_value, GET HOST "X: a\0b\r\n\r\n")                                    \
	RULE(400, a_nul_in_a_name, GET HOST "X\0: a\r\n\r\n")                                      \
	RULE(400, a_nul_in_the_target, "GET /\0 HTTP/1.1\r\n" HOST END)                            \
	RULE(400, a_control_character_in_a_value, GET HOST "X: a\x01\r\n\r\n")                     \
	RULE(400, a_del_in_a_value, GET HOST "X: a\x7f\r\n\r\n")                                   \
	RULE(400, a_vertical_tab_in_a_value, GET HOST "X: a\x0b\r\n\r\n")                          \
	RULE(400, a_control_character_in_the_target, "GET /\x01 HTTP/1.1\r\n" HOST END)            \
	RULE(400, a_high_byte_in_the_target, "GET /\xe9 HTTP/1.1\r\n" HOST END)                    \
	RULE(400, a_missing_host, GET "X: a\r\n\r\n")                                              \
	RULE(400, a_head_without_any_field, GET END)                                               \
	RULE(400, two_hosts, GET HOST "Host: b\r\n\r\n")                                           \
	RULE(400, two_equal_hosts, GET HOST HOST END)                                              \
	RULE(400, two_hosts_in_1_0, "GET / HTTP/1.0\r\n" HOST HOST END)                            \
	RULE(400, a_host_with_a_space, GET "Host: a b\r\n\r\n")                                    \
	RULE(400, a_host_with_a_path, GET "Host: a/b\r\n\r\n")                                     \
	RULE(400, a_host_with_a_user, GET "Host: u@a\r\n\r\n")                                     \
	RULE(400, a_length_with_a_sign, POST "Content-Length: +5\r\n\r\nhello")                    \
	RULE(400, a_negative_length, POST "Content-Length: -5\r\n\r\nhello")                       \
	RULE(400, a_length_that_is_a_list, POST "Content-Length: 5, 5\r\n\r\nhello")               \
	RULE(400, a_length_in_hex, POST "Content-Length: 0x5\r\n\r\nhello")                        \
	RULE(400, a_length_with_a_space_inside, POST "Content-Length: 1 5\r\n\r\nhello")           \
	RULE(400, a_length_with_letters, POST "Content-Length: 5a\r\n\r\nhello")                   \
	RULE(400, a_length_with_a_fraction, POST "Content-Length: 5.0\r\n\r\nhello")               \
	RULE(400, an_empty_length, POST "Content-Length:\r\n\r\nhello")                            \
	RULE(400, a_length_beyond_all_bounds, POST "Content-Length: 99999999999999999999\r\n\r\n") \
	RULE(400, a_length_that_wraps_to_a_small_one,                                              \
	     POST "Content-Length: 18446744073709551621\r\n\r\nhello")                             \
	RULE(400, two_lengths, POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello")         \
	RULE(400, two_equal_lengths, POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello")   \
	RULE(400, a_length_beside_a_coding,                                                        \
	     POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")              \
	RULE(400, a_coding_beside_a_length,                                                        \
	     POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n")              \
	RULE(400, a_coding_that_is_not_chunked, POST "Transfer-Encoding: gzip\r\n\r\n")            \
	RULE(400, codings_that_end_with_chunked, POST "Transfer-Encoding: gzip, chunked\r\n\r\n")  \
	RULE(400, codings_that_begin_with_chunked,                                                 \
	     POST "Transfer-Encoding: chunked, gzip\r\n\r\n")                                      \
	RULE(400, the_identity_coding, POST "Transfer-Encoding: identity\r\n\r\n")                 \
	RULE(400, chunked_twice, POST "Transfer-Encoding: chunked, chunked\r\n\r\n")               \
	RULE(400, chunked_in_two_fields,                                                           \
	     POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n")              \
	RULE(400, chunked_with_a_parameter, POST "Transfer-Encoding: chunked;a=b\r\n\r\n")         \
	RULE(400, chunked_in_quotes, POST "Transfer-Encoding: \"chunked\"\r\n\r\n")                \
	RULE(400, chunked_after_a_vertical_tab,                                                    \
	     POST "Transfer-Encoding: \x0b"                                                        \
		  "chunked\r\n\r\n")                                                               \
	RULE(400, an_empty_coding, POST "Transfer-Encoding:\r\n\r\n")                              \
	RULE(400, a_coding_in_1_0,                                                                 \
	     "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")             \
	RULE(400, an_upgrade_does_not_hide_a_bad_coding,                                           \
	     POST "Connection: upgrade\r\nUpgrade: x\r\nTransfer-Encoding: x\r\n\r\n")             \
	RULE(400, garbage, "\x16\x03\x01\x02\r\n\r\n")                                             \
	RULE(501, a_lower_case_method_is_another_one, "get / HTTP/1.1\r\n" HOST END)               \
	RULE(400, an_unknown_protocol, "GET / HTTPS/1.1\r\n" HOST END)                             \
	RULE(400, http_0_9, "GET /\r\n\r\n")                                                       \
	RULE(400, http_0_9_by_number, "GET / HTTP/0.9\r\n" HOST END)                               \
	RULE(400, two_spaces_before_the_target, "GET  / HTTP/1.1\r\n" HOST END)                    \
	RULE(400, two_spaces_before_the_version, "GET /  HTTP/1.1\r\n" HOST END)                   \
	RULE(400, a_space_after_the_version, "GET / HTTP/1.1 \r\n" HOST END)                       \
	RULE(400, a_tab_instead_of_a_space, "GET\t/ HTTP/1.1\r\n" HOST END)                        \
	RULE(400, a_version_with_two_digits, "GET / HTTP/1.10\r\n" HOST END)                       \
	RULE(400, a_space_before_the_method, " GET / HTTP/1.1\r\n" HOST END)                       \
	RULE(400, two_empty_lines_before_the_request, "\r\n\r\nGET / HTTP/1.1\r\n" HOST END)       \
	RULE(400, a_bare_lf_before_the_request, "\nGET / HTTP/1.1\r\n" HOST END)                   \
	RULE(400, a_bare_cr_before_the_request, "\rGET / HTTP/1.1\r\n" HOST END)                   \
	RULE(417, an_unknown_expectation, POST "Expect: 200-maybe\r\n\r\n")                        \
	RULE(501, an_unknown_method, "BREW / HTTP/1.1\r\n" HOST END)                               \
	RULE(505, http_2_0, "GET / HTTP/2.0\r\n" HOST END)                                         \
	RULE(505, http_1_2, "GET / HTTP/1.2\r\n" HOST END)                                         \
	RULE(505, the_preface_of_http_2, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")                       \
	RULE(200, one_empty_line_before_the_request_is_fine, "\r\nGET / HTTP/1.1\r\n" HOST END)    \
	RULE(200, a_missing_host_in_1_0_is_fine, "GET / HTTP/1.0\r\n\r\n")                         \
	RULE(200, an_empty_host_is_fine, GET "Host:\r\n\r\n")                                      \
	RULE(200, a_host_with_a_port_is_fine, GET "Host: [::1]:80\r\n\r\n")                        \
	RULE(200, an_empty_value_is_fine, GET HOST "X:\r\nY: \r\n\r\n")                            \
	RULE(200, a_value_with_high_bytes_and_tabs_is_fine, GET HOST "X: \xc3\xa9\ta\r\n\r\n")     \
	RULE(200, chunked_in_any_case_is_fine, POST "Transfer-Encoding: Chunked\r\n\r\n")          \
	RULE(0, a_head_without_its_end_waits, GET HOST)                                            \
	RULE(0, a_head_that_ends_in_a_cr_waits, GET HOST "\r")                                     \
	RULE(0, nothing_waits, "")                                                                 \
	RULE(0, a_lone_cr_waits, "\r")                                                             \
	RULE(0, an_empty_line_waits, "\r\n")

#define DEFINE(status, name, bytes)                                                                \
	static void test_##name(void **state)                                                      \
	{                                                                                          \
		(void)state;                                                                       \
		assert_status(bytes, sizeof(bytes) - 1, status);                                   \
	}
RULES(DEFINE)

/* A head that comes in pieces gets the same answer as a whole one, at the latest at its last byte.
 */
static int parse_in_pieces(const char *bytes, size_t length)
{
	size_t scanned = 0;
	const char *reason;

	for (size_t there = 1; there <= length; there++) {
		struct head head;
		int status = head_wait(bytes, there, &limits, &scanned, &reason);

		if (status == HEAD_WHOLE)
			return head_parse(&head, bytes, there, &limits);
		if (status != HEAD_MORE)
			return status;
	}
	return HEAD_MORE;
}

static void test_byte_by_byte_nothing_is_taken_that_is_refused_as_a_whole(void **state)
{
#define ROW(status, name, bytes) {status, bytes, sizeof(bytes) - 1},
	static const struct {
		int status;
		const char *bytes;
		size_t length;
	} rows[] = {RULES(ROW)};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int status = parse_in_pieces(rows[i].bytes, rows[i].length);

		/* What has no end yet waits for one. */
		if (rows[i].status == 200 || status == 200)
			assert_int_equal(status, rows[i].status);
		if (rows[i].status == 0)
			assert_int_equal(status, 0);
	}
}

/* --- limits --- */

/* before, count times "a", after */
static int parse_filled(const char *before, size_t count, const char *after)
{
	char *bytes = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&bytes, &length);
	struct head head;
	int status;

	fputs(before, out);
	for (size_t i = 0; i < count; i++)
		fputc('a', out);
	fputs(after, out);
	fclose(out);
	status = head_parse(&head, bytes, length, &limits);
	free(bytes);
	return status;
}

static void test_a_request_line_that_is_too_long_is_414(void **state)
{
	size_t rest = strlen("GET / HTTP/1.1\r\n");

	(void)state;
	assert_int_equal(parse_filled("GET /", 8192 - rest, " HTTP/1.1\r\n" HOST END), 200);
	assert_int_equal(parse_filled("GET /", 8193 - rest, " HTTP/1.1\r\n" HOST END), 414);
	assert_int_equal(parse_filled("GET /", 9000, ""), 414);
	assert_int_equal(parse_filled("GET /", 50000, " HTTP/1.1\r\n" HOST END), 414);
}

static void test_a_head_that_is_too_long_is_431(void **state)
{
	size_t rest = strlen(GET HOST "X: \r\n\r\n");

	(void)state;
	assert_int_equal(parse_filled(GET HOST "X: ", 32768 - rest, "\r\n\r\n"), 200);
	assert_int_equal(parse_filled(GET HOST "X: ", 32769 - rest, "\r\n\r\n"), 431);
	assert_int_equal(parse_filled(GET HOST "X: ", 100000, "\r\n\r\n"), 431);
	assert_int_equal(parse_filled(GET HOST "X: ", 40000, ""), 431);
}

static int parse_fields(int count)
{
	char *bytes = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&bytes, &length);
	struct head head;
	int status;

	fputs(GET HOST, out);
	for (int i = 1; i < count; i++)
		fputs("a: b\r\n", out);
	fputs(END, out);
	fclose(out);
	status = head_parse(&head, bytes, length, &limits);
	free(bytes);
	return status;
}

static void test_too_many_fields_are_431(void **state)
{
	(void)state;
	assert_int_equal(parse_fields(100), 200);
	assert_int_equal(parse_fields(101), 431);
}

static void test_a_body_of_any_length_does_not_count(void **state)
{
	(void)state;
	assert_int_equal(parse_filled(POST "Content-Length: 90000\r\n\r\n", 90000, ""), 200);
}

/* --- what is found --- */

static void assert_span(const char *bytes, struct head_span span, const char *expected)
{
	assert_int_equal(span.length, strlen(expected));
	assert_memory_equal(bytes + span.at, expected, span.length);
}

static void test_the_parts_of_a_head_are_found(void **state)
{
	static const char bytes[] =
	    "\r\nPOST /a?b=c HTTP/1.1\r\nHost:a.b:80\r\nX-Long: \t two words \t\r\n"
	    "Empty:\r\nContent-Length: 007\r\nExpect: 100-Continue\r\n\r\nBODY";
	struct head head;

	(void)state;
	assert_int_equal(head_parse(&head, bytes, sizeof bytes - 1, &limits), HEAD_WHOLE);
	assert_int_equal(head.length, sizeof bytes - 5);
	assert_span(bytes, head.method, "POST");
	assert_span(bytes, head.target, "/a?b=c");
	assert_int_equal(head.minor, 1);
	assert_int_equal(head.count, 5);
	assert_span(bytes, head.fields[1].name, "X-Long");
	assert_span(bytes, head.fields[1].value, "two words");
	assert_span(bytes, head.fields[2].value, "");
	assert_span(bytes, head.host, "a.b:80");
	assert_true(head.sized && head.expects && !head.chunked && !head.close);
	assert_int_equal(head.body, 7);
	assert_int_equal(head_find(bytes, head.fields, head.count, "x-lonG", 6, 0), 1);
	assert_int_equal(head_find(bytes, head.fields, head.count, "x-lonG", 6, 2), -1);
}

static void assert_closes(const char *bytes, bool expected)
{
	struct head head;

	assert_int_equal(head_parse(&head, bytes, strlen(bytes), &limits), HEAD_WHOLE);
	assert_int_equal(head.close, expected);
}

static void test_connection_says_whether_it_is_kept(void **state)
{
	(void)state;
	assert_closes(GET HOST END, false);
	assert_closes(GET HOST "Connection: Close\r\n\r\n", true);
	assert_closes(GET HOST "Connection: x,keep-alive , close\r\n\r\n", true);
	assert_closes(GET HOST "Connection: closed\r\n\r\n", false);
	assert_closes(GET HOST "Connection: x\r\nConnection: close\r\n\r\n", true);
	assert_closes("GET / HTTP/1.0\r\n\r\n", true);
	assert_closes("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false);
}

static void test_only_the_first_of_pipelined_requests_is_parsed(void **state)
{
	static const char bytes[] = GET HOST END "GET /2 HTTP/9\n\n";
	struct head head;

	(void)state;
	assert_int_equal(head_parse(&head, bytes, sizeof bytes - 1, &limits), HEAD_WHOLE);
	assert_int_equal(head.length, strlen(GET HOST END));
}

/* --- targets --- */

static void assert_path(const char *sent, const char *expected)
{
	struct target target;
	char out[256];
	size_t length;

	if (!target_split(&target, sent, strlen(sent))) {
		assert_null(expected);
		return;
	}
	length = target_path(&target, out);
	out[length] = '\0';
	if (strcmp(out, expected ? expected : "") != 0)
		print_error("%s gives %s\n", sent, out);
	assert_string_equal(out, expected ? expected : "");
}

static void test_a_path_is_decoded_and_normal(void **state)
{
	static const struct {
		const char *sent, *path;
	} rows[] = {{"/", "/"},
		    {"/a/b", "/a/b"},
		    {"/a/", "/a/"},
		    {"/%41b%2d", "/Ab-"},
		    {"/a?b/../c", "/a"},
		    {"/a//b", "/a/b"},
		    {"//a", "/a"},
		    {"/a/./b/.", "/a/b/"},
		    {"/a/../b", "/b"},
		    {"/a/..", "/"},
		    {"/a/b/..", "/a/"},
		    {"/a/%2e%2E/b", "/b"},
		    {"/.a/..b/...", "/.a/..b/..."},
		    {"/a%20b%25", "/a b%"},
		    {"http://h/x", "/x"},
		    {"HTTP://h:80", "/"},
		    {"http://h?q", "/"},
		    {"*", "*"}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_path(rows[i].sent, rows[i].path);
}

static void test_a_path_that_others_may_read_otherwise_is_refused(void **state)
{
	static const char *const sent[] = {"/%00", "/a%00b", "/%2f",    "/%2F",      "/%",
					   "/%4",  "/%zz",   "/..",     "/a/../..",  "/%2e%2e/a",
					   "a",    "/a#b",   "ftp://a", "http:///a", "http://u@h/"};

	(void)state;
	for (size_t i = 0; i < sizeof sent / sizeof *sent; i++)
		assert_path(sent[i], NULL);
}

static void test_a_full_url_has_its_host(void **state)
{
	struct target target;

	(void)state;
	assert_true(target_split(&target, "http://h:1/p?q=1", 16));
	assert_int_equal(target.host_length, 3);
	assert_memory_equal(target.host, "h:1", 3);
	assert_int_equal(target.query_length, 3);
	assert_memory_equal(target.query, "q=1", 3);
}

static void test_escapes_of_a_query_are_decoded(void **state)
{
	char out[32];

	(void)state;
	assert_int_equal(target_unescape("a+b%20%4", 8, true, out), 6);
	assert_memory_equal(out, "a b %4", 6);
	assert_int_equal(target_unescape("a+%ff", 5, false, out), 3);
	assert_memory_equal(out, "a+\xff", 3);
}

/* --- bodies --- */

/* The data that pieces of step bytes give; the state at the end. NULL: chunked. */
static int take_all(const char *sent, size_t length, size_t step, char *out)
{
	struct body body;
	size_t at = 0;

	body_begin(&body, true, 0);
	*out = '\0';
	for (size_t end = step < length ? step : length;;
	     end = end + step < length ? end + step : length) {
		const char *data;
		size_t data_length, used;

		while ((used = body_take(&body, sent + at, end - at, &data, &data_length)) > 0) {
			strncat(out, data, data_length);
			at += used;
		}
		if (end == length || body_wrong(&body))
			return body.state;
	}
}

static void assert_chunks(const char *sent, int state, const char *expected)
{
	char out[512];

	for (size_t step = 1; step <= strlen(sent) + 1; step++) {
		int got = take_all(sent, strlen(sent), step, out);

		if (got != state)
			print_error("expected %d, got %d in steps of %zu: %s\n", state, got, step,
				    sent);
		assert_int_equal(got, state);
		assert_string_equal(out, expected);
	}
}

static void test_chunks_are_decoded_however_they_are_cut(void **state)
{
	(void)state;
	assert_chunks("0\r\n\r\n", BODY_DONE, "");
	assert_chunks("5\r\nhello\r\n1;a=b;c=\"d\"\r\n!\r\n000\r\n\r\n", BODY_DONE, "hello!");
	assert_chunks("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\nX: y\r\nZ: \r\n\r\n", BODY_DONE,
		      "01234567890123456789");
}

static void test_bad_chunks_are_refused(void **state)
{
	static const char *const sent[] = {
	    "\r\n",           "g\r\n",        "-1\r\n",          "+1\r\n",
	    " 1\r\n",         "1 \r\n",       "0x1\r\n",         "1\n",
	    "1\r1",           "1;a\n",        "1;a\x01\r\n",     "10000000000000000\r\n",
	    "0\r\n X: y\r\n", "0\r\n: y\r\n", "0\r\nX: y\n\r\n", "0\r\n\rX",
	    "0\r\n\n",        ";a\r\n",       "1,2\r\n"};

	(void)state;
	for (size_t i = 0; i < sizeof sent / sizeof *sent; i++)
		assert_chunks(sent[i], BODY_WRONG, "");
	assert_chunks("1\r\nab\r\n", BODY_WRONG, "a");
	assert_chunks("1\r\na\n", BODY_WRONG, "a");
	assert_chunks("1\r\na\r0", BODY_WRONG, "a");
}

static void test_extensions_and_trailers_are_bounded(void **state)
{
	static char sent[BODY_TRAILER_MAX + 100];
	char out[8];

	(void)state;
	memset(sent, 'a', sizeof sent);
	sent[0] = '1';
	sent[1] = ';';
	assert_int_equal(take_all(sent, 2 + BODY_EXTENSION_MAX, 1000, out), BODY_EXTENSION);
	assert_int_equal(take_all(sent, 3 + BODY_EXTENSION_MAX, 1000, out), BODY_WRONG);
	sent[0] = '0';
	sent[1] = '\r';
	sent[2] = '\n';
	assert_int_equal(take_all(sent, 3 + BODY_TRAILER_MAX, sizeof sent, out), BODY_TRAILER);
	assert_int_equal(take_all(sent, 4 + BODY_TRAILER_MAX, sizeof sent, out), BODY_WRONG);
}

static void test_a_body_ends_after_its_length(void **state)
{
	struct body body;
	const char *data;
	size_t length;

	(void)state;
	body_begin(&body, false, 3);
	assert_int_equal(body_take(&body, "ab", 2, &data, &length), 2);
	assert_int_equal(length, 2);
	assert_int_equal(body_take(&body, "cdef", 4, &data, &length), 1);
	assert_int_equal(length, 1);
	assert_true(body_done(&body));
	assert_int_equal(body_take(&body, "def", 3, &data, &length), 0);
	body_begin(&body, false, 0);
	assert_true(body_done(&body));
}

static void test_a_status_has_its_phrase(void **state)
{
	(void)state;
	assert_string_equal(status_phrase(200), "OK");
	assert_string_equal(status_phrase(431), "Request Header Fields Too Large");
	assert_string_equal(status_phrase(299), "");
	assert_string_equal(status_phrase(600), "");
	assert_string_equal(status_phrase(-1), "");
}

#define TEST(status, name, bytes) cmocka_unit_test(test_##name),

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RULES(TEST)
		cmocka_unit_test(test_byte_by_byte_nothing_is_taken_that_is_refused_as_a_whole),
	    cmocka_unit_test(test_a_request_line_that_is_too_long_is_414),
	    cmocka_unit_test(test_a_head_that_is_too_long_is_431),
	    cmocka_unit_test(test_too_many_fields_are_431),
	    cmocka_unit_test(test_a_body_of_any_length_does_not_count),
	    cmocka_unit_test(test_the_parts_of_a_head_are_found),
	    cmocka_unit_test(test_connection_says_whether_it_is_kept),
	    cmocka_unit_test(test_only_the_first_of_pipelined_requests_is_parsed),
	    cmocka_unit_test(test_a_path_is_decoded_and_normal),
	    cmocka_unit_test(test_a_path_that_others_may_read_otherwise_is_refused),
	    cmocka_unit_test(test_a_full_url_has_its_host),
	    cmocka_unit_test(test_escapes_of_a_query_are_decoded),
	    cmocka_unit_test(test_chunks_are_decoded_however_they_are_cut),
	    cmocka_unit_test(test_bad_chunks_are_refused),
	    cmocka_unit_test(test_extensions_and_trailers_are_bounded),
	    cmocka_unit_test(test_a_body_ends_after_its_length),
	    cmocka_unit_test(test_a_status_has_its_phrase),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
