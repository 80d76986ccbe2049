#include "plan/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "plan/address.h"
#include "plan/listen.h"
#include "plan/unix.h"
#include "sys/sys.h"

int listener_tell(struct listener *listener, struct err *err)
{
	struct sockaddr_storage address;
	socklen_t length;

	if (sys_socket_name(listener->fd, &address, &length) < 0)
		return err_sys(err, "cannot tell the address of %s", listener->address->text);
	if (listener->address->kind == ADDRESS_UNIX && !listener->inherited)
		/* The kernel only knows the name it was bound to, before the rename. */
		snprintf(listener->actual, sizeof listener->actual, "%s", listener->address->text);
	else
		address_text(&address, length, listen_type(listener->address), listener->actual,
			     sizeof listener->actual);
	return 0;
}

static int bind_unix(struct listener *listener, uid_t self, struct err *err)
{
	const struct listen *listen = listener->listen;
	struct made made = {0};
	struct unix_file file = {.path = unix_path(listener->address),
				 .mode = listen->mode,
				 .uid = listen->owner ? listen->uid : (uid_t)-1,
				 .gid = listen->owner ? listen->gid : (gid_t)-1,
				 .backlog = listen->backlog};
	int result = unix_listen(listener->fd, &file, self, &made, err);

	listener->device = made.device;
	listener->inode = made.inode;
	return result;
}

static int set_options(const struct listener *listener, int fd, bool shared)
{
	size_t buffer = listener->listen->receive_buffer;

	if (listener->address->kind == ADDRESS_TCP &&
	    sys_socket_set(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0)
		return -1;
	if (shared && sys_socket_set(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0)
		return -1;
	if (listener->address->socket.ss_family == AF_INET6 &&
	    sys_socket_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) < 0)
		return -1;
	if (buffer > INT32_MAX) {
		errno = EINVAL;
		return -1;
	}
	return buffer ? sys_socket_set(fd, SOL_SOCKET, SO_RCVBUF, (int)buffer) : 0;
}

/* shared: with SO_REUSEPORT. */
static int open_socket(const struct listener *listener, bool shared, int *fd, struct err *err)
{
	const struct address *address = listener->address;

	*fd = sys_socket(address->socket.ss_family, listen_type(address));
	if (*fd < 0)
		return err_sys(err, "cannot make a socket for %s", address->text);
	if (set_options(listener, *fd, shared) < 0)
		return err_sys(err, "cannot set the options of %s", address->text);
	return 0;
}

static int bind_at(const struct listener *listener, int fd, const struct sockaddr_storage *place,
		   socklen_t length, struct err *err)
{
	const struct address *address = listener->address;

	if (sys_bind(fd, (const struct sockaddr *)place, length) < 0 ||
	    (address->kind != ADDRESS_UDP && sys_listen(fd, listener->listen->backlog) < 0))
		return err_sys(err, "cannot bind %s", address->text);
	return 0;
}

int listener_bind(struct listener *listener, uid_t self, struct err *err)
{
	const struct address *address = listener->address;

	if (open_socket(listener, listener->listen->reuseport, &listener->fd, err) < 0)
		return -1;
	if (address->kind == ADDRESS_UNIX)
		return bind_unix(listener, self, err) < 0 ? -1 : listener_tell(listener, err);
	if (bind_at(listener, listener->fd, &address->socket, address->length, err) < 0)
		return -1;
	return listener_tell(listener, err);
}

/* Where the first one is: when the kernel has chosen the port the others have to share it. */
static int bind_others(struct listener *listener, size_t count, struct err *err)
{
	struct sockaddr_storage place;
	socklen_t length;

	if (sys_socket_name(listener->fd, &place, &length) < 0)
		return err_sys(err, "cannot tell the address of %s", listener->address->text);
	listener->others = calloc(count, sizeof *listener->others);
	if (!listener->others)
		return err_set(err, "out of memory");
	while (listener->other_count < count) {
		int *fd = &listener->others[listener->other_count++];

		if (open_socket(listener, true, fd, err) < 0 ||
		    bind_at(listener, *fd, &place, length, err) < 0)
			return -1;
	}
	return 0;
}

/* The kernel lets a process of the same user in beside ours: a socket that shares nothing finds out
 * whether somebody is there already. */
static int check_free(const struct listener *listener, struct err *err)
{
	const struct address *address = listener->address;
	int fd = -1, result = open_socket(listener, false, &fd, err);

	if (result == 0 &&
	    sys_bind(fd, (const struct sockaddr *)&address->socket, address->length) < 0)
		result = err_sys(err, "cannot bind %s", address->text);
	sys_close(fd);
	return result;
}

int listener_bind_all(struct listener *listener, int workers, uid_t self, struct err *err)
{
	if (listener->listen->reuseport && check_free(listener, err) < 0)
		return -1;
	if (listener_bind(listener, self, err) < 0)
		return -1;
	if (!listener->listen->reuseport || workers < 2)
		return 0;
	return bind_others(listener, (size_t)workers - 1, err);
}

void listener_close(struct listener *listener)
{
	sys_close(listener->fd);
	listener->fd = -1;
	for (size_t i = 0; i < listener->other_count; i++)
		sys_close(listener->others[i]);
	free(listener->others);
	listener->others = NULL;
	listener->other_count = 0;
}
