#ifndef LUVD_SERVICE_HTTP_CONDITION_H
#define LUVD_SERVICE_HTTP_CONDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Conditional and partial requests for one file: RFC 9110 13 and 14. */

struct condition_field {
	const char *bytes; /* NULL: the request has none */
	size_t length;
};

struct condition {
	/* Of the request: If-None-Match, If-Modified-Since, Range, If-Range. */
	struct condition_field none_match, modified_since, range, if_range;
	/* Of the file. */
	uint64_t size;
	struct timespec modified;
	time_t now;
};

enum { CONDITION_TAG_MAX = 48 };

/* W/"..." of size and time: two files of one name that are written within a tick of the kernel's
 * clock to the same size have the same, so it is a weak one. Returns the length. */
size_t condition_tag(const struct condition *condition, char out[CONDITION_TAG_MAX]);

/* The status: 200; 304; 206 with the bytes from *first to *last; 416. A Range that is malformed, or
 * has several parts, is ignored, as RFC 9110 14.2 allows. */
int condition_status(const struct condition *condition, uint64_t *first, uint64_t *last);

/* The three forms of RFC 9110 5.6.7. false: none of them. */
bool condition_date(struct condition_field field, time_t *time);

#endif
