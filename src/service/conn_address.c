#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "plan/address.h"
#include "service/conn.h"
#include "service/guise.h"
#include "service/server.h"

struct conn_peer conn_peer_of(const struct sockaddr_storage *address)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
	const struct sockaddr_in *four = (const struct sockaddr_in *)address;
	struct conn_peer peer = {.family = address->ss_family};

	if (peer.family == AF_INET) {
		peer.port = four->sin_port;
		memcpy(peer.host, &four->sin_addr, sizeof four->sin_addr);
	} else if (peer.family == AF_INET6) {
		peer.port = six->sin6_port;
		peer.extra = six->sin6_scope_id;
		memcpy(peer.host, &six->sin6_addr, sizeof six->sin6_addr);
	}
	return peer;
}

const char *conn_peer_text(const struct conn_peer *peer, char text[CONN_ADDRESS_MAX])
{
	struct sockaddr_storage address = {.ss_family = peer->family};
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&address;
	struct sockaddr_in *four = (struct sockaddr_in *)&address;

	if (peer->family == AF_INET) {
		four->sin_port = peer->port;
		memcpy(&four->sin_addr, peer->host, sizeof four->sin_addr);
	} else if (peer->family == AF_INET6) {
		six->sin6_port = peer->port;
		memcpy(&six->sin6_addr, peer->host, sizeof six->sin6_addr);
	}
	if (peer->family == AF_UNIX)
		snprintf(text, CONN_ADDRESS_MAX, "unix:");
	else
		address_text(&address, sizeof address, SOCK_STREAM, text, CONN_ADDRESS_MAX);
	return text;
}

const char *conn_peer(const struct conn *conn, char text[CONN_ADDRESS_MAX])
{
	return conn_peer_text(&conn->peer, text);
}

const char *conn_local(const struct conn *conn, char text[CONN_ADDRESS_MAX])
{
	struct sockaddr_storage address = {0};
	char guise[GUISE_ADDRESS_MAX];
	socklen_t length = sizeof address;
	uv_os_fd_t fd;

	if (!conn->open || uv_fileno(&conn->handle, &fd) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		snprintf(text, CONN_ADDRESS_MAX, "closed");
	else if (address.ss_family != AF_UNIX)
		address_text(&address, length, SOCK_STREAM, text, CONN_ADDRESS_MAX);
	else if (conn->acceptor) /* bound by another name, then renamed */
		snprintf(text, CONN_ADDRESS_MAX, "%s", conn->acceptor->listener->actual);
	else
		snprintf(text, CONN_ADDRESS_MAX, "%s",
			 guise_address(&address, length, guise) ? guise : "unix:");
	return text;
}
