#include "service/guise.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "spec/endpoint.h"

/* "\0luvd simulates 4711.1 tcp://127.0.0.1:50001", unix(7). */
static const char begin[] = "luvd simulates ";

socklen_t guise_name(const char *world, const char *address, struct sockaddr_un *name)
{
	size_t room = sizeof name->sun_path - 1;
	int length;

	*name = (struct sockaddr_un){.sun_family = AF_UNIX};
	length = snprintf(name->sun_path + 1, room, "%s%s %s", begin, world, address);
	if (length < 0 || (size_t)length >= room)
		return 0;
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
}

const char *guise_address(const struct sockaddr_storage *name, socklen_t length,
			  char text[GUISE_ADDRESS_MAX])
{
	const struct sockaddr_un *at = (const struct sockaddr_un *)name;
	const size_t start = offsetof(struct sockaddr_un, sun_path) + 1;
	const char *space;

	if (at->sun_family != AF_UNIX || length <= start + strlen(begin) || at->sun_path[0] ||
	    memcmp(at->sun_path + 1, begin, strlen(begin)) != 0)
		return NULL;
	snprintf(text, GUISE_ADDRESS_MAX, "%.*s", (int)(length - start - strlen(begin)),
		 at->sun_path + 1 + strlen(begin));
	space = strchr(text, ' ');
	if (!space)
		return NULL;
	memmove(text, space + 1, strlen(space + 1) + 1);
	return text;
}

struct conn_peer guise_peer(const char *address)
{
	struct sockaddr_storage socket = {.ss_family = AF_UNIX};
	struct endpoint endpoint;
	socklen_t length;

	if (endpoint_parse(address, strlen(address), &endpoint) != ENDPOINT_RIGHT ||
	    !endpoint_address(&endpoint, &socket, &length))
		socket.ss_family = AF_UNIX;
	return conn_peer_of(&socket);
}

int guise_socket(const char *world, const char *address, int type)
{
	struct sockaddr_un name;
	socklen_t length = guise_name(world, address, &name);
	int fd;

	if (length == 0) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&name, length) < 0) {
		int code = errno;

		close(fd);
		errno = code;
		return -1;
	}
	return fd;
}
