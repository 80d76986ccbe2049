#ifndef LUVD_SERVICE_CONN_H
#define LUVD_SERVICE_CONN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "service/alarm.h"
#include "service/list.h"

/* A connected stream socket and who takes its bytes. Bytes that nobody takes are kept up to a
 * bound, then the socket is not read; bytes that the peer does not take are queued. There may be
 * tens of thousands: what only some need is allocated when they do. */

struct vm;
struct acceptor;
struct conn;
struct unread;

enum { CONN_READ_AHEAD = 65536 };

/* Who takes the bytes. All are called from the loop, never from inside a call of conn_*. */
struct conn_user {
	/* Bytes have come, or the end (conn->eof), or it has failed (conn->failure): look. */
	void (*readable)(struct conn *conn);
	/* The queue was above the high-water mark and is at or below it now. */
	void (*writable)(struct conn *conn);
	/* Closed, and freed after this call unless held; conn->data is yours to free. After
	 * conn_close and conn_abort this is all that is called. */
	void (*gone)(struct conn *conn);
};

/* Why a connection, or one call on it, has failed: one of these, or a negative code of libuv, then
 * it was the peer or the network. */
enum conn_failure {
	CONN_OK,
	CONN_CLOSED, /* by us */
	CONN_IDLE,
	CONN_NO_MEMORY,
	CONN_NOT_TAKEN, /* bytes, in the time that the writer gave */
	/* of one call */
	CONN_CUT,      /* the end came inside of what was asked for */
	CONN_TOO_LONG, /* what was asked for */
	CONN_LATE,
	CONN_SHUT,
	CONN_SLOW
};

struct failure {
	const char *message, *code; /* static */
	bool peer;                  /* it was not us */
};
struct failure conn_explain(int failure);

/* Who is at the other end, in 24 bytes. */
struct conn_peer {
	sa_family_t family;
	in_port_t port;         /* in network order */
	uint32_t extra;         /* AF_INET6: scope; AF_UNIX: uid when max_per_peer counts it */
	unsigned char host[16]; /* in network order */
};

struct conn {
	struct acceptor *acceptor; /* NULL: not accepted but opened by us */
	struct link all;           /* in the server, or in vm->conns */
	const struct conn_user *user;
	void *data; /* the user's */
	struct unread *unread;
	struct alarm alarm; /* idle; the end of a close; a failure that is still to be told */
	struct conn_peer peer;
	uint32_t active;       /* when the last byte came or went, see conn_clock */
	int16_t failure;       /* every call returns it; CONN_OK: none */
	bool eof : 1;          /* the peer will say no more */
	bool shut : 1;         /* shutdown was called: nothing more may be written */
	bool closed : 1;       /* by us: only what is queued goes out still */
	bool open : 1;         /* the loop knows its handle */
	bool started : 1;      /* uv_read_start is on */
	bool asked : 1;        /* for more than CONN_READ_AHEAD, once */
	bool paused : 1;       /* CONN_READ_AHEAD bytes are unread: goes on by itself */
	bool fresh : 1;        /* unread is in the loop's read buffer, while on_read runs */
	bool above : 1;        /* the queue is above the high-water mark */
	bool lingers : 1;      /* all is sent: what the peer still says is thrown away */
	bool leaving : 1;      /* opened by us, closed with a queue: a stop waits for it */
	uint8_t held : 2;      /* its memory stays until so many conn_drop */
	bool reading : 1;      /* conn_lua.h: a task waits for bytes */
	uint8_t soft : 4;      /* conn_lua.h: how the last read failed that the stream survived */
	union {                /* last: only as much as its kind needs is allocated */
		struct vm *vm; /* the handle's data */
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	};
};

/* A connected descriptor, non-blocking. acceptor NULL: it was connected by us. fd is -1 once a
 * connection has taken it. */
struct incoming {
	struct acceptor *acceptor;
	int fd;
	struct conn_peer peer;
};

/* Makes a connection of it that is not read yet; counts into its server and acceptor. NULL with
 * libuv's code in *code, and then incoming->fd is still the caller's. */
struct conn *conn_open(struct vm *vm, struct incoming *incoming, const struct conn_user *user,
		       void *data, int *code);

/* Sends what is queued first, at most timeouts.stop; what is unread is thrown away. Never waits. */
void conn_close(struct conn *conn);
/* Drops what is queued; a reset for tcp. */
void conn_abort(struct conn *conn);
/* Keeps the memory (failure, peer) beyond gone, for up to three; conn_drop closes what is still
 * open. */
void conn_hold(struct conn *conn);
void conn_drop(struct conn *conn);
/* Makes every later call return failure; the user is told on the next turn of the loop. Only the
 * first counts. */
void conn_fail(struct conn *conn, int failure);

struct view {
	const char *bytes;
	size_t length;
};
/* What is there, unread; valid until the next call of conn_* or the return to the loop. The user
 * called for bytes that have just come sees the loop's read buffer: only what it does not consume
 * is copied. */
struct view conn_view(const struct conn *conn);
void conn_consume(struct conn *conn, size_t count);

/* Lets bytes come. Reading stops by itself when CONN_READ_AHEAD bytes lie unread, and goes on at
 * conn_consume; called again meanwhile it lets still more come, once. 0 or a code of libuv, with
 * which the connection has failed. */
int conn_read_start(struct conn *conn);
void conn_read_stop(struct conn *conn);

/* All of it is sent at once or copied to the queue, in order: 0. -1: the connection has failed
 * (then or before), or was shut. */
int conn_send(struct conn *conn, const uv_buf_t *parts, unsigned count);
size_t conn_queued(const struct conn *conn);
/* write_buffer of the listener; 256 KiB. */
size_t conn_high_water(const struct conn *conn);
/* Ends our side once the queue is sent; the peer may go on. 0 or a code of libuv. */
int conn_shutdown(struct conn *conn);

struct conn_peer conn_peer_of(const struct sockaddr_storage *address);
enum { CONN_ADDRESS_MAX = 176 };
/* "tcp://127.0.0.1:49152", which stays known when it has failed; "unix:". */
const char *conn_peer(const struct conn *conn, char text[CONN_ADDRESS_MAX]);
const char *conn_peer_text(const struct conn_peer *peer, char text[CONN_ADDRESS_MAX]);
/* "closed" when it is. */
const char *conn_local(const struct conn *conn, char text[CONN_ADDRESS_MAX]);

/* --- between conn.c, conn_in.c and conn_out.c --- */

/* The loop's time in steps of 16 milliseconds, for conn->active: 32 bits last for two years. */
static inline uint32_t conn_clock(uint64_t now)
{
	return (uint32_t)(now >> 4);
}
/* conn_fail in a callback of the loop: the user is told at once. */
void conn_fail_now(struct conn *conn, int failure);
/* Throws away what is unread. */
void conn_forget(struct conn *conn);
/* The last queued byte is sent; the queue cannot be sent; the peer has nothing more to say. They
 * go on with a close that waits for it. */
void conn_flushed(struct conn *conn);
void conn_broken(struct conn *conn);
void conn_lingered(struct conn *conn);

#endif
