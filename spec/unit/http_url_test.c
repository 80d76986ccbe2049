#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "service/http/url.h"

/* "secure? host port path query", or what is wrong. */
static const char *parts(const char *text)
{
	static char out[URL_MAX + 100];
	struct url url;
	const char *problem = url_parse(&url, text, strlen(text));

	if (problem)
		return problem;
	snprintf(out, sizeof out, "%s%s%.*s %d %.*s %.*s", url.secure ? "secure " : "",
		 url.brackets ? "6 " : "", (int)url.host.length, text + url.host.at, url.port,
		 (int)url.path.length, text + url.path.at, (int)url.query.length,
		 text + url.query.at);
	return out;
}

static const char *resolved(const char *base, const char *reference)
{
	static char out[URL_MAX + 1];
	struct url url;
	size_t length;

	assert_null(url_parse(&url, base, strlen(base)));
	length = url_resolve(base, &url, reference, strlen(reference), out, URL_MAX);
	out[length] = '\0';
	return out;
}

static void test_a_url_has_parts(void **state)
{
	(void)state;
	assert_string_equal(parts("http://example.org"), "example.org 80  ");
	assert_string_equal(parts("HTTPS://example.org/"), "secure example.org 443 / ");
	assert_string_equal(parts("http://a:8080/b/c?d=e/?f#g?h"), "a 8080 /b/c ?d=e/?f");
	assert_string_equal(parts("http://a?b"), "a 80  ?b");
	assert_string_equal(parts("http://[::1]:81/x"), "6 ::1 81 /x ");
	assert_string_equal(parts("http://127.0.0.1:/"), "127.0.0.1 80 / ");
	assert_string_equal(parts("http://a/%C3%a9;p=1,2"), "a 80 /%C3%a9;p=1,2 ");
	assert_string_equal(parts("http://a#"), "a 80  ");
}

static void test_what_is_no_url_is_told(void **state)
{
	char text[URL_MAX + 20];

	(void)state;
	assert_string_equal(parts(""), "a URL begins with http:// or https://");
	assert_string_equal(parts("example.org/"), "a URL begins with http:// or https://");
	assert_string_equal(parts("ftp://a/"), "a URL begins with http:// or https://");
	assert_string_equal(parts("http:/a"), "a URL begins with http:// or https://");
	assert_string_equal(parts("http://"), "the URL has no host");
	assert_string_equal(parts("http:///x"), "the URL has no host");
	assert_string_equal(parts("http://:80/"), "the URL has no host");
	assert_string_equal(parts("http://[]/"), "the URL has no host");
	assert_string_equal(parts("http://[::1/"),
			    "the address in the brackets of a URL is malformed");
	assert_string_equal(parts("http://[::1]x/"), "the host of the URL is malformed");
	assert_string_equal(parts("http://a b/"), "the host of the URL is malformed");
	assert_string_equal(parts("http://a\\b/"), "the host of the URL is malformed");
	assert_string_equal(parts("http://a%41/"), "the host of the URL is malformed");
	assert_string_equal(parts("http://ann@a/"),
			    "a URL with a user is not taken: use the header Authorization");
	assert_string_equal(parts("http://ann:1@a/"),
			    "a URL with a user is not taken: use the header Authorization");
	assert_string_equal(parts("http://a:0/"), "the port of the URL is not 1 to 65535");
	assert_string_equal(parts("http://a:65536/"), "the port of the URL is not 1 to 65535");
	assert_string_equal(parts("http://a:99999999999999999999999/"),
			    "the port of the URL is not 1 to 65535");
	assert_string_equal(parts("http://a:8x/"), "the host of the URL is malformed");
	assert_string_equal(parts("http://a/%4"),
			    "a % in the URL is not followed by two hexadecimal digits");
	assert_string_equal(
	    parts("http://a/\r\nX: y"),
	    "the URL has a character that must be written as % and two hexadecimal digits");
	memset(text, 'a', sizeof text);
	memcpy(text, "http://", 7);
	text[sizeof text - 1] = '\0';
	assert_string_equal(parts(text), "the URL is longer than 8000 bytes");
	text[400] = '\0';
	assert_string_equal(parts(text), "the host of the URL is too long");
}

/* The examples of RFC 3986 5.4, without those whose reference has other schemes' forms. */
static void test_references_are_seen_from_their_base(void **state)
{
	static const char *const pairs[][2] = {
	    {"http:h", "http:h"},
	    {"g", "http://a/b/c/g"},
	    {"./g", "http://a/b/c/g"},
	    {"g/", "http://a/b/c/g/"},
	    {"/g", "http://a/g"},
	    {"//g", "http://g"},
	    {"?y", "http://a/b/c/d;p?y"},
	    {"g?y", "http://a/b/c/g?y"},
	    {"#s", "http://a/b/c/d;p?q"},
	    {"g?y#s", "http://a/b/c/g?y"},
	    {";x", "http://a/b/c/;x"},
	    {"g;x=1/../y", "http://a/b/c/y"},
	    {"", "http://a/b/c/d;p?q"},
	    {".", "http://a/b/c/"},
	    {"./", "http://a/b/c/"},
	    {"..", "http://a/b/"},
	    {"../g", "http://a/b/g"},
	    {"../..", "http://a/"},
	    {"../../g", "http://a/g"},
	    {"../../../g", "http://a/g"},
	    {"/./g", "http://a/g"},
	    {"/../g", "http://a/g"},
	    {"g.", "http://a/b/c/g."},
	    {"..g", "http://a/b/c/..g"},
	    {"./../g", "http://a/b/g"},
	    {"g/./h", "http://a/b/c/g/h"},
	    {"g?y/../x", "http://a/b/c/g?y/../x"},
	    {"https://x/y#z", "https://x/y"},
	    {"g/h:i", "http://a/b/c/g/h:i"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		assert_string_equal(resolved("http://a/b/c/d;p?q", pairs[i][0]), pairs[i][1]);
	assert_string_equal(resolved("http://a", "g"), "http://a/g");
	assert_string_equal(resolved("http://a?q", "?r"), "http://a?r");
	assert_string_equal(resolved("https://a:1/", "//b/c"), "https://b/c");
}

static void test_a_result_that_is_too_long_is_none(void **state)
{
	char base[URL_MAX], reference[URL_MAX];

	(void)state;
	memset(base, 'b', sizeof base);
	memcpy(base, "http://a/", 9);
	base[4000] = '/';
	base[5000] = '\0';
	memset(reference, 'r', sizeof reference);
	reference[4000] = '\0';
	assert_string_equal(resolved(base, reference), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_url_has_parts),
	    cmocka_unit_test(test_what_is_no_url_is_told),
	    cmocka_unit_test(test_references_are_seen_from_their_base),
	    cmocka_unit_test(test_a_result_that_is_too_long_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
