#include "spec/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static const char form[] = "an address such as \"tcp://127.0.0.1:80\", \"tcp://[::1]:80\", "
			   "\"tcp://*:80\", \"udp://127.0.0.1:53\", \"unix:/path\" or "
			   "\"unix:@name\"";
static const char tcp[] = "tcp://", udp[] = "udp://";

static int make4(struct arena *arena, const char *scheme, const char *host, uint16_t port,
		 struct address *address)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&address->socket;
	char text[INET_ADDRSTRLEN];

	if (inet_pton(AF_INET, host, &in->sin_addr) != 1)
		return -1;
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	address->kind = scheme == udp ? ADDRESS_UDP : ADDRESS_TCP;
	address->length = sizeof *in;
	address->text = arena_format(arena, "%s%s:%u", scheme,
				     inet_ntop(AF_INET, &in->sin_addr, text, sizeof text), port);
	return 0;
}

static int make6(struct arena *arena, const char *scheme, const char *host, uint16_t port,
		 struct address *address)
{
	struct sockaddr_in6 *in = (struct sockaddr_in6 *)&address->socket;
	char text[INET6_ADDRSTRLEN];

	if (inet_pton(AF_INET6, host, &in->sin6_addr) != 1)
		return -1;
	in->sin6_family = AF_INET6;
	in->sin6_port = htons(port);
	address->kind = scheme == udp ? ADDRESS_UDP : ADDRESS_TCP;
	address->length = sizeof *in;
	address->text = arena_format(arena, "%s[%s]:%u", scheme,
				     inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof text), port);
	return 0;
}

static int parse_port(const char *text, uint16_t *port)
{
	size_t length = strlen(text);
	unsigned long number;

	if (length < 1 || length > 5 || strspn(text, "0123456789") != length)
		return -1;
	number = strtoul(text, NULL, 10);
	if (number > 65535)
		return -1;
	*port = (uint16_t)number;
	return 0;
}

/* Cuts "HOST:PORT" or "[HOST]:PORT" in two; 6 for the form in brackets, 4, or 0. */
static int split(char *text, char **host, char **port)
{
	char *end;

	if (text[0] == '[') {
		end = strchr(text, ']');
		if (!end || end[1] != ':')
			return 0;
		*host = text + 1;
		*port = end + 2;
		*end = 0;
		return 6;
	}
	end = strrchr(text, ':');
	if (!end || strchr(text, ':') != end)
		return 0;
	*host = text;
	*port = end + 1;
	*end = 0;
	return 4;
}

static int parse_internet(struct arena *arena, const char *scheme, const char *text,
			  struct address *parts, const char **expected)
{
	char *copy = arena_text(arena, text + strlen(scheme)), *host, *port;
	uint16_t number;
	int family = split(copy, &host, &port);

	if (!family || !*host)
		return 0;
	*expected = "a port from 0 to 65535";
	if (parse_port(port, &number) < 0)
		return 0;
	if (family == 4 && strcmp(host, "*") == 0) {
		make4(arena, scheme, "0.0.0.0", number, &parts[0]);
		make6(arena, scheme, "::", number, &parts[1]);
		return 2;
	}
	*expected = "an IP address or \"*\" as host, since names are not looked up";
	if (family == 6)
		return make6(arena, scheme, host, number, &parts[0]) == 0;
	return make4(arena, scheme, host, number, &parts[0]) == 0;
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
	if (strncmp(text, tcp, sizeof tcp - 1) == 0)
		return parse_internet(arena, tcp, text, parts, expected);
	if (strncmp(text, udp, sizeof udp - 1) == 0)
		return parse_internet(arena, udp, text, parts, expected);
	if (strncmp(text, "unix:", 5) == 0)
		return parse_unix(arena, folder, text + 5, parts, expected);
	return 0;
}
