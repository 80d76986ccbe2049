#include <stdlib.h>
#include <string.h>

#include "service/http/http.h"

/* A body that comes in pieces and is wanted as a whole. */

void http_body_forget(struct http_conn *hc)
{
	free(hc->gathered);
	hc->gathered = NULL;
	hc->gathered_length = hc->gathered_room = 0;
}

int http_body_gather(struct http_conn *hc, const char *bytes, size_t length)
{
	size_t needed = hc->gathered_length + length;

	if (needed > hc->gathered_room) {
		size_t room = 2 * needed;
		char *fresh = realloc(hc->gathered, room);

		if (!fresh)
			return -1;
		hc->gathered = fresh;
		hc->gathered_room = room;
	}
	memcpy(hc->gathered + hc->gathered_length, bytes, length);
	hc->gathered_length = needed;
	return 0;
}
