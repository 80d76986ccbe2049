#ifndef LUVD_SERVICE_HTTP_BODY_H
#define LUVD_SERVICE_HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the body of a message ends: after its length, or after the last chunk, RFC 9112 7.1. */

enum body_state {
	BODY_DATA, /* left bytes of it, or of a chunk */
	BODY_SIZE, /* of a chunk */
	BODY_EXTENSION,
	BODY_SIZE_LF,
	BODY_DATA_CR,
	BODY_DATA_LF,
	BODY_TRAILER,
	BODY_TRAILER_LF,
	BODY_DONE,
	BODY_WRONG
};

struct body {
	uint64_t left; /* bytes of the body or of the chunk that have not come */
	uint8_t state; /* enum body_state */
	bool chunked;
	uint8_t digits;  /* of the size so far */
	bool line_empty; /* the line of the trailer has nothing yet */
	uint16_t extra;  /* bytes of the extension, or of all trailers */
};

enum {
	BODY_EXTENSION_MAX = 256, /* bytes that chunks carry beside the data: nobody needs them */
	BODY_TRAILER_MAX = 8192
};

void body_begin(struct body *body, bool chunked, uint64_t length);

/* Takes bytes of the message. The first piece of data among them is *data, *data_length bytes
 * (0: none); returns how many bytes are used up with it. 0 used: nothing can be done without more,
 * or it is done, or wrong. Trailers are thrown away. */
size_t body_take(struct body *body, const char *bytes, size_t length, const char **data,
		 size_t *data_length);

static inline bool body_done(const struct body *body)
{
	return body->state == BODY_DONE;
}

static inline bool body_wrong(const struct body *body)
{
	return body->state == BODY_WRONG;
}

#endif
