#include "spec/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "spec/endpoint.h"

static const char form[] = "an address such as \"tcp://127.0.0.1:80\", \"tcp://[::1]:80\", "
			   "\"tcp://*:80\", \"udp://127.0.0.1:53\", \"unix:/path\" or "
			   "\"unix:@name\"";

/* The address as it is written back: what was typed may have zeros in front. */
static int take(struct arena *arena, const struct endpoint *endpoint, struct address *address)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&address->socket;
	const struct sockaddr_in *four = (const struct sockaddr_in *)&address->socket;
	const void *host = endpoint->brackets ? (const void *)&six->sin6_addr : &four->sin_addr;
	char text[INET6_ADDRSTRLEN];

	if (!endpoint_address(endpoint, &address->socket, &address->length))
		return -1;
	inet_ntop(address->socket.ss_family, host, text, sizeof text);
	address->kind = endpoint->type == SOCK_DGRAM ? ADDRESS_UDP : ADDRESS_TCP;
	address->text =
	    arena_format(arena, endpoint->brackets ? "%s://[%s]:%u" : "%s://%s:%u",
			 endpoint->type == SOCK_DGRAM ? "udp" : "tcp", text, endpoint->port);
	return 0;
}

static int parse_internet(struct arena *arena, const char *text, struct address *parts,
			  const char **expected)
{
	struct endpoint endpoint;

	switch (endpoint_parse(text, strlen(text), &endpoint)) {
	case ENDPOINT_PORT:
		*expected = "a port from 0 to 65535";
		return 0;
	case ENDPOINT_FORM:
		return 0;
	default:
		break;
	}
	if (!endpoint.brackets && strcmp(endpoint.host, "*") == 0) {
		strcpy(endpoint.host, "0.0.0.0");
		take(arena, &endpoint, &parts[0]);
		endpoint.brackets = true;
		strcpy(endpoint.host, "::");
		take(arena, &endpoint, &parts[1]);
		return 2;
	}
	*expected = "an IP address or \"*\" as host, since names are not looked up";
	return take(arena, &endpoint, &parts[0]) == 0;
}

static int parse_unix(struct arena *arena, const char *folder, const char *path,
		      struct address *address, const char **expected)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&address->socket;
	bool abstract = path[0] == '@';
	const char *full = path;
	size_t length;

	if (!path[0] || (abstract && !path[1]))
		return 0;
	if (!abstract && path[0] != '/')
		full = arena_format(arena, "%s/%s", folder,
				    strncmp(path, "./", 2) == 0 ? path + 2 : path);
	length = strlen(full);
	*expected = "a socket's path of at most 107 bytes";
	if (length >= sizeof un->sun_path)
		return 0;
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, full, length);
	if (abstract)
		un->sun_path[0] = 0;
	address->kind = abstract ? ADDRESS_ABSTRACT : ADDRESS_UNIX;
	/* An abstract name ends where the length says: no closing 0. */
	address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + !abstract);
	address->text = arena_format(arena, "unix:%s", full);
	return 1;
}

int address_parse(struct arena *arena, const char *folder, const char *text,
		  struct address parts[ADDRESS_PARTS_MAX], const char **expected)
{
	memset(parts, 0, sizeof *parts * ADDRESS_PARTS_MAX);
	*expected = form;
	if (strncmp(text, "tcp://", 6) == 0 || strncmp(text, "udp://", 6) == 0)
		return parse_internet(arena, text, parts, expected);
	if (strncmp(text, "unix:", 5) == 0)
		return parse_unix(arena, folder, text + 5, parts, expected);
	return 0;
}
