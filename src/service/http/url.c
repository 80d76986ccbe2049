#include "service/http/url.h"

#include <string.h>
#include <strings.h>

#include "service/hex.h"

/* --- characters: ASCII, whatever the locale --- */

static bool is_alpha(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_hex(char byte)
{
	return hex_digit(byte) >= 0;
}

static bool is_one_of(char byte, const char *set)
{
	return byte != '\0' && strchr(set, byte);
}

/* What may stand in a path or a query, RFC 3986 3.3 and 3.4. */
static bool is_plain(char byte)
{
	return is_alpha(byte) || is_digit(byte) || is_one_of(byte, "-._~!$&'()*+,;=:@/?");
}

/* --- parts --- */

struct cursor {
	const char *text;
	size_t at, end; /* end: of what is before the fragment */
};

static const char *take_scheme(struct url *url, struct cursor *cursor)
{
	const char *text = cursor->text + cursor->at;
	size_t length = cursor->end - cursor->at;

	if (length >= 7 && strncasecmp(text, "http://", 7) == 0) {
		cursor->at += 7;
		return NULL;
	}
	if (length >= 8 && strncasecmp(text, "https://", 8) == 0) {
		cursor->at += 8;
		url->secure = true;
		return NULL;
	}
	return "a URL begins with http:// or https://";
}

static struct url_span take_while(struct cursor *cursor, bool (*belongs)(char byte))
{
	struct url_span span = {cursor->at, 0};

	while (cursor->at < cursor->end && belongs(cursor->text[cursor->at]))
		cursor->at++;
	span.length = cursor->at - span.at;
	return span;
}

static bool in_name(char byte)
{
	return is_alpha(byte) || is_digit(byte) || is_one_of(byte, "-._");
}

static bool in_address(char byte)
{
	return is_hex(byte) || is_one_of(byte, ":.");
}

static const char *take_host(struct url *url, struct cursor *cursor)
{
	url->brackets = cursor->at < cursor->end && cursor->text[cursor->at] == '[';
	if (url->brackets)
		cursor->at++;
	url->host = take_while(cursor, url->brackets ? in_address : in_name);
	if (url->brackets) {
		if (cursor->at == cursor->end || cursor->text[cursor->at] != ']')
			return "the address in the brackets of a URL is malformed";
		cursor->at++;
	}
	if (url->host.length == 0)
		return "the URL has no host";
	return url->host.length > 253 ? "the host of the URL is too long" : NULL;
}

static const char *take_port(struct url *url, struct cursor *cursor)
{
	unsigned long port = 0;
	struct url_span digits;

	url->port = url->secure ? 443 : 80;
	if (cursor->at == cursor->end || cursor->text[cursor->at] != ':')
		return NULL;
	cursor->at++;
	digits = take_while(cursor, is_digit);
	if (digits.length == 0)
		return NULL; /* "http://host:/", RFC 3986 3.2.3 */
	for (size_t i = 0; i < digits.length && port <= UINT16_MAX; i++)
		port = port * 10 + (unsigned long)(cursor->text[digits.at + i] - '0');
	if (port < 1 || port > UINT16_MAX)
		return "the port of the URL is not 1 to 65535";
	url->port = (uint16_t)port;
	return NULL;
}

static const char *check_rest(const struct cursor *cursor)
{
	for (size_t i = cursor->at; i < cursor->end; i++) {
		const char *at = cursor->text + i;

		if (*at == '%') {
			if (cursor->end - i < 3 || !is_hex(at[1]) || !is_hex(at[2]))
				return "a % in the URL is not followed by two hexadecimal digits";
		} else if (!is_plain(*at)) {
			return "the URL has a character that must be written as % and two "
			       "hexadecimal digits";
		}
	}
	return NULL;
}

static size_t before(const char *text, size_t at, size_t end, char mark)
{
	const char *found = end > at ? memchr(text + at, mark, end - at) : NULL;

	return found ? (size_t)(found - text) : end;
}

const char *url_parse(struct url *url, const char *text, size_t length)
{
	struct cursor cursor = {text, 0, before(text, 0, length, '#')};
	const char *problem;

	*url = (struct url){0};
	if (length > URL_MAX)
		return "the URL is longer than 8000 bytes";
	if ((problem = take_scheme(url, &cursor)) || (problem = take_host(url, &cursor)) ||
	    (problem = take_port(url, &cursor)))
		return problem;
	if (cursor.at < cursor.end && text[cursor.at] == '@')
		return "a URL with a user is not taken: use the header Authorization";
	if (cursor.at < cursor.end && !is_one_of(text[cursor.at], "/?"))
		return "the host of the URL is malformed";
	if ((problem = check_rest(&cursor)))
		return problem;
	url->path.at = cursor.at;
	url->query.at = before(text, cursor.at, cursor.end, '?');
	url->path.length = url->query.at - url->path.at;
	url->query.length = cursor.end - url->query.at;
	return NULL;
}

/* --- references --- */

struct out {
	char *bytes;
	size_t length, size;
	bool full;
};

static void put(struct out *out, const char *bytes, size_t length)
{
	if (length > out->size - out->length) {
		out->full = true;
		return;
	}
	memcpy(out->bytes + out->length, bytes, length);
	out->length += length;
}

/* Puts a path behind what ends at start (the authority) without "." and ".." segments, RFC 3986
 * 5.2.4. */
static void put_path(struct out *out, size_t start, const char *path, size_t length)
{
	size_t at = 0;

	while (at < length) {
		size_t end = before(path, at + 1, length, '/');
		size_t size = end - at; /* with its slash */
		bool last = end == length;

		if (size == 2 && path[at + 1] == '.') {
			if (last)
				put(out, "/", 1);
		} else if (size == 3 && path[at + 1] == '.' && path[at + 2] == '.') {
			while (out->length > start && out->bytes[--out->length] != '/')
				;
			if (last)
				put(out, "/", 1);
		} else {
			put(out, path + at, size);
		}
		at = end;
	}
}

/* "a:" is one, RFC 3986 3.1; "a/b:c" is a path. */
static bool has_scheme(const char *text, size_t length)
{
	size_t at = 0;

	while (at < length && (is_alpha(text[at]) ||
			       (at > 0 && (is_digit(text[at]) || is_one_of(text[at], "+-.")))))
		at++;
	return at > 0 && at < length && text[at] == ':';
}

/* A path that is relative stands behind the last slash of the base's. */
static void merge(struct out *out, const char *base, const struct url *parsed, const char *path,
		  size_t length)
{
	char merged[2 * URL_MAX + 2] = "/";
	size_t kept = parsed->path.length;
	struct out all = {merged, 0, sizeof merged, false};

	while (kept > 0 && base[parsed->path.at + kept - 1] != '/')
		kept--;
	put(&all, kept > 0 ? base + parsed->path.at : "/", kept > 0 ? kept : 1);
	put(&all, path, length);
	out->full |= all.full;
	put_path(out, out->length, merged, all.length);
}

size_t url_resolve(const char *base, const struct url *parsed, const char *reference, size_t length,
		   char *out_bytes, size_t size)
{
	struct out out = {.size = size};
	size_t end = before(reference, 0, length, '#');
	size_t query = before(reference, 0, end, '?');

	out.bytes = out_bytes;
	if (has_scheme(reference, query)) {
		put(&out, reference, end);
		return out.full ? 0 : out.length;
	}
	if (end >= 2 && memcmp(reference, "//", 2) == 0) {
		put(&out, base, parsed->secure ? 6 : 5);
		put(&out, reference, end);
		return out.full ? 0 : out.length;
	}
	put(&out, base, parsed->path.at);
	if (query == 0) {
		put(&out, base + parsed->path.at, parsed->path.length);
		if (end == 0)
			put(&out, base + parsed->query.at, parsed->query.length);
	} else if (reference[0] == '/') {
		put_path(&out, out.length, reference, query);
	} else {
		merge(&out, base, parsed, reference, query);
	}
	put(&out, reference + query, end - query);
	return out.full ? 0 : out.length;
}
