#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "service/http/head_fields.h"

/* What is taken lightly elsewhere: the fields that say where a body ends. */

static bool span_is(const char *bytes, struct head_span span, const char *text, size_t length)
{
	/* The first letter tells most apart. */
	return span.length == length && (bytes[span.at] | 0x20) == (*text | 0x20) &&
	       strncasecmp(bytes + span.at, text, length) == 0;
}

#define SPAN_IS(bytes, span, text) span_is(bytes, span, text, sizeof(text) - 1)

static int read_host(struct head *head, const char *bytes, struct head_span value)
{
	static const char others[] = "-._~!$&'()*+,;=%:[]";

	if (head->hosted)
		return head_refuse(head, 400, "more than one Host");
	for (size_t i = 0; i < value.length; i++)
		if (!isalnum((unsigned char)bytes[value.at + i]) &&
		    !memchr(others, bytes[value.at + i], sizeof others - 1))
			return head_refuse(head, 400, "Host is malformed");
	head->hosted = true;
	head->host = value;
	return 0;
}

/* Digits only, one value only, even when a second one says the same: RFC 9112 6.3 allows to refuse,
 * and others may not see it as we do. */
static int read_length(struct head *head, const char *bytes, struct head_span value)
{
	if (head->sized)
		return head_refuse(head, 400, "more than one Content-Length");
	if (value.length == 0 || value.length > 18)
		return head_refuse(head, 400, "Content-Length is malformed");
	for (size_t i = 0; i < value.length; i++) {
		char digit = bytes[value.at + i];

		if (digit < '0' || digit > '9')
			return head_refuse(head, 400, "Content-Length is malformed");
		head->body = head->body * 10 + (uint64_t)(digit - '0');
	}
	head->sized = true;
	return 0;
}

static int read_coding(struct head *head, const char *bytes, struct head_span value)
{
	if (head->chunked || !SPAN_IS(bytes, value, "chunked"))
		return head_refuse(head, 400, "Transfer-Encoding is not just chunked");
	head->chunked = true;
	return 0;
}

/* A list of tokens: close outweighs keep-alive. */
static void read_connection(const char *bytes, struct head_span value, bool *close, bool *keep)
{
	size_t start = value.at, end = start + value.length;

	while (start <= end) {
		const char *comma = memchr(bytes + start, ',', end - start);
		size_t stop = comma ? (size_t)(comma - bytes) : end;
		struct head_span token = head_trimmed(bytes, start, stop);

		*close |= SPAN_IS(bytes, token, "close");
		*keep |= SPAN_IS(bytes, token, "keep-alive");
		start = stop + 1;
	}
}

static int read_expect(struct head *head, const char *bytes, struct head_span value)
{
	if (!SPAN_IS(bytes, value, "100-continue"))
		return head_refuse(head, 417, "the expectation is unknown");
	head->expects = head->minor == 1;
	return 0;
}

static int check_together(struct head *head)
{
	if (head->chunked && head->sized)
		return head_refuse(head, 400, "Content-Length beside Transfer-Encoding");
	if (head->chunked && head->minor == 0)
		return head_refuse(head, 400, "Transfer-Encoding in HTTP/1.0");
	if (!head->hosted && head->minor == 1)
		return head_refuse(head, 400, "Host is missing");
	return HEAD_WHOLE;
}

/* One field; 0, or the status that refuses the request. The lengths of the names differ: most
 * fields are told by theirs. */
static int read_field(struct head *head, const char *bytes, const struct head_field *field,
		      bool *close, bool *keep)
{
	struct head_span name = field->name;

	switch (name.length) {
	case sizeof "host" - 1:
		return SPAN_IS(bytes, name, "host") ? read_host(head, bytes, field->value) : 0;
	case sizeof "expect" - 1:
		return SPAN_IS(bytes, name, "expect") ? read_expect(head, bytes, field->value) : 0;
	case sizeof "connection" - 1:
		if (SPAN_IS(bytes, name, "connection"))
			read_connection(bytes, field->value, close, keep);
		return 0;
	case sizeof "content-length" - 1:
		return SPAN_IS(bytes, name, "content-length")
			   ? read_length(head, bytes, field->value)
			   : 0;
	case sizeof "transfer-encoding" - 1:
		return SPAN_IS(bytes, name, "transfer-encoding")
			   ? read_coding(head, bytes, field->value)
			   : 0;
	default:
		return 0;
	}
}

/* The fields that say where a body ends and what becomes of the connection. */
int head_read_fields(struct head *head, const char *bytes)
{
	bool close = false, keep = false;
	int status = 0;

	for (size_t i = 0; i < head->count && status == 0; i++)
		status = read_field(head, bytes, &head->fields[i], &close, &keep);
	head->close = close || (head->minor == 0 && !keep);
	return status ? status : check_together(head);
}

int head_find(const char *bytes, const struct head_field *fields, size_t count, const char *name,
	      size_t length, size_t from)
{
	for (size_t i = from; i < count; i++)
		if (span_is(bytes, fields[i].name, name, length))
			return (int)i;
	return -1;
}
