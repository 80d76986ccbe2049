#ifndef LUVD_SERVICE_HTTP_HEAD_H
#define LUVD_SERVICE_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The head of an HTTP/1 request: its line and its fields, RFC 9112. llhttp finds the tokens; what
 * two programs could read in two ways, and so smuggle a request past one of them, is refused here:
 * a bare LF or CR, a folded line, a space before a colon, two lengths, a length beside a coding. */

enum {
	HEAD_BYTES_MAX = 61440, /* a whole head lies in what a connection reads ahead */
	HEAD_FIELDS_MAX = 200
};

struct head_limits {
	size_t line;   /* bytes of the request line */
	size_t bytes;  /* of the head; at most HEAD_BYTES_MAX */
	size_t fields; /* at most HEAD_FIELDS_MAX */
};

struct head_span {
	uint16_t at, length;
};

struct head_field {
	struct head_span name, value;
};

struct head {
	struct head_span method, target;
	size_t count;
	size_t length; /* with the empty line at its end */
	int minor;     /* of the version: 1.0 or 1.1 */
	bool close;    /* the connection ends after the answer */
	bool chunked;
	bool sized;   /* it has a Content-Length: length of the body */
	bool expects; /* 100-continue */
	bool hosted;
	struct head_span host;
	uint64_t body;      /* bytes, by Content-Length */
	const char *reason; /* why it is refused, static */
	struct head_field fields[HEAD_FIELDS_MAX];
};

enum { HEAD_MORE = 0, HEAD_WHOLE = 200 };

/* HEAD_WHOLE: head is filled, its offsets count from bytes. HEAD_MORE: no end was found, and
 * nothing wrong so far. Else the status of the answer that refuses it; the connection is of no use
 * any more, for nobody knows where the next request begins. */
int head_parse(struct head *head, const char *bytes, size_t length,
	       const struct head_limits *limits);

/* For a head that comes in pieces: HEAD_WHOLE when its end has come and head_parse is worth its
 * while, HEAD_MORE, or a status as above. Looks only at what was not looked at yet: *scanned bytes,
 * 0 at first. */
int head_wait(const char *bytes, size_t length, const struct head_limits *limits, size_t *scanned,
	      const char **reason);

/* The field's index, or -1; the name in any case. from: 0, or one more than the last found. */
int head_find(const char *bytes, const struct head_field *fields, size_t count, const char *name,
	      size_t length, size_t from);

#endif
