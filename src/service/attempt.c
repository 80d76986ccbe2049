#include "service/attempt.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "service/tcp.h"
#include "service/vm.h"

/* It outlives its end until the loop has closed its poll. */
struct attempt {
	struct vm *vm;
	void (*done)(void *data, int error);
	void *data;
	uv_poll_t poll;
	int fd;
};

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct attempt *attempt = poll->data;
	socklen_t length = sizeof status;
	int error = 0;

	(void)events;
	uv_poll_stop(poll);
	/* The socket knows why; libuv calls any failure EBADF. */
	if (getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		error = errno;
	else if (error == 0 && status < 0)
		error = -status;
	attempt->done(attempt->data, error);
}

static void on_closed(uv_handle_t *handle)
{
	struct attempt *attempt = handle->data;

	attempt->vm->handles--;
	free(attempt);
}

/* Non-blocking and on its way, or there; -1 with errno. */
static int open_socket(const struct sockaddr_storage *address, socklen_t length)
{
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = 0;

	if (fd < 0)
		return -1;
	if (address->ss_family != AF_UNIX)
		error = -tcp_set_options(fd);
	if (error == 0 && connect(fd, (const struct sockaddr *)address, length) < 0 &&
	    errno != EINPROGRESS && errno != EINTR)
		error = errno;
	if (error == 0)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

struct attempt *attempt_begin(struct vm *vm, const struct sockaddr_storage *address,
			      socklen_t length, void (*done)(void *data, int error), void *data,
			      int *error)
{
	struct attempt *attempt = calloc(1, sizeof *attempt);
	int fd = attempt ? open_socket(address, length) : -1, code;

	*error = attempt ? errno : ENOMEM;
	if (fd < 0) {
		free(attempt);
		return NULL;
	}
	code = uv_poll_init(vm->loop, &attempt->poll, fd);
	if (code < 0) {
		*error = -code;
		close(fd);
		free(attempt);
		return NULL;
	}
	attempt->vm = vm;
	attempt->done = done;
	attempt->data = data;
	attempt->fd = fd;
	attempt->poll.data = attempt;
	vm->handles++;
	uv_poll_start(&attempt->poll, UV_WRITABLE, on_poll);
	return attempt;
}

int attempt_take(struct attempt *attempt)
{
	/* Stopped before the descriptor is closed or given away: the loop forgets it at once. */
	uv_poll_stop(&attempt->poll);
	vm_close_handle(attempt->vm, (uv_handle_t *)&attempt->poll, on_closed);
	return attempt->fd;
}

void attempt_end(struct attempt *attempt)
{
	if (attempt)
		close(attempt_take(attempt));
}
