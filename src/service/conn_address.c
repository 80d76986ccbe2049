#include <arpa/inet.h>
#include <stdio.h>

#include "plan/address.h"
#include "service/conn.h"
#include "service/server.h"

const char *conn_peer(const struct conn *conn, char text[CONN_ADDRESS_MAX])
{
	struct sockaddr_storage address = {.ss_family = conn->peer.family};

	if (conn->peer.family == AF_INET)
		*(struct sockaddr_in *)&address = conn->peer.four;
	else if (conn->peer.family == AF_INET6)
		*(struct sockaddr_in6 *)&address = conn->peer.six;
	if (conn->peer.family == AF_UNIX)
		snprintf(text, CONN_ADDRESS_MAX, "unix:");
	else
		address_text(&address, sizeof address, SOCK_STREAM, text, CONN_ADDRESS_MAX);
	return text;
}

const char *conn_local(const struct conn *conn, char text[CONN_ADDRESS_MAX])
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof address;
	uv_os_fd_t fd;

	if (!conn->open || uv_fileno(&conn->uv.handle, &fd) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		snprintf(text, CONN_ADDRESS_MAX, "closed");
	else if (address.ss_family != AF_UNIX)
		address_text(&address, length, SOCK_STREAM, text, CONN_ADDRESS_MAX);
	else /* bound by another name, then renamed */
		snprintf(text, CONN_ADDRESS_MAX, "%s",
			 conn->acceptor ? conn->acceptor->listener->actual : "unix:");
	return text;
}
