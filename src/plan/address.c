#include "plan/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/un.h>

static void internet(int family, int type, const void *host, in_port_t port, char *text,
		     size_t size)
{
	char name[INET6_ADDRSTRLEN] = "";

	inet_ntop(family, host, name, sizeof name);
	snprintf(text, size, family == AF_INET6 ? "%s://[%s]:%u" : "%s://%s:%u",
		 type == SOCK_DGRAM ? "udp" : "tcp", name, (unsigned)ntohs(port));
}

static void local(const struct sockaddr_un *address, socklen_t length, char *text, size_t size)
{
	const char *path = address->sun_path;
	size_t left = length > offsetof(struct sockaddr_un, sun_path)
			  ? length - offsetof(struct sockaddr_un, sun_path)
			  : 0;
	int abstract = left > 0 && path[0] == '\0';
	size_t used = (size_t)snprintf(text, size, left == 0 ? "" : abstract ? "unix:@" : "unix:");

	/* A path is closed by a 0, an abstract name is all of its bytes. */
	for (size_t i = abstract ? 1 : 0; i < left && used + 1 < size; i++) {
		if (!abstract && path[i] == '\0')
			break;
		text[used++] = isprint((unsigned char)path[i]) ? path[i] : '?';
	}
	text[used] = '\0';
}

void address_text(const struct sockaddr_storage *address, socklen_t length, int type, char *text,
		  size_t size)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;

	if (address->ss_family == AF_INET)
		internet(AF_INET, type, &four->sin_addr, four->sin_port, text, size);
	else if (address->ss_family == AF_INET6)
		internet(AF_INET6, type, &six->sin6_addr, six->sin6_port, text, size);
	else if (address->ss_family == AF_UNIX)
		local((const struct sockaddr_un *)address, length, text, size);
	else
		snprintf(text, size, "family %d", (int)address->ss_family);
}
