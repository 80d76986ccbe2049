#ifndef LUVD_SERVICE_HTTP_REPLY_H
#define LUVD_SERVICE_HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* The head of an answer, written into memory that is large enough. */

struct reply {
	int status;
	const char *date; /* "Date: ...\r\n" */
	bool close;       /* Connection: close; else, to HTTP/1.0, keep-alive */
	int minor;        /* of the request's version */
	bool chunked;
	bool sized; /* Content-Length: length */
	uint64_t length;
	const char *type; /* NULL: no Content-Type */
};

enum { REPLY_START_MAX = 512, REPLY_TIME_MAX = 32 };

/* Up to the fields of the user's; their end is an empty line. Returns the end. At most
 * REPLY_START_MAX bytes, with a type of at most 100. */
char *reply_start(char *at, const struct reply *reply);

/* May it be the name of a field: a token; a value: no control character but a tab. */
bool reply_name_valid(const char *bytes, size_t length);
bool reply_value_valid(const char *bytes, size_t length);

/* "Sun, 06 Nov 1994 08:49:37 GMT" of a year of four digits, RFC 9110 5.6.7: REPLY_TIME_MAX bytes.
 * Returns the end. */
char *reply_time(char *at, time_t time);

/* "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", RFC 9110 5.6.7. */
void reply_date(char out[40], time_t now);

/* Digits. Returns the end. */
char *reply_number(char *at, uint64_t number);

#endif
