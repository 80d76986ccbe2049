#include "service/dial.h"

#include <string.h>
#include <sys/un.h>

#include "spec/endpoint.h"

enum { UNIX = 5 /* "unix:" */ };

static bool is_name(const char *host)
{
	return host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 "-._")] == '\0';
}

bool dial_is_unix(const char *target)
{
	return strncmp(target, "unix:", UNIX) == 0;
}

static const char *check_unix(const char *path, size_t length)
{
	/* Relative to what? A daemon stands in "/". */
	if ((path[0] != '/' && path[0] != '@') || length < 2)
		return "a whole path or @name after \"unix:\"";
	if (length >= sizeof((struct sockaddr_un *)0)->sun_path)
		return "a socket's path of at most 107 bytes";
	return NULL;
}

static const char *check_internet(const struct endpoint *endpoint)
{
	struct sockaddr_storage address;
	socklen_t size;

	if (endpoint->type != SOCK_STREAM)
		return "a tcp or unix address";
	if (endpoint->port == 0)
		return "a port from 1 to 65535";
	if (endpoint->brackets)
		return endpoint_address(endpoint, &address, &size) ? NULL
								   : "an IPv6 address in brackets";
	return is_name(endpoint->host) ? NULL : "a host's name or address, then the port";
}

const char *dial_check(const char *target, size_t length)
{
	static const char form[] =
	    "an address such as \"tcp://example.org:80\", \"tcp://[::1]:80\" or \"unix:/path\"";
	struct endpoint endpoint;

	if (memchr(target, '\0', length))
		return form;
	if (dial_is_unix(target))
		return check_unix(target + UNIX, length - UNIX);
	switch (endpoint_parse(target, length, &endpoint)) {
	case ENDPOINT_FORM:
		return form;
	case ENDPOINT_PORT:
		return "a port from 1 to 65535";
	default:
		return check_internet(&endpoint);
	}
}

socklen_t dial_unix_address(const char *target, struct sockaddr_storage *address)
{
	struct sockaddr_un *un = (struct sockaddr_un *)address;
	const char *path = target + UNIX;
	bool abstract = path[0] == '@';
	size_t length = strlen(path);

	memset(address, 0, sizeof *address);
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, length);
	if (abstract)
		un->sun_path[0] = '\0';
	/* An abstract name ends where the length says: no closing 0. */
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + !abstract);
}
