#include "plan/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

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

static int set_options(const struct listener *listener)
{
	int fd = listener->fd;
	size_t buffer = listener->listen->receive_buffer;

	if (listener->address->kind == ADDRESS_TCP &&
	    sys_socket_set(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0)
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

int listener_bind(struct listener *listener, uid_t self, struct err *err)
{
	const struct address *address = listener->address;
	const struct sockaddr *socket = (const struct sockaddr *)&address->socket;

	listener->fd = sys_socket(address->socket.ss_family, listen_type(address));
	if (listener->fd < 0)
		return err_sys(err, "cannot make a socket for %s", address->text);
	if (set_options(listener) < 0)
		return err_sys(err, "cannot set the options of %s", address->text);
	if (address->kind == ADDRESS_UNIX)
		return bind_unix(listener, self, err) < 0 ? -1 : listener_tell(listener, err);
	if (sys_bind(listener->fd, socket, address->length) < 0 ||
	    (address->kind != ADDRESS_UDP &&
	     sys_listen(listener->fd, listener->listen->backlog) < 0))
		return err_sys(err, "cannot bind %s", address->text);
	return listener_tell(listener, err);
}
