#include "service/http/head_fields.h"

#include <ctype.h>
#include <llhttp.h>
#include <string.h>

#include "service/http/reply.h"

/* What the callbacks of llhttp are given. */
struct parse {
	llhttp_t parser;
	struct head *head;
	const char *bytes;
	size_t fields_max;
	bool whole, too_many;
};

/* --- llhttp --- */

static struct head_span span_of(const struct parse *parse, const char *at, size_t length)
{
	return (struct head_span){(uint16_t)(at - parse->bytes), (uint16_t)length};
}

static int on_url(llhttp_t *parser, const char *at, size_t length)
{
	struct parse *parse = parser->data;

	parse->head->target = span_of(parse, at, length);
	return 0;
}

static int on_field(llhttp_t *parser, const char *at, size_t length)
{
	struct parse *parse = parser->data;
	struct head *head = parse->head;

	if (head->count == parse->fields_max) {
		parse->too_many = true;
		return HPE_USER;
	}
	head->fields[head->count++].name = span_of(parse, at, length);
	return 0;
}

static int on_complete(llhttp_t *parser)
{
	struct parse *parse = parser->data;

	parse->whole = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_url, .on_header_field = on_field, .on_headers_complete = on_complete};

/* --- what llhttp does not say, or takes lightly --- */

/* Does the first line end with a version, whichever? */
static bool has_version(const char *bytes, size_t length)
{
	const char *end = memchr(bytes, '\n', length);

	return end && end - bytes > 10 && memcmp(end - 10, " HTTP/", 6) == 0 &&
	       isdigit((unsigned char)end[-4]) && end[-3] == '.' &&
	       isdigit((unsigned char)end[-2]) && end[-1] == '\r';
}

/* A method nobody knows and a version of tomorrow are requests in good form. */
static int refuse_line(struct head *head, const struct parse *parse, size_t length)
{
	const char *space = memchr(parse->bytes, ' ', length);

	switch (llhttp_get_errno(&parse->parser)) {
	case HPE_INVALID_VERSION:
	case HPE_PAUSED_H2_UPGRADE:
		if (has_version(parse->bytes, length))
			return head_refuse(head, 505, "the version is not supported");
		return head_refuse(head, 400, "the request line is malformed");
	case HPE_INVALID_METHOD:
		if (space && reply_name_valid(parse->bytes, (size_t)(space - parse->bytes)))
			return head_refuse(head, 501, "the method is unknown");
		return head_refuse(head, 400, "the request line is malformed");
	default:
		return head_refuse(head, 400, llhttp_get_error_reason(&parse->parser));
	}
}

/* Goes over the lines as RFC 9112 writes them and compares with the names that llhttp has found:
 * each must begin where the line before has ended with CR LF, and end at its colon. */
static int walk_fields(struct head *head, const char *bytes, size_t at, size_t length)
{
	for (size_t i = 0; i < head->count; i++) {
		struct head_field *field = &head->fields[i];
		size_t colon = (size_t)field->name.at + field->name.length;
		const char *end;

		if (field->name.at != at)
			return head_refuse(head, 400, "a line is folded or ends with a bare LF");
		if (field->name.length == 0 || bytes[colon] != ':' ||
		    head_is_space(bytes[colon - 1]))
			return head_refuse(head, 400, "a field's name is malformed");
		end = memchr(bytes + colon, '\r', length - colon);
		at = end ? (size_t)(end - bytes) : length;
		if (at + 3 >= length || bytes[at + 1] != '\n')
			return head_refuse(head, 400, "a line does not end with CR LF");
		field->value = head_trimmed(bytes, colon + 1, at);
		at += 2;
	}
	if (at + 2 > length || bytes[at] != '\r' || bytes[at + 1] != '\n')
		return head_refuse(head, 400, "the head does not end with CR LF");
	head->length = at + 2;
	return 0;
}

/* METHOD SP target SP HTTP/1.x CR LF, single spaces. Returns its length, or 0. */
static size_t walk_line(struct head *head, const struct parse *parse, size_t start, size_t length)
{
	const char *method = llhttp_method_name((llhttp_method_t)parse->parser.method);
	size_t method_length = strlen(method);
	size_t end = (size_t)head->target.at + head->target.length;
	char version[] = " HTTP/1.x\r\n";

	head->method = (struct head_span){(uint16_t)start, (uint16_t)method_length};
	version[8] = (char)('0' + head->minor);
	if (head->target.at != start + method_length + 1 || head->target.length == 0 ||
	    memcmp(parse->bytes + start, method, method_length) != 0 ||
	    parse->bytes[start + method_length] != ' ' || end + 11 > length ||
	    memcmp(parse->bytes + end, version, 11) != 0)
		return 0;
	return end + 11;
}

static int check(struct head *head, const struct parse *parse, size_t start, size_t length,
		 const struct head_limits *limits)
{
	size_t line;
	int status;

	if (parse->parser.http_major != 1 || parse->parser.http_minor > 1)
		return head_refuse(head, parse->parser.http_major == 0 ? 400 : 505,
				   "the version is not supported");
	head->minor = parse->parser.http_minor;
	line = walk_line(head, parse, start, length);
	if (line == 0)
		return head_refuse(head, 400, "the request line is malformed");
	if (line - start > limits->line)
		return head_refuse(head, 414, "the request line is too long");
	status = walk_fields(head, parse->bytes, line, length);
	if (status == 0 && head->length > limits->bytes)
		status = head_refuse(head, 431, "the head is too long");
	return status ? status : head_read_fields(head, parse->bytes);
}

static int check_length(const char *bytes, size_t length, const struct head_limits *limits,
			const char **reason)
{
	/* One empty line before it is allowed, RFC 9112 2.2. */
	size_t line = limits->line + 2;

	if (length > line && !memchr(bytes + 2, '\n', line - 2)) {
		*reason = "the request line is too long";
		return 414;
	}
	if (length > limits->bytes) {
		*reason = "the head is too long";
		return 431;
	}
	return HEAD_MORE;
}

int head_parse(struct head *head, const char *bytes, size_t length,
	       const struct head_limits *limits)
{
	struct parse parse = {.head = head, .bytes = bytes, .fields_max = limits->fields};
	size_t start = length >= 2 && bytes[0] == '\r' && bytes[1] == '\n' ? 2 : 0;
	size_t whole = length;
	llhttp_errno_t code;

	/* What follows is the body, or the next request: none of llhttp's business. */
	if (length > limits->bytes + 1)
		length = limits->bytes + 1;
	memset(head, 0, offsetof(struct head, fields));
	/* It would skip any number of empty lines, and lone halves of them. */
	if (length > start && (bytes[start] == '\r' || bytes[start] == '\n') &&
	    (start > 0 || bytes[0] == '\n' || length > 1))
		return head_refuse(head, 400, "empty lines before the request line");
	llhttp_init(&parse.parser, HTTP_REQUEST, &settings);
	parse.parser.data = &parse;
	code = llhttp_execute(&parse.parser, bytes + start, length - start);
	if (parse.whole)
		return check(head, &parse, start, length, limits);
	if (parse.too_many)
		return head_refuse(head, 431, "too many fields");
	if (code != HPE_OK)
		return refuse_line(head, &parse, length);
	return check_length(bytes, whole, limits, &head->reason);
}

int head_wait(const char *bytes, size_t length, const struct head_limits *limits, size_t *scanned,
	      const char **reason)
{
	size_t from = *scanned;
	const char *end;

	*scanned = length;
	while (from < length && (end = memchr(bytes + from, '\n', length - from))) {
		size_t at = (size_t)(end - bytes);

		if (at == 0 || bytes[at - 1] != '\r') {
			*reason = "a line ends with a bare LF";
			return 400;
		}
		if (at >= 3 && bytes[at - 2] == '\n')
			return HEAD_WHOLE;
		from = at + 1;
	}
	return check_length(bytes, length, limits, reason);
}
