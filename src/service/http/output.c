#include <stdlib.h>
#include <string.h>

#include "service/http/http.h"

int output_init(struct output *output)
{
	output->bytes = malloc(OUTPUT_ROOM);
	return output->bytes ? 0 : -1;
}

static int send_batch(struct output *output, const char *bytes, size_t length)
{
	uv_buf_t parts[2] = {uv_buf_init(output->bytes, (unsigned)output->length),
			     uv_buf_init((char *)bytes, (unsigned)length)};
	unsigned first = output->length == 0;
	unsigned count = (unsigned)(output->length > 0) + (length > 0);
	struct http_conn *hc = output->owner;

	output->length = 0;
	output->owner = NULL;
	return count == 0 ? 0 : conn_send(hc->conn, parts + first, count);
}

int output_flush(struct http *http)
{
	return http->output.owner ? send_batch(&http->output, NULL, 0) : 0;
}

/* Another's answers go first: handlers of two connections may end in one turn. */
static struct output *own(struct http_conn *hc)
{
	struct output *output = &hc->http->output;

	if (output->owner != hc) {
		output_flush(hc->http);
		output->owner = hc;
	}
	return output;
}

char *output_room(struct http_conn *hc, size_t size)
{
	struct output *output = own(hc);

	if (output->length + size > OUTPUT_ROOM) {
		output_flush(hc->http);
		output->owner = hc;
	}
	return output->bytes + output->length;
}

void output_add(struct http_conn *hc, size_t length)
{
	hc->http->output.length += length;
}

int output_put(struct http_conn *hc, const char *bytes, size_t length)
{
	struct output *output = own(hc);

	if (length > OUTPUT_ROOM - output->length)
		return send_batch(output, bytes, length);
	memcpy(output->bytes + output->length, bytes, length);
	output->length += length;
	return output->length > OUTPUT_BATCH ? send_batch(output, NULL, 0) : 0;
}
