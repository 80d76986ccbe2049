#include <stdlib.h>
#include <string.h>

#include "service/conn.h"
#include "service/server.h"
#include "service/vm.h"

/* What the kernel did not take at once. */
struct outgoing {
	uv_write_t request;
	char bytes[];
};

size_t conn_queued(const struct conn *conn)
{
	return conn->stream.write_queue_size;
}

size_t conn_high_water(const struct conn *conn)
{
	return conn->acceptor ? server_listen(conn->acceptor->server)->write_buffer : 262144;
}

static void on_written(uv_write_t *request, int status)
{
	struct conn *conn = LIST_ENTRY(request->handle, struct conn, stream);

	free(request->data);
	conn->active = conn_clock(vm_now(conn->vm));
	if (uv_is_closing(&conn->handle))
		return;
	if (status < 0) {
		if (!conn->closed)
			conn_fail_now(conn, status);
		conn_broken(conn);
		return;
	}
	if (conn->above && conn_queued(conn) <= conn_high_water(conn)) {
		conn->above = false;
		if (!conn->failure)
			conn->user->writable(conn);
	}
	if (conn_queued(conn) == 0)
		conn_flushed(conn);
}

static void copy(char *to, const uv_buf_t *parts, unsigned count, size_t skip)
{
	for (unsigned i = 0; i < count; i++) {
		size_t sent = skip < parts[i].len ? skip : parts[i].len;

		if (sent < parts[i].len)
			memcpy(to, parts[i].base + sent, parts[i].len - sent);
		to += parts[i].len - sent;
		skip -= sent;
	}
}

/* Copies what is left after sent bytes: the caller's may be gone before the kernel takes them. */
static int enqueue(struct conn *conn, const uv_buf_t *parts, unsigned count, size_t sent,
		   size_t left)
{
	struct outgoing *outgoing = malloc(sizeof *outgoing + left);
	uv_buf_t buffer;
	int code;

	if (!outgoing)
		return UV_ENOMEM;
	copy(outgoing->bytes, parts, count, sent);
	/* Not uv_buf_init, whose length is an unsigned int. */
	buffer = (uv_buf_t){.base = outgoing->bytes, .len = left};
	outgoing->request.data = outgoing;
	code = uv_write(&outgoing->request, &conn->stream, &buffer, 1, on_written);
	if (code < 0)
		free(outgoing);
	else if (conn_queued(conn) > conn_high_water(conn))
		conn->above = true;
	return code;
}

int conn_send(struct conn *conn, const uv_buf_t *parts, unsigned count)
{
	size_t length = 0;
	int sent = 0;

	if (conn->failure || conn->shut)
		return -1;
	for (unsigned i = 0; i < count; i++)
		length += parts[i].len;
	if (length == 0)
		return 0;
	conn->active = conn_clock(vm_now(conn->vm));
	if (conn_queued(conn) == 0)
		sent = uv_try_write(&conn->stream, parts, count);
	if (sent == UV_EAGAIN)
		sent = 0;
	if (sent >= 0 && (size_t)sent < length)
		sent = enqueue(conn, parts, count, (size_t)sent, length - (size_t)sent);
	if (sent < 0)
		conn_fail(conn, sent);
	return sent < 0 ? -1 : 0;
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
	struct conn *conn = LIST_ENTRY(request->handle, struct conn, stream);

	free(request);
	if (status >= 0 || status == UV_ECANCELED)
		return;
	if (conn->closed)
		conn_broken(conn);
	else if (status != UV_ENOTCONN)
		conn_fail_now(conn, status);
}

int conn_shutdown(struct conn *conn)
{
	uv_shutdown_t *request;
	int code;

	if (conn->shut)
		return 0;
	request = malloc(sizeof *request);
	if (!request)
		return UV_ENOMEM;
	code = uv_shutdown(request, &conn->stream, on_shutdown);
	if (code < 0)
		free(request);
	else
		conn->shut = true;
	return code;
}
