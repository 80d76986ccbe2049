#include <stdlib.h>
#include <string.h>

#include "service/conn.h"
#include "service/vm.h"

/* What is left is [start, end). Kept bytes lie behind the struct, fresh ones in the loop's read
 * buffer. */
struct unread {
	char *bytes;
	size_t start, end, room;
};

static size_t length_of(const struct conn *conn)
{
	return conn->unread ? conn->unread->end - conn->unread->start : 0;
}

struct view conn_view(const struct conn *conn)
{
	if (!conn->unread)
		return (struct view){"", 0};
	return (struct view){conn->unread->bytes + conn->unread->start, length_of(conn)};
}

static int start(struct conn *conn);

void conn_forget(struct conn *conn)
{
	if (!conn->fresh)
		free(conn->unread);
	conn->unread = NULL;
	conn->fresh = false;
}

void conn_consume(struct conn *conn, size_t count)
{
	/* What its user has done with the bytes may have run a finalizer that has closed it. */
	if (count == 0 || !conn->unread)
		return;
	conn->unread->start += count;
	if (conn->unread->start == conn->unread->end)
		conn_forget(conn);
	if (conn->paused && length_of(conn) < CONN_READ_AHEAD)
		start(conn);
}

/* --- keeping --- */

static int make_room(struct conn *conn, size_t count)
{
	struct unread *unread = conn->unread;
	size_t length = length_of(conn), room = unread ? unread->room : 1024;

	if (unread && unread->start > 0) {
		memmove(unread->bytes, unread->bytes + unread->start, length);
		unread->start = 0;
		unread->end = length;
	}
	while (room < length + count)
		room *= 2;
	if (unread && room == unread->room)
		return 0;
	unread = realloc(unread, sizeof *unread + room);
	if (!unread)
		return -1;
	*unread = (struct unread){.bytes = (char *)(unread + 1), .end = length, .room = room};
	conn->unread = unread;
	return 0;
}

static int keep(struct conn *conn, const char *bytes, size_t count)
{
	if ((!conn->unread || conn->unread->room - conn->unread->end < count) &&
	    make_room(conn, count) < 0)
		return -1;
	memcpy(conn->unread->bytes + conn->unread->end, bytes, count);
	conn->unread->end += count;
	return 0;
}

/* --- the socket --- */

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
	struct conn *conn = LIST_ENTRY(handle, struct conn, handle);

	(void)size;
	*buffer = uv_buf_init(conn->vm->read_buffer, READ_SIZE);
}

/* Enough is kept and no more was asked for: the kernel's window tells the peer to wait. */
static void pause_if_enough(struct conn *conn)
{
	if (!conn->started || conn->asked || length_of(conn) < CONN_READ_AHEAD)
		return;
	conn_read_stop(conn);
	conn->paused = true;
}

static void on_fresh(struct conn *conn, char *bytes, size_t count)
{
	struct unread fresh = {.bytes = bytes, .end = count};

	conn->unread = &fresh;
	conn->fresh = true;
	conn->user->readable(conn);
	if (!conn->fresh)
		return; /* consumed or thrown away */
	conn->fresh = false;
	conn->unread = NULL;
	if (keep(conn, bytes + fresh.start, fresh.end - fresh.start) < 0)
		conn_fail_now(conn, CONN_NO_MEMORY);
}

static void on_bytes(struct conn *conn, char *bytes, size_t count)
{
	conn->active = conn_clock(vm_now(conn->vm));
	conn->asked = false;
	if (!conn->unread)
		on_fresh(conn, bytes, count);
	else if (keep(conn, bytes, count) < 0)
		conn_fail_now(conn, CONN_NO_MEMORY);
	else
		conn->user->readable(conn);
	pause_if_enough(conn);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
	struct conn *conn = LIST_ENTRY(stream, struct conn, stream);

	if (count == 0)
		return;
	if (conn->closed) {
		if (count < 0)
			conn_lingered(conn);
		return;
	}
	if (count > 0) {
		on_bytes(conn, buffer->base, (size_t)count);
		return;
	}
	conn_read_stop(conn);
	if (count != UV_EOF) {
		conn_fail_now(conn, (int)count);
		return;
	}
	conn->eof = true;
	conn->user->readable(conn);
}

static int start(struct conn *conn)
{
	int code;

	conn->paused = false;
	if (conn->started || conn->eof || (conn->failure && !conn->lingers))
		return 0;
	code = uv_read_start(&conn->stream, on_alloc, on_read);
	conn->started = code == 0;
	if (code < 0)
		conn_fail(conn, code);
	return code;
}

int conn_read_start(struct conn *conn)
{
	conn->asked = true;
	return start(conn);
}

void conn_read_stop(struct conn *conn)
{
	if (conn->started)
		uv_read_stop(&conn->stream);
	conn->started = conn->paused = false;
}
