#include <stdlib.h>
#include <string.h>

#include "service/http/http.h"

int batch_init(struct batch *batch)
{
	batch->bytes = malloc(BATCH_ROOM);
	return batch->bytes ? 0 : -1;
}

static int send_batch(struct batch *batch, const char *bytes, size_t length)
{
	/* Not uv_buf_init, whose length is an unsigned int. */
	uv_buf_t parts[2] = {{.base = batch->bytes, .len = batch->length},
			     {.base = (char *)bytes, .len = length}};
	unsigned first = batch->length == 0;
	unsigned count = (unsigned)(batch->length > 0) + (length > 0);
	struct http_conn *hc = batch->owner;

	batch->length = 0;
	batch->owner = NULL;
	return count == 0 ? 0 : conn_send(hc->conn, parts + first, count);
}

int batch_flush(struct http *http)
{
	return http->batch.owner ? send_batch(&http->batch, NULL, 0) : 0;
}

/* Another's answers go first: handlers of two connections may end in one turn. */
static struct batch *own(struct http_conn *hc)
{
	struct batch *batch = &hc->http->batch;

	if (batch->owner != hc) {
		batch_flush(hc->http);
		batch->owner = hc;
	}
	return batch;
}

char *batch_room(struct http_conn *hc, size_t size)
{
	struct batch *batch = own(hc);

	if (batch->length + size > BATCH_ROOM) {
		batch_flush(hc->http);
		batch->owner = hc;
	}
	return batch->bytes + batch->length;
}

void batch_add(struct http_conn *hc, size_t length)
{
	hc->http->batch.length += length;
}

int batch_put(struct http_conn *hc, const char *bytes, size_t length)
{
	struct batch *batch = own(hc);

	if (length > BATCH_ROOM - batch->length)
		return send_batch(batch, bytes, length);
	memcpy(batch->bytes + batch->length, bytes, length);
	batch->length += length;
	return batch->length > BATCH_FULL ? send_batch(batch, NULL, 0) : 0;
}
